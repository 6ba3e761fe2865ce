"""The files of an image, read once as a tar stream: names, digests, and what checks read of them.

Nothing of the stream is written to a place that the stream names: a large program goes into an
unnamed temporary file while it is read, and all else stays names and numbers in memory.
"""

from __future__ import annotations

import hashlib
import posixpath
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, NamedTuple, TypeVar

from dockerfix.verify import elf, interests, jars, rpm
from dockerfix.verify.interests import Kind, NpmPackage

_Fact = TypeVar("_Fact")
_CHUNK = 1 << 20
_MAX_LINKS = 400
#: A program up to this size is kept in memory while it is read, a larger one on disk.
_IN_MEMORY = 8 << 20
#: Texts kept of one image, in all.
_TEXTS = 48 << 20
_MOST_DATA = 5000


class TreeError(Exception):
    """The stream is no tar stream, or ends too early."""


class Node(NamedTuple):
    """One file, folder, link or device."""

    kind: str
    mode: int
    owner: tuple[int, int]
    size: int
    #: Of the content.
    digest: bytes
    #: Of a symbolic link.
    target: str = ""


@dataclass(slots=True)
class Tree:
    """All files of an image by their path, without the first slash."""

    nodes: dict[str, Node] = field(default_factory=dict)
    elves: dict[str, elf.Elf] = field(default_factory=dict)
    #: Sources, scripts and lists, as far as checks read them.
    texts: dict[str, str] = field(default_factory=dict)
    npm: dict[str, NpmPackage] = field(default_factory=dict)
    jars: dict[str, jars.Jar] = field(default_factory=dict)
    #: What a program names: `interests.NAMED`, and the words that were asked for.
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    #: Files that the author's program may open, with their first octets.
    data: dict[str, bytes] = field(default_factory=dict)
    #: Names of the locales in an archive of locales.
    locales: set[str] = field(default_factory=set)
    #: Packages of rpm, by name.
    rpm: dict[str, str] = field(default_factory=dict)
    #: Folders that something lies in, whether or not the stream names them.
    folders: set[str] = field(default_factory=set)

    def resolve(self, path: str) -> str | None:
        """Follow the links on a path, as the kernel does; None when nothing is there."""
        waiting = path.split("/")
        done: list[str] = []
        for _ in range(_MAX_LINKS):
            if not waiting:
                found = "/".join(done)
                return found if not found or found in self.nodes or self.has(found) else None
            part = waiting.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            node = self.nodes.get("/".join([*done, part]))
            if node is not None and node.kind == "link":
                done = [] if node.target.startswith("/") else done
                waiting = [*node.target.split("/"), *waiting]
            else:
                done.append(part)
        return None

    def has(self, folder: str) -> bool:
        """Whether it is a folder that something lies in."""
        return folder in self.folders

    def node(self, path: str) -> Node | None:
        """What is at a path, links followed."""
        place = self.resolve(path)
        return self.nodes.get(place) if place else None

    def is_file(self, path: str) -> bool:
        """Whether there is a file at a path, links followed."""
        node = self.node(path)
        return node is not None and node.kind == "file"

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at a path, links followed."""
        place = self.resolve(path)
        if place is None:
            return False
        node = self.nodes.get(place)
        return not place or self.has(place) or (node is not None and node.kind == "folder")

    def text(self, path: str) -> str | None:
        """What a file holds, when it is one of those that are kept; links followed."""
        place = self.resolve(path)
        return self.texts.get(place) if place else None


def read_tree(stream: IO[bytes], words: Mapping[str, bytes] | None = None) -> Tree:
    """Read a tar stream in bounded memory. Raises TreeError.

    `words`, by their names, are looked for in the author's programs.
    """
    reader = _Reader(words or {})
    try:
        with tarfile.open(fileobj=stream, mode="r|", errorlevel=0) as archive:
            while (member := archive.next()) is not None:
                reader.add(member, archive)
                # tarfile keeps each member that it has read.
                archive.members = []  # type: ignore[attr-defined]
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise TreeError(f"the files of the image cannot be read: {error}") from error
    return reader.tree


class _Reader:
    def __init__(self, words: Mapping[str, bytes]) -> None:
        self.words = words
        self.tree = Tree()
        self.budget = _TEXTS
        #: One object for equal numbers and owners: an image has few.
        self.numbers: dict[int, int] = {}
        self.owners: dict[tuple[int, int], tuple[int, int]] = {}

    def add(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        path = posixpath.normpath(member.name).lstrip("/")
        if path in (".", "..") or path.startswith("../"):
            return
        self._add_folders(path)
        mode = self.numbers.setdefault(member.mode & 0o7777, member.mode & 0o7777)
        owner = (member.uid, member.gid)
        owner = self.owners.setdefault(owner, owner)
        if member.islnk():
            self._add_hard_link(path, member, mode, owner)
            return
        digest, size = b"", 0
        if member.isreg():
            size = member.size
            digest = self._read(path, member, archive)
        target = member.linkname if member.issym() else ""
        self.tree.nodes[path] = Node(_kind(member), mode, owner, size, digest, target)

    def _add_folders(self, path: str) -> None:
        folder = posixpath.dirname(path)
        while folder and folder not in self.tree.folders:
            self.tree.folders.add(folder)
            folder = posixpath.dirname(folder)

    def _add_hard_link(
        self, path: str, member: tarfile.TarInfo, mode: int, owner: tuple[int, int]
    ) -> None:
        """A second name of a file; of one that the stream does not have, nothing is known."""
        first = posixpath.normpath(member.linkname).lstrip("/")
        node = self.tree.nodes.get(first)
        unknown = Node("file", mode, owner, 0, first.encode("utf-8", "replace"))
        self.tree.nodes[path] = node or unknown
        _share(self.tree.elves, first, path)
        _share(self.tree.texts, first, path)
        _share(self.tree.names, first, path)
        _share(self.tree.jars, first, path)

    def _read(self, path: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> bytes:
        content = archive.extractfile(member)
        digest = hashlib.blake2b(digest_size=12)
        if content is None:
            return digest.digest()
        chunk = content.read(_CHUNK)
        digest.update(chunk)
        if interests.is_data(path, member.size) and len(self.tree.data) < _MOST_DATA:
            self.tree.data[path] = chunk[: interests.HEAD]
        kind = interests.kind_of(path, member.size, bool(member.mode & 0o111), chunk[:8])
        if kind is Kind.NOTHING or (kind is Kind.TEXT and member.size > self.budget):
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
            return digest.digest()
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            while chunk:
                file.write(chunk)
                chunk = content.read(_CHUNK)
                digest.update(chunk)
            self._keep(path, kind, file)
        return digest.digest()

    def _keep(self, path: str, kind: Kind, file: IO[bytes]) -> None:
        if kind is Kind.PROGRAM:
            self._keep_program(path, file)
        elif kind is Kind.JAR:
            jar = jars.read_jar(file)
            if jar is not None:
                self.tree.jars[path] = jar
        elif kind is Kind.RPM:
            self.tree.rpm |= rpm.read_rpm(file)
        elif kind is Kind.LOCALES:
            self.tree.locales |= interests.read_locales(file)
        else:
            file.seek(0)
            octets = file.read()
            if kind is Kind.NPM:
                package = interests.read_npm_package(octets)
                if package is not None:
                    self.tree.npm[posixpath.dirname(path)] = package
            if kind is Kind.TEXT or "node_modules/" not in path:
                self.budget -= len(octets)
                self.tree.texts[path] = octets.decode("utf-8", "replace")

    def _keep_program(self, path: str, file: IO[bytes]) -> None:
        found = elf.read_elf(file)
        if found is None:
            return
        self.tree.elves[sys.intern(path)] = found
        own = interests.is_own_place(path)
        named = interests.named_in(file, {**interests.NAMED, **(self.words if own else {})})
        if named:
            self.tree.names[path] = named


def _share(table: dict[str, _Fact], first: str, path: str) -> None:
    """What is known of a file holds for its second name too."""
    if first in table:
        table[path] = table[first]


def _kind(member: tarfile.TarInfo) -> str:
    if member.isreg():
        return "file"
    if member.isdir():
        return "folder"
    return "link" if member.issym() else "device"
