"""The files of two images: what is lost, added, changed, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from dockerfix.verify.tree import Node, Tree

#: What each build or each start writes anew.
_NOISE = (
    *("etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab", ".dockerenv", "etc/ld.so.cache"),
    *("dev/", "proc/", "sys/", "tmp/", "run/", "var/log/", "var/cache/ldconfig/", "var/tmp/"),
    *("etc/machine-id", "var/lib/systemd/", "etc/passwd-", "etc/group-", "etc/shadow-"),
    *("etc/gshadow-", "etc/subuid-", "etc/subgid-", "run/.containerenv"),
)
_NOISE_PARTS = ("/__pycache__/", "/.package-lock.json")
#: Causes by the front of a path, the first one wins.
_CAUSES = (
    ("package database", ("var/lib/dpkg/", "var/lib/apt/", "lib/apk/", "usr/lib/sysimage/rpm/")),
    ("package database", ("var/lib/rpm/", "usr/lib/apk/", "etc/apk/", "var/lib/dnf/")),
    ("caches", ("var/cache/", "root/.cache/", "root/.npm/", "root/.m2/", "go/pkg/")),
    ("caches", ("root/.gradle/", "root/.nuget/", "root/.cargo/", "usr/local/cargo/registry/")),
    ("tool chain", ("usr/local/go/", "usr/lib/gcc/", "usr/include/", "usr/share/maven/")),
    ("tool chain", ("usr/local/cargo/", "usr/local/rustup/", "usr/local/include/", "opt/yarn-")),
    ("tool chain", ("usr/share/dotnet/sdk/", "opt/maven/", "opt/gradle/", "opt/java/")),
    ("tool chain", ("usr/local/lib/node_modules/", "usr/lib/jvm/")),
    ("documentation", ("usr/share/doc/", "usr/share/man/", "usr/share/info/")),
    ("accounts", ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/sub", "home/")),
    ("system", ("usr/", "bin/", "sbin/", "lib/", "lib64/", "etc/", "var/", "boot/")),
)
#: Extensions of what is compiled or bundled.
_SOURCES = frozenset(
    (
        *(
            "py",
            "js",
            "mjs",
            "cjs",
            "ts",
            "tsx",
            "jsx",
            "go",
            "java",
            "kt",
            "cs",
            "rs",
            "rb",
            "php",
        ),
        *("c", "cc", "cpp", "h", "vue", "svelte", "scss"),
    )
)
_CACHE_PARTS = ("/.npm/", "/.cache/", "/_cacache/", "/.pnpm-store/", "/.yarn/cache/")
#: Which passes take files of the program out of an image on purpose.
_TAKES = frozenset(("split-stages", "dockerignore", "production-deps", "secret-mounts"))
#: Which ones take only what an install leaves behind.
_CLEANS = frozenset(("package-hygiene", "merge-runs", "cache-mounts"))
_CLEANED = ("caches", "dependencies")
_OWNS = frozenset(("add-user", "chown-copies", "split-stages"))


class TreeChange(NamedTuple):
    """A path that is not the same."""

    path: str
    #: `lost`, `added`, `content`, `mode`, `owner`, `kind`.
    what: str
    #: A word for where it comes from: `dependencies`, `caches`, `package git`.
    cause: str
    #: For a mode, an owner, a kind: what it was and is.
    detail: str = ""
    #: Whether no pass did it on purpose.
    unexplained: bool = False


@dataclass(slots=True)
class TreeDifference:
    """All changes, by path."""

    changes: list[TreeChange] = field(default_factory=list)

    def paths(self, *what: str) -> list[str]:
        """The paths of all changes of these kinds."""
        return [change.path for change in self.changes if change.what in what]

    @property
    def lost(self) -> list[str]:
        """What the new image does not hold."""
        return self.paths("lost")

    @property
    def added(self) -> list[str]:
        """What only the new image holds."""
        return self.paths("added")

    @property
    def changed(self) -> list[str]:
        """What is in both, and not the same."""
        return self.paths("content", "mode", "owner", "kind")

    @property
    def unexplained(self) -> list[TreeChange]:
        """What no pass did on purpose."""
        return [change for change in self.changes if change.unexplained]

    def groups(self) -> dict[str, dict[str, int]]:
        """By kind of change: how many paths for each cause, the largest first."""
        counts: dict[str, dict[str, int]] = {}
        for change in self.changes:
            row = counts.setdefault(change.what, {})
            row[change.cause] = row.get(change.cause, 0) + 1
        return {what: dict(sorted(row.items(), key=_by_count)) for what, row in counts.items()}


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


class Judge(NamedTuple):
    """What is known when two trees are compared."""

    #: The program's folder, absolute.
    folder: str
    passes: frozenset[str]
    #: Which package a file of the old and the new image belongs to.
    owners: dict[str, str]
    #: Whether the refactoring keeps other files out of the build context.
    ignores: bool = False

    def takes(self, cause: str) -> bool:
        """Whether a pass takes files of the program away, of those that have this cause."""
        if self.ignores or not _TAKES.isdisjoint(self.passes):
            return True
        return cause in _CLEANED and not _CLEANS.isdisjoint(self.passes)

    def cause_of(self, path: str) -> str:
        """A word for why a file is in an image."""
        if any(part in f"/{path}" for part in _CACHE_PARTS):
            return "caches"
        if "/node_modules/" in f"/{path}/" or "-packages/" in path or "/vendor/" in path:
            return "dependencies"
        if self.is_own(path):
            return "sources" if path.rpartition(".")[2] in _SOURCES else "program"
        found = next((name for name, heads in _CAUSES if path.startswith(heads)), "other")
        return "system packages" if path in self.owners and found == "system" else found

    def is_own(self, path: str) -> bool:
        """Whether a path is in the program's folder."""
        root = self.folder.strip("/")
        return bool(root) and (path == root or path.startswith(f"{root}/"))


def compare_trees(before: Tree, after: Tree, judge: Judge) -> TreeDifference:
    """What differs but for noise and times."""
    found = TreeDifference()
    for path in sorted(before.nodes.keys() | after.nodes.keys()):
        if not _is_noise(path):
            old, new = before.nodes.get(path), after.nodes.get(path)
            found.changes += _compare(path, old, new, judge)
    return found


def _compare(path: str, old: Node | None, new: Node | None, judge: Judge) -> Iterable[TreeChange]:
    cause = judge.cause_of(path)
    if old is None or new is None:
        node = old or new
        if node is not None and node.kind != "folder":
            lost = new is None
            wrong = lost and judge.is_own(path) and not judge.takes(cause)
            yield TreeChange(path, "lost" if lost else "added", cause, unexplained=wrong)
        return
    own = judge.is_own(path)
    if old.kind != new.kind:
        yield TreeChange(path, "kind", cause, f"{old.kind} -> {new.kind}", own)
        return
    if (old.size, old.digest, old.target) != (new.size, new.digest, new.target):
        yield TreeChange(path, "content", cause)
    if old.mode != new.mode and old.kind != "link":
        detail = f"{old.mode:04o} -> {new.mode:04o}"
        yield TreeChange(path, "mode", cause, detail, own and _loses_right(old, new))
    if old.owner != new.owner:
        detail = "{}:{} -> {}:{}".format(*old.owner, *new.owner)
        yield TreeChange(path, "owner", cause, detail, own and _OWNS.isdisjoint(judge.passes))


def _loses_right(old: Node, new: Node) -> bool:
    """Whether somebody cannot execute, or read, what was for him before."""
    return bool(old.mode & ~new.mode & 0o555) or bool(old.mode & ~new.mode & 0o7000)


def _is_noise(path: str) -> bool:
    return path.startswith(_NOISE) or any(part in f"/{path}/" for part in _NOISE_PARTS)
