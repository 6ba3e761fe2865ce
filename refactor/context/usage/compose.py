"""Compose files. Source: docs.docker.com/reference/compose-file (services, build, include)."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.compose_merge import Project, build_of, load_project, service_of
from dockerfix.context.usage.facts import Build, Command, Findings, Service, Source
from dockerfix.context.usage.paths import image_name, read_beside, resolve
from dockerfix.context.usage.readers import is_compose
from dockerfix.context.yaml_files import entries, mapping, scalar
from dockerfix.patterns import pattern

_REMOTE = pattern(r"(?:https?|git|ssh)://|git@|github\.com/")


def read_compose(source: Source) -> Findings:
    """Builds and services of a compose file. Raises BrokenManifestError."""
    project = load_project(source)
    builds: list[Build] = []
    services: list[tuple[Service, Build | None]] = []
    commands: list[Command] = []
    problems: list[BrokenManifestError] = []
    for name in project.services:
        try:
            service = service_of(project, name)
        except BrokenManifestError as error:
            problems.append(error)
            continue
        build = _build(source, name, service)
        own = mapping(project.services.get(name))
        builds += [build] if build is not None and ("build" in own or "extends" in own) else []
        services.append((_service(source, name, service), build))
        commands += _health(source, name, service)
    found = Findings(tuple(builds), tuple(services), tuple(commands), next(iter(problems), None))
    return _joined([found, *_included(project)])


def _included(project: Project) -> Iterator[Findings]:
    """What files say that are included, and that are not read for their own names."""
    for entry in project.includes:
        options = mapping(entry)
        paths = entries(options, "path") or [scalar(options, "path")]
        for path in [entry] if isinstance(entry, str) else paths:
            name = posixpath.basename(path).lower() if isinstance(path, str) else ""
            folder = scalar(options, "project_directory")
            if not name or _REMOTE.match(str(path)) or (is_compose(name) and folder is None):
                continue
            other = read_beside(project.source, str(path))
            base = resolve(project.source, folder) if folder else ""
            if other is not None and base is not None and other.path != project.source.path:
                yield read_compose(other._replace(base=base))


def _joined(found: list[Findings]) -> Findings:
    return Findings(
        tuple(build for entry in found for build in entry.builds),
        tuple(service for entry in found for service in entry.services),
        tuple(command for entry in found for command in entry.commands),
        next((entry.problem for entry in found if entry.problem is not None), None),
    )


def _build(source: Source, name: str, service: Mapping[str, Any]) -> Build | None:
    options = build_of(service)
    folder = "." if options is None else scalar(options, "context") or "."
    if options is None or _REMOTE.match(folder):
        return None
    context = resolve(source, folder)
    inline = "dockerfile_inline" in options
    file = None if inline else scalar(options, "dockerfile") or "Dockerfile"
    images = [text for text in (scalar(service, "image"), *entries(options, "tags")) if text]
    return Build(
        source.place(f"services.{name}.build"),
        context,
        resolve(source, file, context) if file and context else None,
        scalar(options, "target") or "",
        tuple(dict.fromkeys(image_name(str(image)) for image in images)),
    )


def _service(source: Source, name: str, service: Mapping[str, Any]) -> Service:
    commands = (_command(service.get(key)) for key in ("entrypoint", "command"))
    volumes = tuple(_volumes(service))
    return Service(
        source.path,
        name,
        " ".join(text for text in commands if text),
        (*((host, path) for host, path, _ in volumes), *_watched(service)),
        tuple(_ports(service)),
        scalar(service, "user") or "",
        _command(mapping(service, "healthcheck").get("test")),
        _privilege(service),
        scalar(service, "image") or "",
        non_root=_is_other_than_root(scalar(service, "user") or ""),
        read_only=scalar(service, "read_only") == "true",
        unwritten=frozenset(path for _, path, is_read_only in volumes if is_read_only),
    )


def _is_other_than_root(user: str) -> bool:
    return bool(user) and user.partition(":")[0] not in ("0", "root") and "$" not in user


def _health(source: Source, name: str, service: Mapping[str, Any]) -> Iterator[Command]:
    text = _command(mapping(service, "healthcheck").get("test"))
    if text and text != "NONE":
        yield Command(source.place(f"services.{name}.healthcheck"), text, name)
    for key in ("post_start", "pre_stop"):
        for hook in entries(service, key):
            if text := _command(mapping(hook).get("command")):
                yield Command(source.place(f"services.{name}.{key}"), text, name)


def _command(value: object) -> str:
    if isinstance(value, str):
        return "" if value in ("null", "~") else value
    if not isinstance(value, list):
        return ""
    words = [word for word in value if isinstance(word, str)]
    return shlex.join(word for word in words if word not in ("CMD", "CMD-SHELL"))


def _volumes(service: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Host path and container path of each mount, and whether it is for reading alone."""
    for entry in entries(service, "volumes"):
        if isinstance(entry, str):
            host, colon, inner = entry.partition(":")
            path, _, options = (inner if colon else host).partition(":")
            is_read_only = "ro" in options.split(",")
            yield (host if colon else "", posixpath.normpath(path), is_read_only)
        elif (target := scalar(mapping(entry), "target")) and entry.get("type") != "tmpfs":
            is_read_only = scalar(entry, "read_only") == "true"
            yield (scalar(entry, "source") or "", posixpath.normpath(target), is_read_only)


def _watched(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What `compose watch` writes into the container, as its user (compose-file/develop)."""
    for entry in entries(mapping(service, "develop"), "watch"):
        options = mapping(entry)
        target = scalar(options, "target")
        if target and (scalar(options, "action") or "").startswith("sync"):
            host = scalar(options, "path") or "."
            yield (host if host.startswith((".", "/")) else f"./{host}", posixpath.normpath(target))


def _ports(service: Mapping[str, Any]) -> Iterator[int]:
    for entry in (*entries(service, "ports"), *entries(service, "expose")):
        written = entry.get("target") if isinstance(entry, dict) else entry
        last = str(written).rpartition(":")[2].partition("/")[0].partition("-")[0]
        if last.isdigit():
            yield int(last)


def _privilege(service: Mapping[str, Any]) -> str:
    if scalar(service, "privileged") == "true":
        return "privileged"
    for key in ("cap_add", "devices"):
        for entry in entries(service, key):
            return f"{key}: {entry}"
    if scalar(service, "network_mode") == "host":
        return "network_mode: host"
    if any(host.endswith("docker.sock") for host, _, _ in _volumes(service)):
        return "docker.sock"
    return ""
