"""New patterns for the `.dockerignore` of a build context."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from dockerfix.context.build_context import BuildContext
from dockerfix.context.ignore import parse_ignore_file
from dockerfix.transform import NewFile


def add_patterns(patterns: Sequence[str], context: BuildContext) -> NewFile:
    """The ignore file that counts for this Dockerfile, with patterns at its end."""
    path = context.ignore_path or ".dockerignore"
    text = context.read(path) or "" if context.ignore_path else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    return NewFile(path, text + "".join(pattern + newline for pattern in patterns))


def is_kept_out_of_git(path: str, context: BuildContext) -> bool:
    """Whether a `.gitignore` of the context keeps a path out of the repository.

    As far as plain patterns go: what git does with the rest is not asked.
    """
    folders = ["", *_parents(path)]
    for folder in folders:
        text = context.read(posixpath.join(folder, ".gitignore"))
        if text is None:
            continue
        inner = posixpath.relpath(path, folder) if folder else path
        lines = (line.strip() for line in text.splitlines())
        rules = parse_ignore_file("\n".join(_as_docker_writes(line) for line in lines if line))
        if rules.ignores(inner):
            return True
    return False


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _as_docker_writes(line: str) -> str:
    """A pattern of git's, rooted as Docker's are: without a slash inside it holds at any depth."""
    mark = "!" if line.startswith("!") else ""
    body = line.removeprefix("!").rstrip("/")
    if "/" in body:
        return mark + body.lstrip("/")
    return f"{mark}**/{body}"
