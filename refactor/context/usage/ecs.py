"""Task definitions of Amazon ECS, and Dockerrun.aws.json of version 2, which is written alike.

Source: docs.aws.amazon.com/AmazonECS/latest/APIReference (ContainerDefinition, MountPoint).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.json_files import Json, load_object, table
from dockerfix.context.usage.facts import Findings, Service, Source
from dockerfix.context.yaml_files import entries, mapping


def read_task_definition(source: Source) -> Findings:
    """The containers of a task."""
    data = load_object(source.text) or {}
    data = table(data, "taskDefinition") or data
    containers = (mapping(entry) for entry in entries(data, "containerDefinitions"))
    return Findings(services=tuple((_service(source, data, c), None) for c in containers))


def _service(source: Source, task: Json, container: Mapping[str, Any]) -> Service:
    user = _text(container, "user")
    check = _words(mapping(container, "healthCheck"), "command")
    ports = (mapping(entry).get("containerPort") for entry in entries(container, "portMappings"))
    words = (*_words(container, "entryPoint"), *_words(container, "command"))
    return Service(
        source.path,
        _text(container, "name"),
        shlex.join(words),
        tuple(_mounts(task, container)),
        tuple(port for port in ports if isinstance(port, int)),
        user,
        " ".join(word for word in check if word not in ("CMD", "CMD-SHELL")),
        _privilege(container),
        _text(container, "image"),
        "ecs",
        non_root=bool(user) and user.partition(":")[0] not in ("0", "root"),
        read_only=container.get("readonlyRootFilesystem") is True,
    )


def _text(data: Mapping[str, Any], key: str) -> str:
    found = data.get(key)
    return found if isinstance(found, str) else ""


def _words(data: Mapping[str, Any], key: str) -> list[str]:
    return [word for word in entries(data, key) if isinstance(word, str)]


def _mounts(task: Json, container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    hosts = {
        _text(mapping(volume), "name"): _text(mapping(volume, "host"), "sourcePath")
        for volume in entries(task, "volumes")
    }
    for entry in map(mapping, entries(container, "mountPoints")):
        name = _text(entry, "sourceVolume")
        if path := _text(entry, "containerPath"):
            yield (hosts.get(name) or name, path)


def _privilege(container: Mapping[str, Any]) -> str:
    if container.get("privileged") is True:
        return "privileged"
    linux = mapping(container, "linuxParameters")
    added = _words(mapping(linux, "capabilities"), "add")
    if added:
        return f"capabilities: {added[0]}"
    return "devices" if entries(linux, "devices") else ""
