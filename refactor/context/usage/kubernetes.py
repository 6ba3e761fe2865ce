"""Kubernetes manifests and Helm charts: who a container runs as, what it is given.

Sources: kubernetes.io/docs/reference (PodSpec, Container, SecurityContext), helm.sh/docs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.usage.facts import Findings, Service, Source
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar
from dockerfix.patterns import pattern

#: A text without one of these says nothing about a container.
WORTH = pattern(r"^\s*(?:-\s+)?(?:containers|securityContext|podSecurityContext)\s*:", 8)
_TEMPLATE_LINE = pattern(r"^\s*(?:-\s*)?\{\{-?[^\n]*$\n?", 8)
_TEMPLATE = pattern(r"\{\{-?.*?-?\}\}")
_WORKLOADS = frozenset(
    (
        *("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicaSet"),
        *("ReplicationController", "Rollout", "Service", "Revision"),
    )
)
#: Kinds of volumes that hold what was there before.
_LASTING = ("persistentVolumeClaim", "hostPath", "nfs", "ephemeral")


def read_kubernetes(source: Source) -> Findings:
    """The containers of a manifest. Raises BrokenManifestError.

    Templates are read with their variables as texts; lines that are only logic are left out.
    """
    text = source.text
    if "{{" in text:
        text = _TEMPLATE.sub("x", _TEMPLATE_LINE.sub("", text))
    found: list[tuple[Service, None]] = []
    for document in load_yaml(source.path, text):
        if scalar(mapping(document), "kind") in _WORKLOADS:
            found += [(service, None) for service in _containers(source, document)]
    return Findings(services=tuple(found))


def _containers(source: Source, document: object) -> Iterator[Service]:
    pod = _pod_spec(document)
    lasting = {
        scalar(mapping(volume), "name"): kind
        for volume in entries(pod, "volumes")
        for kind in _LASTING
        if kind in mapping(volume)
    }
    claims = entries(mapping(document, "spec"), "volumeClaimTemplates")
    lasting |= {scalar(mapping(claim, "metadata"), "name"): "claim" for claim in claims}
    for container in entries(pod, "containers"):
        yield _service(source, mapping(container), mapping(pod, "securityContext"), lasting)


def _pod_spec(document: object) -> Mapping[str, Any]:
    for path in (
        ("spec", "template", "spec"),
        ("spec", "jobTemplate", "spec", "template", "spec"),
        ("spec",),
    ):
        spec = mapping(document, *path)
        if "containers" in spec:
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
