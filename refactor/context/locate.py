"""Which folder is the build context of a Dockerfile, when nobody says."""

from __future__ import annotations

import glob
import os
from functools import cache
from pathlib import Path

from dockerfix.patterns import pattern

_COPY = pattern(r"^[ \t]*(?:COPY|ADD)[ \t]+([^\n\\<\[]+)$", 8 | 2)
_MAX_PARENTS = 6


def find_context(dockerfile: Path) -> Path:
    """The folder in which most COPY sources are found: the Dockerfile's, or one above it.

    The nearest of several counts; nothing above the repository, or the folder one is in, is asked.
    """
    folder = dockerfile.parent
    sources = _sources(dockerfile)
    if not sources or all(_is_there(folder, source) for source in sources):
        return folder
    best, found = folder, sum(_is_there(folder, source) for source in sources)
    for candidate in _parents(folder):
        count = sum(_is_there(candidate, source) for source in sources)
        if count > found:
            best, found = candidate, count
    return best


def _sources(dockerfile: Path) -> list[str]:
    """What COPY and ADD bring from the context, as far as it is plain."""
    try:
        text = dockerfile.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return []
    found: list[str] = []
    for match in _COPY.finditer(text):
        words = match[1].split()
        if any(word.startswith("--from") for word in words):
            continue
        names = [word for word in words if not word.startswith("--")][:-1]
        found += [name for name in names if name not in (".", "./", "/") and "$" not in name]
    return [name for name in found if "://" not in name and ".." not in name]


@cache
def _parents(folder: Path) -> tuple[Path, ...]:
    """The folders above that may be meant, the nearest first."""
    absolute = folder.absolute()
    here = Path.cwd()
    found: list[Path] = []
    if (absolute / ".git").exists():
        return ()
    for parent in list(absolute.parents)[:_MAX_PARENTS]:
        if not parent.is_relative_to(here) and not _in_repository(parent):
            break
        found.append(parent.relative_to(here) if parent.is_relative_to(here) else parent)
        if (parent / ".git").exists():
            break
    return tuple(found)


@cache
def _in_repository(folder: Path) -> bool:
    return any((place / ".git").exists() for place in (folder, *folder.parents))


def _is_there(folder: Path, source: str) -> bool:
    path = os.path.join(folder, source.lstrip("/"))
    if any(char in source for char in "*?["):
        return bool(glob.glob(path))
    return os.path.exists(path)
