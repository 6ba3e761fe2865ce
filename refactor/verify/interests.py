"""Which files of an image checks read, and what they keep of them."""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Mapping
from enum import Enum, auto
from typing import IO, NamedTuple

from dockerfix.verify import rpm

#: The certificates that crypto/x509 of Go reads.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
#: A time zone that nobody names who does not hold them all (time/tzdata of Go, chrono-tz).
ANY_ZONE = "Pacific/Kiritimati"
#: What is looked for in all programs.
NAMED = {name: name.encode() for name in (CERTIFICATES, ANY_ZONE)}
#: Octets of a data file that are kept, to see whether a program holds it in itself.
HEAD = 48
_TAIL = 128
_DATA = (
    *(".html", ".htm", ".tmpl", ".tpl", ".gohtml", ".tera", ".j2", ".mustache", ".hbs", ".sql"),
    *(".yaml", ".yml", ".json", ".toml", ".ini", ".conf", ".csv", ".pem", ".xml", ".properties"),
    *(".css", ".svg", ".png", ".ico", ".txt"),
)
#: What tools read before they compile: a crate below `a/` is named by the places of its panics.
_OF_TOOLS = ("/Cargo.toml", "/rust-toolchain.toml", "/.cargo/config.toml")
_SCRIPT, _SOURCE, _LIST = 1 << 16, 1 << 20, 16 << 20
_MAX_PROGRAM = 1 << 30
_SOURCES = (".py", ".js", ".mjs", ".cjs", ".sh", ".cfg", ".pth")
_LISTS = (
    *("etc/passwd", "etc/group", "etc/os-release", "usr/lib/os-release", "etc/ld.so.conf"),
    *("var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed"),
)
_LIST_FOLDERS = ("etc/ld.so.conf.d/", "etc/ld-musl-", "var/lib/dpkg/status.d/")
_NOT_SOURCES = re.compile(
    r"(?:^|/)(?:node_modules|site-packages|dist-packages|__pycache__|\.git)/"
    r"|^(?:usr/(?:lib|share|include|local/(?:lib|go|share|include))|proc|sys|dev|lib|root/\.)"
)
_LOCALE = re.compile(rb"([a-z]{2,3}_[A-Z]{2}(?:\.[\w-]+)?(?:@\w+)?)\0")


class Kind(Enum):
    """What a file is to the checks."""

    NOTHING = auto()
    TEXT = auto()
    PROGRAM = auto()
    NPM = auto()
    JAR = auto()
    LOCALES = auto()
    RPM = auto()


class NpmPackage(NamedTuple):
    """Of a package.json: what it is called, and what it cannot do without."""

    name: str
    version: str
    needs: tuple[str, ...]


def kind_of(path: str, size: int, executable: bool, head: bytes) -> Kind:
    """What to keep of a file, by its path, its size and its first octets."""
    name = posixpath.basename(path)
    if head.startswith(b"\x7fELF") and size <= _MAX_PROGRAM:
        return Kind.PROGRAM
    if head.startswith(b"PK\x03\x04") and name.endswith((".jar", ".war")):
        return Kind.JAR
    if path in rpm.PATHS:
        return Kind.RPM
    if name == "locale-archive":
        return Kind.LOCALES
    if name == "package.json" and size <= _SOURCE:
        return Kind.NPM
    return Kind.TEXT if _is_text(path, size, executable, head) else Kind.NOTHING


def _is_text(path: str, size: int, executable: bool, head: bytes) -> bool:
    if path in _LISTS or path.startswith(_LIST_FOLDERS):
        return size <= _LIST
    if path.startswith("var/lib/dpkg/info/") and path.endswith(".list"):
        return size <= _SOURCE
    if executable and head.startswith(b"#!"):
        return size <= _SCRIPT
    if path.endswith("pyvenv.cfg"):
        return size <= _SCRIPT
    return size <= _SOURCE and path.endswith(_SOURCES) and not _NOT_SOURCES.search(path)


def read_npm_package(octets: bytes) -> NpmPackage | None:
    """What a package.json says; None when it is no object."""
    try:
        data = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    needs = data.get("dependencies")
    optional = data.get("optionalDependencies")
    left_out = set(optional) if isinstance(optional, dict) else set()
    names = sorted(set(needs) - left_out) if isinstance(needs, dict) else []
    return NpmPackage(
        sys.intern(str(data.get("name") or "")),
        str(data.get("version") or ""),
        tuple(sys.intern(str(name)) for name in names),
    )


def read_locales(file: IO[bytes]) -> set[str]:
    """The names in an archive of locales."""
    found: set[str] = set()
    file.seek(0)
    tail = b""
    while chunk := file.read(1 << 20):
        found.update(name.decode() for name in _LOCALE.findall(tail + chunk))
        tail = chunk[-64:]
    return found


def named_in(file: IO[bytes], words: Mapping[str, bytes]) -> frozenset[str]:
    """Which words occur in a program, by their names; not as a later part of a path."""
    found: set[str] = set()
    file.seek(0)
    tail = b""
    while chunk := file.read(1 << 20):
        window = tail + chunk
        found.update(n for n, word in words.items() if n not in found and _occurs(word, window))
        tail = chunk[-_TAIL:]
    return frozenset(found)


def _occurs(word: bytes, window: bytes) -> bool:
    place = window.find(word)
    while place >= 0:
        if place == 0 or window[place - 1] != ord("/"):
            return True
        place = window.find(word, place + 1)
    return False


def is_own_place(path: str) -> bool:
    """Whether a program or a file may be the author's: not where systems keep theirs."""
    return not _NOT_SOURCES.search(path) and not path.startswith(("usr/bin/", "bin/", "sbin/"))


def is_data(path: str, size: int) -> bool:
    """Whether a file is one that a program opens when it runs."""
    found = size > 0 and path.endswith(_DATA) and not path.endswith(_OF_TOOLS)
    return found and is_own_place(path)
