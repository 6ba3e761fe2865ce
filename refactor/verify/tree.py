"""The files of two images, read as streams: what is lost, added, changed, and why."""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO

#: What each build or each start writes anew.
_NOISE = (
    *("etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab", ".dockerenv", "etc/ld.so.cache"),
    *("dev/", "proc/", "sys/", "tmp/", "run/", "var/log/", "var/cache/ldconfig/", "var/tmp/"),
    *("etc/machine-id", "var/lib/dpkg/", "var/lib/apt/", "lib/apk/", "var/lib/systemd/"),
)
_NOISE_PARTS = ("/__pycache__/", "/.npm/", "/.cache/", "/_cacache/", "/.package-lock.json")
#: Causes by the front of a path, the first one wins.
_CAUSES = (
    ("caches", ("var/cache/", "root/.cache/", "root/.npm/", "root/.m2/", "go/pkg/")),
    ("tool chain", ("usr/local/go/", "usr/lib/gcc/", "usr/include/", "usr/share/maven/")),
    ("documentation", ("usr/share/doc/", "usr/share/man/", "usr/share/info/")),
    ("accounts", ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/sub", "home/")),
    ("system", ("usr/", "bin/", "sbin/", "lib/", "lib64/", "etc/", "var/", "opt/java/")),
)
#: Bytes of a file that are kept, to read an interpreter line.
_HEAD = 256
_MAX_LINKS = 40
#: What passes take out of an image, or put into it, on purpose.
_TAKES = frozenset(("split-stages", "package-hygiene", "merge-runs", "dockerignore"))


@dataclass(frozen=True, slots=True)
class Node:
    """One file, folder or link."""

    kind: str
    mode: int
    owner: tuple[int, int]
    size: int
    #: Of the content or the link's target.
    digest: bytes
    head: bytes = b""
    #: Of a link.
    target: str = ""


@dataclass
class TreeDifference:
    """Paths, sorted."""

    lost: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    #: Lost from the program's folder though no pass takes files from there.
    unexplained: list[str] = field(default_factory=list)

    def by_cause(self, paths: Iterable[str], folder: str) -> dict[str, int]:
        """How many of the paths belong to which cause."""
        counts: dict[str, int] = {}
        for path in paths:
            name = cause_of(path, folder)
            counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


def read_tree(stream: IO[bytes]) -> dict[str, Node]:
    """Read a tar stream; contents are hashed as they pass, nothing is written to disk."""
    found: dict[str, Node] = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = posixpath.normpath(member.name).lstrip("/")
            if path == "." or path.startswith("../"):
                continue
            digest = hashlib.blake2b(digest_size=12)
            head = b""
            if member.isreg():
                content = archive.extractfile(member)
                while content is not None and (chunk := content.read(1 << 20)):
                    head = head or chunk[:_HEAD]
                    digest.update(chunk)
            else:
                digest.update(member.linkname.encode("utf-8", "surrogateescape"))
            kind = "file" if member.isreg() or member.islnk() else _kind(member)
            executable = member.mode & 0o111 and kind == "file"
            found[path] = Node(
                kind,
                member.mode,
                (member.uid, member.gid),
                member.size,
                digest.digest(),
                head if executable else b"",
                member.linkname if member.issym() else "",
            )
    return found


def _kind(member: tarfile.TarInfo) -> str:
    if member.isdir():
        return "folder"
    return "link" if member.issym() else "other"


def compare_trees(
    before: dict[str, Node], after: dict[str, Node], folder: str, passes: Iterable[str]
) -> TreeDifference:
    """What differs but for noise; `folder` is the program's."""
    found = TreeDifference()
    takes = not _TAKES.isdisjoint(passes)
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if _is_noise(path) or (old or new) is None:
            continue
        if new is None:
            if old is not None and old.kind != "folder":
                found.lost.append(path)
                if _is_in(path, folder) and not takes:
                    found.unexplained.append(path)
        elif old is None:
            if new.kind != "folder":
                found.added.append(path)
        elif old.kind != new.kind or (old.kind == "file" and _differs(old, new)):
            found.changed.append(path)
            lost_mode = bool(old.mode & 0o111) and not new.mode & 0o111
            if _is_in(path, folder) and (lost_mode or old.kind != new.kind):
                found.unexplained.append(path)
    return found


def _differs(old: Node, new: Node) -> bool:
    content = (old.size, old.digest) != (new.size, new.digest)
    return content or (old.mode & 0o777) != (new.mode & 0o777)


def _is_noise(path: str) -> bool:
    return path.startswith(_NOISE) or any(part in f"/{path}/" for part in _NOISE_PARTS)


def _is_in(path: str, folder: str) -> bool:
    root = folder.strip("/")
    return bool(root) and (path == root or path.startswith(f"{root}/"))


def cause_of(path: str, folder: str) -> str:
    """A word for why a file is in an image."""
    if "/node_modules/" in f"/{path}" or "site-packages/" in path:
        return "dependencies"
    if _is_in(path, folder):
        return "program"
    return next((name for name, heads in _CAUSES if path.startswith(heads)), "other")


def find_program(tree: dict[str, Node], word: str, folder: str, search: str) -> str | None:
    """Where a command of the entry lies in an image; None when it is not there."""
    if "/" in word:
        places = [posixpath.normpath(posixpath.join(folder or "/", word))]
    else:
        places = [posixpath.join(part, word) for part in search.split(":") if part]
    for place in places:
        path = _resolve(tree, place.lstrip("/"))
        node = tree.get(path) if path else None
        if node is not None and node.kind == "file" and node.mode & 0o111:
            return f"/{path}"
    return None


def _resolve(tree: dict[str, Node], path: str) -> str | None:
    """Follow the links on a path, as the kernel does; None when it leads nowhere."""
    waiting = path.split("/")
    done: list[str] = []
    for _ in range(_MAX_LINKS * 10):
        if not waiting:
            return "/".join(done)
        part = waiting.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        node = tree.get("/".join([*done, part]))
        if node is not None and node.kind == "link":
            done = [] if node.target.startswith("/") else done
            waiting = [*node.target.split("/"), *waiting]
        else:
            done.append(part)
    return None
