"""What a Java archive holds: its main class and the names in it."""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Iterable
from typing import IO, NamedTuple

_MANIFEST = "META-INF/MANIFEST.MF"
#: A table of contents larger than this is not believed.
_MAX_TABLE = 16 << 20
_MAX_MANIFEST = 1 << 20
_LOADER = "org/springframework/boot/loader/"
_UNPACKS = "spring-boot-jarmode-"
_END = b"PK\x05\x06"


class Jar(NamedTuple):
    """An archive of classes."""

    main_class: str
    #: Of the classes and of the archives inside (Spring Boot).
    names: frozenset[str]


def read_jar(file: IO[bytes]) -> Jar | None:
    """Read a seekable file; None when it is no archive, or one that states nonsense."""
    try:
        if not _is_modest(file):
            return None
        with zipfile.ZipFile(file) as archive:
            names = frozenset(
                name for name in archive.namelist() if name.endswith((".class", ".jar"))
            )
            return Jar(_main_class(archive), names)
    except (zipfile.BadZipFile, struct.error, ValueError, OSError, NotImplementedError):
        return None


def unpacked(names: Iterable[str]) -> frozenset[str]:
    """Where Spring Boot's own `extract` puts the contents of its jar, the jar's folder as root.

    Classes go to a jar of the same name, archives to `lib` beside it; the loader and what
    unpacks are not needed any more. Source: docs.spring.io/spring-boot ("Unpacking").
    """
    needed = (
        name
        for name in names
        if not name.startswith(_LOADER) and not posixpath.basename(name).startswith(_UNPACKS)
    )
    return frozenset(
        name.removeprefix("BOOT-INF/classes/").removeprefix("BOOT-INF/") for name in needed
    )


def _is_modest(file: IO[bytes]) -> bool:
    """Whether its table of contents is small enough to be read into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - 22))
    end = file.read()
    place = end.rfind(_END)
    if place < 0:
        return False
    (table,) = struct.unpack_from("<I", end, place + 12)
    return int(table) <= _MAX_TABLE


def _main_class(archive: zipfile.ZipFile) -> str:
    try:
        info = archive.getinfo(_MANIFEST)
    except KeyError:
        return ""
    if info.file_size > _MAX_MANIFEST:
        return ""
    fields: dict[str, str] = {}
    for line in archive.read(info).decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    # Spring Boot's loader is the main class, and starts the class of the program.
    return fields.get("Start-Class") or fields.get("Main-Class", "")
