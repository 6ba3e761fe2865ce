"""kustomization.yaml: images by another name, and patches written in it.

Source: kubectl.docs.kubernetes.io/references/kustomize (images, patches, patchesStrategicMerge).
Patches in files of their own are manifests that amend a workload, and are read as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Findings, Source
from dockerfix.context.usage.kubernetes import read_documents
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar

_POD = "/spec/template/spec/"


def read_kustomization(source: Source) -> Findings:
    """The images that it renames, and what its patches say. Raises BrokenManifestError."""
    renamed: list[tuple[str, str]] = []
    documents: list[Any] = []
    for document in load_yaml(source.path, source.text):
        data = mapping(document)
        for image in map(mapping, entries(data, "images")):
            old, new = scalar(image, "name"), scalar(image, "newName")
            renamed += [(old, new)] if old and new else []
        for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
            for patch in entries(data, key):
                documents += _patch(source, patch)
    return read_documents(source, documents)._replace(renamed=tuple(renamed))


def _patch(source: Source, patch: object) -> Iterator[Any]:
    """The workloads that a patch amends, as far as they are written here."""
    text = patch if isinstance(patch, str) else scalar(mapping(patch), "patch")
    try:
        found = load_yaml(source.path, text or "")
    except BrokenManifestError:
        return
    for document in found:
        if isinstance(document, dict):
            yield document
        elif isinstance(document, list):
            yield _amended(mapping(patch, "target"), document)


def _amended(target: Mapping[str, Any], operations: list[Any]) -> Mapping[str, Any]:
    """What operations of a JSON patch set on a pod, or on its first container."""
    pod: dict[str, Any] = {}
    container: dict[str, Any] = {}
    for operation in map(mapping, operations):
        path = scalar(operation, "path") or ""
        if scalar(operation, "op") not in ("add", "replace") or not path.startswith(_POD):
            continue
        keys = path.removeprefix(_POD).split("/")
        if keys[:2] == ["containers", "0"] and len(keys) > 2:
            _set(container, keys[2:], operation.get("value"))
        elif keys[0] == "securityContext":
            _set(pod, keys, operation.get("value"))
    spec = {**pod, **({"containers": [container]} if container else {})}
    kind, name = scalar(target, "kind") or "Deployment", scalar(target, "name") or ""
    return {"kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


def _set(data: dict[str, Any], keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        data = data.setdefault(key, {}) if isinstance(data.get(key, {}), dict) else {}
    if keys[-1] != "-":
        data[keys[-1]] = value
