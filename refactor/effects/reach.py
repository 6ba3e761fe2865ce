"""A set of paths that something reads or writes; what is not known reaches everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Reach(NamedTuple):
    """Paths, each with all that lies below it; in the image absolute, in the context relative."""

    paths: tuple[str, ...] = ()
    #: Nothing is known: a wall that nothing crosses.
    everything: bool = False

    def __or__(self, other: Reach) -> Reach:
        """All that either of them reaches."""
        if self.everything or other.everything:
            return EVERYTHING
        return Reach(tuple(dict.fromkeys((*self.paths, *other.paths))))

    def __bool__(self) -> bool:
        """Whether it reaches anything."""
        return self.everything or bool(self.paths)

    def meets(self, other: Reach) -> bool:
        """Whether the two may have a path in common."""
        if self.everything or other.everything:
            return bool(self) and bool(other)
        return any(touches(mine, its) for mine in self.paths for its in other.paths)

    def holds(self, path: str) -> bool:
        """Whether a path, or something below it, is reached."""
        return self.everything or any(touches(path, mine) for mine in self.paths)


NOTHING = Reach()
EVERYTHING = Reach(everything=True)


def unite(reaches: Iterable[Reach]) -> Reach:
    """All that any of them reaches."""
    found = NOTHING
    for reach in reaches:
        found |= reach
    return found


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies in it; `.` is the whole context."""
    return path == folder or folder == "." or path.startswith(f"{folder.rstrip('/')}/")


def touches(first: str, second: str) -> bool:
    """Whether one of two paths is, or lies in, the other."""
    return is_within(first, second) or is_within(second, first)
