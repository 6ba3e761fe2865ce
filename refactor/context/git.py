"""What git holds of the context, and what a `.gitignore` keeps out of it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from functools import lru_cache

from dockerfix.context.build_context import BuildContext
from dockerfix.context.ignore import IgnoreRules, parse_ignore_file
from dockerfix.context.usage.usage import repository_of

#: An index of more bytes is read up to here.
_MAX_INDEX = 64 * 1024 * 1024
#: The most that the field for a path's length holds.
_LONGEST = 0xFFF


def is_kept_out_of_git(path: str, context: BuildContext) -> bool:
    """Whether a `.gitignore` of the context keeps a path out of the repository.

    As far as plain patterns go: what git does with the rest is not asked. What git holds in spite
    of its patterns is not kept out, as far as its index says so.
    """
    if is_tracked(path, context):
        return False
    folders = ["", *_parents(path)]
    for folder in folders:
        text = context.read(posixpath.join(folder, ".gitignore"))
        if text is None:
            continue
        inner = posixpath.relpath(path, folder) if folder else path
        if _read_patterns(text).ignores(inner):
            return True
    return False


@lru_cache(maxsize=32)
def _read_patterns(text: str) -> IgnoreRules:
    """The patterns of a `.gitignore`, as far as Docker's rules can say the same."""
    lines = (line.strip() for line in text.splitlines())
    return parse_ignore_file("\n".join(_as_docker_writes(line) for line in lines if line))


def is_tracked(path: str, context: BuildContext) -> bool:
    """Whether the index of the repository holds a path, or something in it.

    False where there is no index to read, or one of version 4, whose paths are compressed.
    """
    repository = repository_of(context)
    index = _read_index(repository)
    if not index:
        return False
    full = os.path.relpath(os.path.join(os.path.realpath(context.root), path), repository)
    name = full.encode("utf-8", "surrogateescape")
    return any(_begins_entry(place, index) for place in _places(name, index))


def _places(name: bytes, index: bytes) -> Iterator[int]:
    """Where a name, or that of a folder, stands in an index, within longer names as well."""
    for end in (b"\0", b"/"):
        place = index.find(name + end)
        while place >= 0:
            yield place
            place = index.find(name + end, place + 1)


def _begins_entry(place: int, index: bytes) -> bool:
    """Whether the path of an entry begins there: its length stands in front of it.

    Source: git's gitformat-index (flags of 16 bits, from version 3 on 16 more where a bit says so).
    """
    length = min(index.find(b"\0", place) - place, _LONGEST)
    flags = (index[at : at + 2] for at in (place - 2, place - 4) if at >= 0)
    return any(int.from_bytes(field) & _LONGEST == length for field in flags)


def is_nowhere_in_git(name: str, context: BuildContext) -> bool:
    """Whether git holds no folder of this name, whatever its depth, and is told to hold none.

    False where there is no index to read.
    """
    index = _read_index(repository_of(context))
    if not index or name.encode("utf-8", "surrogateescape") + b"/" in index:
        return False
    return is_kept_out_of_git(posixpath.join("any", "folder", name), context)


@lru_cache(maxsize=4)
def _read_index(repository: str) -> bytes:
    try:
        with open(os.path.join(repository, ".git", "index"), "rb") as file:
            return file.read(_MAX_INDEX)
    except OSError:
        return b""


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
