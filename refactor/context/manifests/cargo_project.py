"""The packages that belong to a Cargo project: the workspace, and what lies in folders beside it.

Source: doc.rust-lang.org/cargo/reference/workspaces.html (`members`, `exclude`, members by path
dependencies) and "Overriding Dependencies" (`[patch]`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.cargo import CargoManifest, read_cargo
from dockerfix.context.manifests.reading import (
    CannotTellError,
    read_text,
    table_at,
    text_at,
    texts_at,
)
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext


_KEY = pattern(r'^(\w+) = "([^"]*)"', re.M)
_NEEDS = pattern(r"^dependencies = \[(.*?)\]", re.M | re.S)
_NEED = pattern(r'^ *"([^" ]+)', re.M)


class LockedPackage(NamedTuple):
    """A package of a Cargo.lock."""

    name: str
    #: Where it is downloaded from; None for one that lies in a folder.
    source: str | None
    #: The names of the packages that it needs.
    needs: tuple[str, ...]


def read_project(context: BuildContext, folder: str) -> tuple[CargoManifest, ...]:
    """Every manifest that cargo loads in a folder: its own first, then members and path
    dependencies. Raises BrokenManifestError, CannotTellError where one is not to be found.
    """
    root = _read(context, folder, posixpath.join(folder, "Cargo.toml"))
    if text_at(table_at(root.data, "package"), "workspace") or "replace" in root.data:
        raise CannotTellError(root.path, "package.workspace, replace")
    found = {folder: root}
    waiting = [*_members(context, root, folder), *_neighbours(root, folder)]
    while waiting:
        path = waiting.pop(0)
        if path in found:
            continue
        found[path] = _read(context, path, root.path)
        waiting += _neighbours(found[path], path)
    return tuple(found.values())


def read_cargo_lock(context: BuildContext, folder: str) -> tuple[LockedPackage, ...] | None:
    """The packages of the Cargo.lock in a folder; None without one."""
    found = read_text(context, folder, "Cargo.lock")
    if found is None:
        return None
    return tuple(_locked(block) for block in found[1].split("[[package]]")[1:])


def _locked(block: str) -> LockedPackage:
    # A file that cargo writes: one key a line; reading it as TOML takes some hundred times as long.
    values = dict(_KEY.findall(block))
    needs = _NEEDS.search(block)
    names = _NEED.findall(needs[1]) if needs is not None else []
    return LockedPackage(values.get("name", ""), values.get("source"), tuple(names))


def _read(context: BuildContext, folder: str, named_in: str) -> CargoManifest:
    if folder.startswith(".."):
        raise CannotTellError(named_in, folder)
    manifest = read_cargo(context, folder)
    if manifest is None:
        raise CannotTellError(named_in, folder)
    return manifest


def _members(context: BuildContext, root: CargoManifest, folder: str) -> Iterator[str]:
    """The folders of the members that the workspace names."""
    workspace = table_at(root.data, "workspace")
    excluded = [_join(folder, path) for path in texts_at(workspace, "exclude")]
    for member in root.members:
        if "**" in member or "[" in member:
            raise CannotTellError(root.path, f"workspace.members: {member}")
        is_pattern = "*" in member or "?" in member
        for path in context.find(_join(folder, member)) or ([] if is_pattern else [member]):
            if is_pattern and not context.sends(posixpath.join(path, "Cargo.toml")):
                continue
            if not any(f"{path}/".startswith(f"{entry}/") for entry in excluded):
                yield "" if path == "." else path


def _neighbours(manifest: CargoManifest, folder: str) -> list[str]:
    """The folders of what a package depends on by a path."""
    paths = (*manifest.path_dependencies, *manifest.path_patches)
    return [_join(folder, path) for path in paths]


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined
