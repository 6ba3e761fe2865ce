"""A compose service as it is in the end: variables put in, `extends` and other files merged.

Sources: docs.docker.com/reference/compose-file/services (`extends`), .../merge;
docs.docker.com/compose/how-tos/multiple-compose-files: `compose.override.yaml` goes on top.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from typing import Any, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Source
from dockerfix.context.usage.paths import interpolate, read_beside, read_dot_env, resolve
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar

#: The file that others of its folder amend, the first that is there.
_FIRST = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
#: What a later file replaces rather than adds to.
_REPLACED = frozenset(("command", "entrypoint", "test"))
_MAX_DEPTH = 8


class Project(NamedTuple):
    """A compose file with what it names."""

    source: Source
    services: Mapping[str, Any]
    includes: tuple[Any, ...]
    #: The file that this one amends; None where it stands alone.
    first: Source | None


def load_project(source: Source) -> Project:
    """Read a compose file. Raises BrokenManifestError."""
    services: dict[str, Any] = {}
    includes: list[Any] = []
    for document in load_yaml(source.path, _text(source)):
        services |= mapping(document, "services")
        includes += entries(mapping(document), "include")
    return Project(source, services, tuple(includes), _first(source))


def _text(source: Source) -> str:
    return interpolate(source.text, read_dot_env(source)) if "$" in source.text else source.text


def _first(source: Source) -> Source | None:
    name = posixpath.basename(source.path)
    folder = os.path.join(source.root, os.path.dirname(source.path))
    first = next((n for n in _FIRST if os.path.isfile(os.path.join(folder, n))), None)
    return read_beside(source._replace(base=""), first) if first and first != name else None


def service_of(project: Project, name: str, depth: int = 0) -> Mapping[str, Any]:
    """A service with what it extends or amends. Raises BrokenManifestError."""
    service = mapping(project.services.get(name))
    extended = service.get("extends")
    if extended is not None:
        service = _merge(_extended(project, name, extended, depth), service)
    if project.first is None or depth or not _amends(project, service):
        return service
    first = load_project(project.first)
    if name not in first.services:
        return service
    # What else the first file says is said of its own service already.
    build = build_of(_moved(first.source, service_of(first, name, 1)))
    if build is None:
        return service
    return {**service, "build": {**build, **(build_of(service) or {})}}


def _amends(project: Project, service: Mapping[str, Any]) -> bool:
    """Whether a service only means something on top of the one of another file."""
    build = build_of(service)
    if ".override." in posixpath.basename(project.source.path):
        return True
    return "image" not in service and (build is None or "context" not in build)


def _extended(project: Project, name: str, extended: object, depth: int) -> Mapping[str, Any]:
    source = project.source
    where = f"services.{name}.extends"
    file = scalar(mapping(extended), "file")
    base = extended if isinstance(extended, str) else scalar(mapping(extended), "service")
    if depth > _MAX_DEPTH:
        raise BrokenManifestError(source.path, 1, f"{where} goes round in circles")
    if file is None:
        other: Project | None = project
    else:
        found = read_beside(source, file)
        other = load_project(found) if found is not None else None
    if other is None or base not in other.services:
        raise BrokenManifestError(
            source.path, 1, f"{where} names what is not there: {file or base}"
        )
    service = service_of(other._replace(first=None), base or "", depth + 1)
    return service if other is project else _moved(other.source, service)


def _moved(source: Source, service: Mapping[str, Any]) -> Mapping[str, Any]:
    """A service of another file, its context as an absolute path."""
    build = build_of(service)
    if build is None:
        return service
    folder = scalar(build, "context") or "."
    remote = "://" in folder or "@" in folder
    place = folder if remote else resolve(source, folder) or folder
    return {**service, "build": {**build, "context": place}}


def build_of(service: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """`build` in its long form; None when there is none."""
    if "build" not in service:
        return None
    written = scalar(service, "build")
    return {"context": written} if written is not None else mapping(service, "build")


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    """Mappings are merged, lists added to each other, all else is replaced."""
    found = dict(base)
    for key, value in over.items():
        if key == "extends":
            continue
        old = found.get(key)
        if key == "build" and old is not None:
            found[key] = {**(build_of(base) or {}), **(build_of(over) or {})}
        elif isinstance(old, dict) and isinstance(value, dict):
            found[key] = _merge(old, value)
        elif isinstance(old, list) and isinstance(value, list) and key not in _REPLACED:
            found[key] = [*old, *value]
        else:
            found[key] = value
    return found
