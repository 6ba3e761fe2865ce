"""Compose files. Source: docs.docker.com/reference/compose-file (services, build)."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.manifests.reading import Place
from dockerfix.context.usage.facts import Build, Command, Findings, Service, Source
from dockerfix.context.usage.paths import image_name, read_dot_env, resolve
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar
from dockerfix.patterns import pattern

NAME = pattern(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml|[\w-]+\.compose\.ya?ml")
_NAMED = pattern(r"(?<!\$)\$(?:\{(\w+)(?::?-[^}]*)?\}|(\w+))")
_REMOTE = pattern(r"(?:https?|git|ssh)://|git@|github\.com/")


def read_compose(source: Source) -> Findings:
    """Builds and services of a compose file. Raises BrokenManifestError."""
    builds: list[Build] = []
    services: list[tuple[Service, Build | None]] = []
    commands: list[Command] = []
    for document in load_yaml(source.path, _interpolate(source)):
        for name, entry in mapping(document, "services").items():
            service = mapping(entry)
            build = _build(source, name, service)
            builds += [build] if build is not None else []
            services.append((_service(source, name, service), build))
            commands += _health(source, name, service)
    return Findings(tuple(builds), tuple(services), tuple(commands))


def _interpolate(source: Source) -> str:
    """The text with the variables of the `.env` beside it put in, as far as they are plain."""
    if "$" not in source.text:
        return source.text
    variables = read_dot_env(source)
    return _NAMED.sub(lambda match: variables.get(match[1] or match[2], match[0]), source.text)


def _build(source: Source, name: str, service: Mapping[str, Any]) -> Build | None:
    if "build" not in service:
        return None
    written = scalar(service, "build")
    options = mapping(service, "build")
    folder = written or scalar(options, "context") or "."
    place = Place(source.path, f"services.{name}.build")
    if _REMOTE.match(folder):
        return None
    context = resolve(source, folder)
    inline = "dockerfile_inline" in options
    file = None if inline else scalar(options, "dockerfile") or "Dockerfile"
    image = scalar(service, "image")
    return Build(
        place,
        context,
        resolve(source, file, context) if file and context else None,
        scalar(options, "target") or "",
        (image_name(image),) if image else (),
    )


def _service(source: Source, name: str, service: Mapping[str, Any]) -> Service:
    commands = (_command(service.get(key)) for key in ("entrypoint", "command"))
    return Service(
        source.path,
        name,
        " ".join(text for text in commands if text),
        tuple(_mounts(service)),
        tuple(_ports(service)),
        scalar(service, "user") or "",
        _command(mapping(service, "healthcheck").get("test")),
        _privilege(service),
        scalar(service, "image") or "",
        non_root=_is_other_than_root(scalar(service, "user") or ""),
    )


def _is_other_than_root(user: str) -> bool:
    return bool(user) and user.partition(":")[0] not in ("0", "root") and "$" not in user


def _health(source: Source, name: str, service: Mapping[str, Any]) -> Iterator[Command]:
    text = _command(mapping(service, "healthcheck").get("test"))
    if text and text != "NONE":
        yield Command(Place(source.path, f"services.{name}.healthcheck"), text)


def _command(value: object) -> str:
    if isinstance(value, str):
        return "" if value in ("null", "~") else value
    if not isinstance(value, list):
        return ""
    words = [word for word in value if isinstance(word, str)]
    return shlex.join(word for word in words if word not in ("CMD", "CMD-SHELL"))


def _mounts(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in entries(service, "volumes"):
        if isinstance(entry, str):
            host, colon, inner = entry.partition(":")
            path = (inner if colon else host).partition(":")[0]
            yield (host if colon else "", posixpath.normpath(path))
        elif (target := scalar(mapping(entry), "target")) and entry.get("type") != "tmpfs":
            yield (scalar(entry, "source") or "", posixpath.normpath(target))


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
    if any(host.endswith("docker.sock") for host, _ in _mounts(service)):
        return "docker.sock"
    return ""
