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
from dockerfix.context.usage import commands, compose, kubernetes, workflows
from dockerfix.context.usage.facts import Findings, Reader, Source
from dockerfix.patterns import pattern

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
_HIDDEN = frozenset((".github", ".gitlab", ".circleci", ".devcontainer", ".docker", ".ci"))
_SCRIPT = pattern(
    r"(?:GNU)?[Mm]akefile|[\w.-]+\.(?:sh|mk|bash)|[Jj]ustfile|Jenkinsfile|\.travis\.yml"
    r"|Taskfile\.ya?ml|azure-pipelines[\w-]*\.ya?ml|bitbucket-pipelines\.yml|cloudbuild\.ya?ml"
    r"|buildspec\.ya?ml|\.gitlab-ci[\w.-]*\.ya?ml|package\.json|config\.yml"
)
_BAKE = pattern(r"docker-bake(?:\.override)?\.(?:hcl|json)")
_CRON = pattern(r"crontab(?:\.\w+)?|[\w-]+\.cron|cronjobs?")
_DOCKER = ("docker ", "podman ", "buildah ", "nerdctl ")


@lru_cache(maxsize=16)
def read_repository(root: str, stamp: int) -> tuple[Findings, ...]:
    """What the files of a repository say. `stamp` is when its folder changed, for the cache."""
    found: list[Findings] = []
    texts = 0
    for path in _names(root):
        reader, is_named = _reader_of(path)
        if reader is None:
            continue
        texts += not is_named
        if is_named or texts <= _MAX_TEXTS:
            finding = _read(root, path, reader)
            found += [finding] if finding is not None else []
    return tuple(found)


def script_lines(root: str) -> Iterator[str]:
    """The lines of scripts, Makefiles, workflows and readme files, continued ones in one."""
    for path in _names(root):
        reader, _ = _reader_of(path)
        if reader in (commands.read_script, workflows.read_workflow):
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


def _reader_of(path: str) -> tuple[Reader | None, bool]:
    """What reads a file, and whether its name alone says so."""
    folder, _, name = path.rpartition("/")
    lower = name.lower()
    if lower.endswith((".yml", ".yaml")):
        if compose.NAME.fullmatch(lower):
            return compose.read_compose, True
        if folder.endswith(".github/workflows") or lower.startswith("action."):
            return workflows.read_workflow, True
        if not _SCRIPT.fullmatch(name):
            return kubernetes.read_kubernetes, False
    if _BAKE.fullmatch(lower):
        return workflows.read_bake, True
    if lower == "procfile":
        return commands.read_procfile, True
    if _CRON.fullmatch(lower):
        return commands.read_crontab, True
    if lower == "readme.md":
        return commands.read_script, False
    return (commands.read_script, False) if _SCRIPT.fullmatch(name) else (None, False)


def _read(root: str, path: str, reader: Reader) -> Findings | None:
    text = _text(os.path.join(root, path))
    if text is None or not _is_worth(reader, text):
        return None
    try:
        found = reader(Source(Path(root), path, text))
    except BrokenManifestError as error:
        # Templates of all kinds are called .yaml; only what tools read as it stands can be broken.
        is_own = reader in (compose.read_compose, workflows.read_bake)
        return Findings(problem=error) if is_own else None
    return found if found != Findings() else None


def _is_worth(reader: Reader, text: str) -> bool:
    if reader is commands.read_script:
        return any(word in text for word in _DOCKER)
    return reader is not kubernetes.read_kubernetes or bool(kubernetes.WORTH.search(text))


def _text(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return data.decode("utf-8", "replace") if data and len(data) <= MAX_BYTES else None
