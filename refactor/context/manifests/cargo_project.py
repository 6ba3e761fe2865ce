"""The packages that belong to a Cargo project: the workspace, and what lies in folders beside it.

Source: doc.rust-lang.org/cargo/reference/workspaces.html (`members`, `exclude`, members by path
dependencies) and "Overriding Dependencies" (`[patch]`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.cargo import CargoManifest, read_cargo
from dockerfix.context.manifests.reading import (
    CannotTellError,
    parse_toml,
    read_text,
    table_at,
    text_at,
    texts_at,
)

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext


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
    """The packages of the Cargo.lock in a folder; None without one. Raises BrokenManifestError."""
    text = read_text(context, folder, "Cargo.lock")
    if text is None:
        return None
    entries = parse_toml(*text).get("package") or ()
    return tuple(
        LockedPackage(
            name,
            text_at(entry, "source"),
            tuple(text.partition(" ")[0] for text in texts_at(entry, "dependencies")),
        )
        for entry in entries
        if isinstance(entry, dict) and (name := text_at(entry, "name"))
    )


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
    for pattern in root.members:
        if "**" in pattern or "[" in pattern:
            raise CannotTellError(root.path, f"workspace.members: {pattern}")
        is_pattern = "*" in pattern or "?" in pattern
        for path in context.find(_join(folder, pattern)) or ([] if is_pattern else [pattern]):
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
