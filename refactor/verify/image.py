"""An image as a container of it sees it: its files, and the configuration that it starts with."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dockerfix.verify.libraries import Loader
from dockerfix.verify.tree import Node, Tree

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READ, WRITE, EXECUTE = 4, 2, 1


class Account(NamedTuple):
    """Who a container runs as."""

    uid: int
    groups: frozenset[int]
    name: str


@dataclass(slots=True)
class Image:
    """Files and configuration of one image."""

    tree: Tree
    config: dict[str, Any]
    environment: dict[str, str] = field(init=False)
    loader: Loader = field(init=False)

    def __post_init__(self) -> None:
        pairs = (str(entry).partition("=") for entry in self.config.get("Env") or ())
        self.environment = {name: value for name, _, value in pairs}
        self.loader = Loader(self.tree, self.environment.get("LD_LIBRARY_PATH", ""))

    @property
    def folder(self) -> str:
        """Where the program starts."""
        return str(self.config.get("WorkingDir") or "/")

    @property
    def words(self) -> tuple[str, ...]:
        """What a container runs."""
        entry = self.config.get("Entrypoint") or ()
        return (*map(str, entry), *map(str, self.config.get("Cmd") or ()))

    def absolute(self, path: str) -> str:
        """A path as the program sees it, without the first slash."""
        return posixpath.normpath(posixpath.join(self.folder, path)).lstrip("/")

    def find_program(self, word: str) -> str | None:
        """Where a command lies, links followed; None when it is not there or is no program."""
        for place in self._places(word):
            path = self.tree.resolve(place)
            node = self.tree.nodes.get(path) if path else None
            if node is not None and node.kind == "file" and node.mode & 0o111:
                return path
        return None

    def find_any(self, word: str) -> str | None:
        """Where a command lies, whether or not it may be executed."""
        return next((path for p in self._places(word) if (path := self._file(p))), None)

    def _file(self, place: str) -> str | None:
        return self.tree.resolve(place) if self.tree.is_file(place) else None

    def _places(self, word: str) -> list[str]:
        if "/" in word:
            return [self.absolute(word)]
        search = self.environment.get("PATH", _DEFAULT_PATH)
        return [posixpath.join(part, word).lstrip("/") for part in search.split(":") if part]

    def account(self) -> Account:
        """Who the configuration names; numbers that no list knows stay numbers."""
        user, _, group = str(self.config.get("User") or "0").partition(":")
        uid, gid = _look_up(self.tree.text("etc/passwd"), user)
        groups = {gid}
        if group:
            groups = {_look_up(self.tree.text("etc/group"), group)[0]}
        else:
            groups |= _memberships(self.tree.text("etc/group"), user)
        return Account(uid, frozenset(groups), user)

    def may(self, path: str, right: int) -> bool:
        """Whether the user may read, write or execute a file, and enter the folders above it."""
        place = self.tree.resolve(path)
        if place is None:
            return False
        account = self.account()
        parts = place.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts)))
        return all(self._allows(folder, account, EXECUTE) for folder in above) and self._allows(
            place, account, right
        )

    def _allows(self, path: str, account: Account, right: int) -> bool:
        node = self.tree.nodes.get(path)
        if node is None or (account.uid == 0 and right != EXECUTE):
            return True
        return bool(_bits(node, account) & right)


def _bits(node: Node, account: Account) -> int:
    if account.uid == 0:
        return EXECUTE if node.kind == "folder" or node.mode & 0o111 else 0
    if node.owner[0] == account.uid:
        return node.mode >> 6 & 7
    return node.mode >> 3 & 7 if node.owner[1] in account.groups else node.mode & 7


def _look_up(listed: str | None, name: str) -> tuple[int, int]:
    """Number and group of a name in a list of accounts; of an unknown one nobody's."""
    for line in (listed or "").splitlines():
        fields = line.split(":")
        if len(fields) > 3 and name in (fields[0], fields[2]) and fields[2].isdigit():
            return int(fields[2]), int(fields[3]) if fields[3].isdigit() else 0
    return (int(name), 0) if name.isdigit() else (0 if name == "root" else 65534, 0)


def _memberships(listed: str | None, user: str) -> set[int]:
    found: set[int] = set()
    for line in (listed or "").splitlines():
        fields = line.split(":")
        if len(fields) > 3 and user in fields[3].split(",") and fields[2].isdigit():
            found.add(int(fields[2]))
    return found
