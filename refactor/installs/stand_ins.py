"""The commands that make stand-ins for sources, and those that remove all traces of them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from dockerfix.installs.install import UnknownInstallError
from dockerfix.installs.rust_words import CargoWords
from dockerfix.patterns import pattern

_PLAIN = pattern(r"[A-Za-z0-9_./-]+")


class StandIns(NamedTuple):
    """Files of the build context in whose place others lie for a while, as paths in it."""

    #: With a program that does nothing.
    programs: tuple[str, ...]
    #: With nothing.
    empty: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.programs, *self.empty)


def make_and_clean(
    stand_ins: StandIns,
    names: tuple[str, ...],
    files: tuple[str, ...],
    asked: CargoWords,
    folder: str,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The commands around a run of cargo.

    `names` are the packages, `files` what is copied in front, `folder` that of the project.
    Raises UnknownInstallError for a name that the shell would not pass on as it is.
    """

    def place(path: str) -> str:
        inner = posixpath.relpath(path or ".", folder or ".")
        return posixpath.normpath(posixpath.join(asked.folder, inner))

    for path in stand_ins.paths:
        if place(path).startswith(".."):
            raise UnknownInstallError("a member of a workspace, in its own folder", path)
        if not _PLAIN.fullmatch(place(path)) or place(path).startswith("-"):
            raise UnknownInstallError("a file name that has to be quoted", path)
    there = _folders_above(files)
    folders = dict.fromkeys(posixpath.dirname(path) for path in stand_ins.paths)
    made = [path for path in folders if path not in there]
    leaves = [path for path in made if not any(other.startswith(f"{path}/") for other in made)]
    deep = any(posixpath.dirname(path) not in there for path in leaves)
    make = []
    if leaves:
        make.append(f"mkdir {'-p ' if deep else ''}{' '.join(map(place, leaves))}")
    make += _write(tuple(map(place, stand_ins.programs)))
    if stand_ins.empty:
        make.append(f"touch {' '.join(map(place, stand_ins.empty))}")
    gone = dict.fromkeys(_outermost(path, there) for path in stand_ins.paths)
    removed = f"rm {'-r ' if made else ''}{' '.join(map(place, gone))}"
    packages = (f"--package {name}" for name in names)
    return tuple(make), (" ".join(("cargo clean", *asked.clean, *packages)), removed)


def _write(paths: tuple[str, ...]) -> list[str]:
    if not paths:
        return []
    first, *others = paths
    return [f"echo 'fn main() {{}}' > {first}", *(f"cp {first} {path}" for path in others)]


def _folders_above(files: Iterable[str]) -> set[str]:
    """The folders in which files lie; "" is the build context."""
    found = {""}
    for path in files:
        folder = posixpath.dirname(path)
        while folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return found


def _outermost(path: str, there: set[str]) -> str:
    """The outermost of the folders made for a file; the file where there is none."""
    while posixpath.dirname(path) not in there:
        path = posixpath.dirname(path)
    return path
