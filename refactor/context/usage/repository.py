"""The files of a repository that say how images are built and run.

The walk is breadth first and bounded, so that a tree of any size costs little: what matters lies
near the root.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Findings, Source
from dockerfix.context.usage.readers import FileKind, kind_of

#: Names looked at; then the rest of the repository is not known.
MAX_NAMES = 20_000
MAX_BYTES = 300_000
#: Texts read besides those that are named for it (scripts, manifests).
_MAX_TEXTS = 400
_SKIPPED = frozenset(
    (
        *("node_modules", "vendor", "bower_components", "site-packages", "venv", "target"),
        *("__pycache__", "dist", "fixtures", "testdata", "third_party"),
    )
)
_HIDDEN = frozenset(
    (
        *(".github", ".gitlab", ".circleci", ".devcontainer", ".docker", ".ci", ".do", ".aws"),
        *(".woodpecker", ".drone", ".buildkite", ".azure", ".azure-pipelines", ".azuredevops"),
        *(".gitea", ".forgejo", ".jenkins", ".k8s", ".helm", ".kube", ".semaphore"),
    )
)


@lru_cache(maxsize=16)
def read_repository(root: str, stamp: int) -> tuple[Findings, ...]:
    """What the files of a repository say. `stamp` is when its folder changed, for the cache."""
    found: list[Findings] = []
    texts = 0
    for path in _names(root):
        kind = kind_of(path)
        if kind is None:
            continue
        texts += not kind.is_named
        if kind.is_named or texts <= _MAX_TEXTS:
            finding = _read(root, path, kind)
            found += [finding] if finding is not None else []
    return tuple(found)


def script_lines(root: str) -> Iterator[str]:
    """The lines of scripts, Makefiles, workflows and readme files, continued ones in one."""
    for path in _names(root):
        kind = kind_of(path)
        if kind is not None and kind.is_script:
            text = _text(os.path.join(root, path)) or ""
            yield from text.replace("\\\n", " ").splitlines()


def _names(root: str) -> Iterator[str]:
    """Paths of files, those near the root first."""
    waiting, seen = deque([""]), 0
    while waiting:
        folder = waiting.popleft()
        try:
            with os.scandir(os.path.join(root, folder)) as found:
                names = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in found)
        except OSError:
            continue
        for name, is_folder in names:
            seen += 1
            if seen > MAX_NAMES:
                return
            path = f"{folder}/{name}" if folder else name
            if not is_folder:
                yield path
            elif name not in _SKIPPED and (not name.startswith(".") or name in _HIDDEN):
                waiting.append(path)


def _read(root: str, path: str, kind: FileKind) -> Findings | None:
    text = _text(os.path.join(root, path))
    if text is None or not kind.is_worth_reading(text):
        return None
    try:
        found = kind.load()(Source(Path(root), path, text))
    except BrokenManifestError as error:
        return Findings(problem=error) if kind.can_be_broken(path) else None
    return found if found != Findings() else None


def _text(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return data.decode("utf-8", "replace") if data and len(data) <= MAX_BYTES else None
