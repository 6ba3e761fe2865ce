"""pyproject.toml in all its kinds, Pipfile and setup.cfg.

Sources: packaging.python.org (pyproject.toml, PEP 621, PEP 735), python-poetry.org/docs/pyproject,
docs.astral.sh/uv (`tool.uv`), hatch.pypa.io, setuptools.pypa.io, pipenv.pypa.io.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import (
    BrokenManifestError,
    Place,
    Table,
    parse_toml,
    read_text,
    strings,
    table_at,
    text_at,
    texts_at,
)
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

_NAME = pattern(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class PyProject(NamedTuple):
    """A pyproject.toml."""

    path: str
    data: Table

    def place(self, key: str) -> Place:
        """Where a key is, to show."""
        return Place(self.path, key)

    def tool(self, name: str) -> Table:
        """The table of a tool."""
        return table_at(self.data, "tool", name)

    @property
    def name(self) -> str | None:
        """The project's name."""
        return text_at(table_at(self.data, "project"), "name") or text_at(
            self.tool("poetry"), "name"
        )

    @property
    def build_backend(self) -> str | None:
        """`build-system.build-backend`."""
        return text_at(table_at(self.data, "build-system"), "build-backend")

    @property
    def requires_python(self) -> str | None:
        """`requires-python`, or poetry's `python`."""
        return text_at(table_at(self.data, "project"), "requires-python") or text_at(
            table_at(self.tool("poetry"), "dependencies"), "python"
        )

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The names of what production needs, in lower case."""
        written = texts_at(table_at(self.data, "project"), "dependencies")
        poetry = table_at(self.tool("poetry"), "dependencies")
        names = [requirement_name(text) for text in written]
        names += [name for name in poetry if name != "python"]
        return tuple(dict.fromkeys(canonical(name) for name in names if name))

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Further dependencies: extras, dependency groups, groups of poetry."""
        project = table_at(self.data, "project", "optional-dependencies")
        found: dict[str, tuple[str, ...]] = {}
        for table in (project, table_at(self.data, "dependency-groups")):
            for name in table:
                names = (requirement_name(text) for text in texts_at(table, name))
                found[name] = tuple(canonical(entry) for entry in names if entry)
        for name, group in table_at(self.tool("poetry"), "group").items():
            found[name] = tuple(canonical(entry) for entry in table_at(group, "dependencies"))
        old = table_at(self.tool("poetry"), "dev-dependencies")
        return {**found, "dev": tuple(map(canonical, old))} if old else found

    @property
    def scripts(self) -> Mapping[str, str]:
        """The programs that the package brings: `name = "module:function"`."""
        return {
            **strings(table_at(self.tool("poetry"), "scripts")),
            **strings(table_at(self.data, "project", "scripts")),
        }

    @property
    def local_paths(self) -> tuple[str, ...]:
        """Dependencies that are folders or files of the repository, as they are written."""
        tables = [
            table_at(self.tool("poetry"), "dependencies"),
            table_at(self.tool("poetry"), "dev-dependencies"),
            table_at(self.tool("uv"), "sources"),
            *(table_at(g, "dependencies") for g in table_at(self.tool("poetry"), "group").values()),
        ]
        return tuple(path for table in tables for path in _paths(table))

    @property
    def is_uv_workspace(self) -> bool:
        """Whether it is the root, or counts on members, of a uv workspace."""
        sources = table_at(self.tool("uv"), "sources").values()
        return bool(table_at(self.tool("uv"), "workspace")) or any(
            isinstance(source, dict) and source.get("workspace") is True for source in sources
        )

    @property
    def is_package(self) -> bool:
        """Whether an install builds the project itself, unless it is told not to."""
        if self.tool("uv").get("package") is not None:
            return self.tool("uv")["package"] is True
        if self.tool("poetry"):
            return self.tool("poetry").get("package-mode", True) is not False
        return bool(table_at(self.data, "build-system"))

    @property
    def files_of_metadata(self) -> tuple[str, ...]:
        """Files that building the project reads: readme, licence, files of dynamic values."""
        project = table_at(self.data, "project")
        found = [text_at(project, "readme"), text_at(table_at(project, "readme"), "file")]
        found += [text_at(table_at(project, "license"), "file")]
        found += [text_at(self.tool("poetry"), "readme")]
        found += texts_at(self.tool("poetry"), "readme")
        for entry in table_at(self.tool("setuptools"), "dynamic").values():
            files = entry.get("file") if isinstance(entry, dict) else None
            found += [files] if isinstance(files, str) else list(files or ())
        return tuple(dict.fromkeys(name for name in found if isinstance(name, str)))


def read_pyproject(context: BuildContext, folder: str = "") -> PyProject | None:
    """The pyproject.toml of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "pyproject.toml")
    return PyProject(found[0], parse_toml(*found)) if found is not None else None


class Pipfile(NamedTuple):
    """A Pipfile."""

    path: str
    packages: tuple[str, ...]
    dev_packages: tuple[str, ...]
    local_paths: tuple[str, ...]
    python: str | None


def read_pipfile(context: BuildContext, folder: str = "") -> Pipfile | None:
    """The Pipfile of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "Pipfile")
    if found is None:
        return None
    data = parse_toml(*found)
    packages, dev = table_at(data, "packages"), table_at(data, "dev-packages")
    return Pipfile(
        found[0],
        tuple(map(canonical, packages)),
        tuple(map(canonical, dev)),
        (*_paths(packages), *_paths(dev)),
        text_at(table_at(data, "requires"), "python_version"),
    )


class SetupConfig(NamedTuple):
    """A setup.cfg."""

    path: str
    dependencies: tuple[str, ...]
    #: Files that building reads (`long_description = file: README.md`).
    files: tuple[str, ...]


def read_setup_config(context: BuildContext, folder: str = "") -> SetupConfig | None:
    """The setup.cfg of a folder; None when there is none. Raises BrokenManifestError."""
    import configparser

    found = read_text(context, folder, "setup.cfg")
    if found is None:
        return None
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(found[1])
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", ())), (1,))[0]
        raise BrokenManifestError(found[0], line, "no setup.cfg") from error
    required = parser.get("options", "install_requires", fallback="").splitlines()
    names = (requirement_name(text) for text in required)
    values = [value for section in parser.sections() for _, value in parser.items(section)]
    files = [name for v in values if v.strip().startswith("file:") for name in v[5:].split(",")]
    return SetupConfig(
        found[0],
        tuple(canonical(name) for name in names if name),
        tuple(name.strip() for name in files),
    )


def requirement_name(text: str) -> str | None:
    """The name in a requirement: `Flask[async]>=2; python_version > "3"` is `Flask`."""
    match = _NAME.match(text)
    return match[1] if match else None


def canonical(name: str) -> str:
    """A name as PyPI compares it: lower case, one `-` for `_` and `.`."""
    return name.lower().replace("_", "-").replace(".", "-")


def _paths(table: Table) -> Iterator[str]:
    for entry in table.values():
        for option in entry if isinstance(entry, list) else [entry]:
            path = option.get("path") if isinstance(option, dict) else None
            if isinstance(path, str):
                yield path
