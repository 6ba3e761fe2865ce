"""Which shared libraries a program finds in an image: what the dynamic loader would do.

Order of search: ld.so(8) for glibc; ldso/dynlink.c for musl.
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from dockerfix.verify.elf import Elf
from dockerfix.verify.tree import Tree

_DEFAULT = ("lib", "usr/lib", "lib64", "usr/lib64")
#: Debian's folders by architecture are built into its loader.
_BY_MACHINE = {
    "x86_64": "x86_64-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "i386": "i386-linux-gnu",
}
#: What musl answers itself, whatever the number behind it.
_OWN_OF_MUSL = re.compile(r"lib(?:c|pthread|rt|m|dl|util|xnet)\.")
_GLIBC = re.compile(r"GLIBC_\d")
_MAX_DEPTH = 60


class Missing(NamedTuple):
    """What a program wants, and the image does not have."""

    #: The file that wants it.
    by: str
    #: A library, an interpreter, or a library with a version.
    name: str


class Loader:
    """The loader of one image."""

    def __init__(self, tree: Tree, library_path: str) -> None:
        self.tree = tree
        self.musl = _has_musl(tree)
        self.extra = [part.lstrip("/") for part in library_path.split(":") if part]
        self.configured = _configured(tree)
        self._known: dict[str, tuple[Missing, ...]] = {}

    def missing(self, path: str) -> tuple[Missing, ...]:
        """All that a program or library, and what it loads, does not find."""
        if path not in self._known:
            found: dict[str, Missing] = {}
            self._walk(path, {path}, found, 0)
            self._known[path] = tuple(found.values())
        return self._known[path]

    def _walk(self, path: str, seen: set[str], found: dict[str, Missing], depth: int) -> None:
        program = self.tree.elves.get(path)
        if program is None or depth > _MAX_DEPTH:
            return
        interpreter = program.interpreter
        if depth == 0 and interpreter and not self.tree.is_file(interpreter.lstrip("/")):
            found[interpreter] = Missing(path, interpreter)
        if self.musl and _is_of_glibc(program):
            found.setdefault("glibc", Missing(path, "glibc (the image has musl)"))
            return
        for name in program.needed:
            place = self.find(name, path, program)
            if place is None:
                if not (self.musl and _OWN_OF_MUSL.match(name)):
                    found.setdefault(name, Missing(path, name))
                continue
            self._check_versions(path, program, name, place, found)
            if place not in seen:
                seen.add(place)
                self._walk(place, seen, found, depth + 1)

    def _check_versions(
        self, path: str, program: Elf, name: str, place: str, found: dict[str, Missing]
    ) -> None:
        library = self.tree.elves[place]
        for file, version in sorted(program.versions):
            if file == name and library.offers and version not in library.offers:
                found.setdefault(f"{name} {version}", Missing(path, f"{name} with {version}"))

    def find(self, name: str, path: str, program: Elf) -> str | None:
        """Where a library lies that a file asks for; None when it is nowhere."""
        if "/" in name:
            place = self.tree.resolve(name.lstrip("/"))
            return place if place in self.tree.elves else None
        for folder in self._folders(path, program):
            place = self.tree.resolve(f"{folder}/{name}")
            library = self.tree.elves.get(place) if place else None
            if library is not None and library.machine == program.machine:
                return place
        return None

    def _folders(self, path: str, program: Elf) -> list[str]:
        origin = posixpath.dirname(path)
        own = program.runpath or program.rpath
        places = [_place(part, origin) for part in own]
        machine = _BY_MACHINE.get(program.machine)
        debian = [f"lib/{machine}", f"usr/lib/{machine}"] if machine else []
        if self.musl and not self.configured:
            return [*places, *self.extra, "lib", "usr/local/lib", "usr/lib"]
        return [*places, *self.extra, *self.configured, *debian, *_DEFAULT]


def _place(part: str, origin: str) -> str:
    """A folder that a file names, relative to where the file lies."""
    for variable in ("${ORIGIN}", "$ORIGIN"):
        part = part.replace(variable, f"/{origin}")
    return posixpath.normpath(f"/{part}").lstrip("/")


def _is_of_glibc(program: Elf) -> bool:
    return "ld-linux" in program.interpreter or any(
        _GLIBC.match(version) for _, version in program.versions
    )


def _has_musl(tree: Tree) -> bool:
    """Whether the image's C library is musl, and there is no glibc beside it."""
    loaders = [path for path in tree.nodes if "/ld-" in path and path.split("/")[0] in _ROOTS]
    glibc = any("/ld-linux" in path or "/libc.so.6" in path for path in loaders)
    return any("/ld-musl-" in path for path in loaders) and not glibc


_ROOTS = frozenset(("lib", "lib64", "usr"))


def _configured(tree: Tree) -> list[str]:
    """The folders that the loader's settings name."""
    found: list[str] = []
    for path, text in tree.texts.items():
        if path == "etc/ld.so.conf" or path.startswith("etc/ld.so.conf.d/"):
            lines = (line.partition("#")[0].strip() for line in text.splitlines())
            found += [line.lstrip("/") for line in lines if line.startswith("/")]
        elif path.startswith("etc/ld-musl-"):
            parts = re.split(r"[:\n]", text)
            found += [part.strip().lstrip("/") for part in parts if part.strip()]
    return found
