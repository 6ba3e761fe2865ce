"""The packages in the database of rpm 4.16 and later (Fedora, RHEL 9, openSUSE): SQLite.

The headers in it are laid out as in packages: https://rpm-software-management.github.io/rpm/manual/format_header.html
The older Berkeley and ndb databases are not read.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from typing import IO

PATHS = ("usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite")
_NAME, _VERSION, _RELEASE = 1000, 1001, 1002
_STRING = 6
#: Steps of SQLite's machine: a real database takes far fewer, one that is made up may never end.
_STEPS = 5_000_000
_MAX_ENTRIES = 4096


def read_rpm(file: IO[bytes]) -> dict[str, str]:
    """Names and versions; nothing when it is no such database."""
    file.seek(0)
    with tempfile.NamedTemporaryFile(prefix="dockerfix-rpm-") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        try:
            return dict(_packages(copy.name))
        except (sqlite3.Error, struct.error, ValueError):
            return {}


def _packages(path: str) -> Iterator[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
        database.execute("PRAGMA trusted_schema = OFF")
        database.set_progress_handler(lambda: 1, _STEPS)
        for (header,) in database.execute("SELECT blob FROM Packages"):
            if isinstance(header, bytes):
                yield from _package(header)


def _package(header: bytes) -> Iterator[tuple[str, str]]:
    count, _ = struct.unpack_from(">II", header)
    start = 8 + 16 * count
    found: dict[int, str] = {}
    for number in range(min(count, _MAX_ENTRIES)):
        tag, kind, offset, _ = struct.unpack_from(">IIII", header, 8 + 16 * number)
        if tag in (_NAME, _VERSION, _RELEASE) and kind == _STRING:
            end = header.find(b"\0", start + offset)
            found[tag] = header[start + offset : end].decode("utf-8", "replace")
    # The keys of the distribution are kept as packages too.
    if _NAME in found and found[_NAME] != "gpg-pubkey":
        yield found[_NAME], f"{found.get(_VERSION, '')}-{found.get(_RELEASE, '')}"
