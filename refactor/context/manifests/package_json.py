"""package.json and the lock beside it.

Sources: docs.npmjs.com (package.json, package-lock.json), yarnpkg.com (yarn.lock, `__metadata`),
pnpm.io (pnpm-lock.yaml, pnpm-workspace.yaml, `patchedDependencies`), bun.sh (bun.lock),
nodejs.org ("packageManager", "type").
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from dockerfix.context.manifests.reading import (
    Place,
    Table,
    parse_json,
    read_text,
    strings,
    table_at,
    text_at,
    texts_at,
)
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

Tool: TypeAlias = Literal["npm", "yarn", "yarn-berry", "pnpm", "bun"]

_NPM_VERSION = pattern(r'"lockfileVersion"\s*:\s*(\d+)')
_PNPM_VERSION = pattern(r"^lockfileVersion:\s*['\"]?([\d.]+)", 8)
_BERRY = pattern(r"^__metadata:\s*\n\s+version:\s*(\d+)", 8)
_LOCKS: tuple[tuple[str, Tool], ...] = (
    ("npm-shrinkwrap.json", "npm"),
    ("package-lock.json", "npm"),
    ("yarn.lock", "yarn"),
    ("pnpm-lock.yaml", "pnpm"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
)


class PackageJson(NamedTuple):
    """What a package.json says; keys that are missing are empty."""

    path: str
    data: Table

    def place(self, key: str) -> Place:
        """Where a key is, to show."""
        return Place(self.path, key)

    @property
    def folder(self) -> str:
        """The folder it lies in; "" is the context itself."""
        return posixpath.dirname(self.path)

    @property
    def name(self) -> str | None:
        """`name`."""
        return text_at(self.data, "name")

    @property
    def scripts(self) -> Mapping[str, str]:
        """`scripts`."""
        return strings(table_at(self.data, "scripts"))

    @property
    def dependencies(self) -> Mapping[str, str]:
        """`dependencies` and `optionalDependencies`: what production installs."""
        return strings(
            {
                **table_at(self.data, "optionalDependencies"),
                **table_at(self.data, "dependencies"),
            }
        )

    @property
    def dev_dependencies(self) -> Mapping[str, str]:
        """`devDependencies`."""
        return strings(table_at(self.data, "devDependencies"))

    def uses(self, *names: str) -> str | None:
        """The first of these packages that it depends on, for production or development."""
        return next(
            (n for n in names if n in self.dependencies or n in self.dev_dependencies), None
        )

    @property
    def workspaces(self) -> tuple[str, ...]:
        """`workspaces`, as a list or as `packages` in a table."""
        found = self.data.get("workspaces")
        return texts_at(found if isinstance(found, dict) else self.data, _key_of(found))

    @property
    def package_manager(self) -> str | None:
        """`packageManager`: `yarn@4.1.0`."""
        return text_at(self.data, "packageManager")

    @property
    def engines(self) -> Mapping[str, str]:
        """`engines`: `{"node": ">=20"}`."""
        return strings(table_at(self.data, "engines"))

    @property
    def main(self) -> str | None:
        """`main`: the module that `node .` runs."""
        return text_at(self.data, "main")

    @property
    def is_module(self) -> bool:
        """Whether `.js` files are ES modules (`type`)."""
        return self.data.get("type") == "module"

    @property
    def bin(self) -> Mapping[str, str]:
        """`bin`: names and files; a single file has the package's name."""
        found = self.data.get("bin")
        if isinstance(found, str):
            return {(self.name or "").rpartition("/")[2]: found}
        return strings(table_at(self.data, "bin"))

    @property
    def files(self) -> tuple[str, ...] | None:
        """`files`: what is published; None when everything is."""
        return texts_at(self.data, "files") if "files" in self.data else None

    @property
    def has_overrides(self) -> bool:
        """Whether versions are forced (`overrides`, `resolutions`, `pnpm.overrides`)."""
        pnpm = table_at(self.data, "pnpm")
        return bool(
            self.data.get("overrides") or self.data.get("resolutions") or pnpm.get("overrides")
        )

    @property
    def patched_dependencies(self) -> Mapping[str, str]:
        """`patchedDependencies` of bun or `pnpm`: package and patch file."""
        own = table_at(self.data, "patchedDependencies")
        return strings(own or table_at(self.data, "pnpm", "patchedDependencies"))


class NodeLock(NamedTuple):
    """A lock file of a package manager of Node.js."""

    path: str
    tool: Tool
    #: As the file says: `3` for npm, `9.0` for pnpm, `8` for yarn berry; "" where it says nothing.
    version: str


def read_package_json(context: BuildContext, folder: str = "") -> PackageJson | None:
    """The package.json of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "package.json")
    return PackageJson(found[0], parse_json(*found)) if found is not None else None


def read_node_locks(context: BuildContext, folder: str = "") -> tuple[NodeLock, ...]:
    """The lock files of a folder. More than one means that it cannot be told which one counts."""
    found: list[NodeLock] = []
    for name, tool in _LOCKS:
        path = posixpath.normpath(posixpath.join(folder, name))
        if context.sends(path) and context.is_file(path):
            found.append(_read_lock(path, tool, context.read(path) or ""))
    return tuple(found)


def _read_lock(path: str, tool: Tool, text: str) -> NodeLock:
    head = text[:4096]
    berry = _BERRY.search(head) if tool == "yarn" else None
    if berry:
        return NodeLock(path, "yarn-berry", berry[1])
    version = {"npm": _NPM_VERSION, "pnpm": _PNPM_VERSION}.get(tool)
    match = version.search(head) if version is not None else None
    return NodeLock(path, tool, match[1] if match else "1" if tool == "yarn" else "")


def _key_of(workspaces: object) -> str:
    return "packages" if isinstance(workspaces, dict) else "workspaces"
