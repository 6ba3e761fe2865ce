"""Kubernetes manifests and Helm charts: who a container runs as, what it is given.

Sources: kubernetes.io/docs/reference (PodSpec, Container, SecurityContext, Lifecycle).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Command, Findings, Service, Source
from dockerfix.context.usage.helm import render, values_of
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar

_WORKLOADS = frozenset(
    (
        *("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicaSet"),
        *("ReplicationController", "Rollout", "Service", "Revision", "DeploymentConfig"),
    )
)
#: Kinds of volumes that hold what was there before.
_LASTING = ("persistentVolumeClaim", "hostPath", "nfs", "ephemeral")
_CONTAINERS = ("containers", "initContainers")


def read_kubernetes(source: Source) -> Findings:
    """The containers of a manifest. Raises BrokenManifestError.

    A template of a chart is read once for each file of values that the chart has.
    """
    if "{{" not in source.text:
        return read_documents(source, load_yaml(source.path, source.text))
    found: list[Findings] = []
    problem: BrokenManifestError | None = None
    for values in values_of(source):
        try:
            documents = load_yaml(source.path, render(source.text, values.data))
        except BrokenManifestError as error:
            problem = error
            continue
        found.append(read_documents(source, documents, values.name))
    if not found and problem is not None:
        raise problem
    return Findings(
        services=tuple(dict.fromkeys(s for entry in found for s in entry.services)),
        commands=tuple(dict.fromkeys(c for entry in found for c in entry.commands)),
    )


def read_documents(source: Source, documents: list[Any], values: str = "") -> Findings:
    """The containers of manifests; `values` is the file whose values were put in."""
    services: list[Service] = []
    commands: list[Command] = []
    for document in documents:
        data = mapping(document)
        items = entries(data, "items") if scalar(data, "kind") == "List" else [data]
        for item in map(mapping, items):
            if scalar(item, "kind") in _WORKLOADS:
                services += _services(source, item, values)
                commands += _hooks(source, item)
    return Findings(
        services=tuple((service, None) for service in services), commands=tuple(commands)
    )


def _services(source: Source, document: Mapping[str, Any], values: str) -> Iterator[Service]:
    pod = _pod_spec(document)
    lasting = {
        scalar(mapping(volume), "name"): kind
        for volume in entries(pod, "volumes")
        for kind in _LASTING
        if kind in mapping(volume)
    }
    claims = entries(mapping(document, "spec"), "volumeClaimTemplates")
    lasting |= {scalar(mapping(claim, "metadata"), "name"): "claim" for claim in claims}
    workload = f"{scalar(document, 'kind')}/{scalar(mapping(document, 'metadata'), 'name') or ''}"
    containers = [container for key in _CONTAINERS for container in entries(pod, key)]
    for container in map(mapping, containers):
        found = _service(source, container, mapping(pod, "securityContext"), lasting)
        name = f"{found.name} ({values})" if values else found.name
        yield found._replace(workload=workload, name=name)
    if not containers and mapping(pod, "securityContext"):
        # A file that amends all containers of a workload.
        empty = _service(source, {}, mapping(pod, "securityContext"), lasting)
        yield empty._replace(workload=workload)


def _hooks(source: Source, document: Mapping[str, Any]) -> Iterator[Command]:
    for container in map(mapping, entries(_pod_spec(document), "containers")):
        name = scalar(container, "name") or ""
        for hook in ("postStart", "preStop"):
            words = entries(mapping(container, "lifecycle", hook, "exec"), "command")
            text = " ".join(word for word in words if isinstance(word, str))
            if text:
                yield Command(source.place(f"{name}.lifecycle.{hook}"), text, name)


def _pod_spec(document: object) -> Mapping[str, Any]:
    for path in (
        ("spec", "template", "spec"),
        ("spec", "jobTemplate", "spec", "template", "spec"),
        ("spec",),
    ):
        spec = mapping(document, *path)
        if any(key in spec for key in (*_CONTAINERS, "securityContext")):
            return spec
    return {}


def _service(
    source: Source,
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    lasting: Mapping[str | None, str],
) -> Service:
    own = {**pod, **mapping(container, "securityContext")}
    user = scalar(own, "runAsUser") or ""
    mounts = (mapping(entry) for entry in entries(container, "volumeMounts"))
    ports = (scalar(mapping(entry), "containerPort") for entry in entries(container, "ports"))
    return Service(
        source.path,
        scalar(container, "name") or "",
        " ".join(_joined(container, key) for key in ("command", "args")).strip(),
        tuple(
            (scalar(m, "name") or "", scalar(m, "mountPath") or "")
            for m in mounts
            if scalar(m, "name") in lasting
        ),
        tuple(int(port) for port in ports if port and port.isdigit()),
        user,
        _probe(container),
        _privilege(own),
        scalar(container, "image") or "",
        "kubernetes",
        non_root=scalar(own, "runAsNonRoot") == "true" or (user.isdigit() and user != "0"),
        gives_volumes="fsGroup" in own,
        read_only=scalar(own, "readOnlyRootFilesystem") == "true",
    )


def _joined(container: Mapping[str, Any], key: str) -> str:
    return shlex.join(word for word in entries(container, key) if isinstance(word, str))


def _probe(container: Mapping[str, Any]) -> str:
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        words = entries(mapping(container, key, "exec"), "command")
        if words:
            return " ".join(word for word in words if isinstance(word, str))
    return ""


def _privilege(own: Mapping[str, Any]) -> str:
    if scalar(own, "privileged") == "true":
        return "privileged"
    added = entries(mapping(own, "capabilities"), "add")
    return f"capabilities: {added[0]}" if added else ""
