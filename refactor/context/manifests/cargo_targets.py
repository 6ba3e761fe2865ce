"""The files that the targets of a Cargo package are compiled from.

Source: doc.rust-lang.org/cargo/reference/cargo-targets.html ("Target auto-discovery", `path`) and
"Build Scripts": a target with a table in the manifest has to have its file whatever is built; one
that is found by its place has not.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dockerfix.context.manifests.reading import CannotTellError, table_at, text_at

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext
    from dockerfix.context.manifests.cargo import CargoManifest

#: Kinds of targets and the folders in which their files are looked for.
_FOLDERS = {"bin": "src/bin", "example": "examples", "test": "tests", "bench": "benches"}


class Program(NamedTuple):
    """A binary target."""

    name: str
    #: In the build context.
    path: str
    #: Whether the manifest has a table for it.
    listed: bool


class Targets(NamedTuple):
    """The files of a package from which cargo compiles, as paths in the build context."""

    library: str | None
    #: `src/main.rs` first among those that the manifest does not list.
    programs: tuple[Program, ...]
    #: Of examples, tests and benches that the manifest lists.
    others: tuple[str, ...]
    build_script: str | None


def read_targets(context: BuildContext, manifest: CargoManifest) -> Targets:
    """The targets of a package.

    Raises CannotTellError for a listed target whose file is not where cargo looks for it first.
    """
    package = table_at(manifest.data, "package")
    listed = [
        Program(name, path, True)
        for name, path in _listed(context, manifest, "bin", text_at(package, "name") or "")
    ]
    places = {program.path for program in listed}
    found = () if package.get("autobins") is False else _discovered(context, manifest)
    return Targets(
        _library(context, manifest),
        (*listed, *(program for program in found if program.path not in places)),
        tuple(
            path
            for kind in ("example", "test", "bench")
            for _, path in _listed(context, manifest, kind, "")
        ),
        _build_script(context, manifest, package.get("build")),
    )


def _listed(
    context: BuildContext, manifest: CargoManifest, kind: str, package: str
) -> Iterator[tuple[str, str]]:
    """Names and files of the targets of a kind that have a table."""
    entries = manifest.data.get(kind, [])
    if not isinstance(entries, list):
        raise CannotTellError(manifest.path, kind)
    for entry in entries:
        name = text_at(table_at(entry), "name")
        if name is None:
            raise CannotTellError(manifest.path, f"[[{kind}]]")
        path = text_at(table_at(entry), "path")
        inner = (path,) if path is not None else _inferred(kind, name, package)
        files = (_in(manifest, text) for text in inner)
        found = next((file for file in files if _is_there(context, file)), None)
        if found is None:
            raise CannotTellError(manifest.path, f"[[{kind}]] {name}")
        yield name, found


def _inferred(kind: str, name: str, package: str) -> tuple[str, ...]:
    """Where cargo looks for the file of a target that has no path."""
    folder = _FOLDERS[kind]
    main = ("src/main.rs",) if kind == "bin" and name == package else ()
    return (*main, f"{folder}/{name}.rs", f"{folder}/{name}/main.rs")


def _discovered(context: BuildContext, manifest: CargoManifest) -> Iterator[Program]:
    """The programs that are found by their place."""
    main = _in(manifest, "src/main.rs")
    if _is_there(context, main):
        yield Program(manifest.name or "", main, False)
    folder = _in(manifest, "src/bin")
    for name in context.names(folder):
        path = posixpath.join(folder, name)
        if name.endswith(".rs") and _is_there(context, path):
            yield Program(name.removesuffix(".rs"), path, False)
        elif _is_there(context, f"{path}/main.rs"):
            yield Program(name, f"{path}/main.rs", False)


def _library(context: BuildContext, manifest: CargoManifest) -> str | None:
    entry = manifest.data.get("lib")
    path = _in(manifest, text_at(table_at(manifest.data, "lib"), "path") or "src/lib.rs")
    if _is_there(context, path):
        return path
    if entry is not None:
        raise CannotTellError(manifest.path, "[lib]")
    return None


def _build_script(context: BuildContext, manifest: CargoManifest, build: Any) -> str | None:  # noqa: ANN401
    """The file of the build script; `build` is what the manifest says of it."""
    if build is False:
        return None
    if build is not None and build is not True and not isinstance(build, str):
        raise CannotTellError(manifest.path, "package.build")
    path = _in(manifest, build if isinstance(build, str) else "build.rs")
    if _is_there(context, path):
        return path
    if build is not None:
        raise CannotTellError(manifest.path, "package.build")
    return None


def _in(manifest: CargoManifest, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(manifest.path), path))


def _is_there(context: BuildContext, path: str) -> bool:
    return context.sends(path) and context.is_file(path)
