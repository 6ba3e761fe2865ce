"""Cargo.toml. Source: doc.rust-lang.org/cargo/reference (manifest, workspaces, build scripts)."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import (
    Place,
    Table,
    parse_toml,
    read_text,
    table_at,
    text_at,
    texts_at,
)

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

_KINDS = ("dependencies", "dev-dependencies", "build-dependencies")


class CargoManifest(NamedTuple):
    """A Cargo.toml."""

    path: str
    data: Table
    #: Programs that cargo makes: of `[[bin]]`, `src/main.rs` and `src/bin`.
    binaries: tuple[str, ...]
    #: Whether a build script runs before the program is compiled.
    has_build_script: bool

    def place(self, key: str) -> Place:
        """Where a key is, to show."""
        return Place(self.path, key)

    @property
    def name(self) -> str | None:
        """The package's name; None for a workspace without a package."""
        return text_at(table_at(self.data, "package"), "name")

    @property
    def default_program(self) -> str | None:
        """The program that `cargo run` means; it has to be there whatever is built."""
        return text_at(table_at(self.data, "package"), "default-run")

    @property
    def members(self) -> tuple[str, ...]:
        """The members of the workspace, as they are written."""
        return texts_at(table_at(self.data, "workspace"), "members")

    @property
    def path_dependencies(self) -> tuple[str, ...]:
        """Dependencies that are folders, as they are written."""
        tables = [table_at(self.data, kind) for kind in _KINDS]
        tables += [
            table_at(target, kind)
            for target in table_at(self.data, "target").values()
            for kind in _KINDS
        ]
        tables.append(table_at(self.data, "workspace", "dependencies"))
        entries = (entry for table in tables for entry in table.values())
        return tuple(e["path"] for e in entries if isinstance(e, dict) and text_at(e, "path"))

    @property
    def path_patches(self) -> tuple[str, ...]:
        """Folders that stand in for dependencies by `[patch]`, as they are written."""
        tables = (table_at(table) for table in table_at(self.data, "patch").values())
        entries = (entry for table in tables for entry in table.values())
        return tuple(path for entry in entries if (path := text_at(table_at(entry), "path")))

    @property
    def has_dependencies(self) -> bool:
        """Whether a build of its program needs other packages."""
        tables = (self.data, *table_at(self.data, "target").values())
        kinds = ("dependencies", "build-dependencies")
        return any(table_at(table, kind) for table in tables for kind in kinds)

    @property
    def lints(self) -> Table:
        """Lints of the compiler by name, with their levels; those of the workspace among them."""
        inherited = table_at(self.data, "workspace", "lints", "rust")
        return {**inherited, **table_at(self.data, "lints", "rust")}

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The names of what the program itself depends on."""
        return tuple(table_at(self.data, "dependencies"))


def read_cargo(context: BuildContext, folder: str = "") -> CargoManifest | None:
    """The Cargo.toml of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "Cargo.toml")
    if found is None:
        return None
    data = parse_toml(*found)
    package = table_at(data, "package")
    build = package.get("build")
    has_build = isinstance(build, str) or (
        build is not False and context.is_file(posixpath.join(folder, "build.rs"))
    )
    return CargoManifest(found[0], data, _binaries(context, folder, data), has_build)


def _binaries(context: BuildContext, folder: str, data: Table) -> tuple[str, ...]:
    listed = data.get("bin")
    entries = listed if isinstance(listed, list) else []
    names = [text_at(entry, "name") for entry in entries if isinstance(entry, dict)]
    package = table_at(data, "package")
    if package.get("autobins") is not False:
        if context.is_file(posixpath.join(folder, "src/main.rs")) and not names:
            names.append(text_at(package, "name"))
        programs = posixpath.join(folder, "src/bin")
        names += [
            name.removesuffix(".rs")
            for name in context.names(programs)
            if name.endswith(".rs") or context.is_file(f"{programs}/{name}/main.rs")
        ]
    return tuple(dict.fromkeys(name for name in names if name))
