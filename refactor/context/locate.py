"""Which folder is the build context of a Dockerfile, when nobody says on the command line.

What compose files, CI and scripts of the repository name counts first; then the folder in which the
COPY sources are.
"""

from __future__ import annotations

import glob
import json
import os
from pathlib import Path
from typing import NamedTuple

from dockerfix.context.repository_root import MAX_PARENTS, is_inside, repository_root
from dockerfix.patterns import pattern

_COPY = pattern(r"^[ \t]*(?:COPY|ADD)[ \t]+([^\n\\<]+)$", 8 | 2)


class Located(NamedTuple):
    """A build context, and why it is that."""

    folder: Path
    why: str
    #: Other folders that may be meant as well, each with who says so.
    others: tuple[str, ...] = ()

    @property
    def doubt(self) -> str:
        """What to tell people when it is not certain; "" when it is."""
        return f"{self.folder} ({self.why}), or {', '.join(self.others)}" if self.others else ""


def find_context(dockerfile: Path) -> Path:
    """The build context of a Dockerfile."""
    return locate_context(dockerfile).folder


def locate_context(dockerfile: Path, repository: str = "") -> Located:
    """The build context: as the repository says, else the folder with most of the COPY sources.

    The nearest of several counts; nothing above the repository, or the folder one is in, is asked.
    `repository` is its folder where that is known; "": it is looked for.
    """
    folder = dockerfile.parent
    sources = _sources(dockerfile)
    if sources is None or _is_root(folder):
        return Located(folder, "the folder of the Dockerfile")
    root = os.path.realpath(repository) if repository else repository_root(str(folder))
    told = _told(dockerfile, root)
    if told:
        # Of several that are told, the one that holds more of what is copied; then the first.
        ranked = sorted(told, key=lambda place: -_count(place, sources))
        is_short = _count(ranked[0], sources) < len(sources)
        full = _full(folder, root, sources) if is_short else None
        others = tuple(f"{place} ({told[place]})" for place in ranked[0 if full else 1 :])
        if full is not None:
            # A command of a script that changed the directory before, or of another time.
            return Located(full, "all sources are there", others)
        return Located(ranked[0], told[ranked[0]], others)
    if all(_is_there(folder, source) for source in sources):
        return Located(folder, "the folder of the Dockerfile")
    best, found = folder, _count(folder, sources)
    for candidate in _parents(folder, root):
        count = _count(candidate, sources)
        if count > found:
            best, found = candidate, count
    return Located(best, f"{found} of {len(sources)} sources are there")


def _full(folder: Path, root: str, sources: list[str]) -> Path | None:
    """The nearest folder that holds all that is copied."""
    places = (folder, *_parents(folder, root))
    return next((p for p in places if _count(p, sources) == len(sources)), None)


def _count(folder: Path, sources: list[str]) -> int:
    return sum(_is_there(folder, source) for source in sources)


def _is_root(folder: Path) -> bool:
    """Whether a folder is the repository itself: then it is the context, or nearly always."""
    return (folder / ".git").exists()


def _told(dockerfile: Path, root: str) -> dict[Path, str]:
    """The folders that files of the repository name as the context of this Dockerfile."""
    from dockerfix.context.usage.usage import all_findings

    own = os.path.realpath(dockerfile)
    found: dict[bool, dict[Path, str]] = {False: {}, True: {}}
    for findings in all_findings(root):
        for build in findings.builds:
            named = build.dockerfile and os.path.realpath(build.dockerfile) == own
            if named and build.context and os.path.isdir(build.context):
                told = found[build.is_development]
                place = _as_written(Path(build.context), dockerfile.parent)
                told.setdefault(place, str(build.place))
    # What people work in counts where nobody ships the image.
    return found[False] or found[True]


def _as_written(folder: Path, beside: Path) -> Path:
    """A folder written as the Dockerfile's is, so that one file never has two names."""
    way = os.path.relpath(os.path.realpath(folder), os.path.realpath(beside))
    written = os.path.normpath(beside / way)
    return folder if written.startswith("..") else Path(written)


def _sources(dockerfile: Path) -> list[str] | None:
    """What COPY and ADD bring from the context, as far as it is plain; None when they do not."""
    try:
        text = dockerfile.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None
    found: list[str] | None = None
    for match in _COPY.finditer(text):
        words = _copy_words(match[1])
        if any(word.startswith("--from") for word in words):
            continue
        names = [word for word in words if not word.startswith("--")][:-1]
        plain = (name for name in names if name not in (".", "./", "/") and "$" not in name)
        found = [*(found or []), *(n for n in plain if "://" not in n and ".." not in n)]
    return found


def _copy_words(text: str) -> list[str]:
    """The flags and paths of a COPY, in either form."""
    flags, bracket, array = text.partition("[")
    if not bracket or any(not word.startswith("--") for word in flags.split()):
        return text.split()
    try:
        paths = json.loads(f"[{array}")
    except ValueError:
        return []
    return [*flags.split(), *(path for path in paths if isinstance(path, str))]


def _parents(folder: Path, root: str) -> tuple[Path, ...]:
    """The folders above that may be meant, the nearest first."""
    absolute = folder.absolute()
    here = Path.cwd()
    found: list[Path] = []
    for parent in list(absolute.parents)[:MAX_PARENTS]:
        if not parent.is_relative_to(here) and not is_inside(os.path.realpath(parent), root):
            break
        found.append(_as_written(parent, folder))
        if (parent / ".git").exists():
            break
    return tuple(found)


def _is_there(folder: Path, source: str) -> bool:
    path = os.path.join(folder, source.lstrip("/"))
    if any(char in source for char in "*?["):
        return bool(glob.glob(path))
    return os.path.exists(path)
