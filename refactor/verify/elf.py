"""What an ELF file asks of the system around it: its interpreter, libraries and versions.

Layout: System V ABI, chapters 4 and 5; symbol versions: Linux Standard Base Core, section 10.7.
Files come from image layers, so each length that they state is bounded before it is believed.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass, field
from typing import IO, NamedTuple

MAGIC = b"\x7fELF"
#: More than any real file has; what states more is not believed.
_MAX_ENTRIES = 4096
_MAX_TEXT = 4096
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF


class Elf(NamedTuple):
    """The dynamic part of a program or library; all empty for a static program."""

    #: `x86_64`, `aarch64`, or the number of the machine.
    machine: str
    #: The dynamic loader that a program names.
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    soname: str = ""
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    #: Of the libraries it needs: file name and symbol version.
    versions: frozenset[tuple[str, str]] = frozenset()
    #: Symbol versions that it offers.
    offers: frozenset[str] = frozenset()


_MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64", 22: "s390x"}


class _NotReadableError(Exception):
    """The file states what it does not hold."""


@dataclass
class _Reader:
    file: IO[bytes]
    wide: bool
    order: str
    #: Of each loaded segment: address, length, and where it lies in the file.
    loads: list[tuple[int, int, int]] = field(default_factory=list)

    def read(self, offset: int, layout: str) -> tuple[int, ...]:
        size = struct.calcsize(self.order + layout)
        self.file.seek(offset)
        octets = self.file.read(size)
        if len(octets) != size:
            raise _NotReadableError
        return struct.unpack(self.order + layout, octets)

    def text(self, offset: int) -> str:
        self.file.seek(offset)
        octets = self.file.read(_MAX_TEXT)
        return sys.intern(octets.split(b"\0", 1)[0].decode("utf-8", "surrogateescape"))

    def place(self, address: int) -> int:
        """Where in the file an address lies."""
        for start, length, offset in self.loads:
            if start <= address < start + length:
                return address - start + offset
        raise _NotReadableError


def read_elf(file: IO[bytes]) -> Elf | None:
    """Read a seekable file; None when it is no ELF file, or one that states nonsense."""
    file.seek(0)
    ident = file.read(16)
    if len(ident) < 16 or not ident.startswith(MAGIC):
        return None
    reader = _Reader(file, ident[4] == 2, "<" if ident[5] == 1 else ">")
    try:
        return _read(reader)
    except (_NotReadableError, OverflowError, ValueError, OSError):
        return None


def _read(reader: _Reader) -> Elf:
    header = reader.read(16, "HHIQQQIHHHHHH" if reader.wide else "HHIIIIIHHHHHH")
    machine, table, size, count = header[1], header[4], header[8], min(header[9], 64)
    interpreter, dynamic = "", None
    for number in range(count):
        kind, offset, address, length = _segment(reader, table + number * size)
        if kind == _PT_LOAD:
            reader.loads.append((address, length, offset))
        elif kind == _PT_INTERP:
            interpreter = reader.text(offset)
        elif kind == _PT_DYNAMIC:
            dynamic = offset
    name = _MACHINES.get(machine, str(machine))
    if dynamic is None:
        return Elf(name, interpreter)
    return _read_dynamic(reader, name, interpreter, dynamic)


def _segment(reader: _Reader, offset: int) -> tuple[int, int, int, int]:
    """Kind, offset, address and length in the file of a segment."""
    if reader.wide:
        kind, _, start, address, _, length = reader.read(offset, "IIQQQQ")
    else:
        kind, start, address, _, length = reader.read(offset, "IIIII")
    return kind, start, address, length


def _read_dynamic(reader: _Reader, machine: str, interpreter: str, offset: int) -> Elf:
    entries: list[tuple[int, int]] = []
    step = 16 if reader.wide else 8
    for number in range(_MAX_ENTRIES):
        tag, value = reader.read(offset + number * step, "QQ" if reader.wide else "II")
        if tag == 0:
            break
        entries.append((tag, value))
    values = dict(entries)
    if _STRTAB not in values:
        return Elf(machine, interpreter)
    names = reader.place(values[_STRTAB])
    return Elf(
        machine,
        interpreter,
        tuple(reader.text(names + value) for tag, value in entries if tag == _NEEDED),
        reader.text(names + values[_SONAME]) if _SONAME in values else "",
        _folders(reader, names, values.get(_RPATH)),
        _folders(reader, names, values.get(_RUNPATH)),
        _needed_versions(reader, names, values),
        _offered_versions(reader, names, values),
    )


def _folders(reader: _Reader, names: int, value: int | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(part for part in reader.text(names + value).split(":") if part)


def _needed_versions(
    reader: _Reader, names: int, values: dict[int, int]
) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    if _VERNEED not in values:
        return frozenset()
    offset = reader.place(values[_VERNEED])
    for _ in range(min(values.get(_VERNEEDNUM, 0), _MAX_ENTRIES)):
        _, count, file, first, following = reader.read(offset, "HHIII")
        part = offset + first
        for _ in range(count):
            _, flags, _, name, step = reader.read(part, "IHHII")
            # VER_FLG_WEAK: the program runs without it.
            if not flags & 2:
                found.add((reader.text(names + file), reader.text(names + name)))
            part += step
            if not step or len(found) > _MAX_ENTRIES:
                break
        offset += following
        if not following:
            break
    return frozenset(found)


def _offered_versions(reader: _Reader, names: int, values: dict[int, int]) -> frozenset[str]:
    found: set[str] = set()
    if _VERDEF not in values:
        return frozenset()
    offset = reader.place(values[_VERDEF])
    for _ in range(min(values.get(_VERDEFNUM, 0), _MAX_ENTRIES)):
        _, _, _, _, _, first, following = reader.read(offset, "HHHHIII")
        name, _ = reader.read(offset + first, "II")
        found.add(reader.text(names + name))
        offset += following
        if not following:
            break
    return frozenset(found)
