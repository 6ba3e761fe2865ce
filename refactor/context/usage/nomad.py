"""Nomad jobs.

Source: developer.hashicorp.com/nomad/docs (job-specification/task, drivers/docker).
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator
from typing import Any

from dockerfix.context.usage.facts import Findings, Service, Source
from dockerfix.context.usage.hcl import Block, parse_hcl


def read_nomad(source: Source) -> Findings:
    """The tasks of a job that an engine runs. Raises BrokenManifestError."""
    job = parse_hcl(source.path, source.text)
    tasks = (
        (task, group)
        for group in job.all("group")
        for task in group.blocks
        if task.kind == "task" and task.attributes.get("driver") in ("docker", "podman")
    )
    return Findings(services=tuple((_service(source, t, g), None) for t, g in tasks))


def _service(source: Source, task: Block, group: Block) -> Service:
    config = task.first("config")
    user = _text(task.attributes.get("user"))
    words = (config.attributes.get(key) for key in ("entrypoint", "command", "args"))
    return Service(
        source.path,
        next(iter(task.labels), ""),
        " ".join(text for word in words if (text := _command(word))),
        tuple(_mounts(config, task, group)),
        tuple(_ports(group)),
        user,
        privilege=_privilege(config),
        image=_text(config.attributes.get("image")),
        kind="nomad",
        non_root=user.partition(":")[0].isdigit() and user.partition(":")[0] != "0",
        read_only=config.attributes.get("readonly_rootfs") == "true",
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _command(value: object) -> str:
    if isinstance(value, list):
        return shlex.join(word for word in value if isinstance(word, str))
    return _text(value)


def _mounts(config: Block, task: Block, group: Block) -> Iterator[tuple[str, str]]:
    volumes = config.attributes.get("volumes")
    for text in volumes if isinstance(volumes, list) else ():
        host, colon, path = str(text).partition(":")
        # Nomad makes `local`, `secrets` and `alloc` for each task.
        if colon and not host.startswith(("local", "secrets", "alloc", "../alloc")):
            yield (host, posixpath.normpath(path.partition(":")[0]))
    for mount in config.all("mount"):
        if mount.attributes.get("type") in ("bind", "volume") and "target" in mount.attributes:
            yield (_text(mount.attributes.get("source")), _text(mount.attributes["target"]))
    named = {block.labels[0] for block in group.blocks if block.kind == "volume" and block.labels}
    for mount in task.blocks:
        volume = _text(mount.attributes.get("volume"))
        if mount.kind == "volume_mount" and volume in named:
            yield (volume, _text(mount.attributes.get("destination")))


def _ports(group: Block) -> Iterator[int]:
    for port in group.first("network").blocks:
        inner: Any = port.attributes.get("to", port.attributes.get("static"))
        if port.kind == "port" and isinstance(inner, str) and inner.isdigit():
            yield int(inner)


def _privilege(config: Block) -> str:
    if config.attributes.get("privileged") == "true":
        return "privileged"
    added = config.attributes.get("cap_add")
    if isinstance(added, list) and added:
        return f"cap_add: {added[0]}"
    return "network_mode: host" if config.attributes.get("network_mode") == "host" else ""
