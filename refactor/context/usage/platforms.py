"""What hosts are told about an image that they build and run.

Sources: fly.io/docs/reference/configuration, render.com/docs/blueprint-spec,
devcenter.heroku.com/articles/build-docker-images-heroku-yml,
docs.digitalocean.com/products/app-platform/reference/app-spec,
cloud.google.com/appengine/docs/flexible/reference/app-yaml,
docs.railway.com/reference/config-as-code, caprover.com/docs/captain-definition-file.html.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.json_files import load_object, table
from dockerfix.context.manifests.reading import parse_toml, table_at
from dockerfix.context.usage.ecs import read_task_definition
from dockerfix.context.usage.facts import Build, Command, Findings, Service, Source
from dockerfix.context.usage.kubernetes import read_kubernetes
from dockerfix.context.usage.paths import resolve
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar

_KINDS = ("services", "workers", "jobs", "functions")


def read_fly(source: Source) -> Findings:
    """fly.toml: one image for all processes. Raises BrokenManifestError."""
    data = parse_toml(source.path, source.text)
    options = table_at(data, "build")
    if "image" in options or "builder" in options or "buildpacks" in options:
        return Findings()
    build = _build(
        source, "build", ".", _text(options, "dockerfile"), _text(options, "build-target")
    )
    experimental = table_at(data, "experimental")
    processes: dict[str, Any] = {**table_at(data, "processes")} or {
        "app": [*_words(experimental.get("entrypoint")), *_words(experimental.get("cmd"))]
    }
    mounts = tuple(
        (_text(mount, "source"), _text(mount, "destination"))
        for mount in _tables(data, "mounts")
        if _text(mount, "destination")
    )
    ports = tuple(
        port
        for entry in (*_tables(data, "services"), *_tables(data, "http_service"))
        if isinstance(port := entry.get("internal_port"), int)
    )
    services = (
        _service(source, name, shlex.join(_words(words)), mounts, ports)
        for name, words in processes.items()
    )
    release = _text(table_at(data, "deploy"), "release_command")
    commands = (Command(source.place("deploy.release_command"), release),) if release else ()
    return Findings((build,), tuple((service, build) for service in services), commands)


def _tables(data: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """A table of TOML, or each of an array of them."""
    found = data.get(key)
    for entry in found if isinstance(found, list) else [found]:
        if isinstance(entry, dict):
            yield entry


def _words(value: object) -> list[str]:
    """The words of a command, written as a list or as one text."""
    if isinstance(value, list):
        return [word for word in value if isinstance(word, str)]
    try:
        return shlex.split(value) if isinstance(value, str) else []
    except ValueError:
        return value.split() if isinstance(value, str) else []


def _text(data: Mapping[str, Any], key: str) -> str:
    found = data.get(key)
    return found if isinstance(found, str) else ""


def _build(source: Source, key: str, folder: str, file: str, target: str = "") -> Build:
    """A build whose Dockerfile counts from the same folder as its context."""
    context, dockerfile = resolve(source, folder), resolve(source, file or "Dockerfile")
    return Build(source.place(key), context, dockerfile, target)


def _service(
    source: Source,
    name: str,
    command: str,
    mounts: tuple[tuple[str, str], ...] = (),
    ports: tuple[int, ...] = (),
) -> Service:
    return Service(source.path, name, command, mounts, ports, kind="platform")


def read_render(source: Source) -> Findings:
    """render.yaml: services with a Dockerfile of their own. Raises BrokenManifestError."""
    builds: list[Build] = []
    services: list[tuple[Service, Build | None]] = []
    commands: list[Command] = []
    for document in load_yaml(source.path, source.text):
        for entry in map(mapping, entries(mapping(document), "services")):
            if "docker" not in (scalar(entry, "runtime"), scalar(entry, "env")):
                continue
            name = scalar(entry, "name") or ""
            inside = source._replace(base=resolve(source, scalar(entry, "rootDir") or ".") or "")
            folder = scalar(entry, "dockerContext") or "."
            build = _build(
                inside, f"services: {name}", folder, scalar(entry, "dockerfilePath") or ""
            )
            disk = mapping(entry, "disk")
            path = scalar(disk, "mountPath")
            mounts = ((scalar(disk, "name") or "", path),) if path else ()
            builds.append(build)
            command = scalar(entry, "dockerCommand") or ""
            services.append((_service(source, name, command, mounts), build))
            before = scalar(entry, "preDeployCommand")
            where = source.place(f"services: {name}.preDeployCommand")
            commands += [Command(where, before)] if before else []
    return Findings(tuple(builds), tuple(services), tuple(commands))


def read_heroku(source: Source) -> Findings:
    """heroku.yml: the context of each Dockerfile is its folder. Raises BrokenManifestError."""
    builds: dict[str, Build] = {}
    services: list[tuple[Service, Build | None]] = []
    commands: list[Command] = []
    for document in load_yaml(source.path, source.text):
        for name, file in mapping(document, "build", "docker").items():
            path = scalar(mapping(file), "dockerfile") if isinstance(file, dict) else str(file)
            named = resolve(source, path or "Dockerfile")
            context = os.path.dirname(named) if named is not None else None
            builds[name] = Build(source.place(f"build.docker.{name}"), context, named)
        for name, entry in {**dict.fromkeys(builds), **mapping(document, "run")}.items():
            options = mapping(entry)
            image = scalar(options, "image") or name
            words = " ".join(_words(options.get("command")) if options else _words(entry))
            # Heroku runs every image as a user of its own, who is not root.
            service = _service(source, name, words)._replace(non_root=True)
            services.append((service, builds.get(image)))
        release = mapping(document, "release")
        text = " ".join(_words(release.get("command")))
        commands += [Command(source.place("release"), text)] if text else []
    return Findings(tuple(builds.values()), tuple(services), tuple(commands))


def read_app_spec(source: Source) -> Findings:
    """An app spec of DigitalOcean's, App Engine's app.yaml, or a manifest that is called so.

    Raises BrokenManifestError.
    """
    if "apiVersion:" in source.text:
        return read_kubernetes(source)
    found: list[tuple[Service, Build]] = []
    for document in load_yaml(source.path, source.text):
        data = mapping(document)
        if scalar(data, "runtime") == "custom":
            build = _build(source, "runtime: custom", ".", "")
            found.append((_service(source, "", scalar(data, "entrypoint") or ""), build))
        for kind in _KINDS:
            for entry in map(mapping, entries(data, kind)):
                found += _component(source._replace(base=str(source.root)), kind, entry)
    return Findings(tuple(build for _, build in found), tuple(found))


def _component(
    source: Source, kind: str, entry: Mapping[str, Any]
) -> Iterator[tuple[Service, Build]]:
    file, name = scalar(entry, "dockerfile_path"), scalar(entry, "name") or ""
    if file is None:
        return
    folder = (scalar(entry, "source_dir") or ".").lstrip("/") or "."
    build = _build(source, f"{kind}: {name}", folder, file.lstrip("/"))
    port = scalar(entry, "http_port") or ""
    ports = (int(port),) if port.isdigit() else ()
    yield _service(source, name, scalar(entry, "run_command") or "", (), ports), build


def read_railway(source: Source) -> Findings:
    """railway.json or railway.toml. Raises BrokenManifestError."""
    if source.path.endswith(".toml"):
        data: Mapping[str, Any] = parse_toml(source.path, source.text)
    else:
        data = load_object(source.text) or {}
    options, deploy = table_at(data, "build"), table_at(data, "deploy")
    file = _text(options, "dockerfilePath")
    if _text(options, "builder").upper() != "DOCKERFILE" and not file:
        return Findings()
    build = _build(source, "build", ".", file.lstrip("/"))
    service = _service(source, "deploy", _text(deploy, "startCommand"))
    before = " ".join(_words(deploy.get("preDeployCommand")))
    where = source.place("deploy.preDeployCommand")
    return Findings((build,), ((service, build),), (Command(where, before),) if before else ())


def read_captain(source: Source) -> Findings:
    """CapRover's captain-definition."""
    file = _text(load_object(source.text) or {}, "dockerfilePath")
    return Findings((_build(source, "dockerfilePath", ".", file),)) if file else Findings()


def read_beanstalk(source: Source) -> Findings:
    """Dockerrun.aws.json: a task definition, or an image that the host builds."""
    data = load_object(source.text) or {}
    if str(data.get("AWSEBDockerrunVersion")) != "1":
        return read_task_definition(source)
    if table(data, "Image"):
        return Findings()
    build = _build(source, "AWSEBDockerrunVersion", ".", "")
    mounts = tuple(
        (_text(entry, "HostDirectory"), _text(entry, "ContainerDirectory"))
        for entry in _tables(data, "Volumes")
        if _text(entry, "ContainerDirectory")
    )
    words = " ".join((_text(data, "Entrypoint"), _text(data, "Command"))).strip()
    return Findings((build,), ((_service(source, "", words, mounts), build),))
