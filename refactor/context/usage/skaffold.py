"""skaffold.yaml.

Source: skaffold.dev/docs/references/yaml (build.artifacts, docker, kaniko, sync).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.usage.facts import Build, Findings, Service, Source
from dockerfix.context.usage.paths import image_names, resolve
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar

#: Builders that read no Dockerfile.
_OTHERS = ("custom", "jib", "bazel", "buildpacks", "ko")


def read_skaffold(source: Source) -> Findings:
    """The artifacts that are built of a Dockerfile. Raises BrokenManifestError."""
    builds: list[Build] = []
    services: list[tuple[Service, Build | None]] = []
    for document in load_yaml(source.path, source.text):
        for key, build in _parts(document):
            for artifact in map(mapping, entries(build, "artifacts")):
                if any(name in artifact for name in _OTHERS):
                    continue
                found = _build(source, key, artifact)
                builds.append(found)
                mounts = tuple(_synced(artifact))
                service = Service(source.path, key, "", mounts, kind="skaffold")
                services += [(service, found)] if mounts else []
    return Findings(tuple(builds), tuple(services))


def _parts(document: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "build", mapping(document, "build")
    for profile in entries(mapping(document), "profiles"):
        yield f"profiles.{scalar(mapping(profile), 'name')}.build", mapping(profile, "build")


def _build(source: Source, key: str, artifact: Mapping[str, Any]) -> Build:
    image = scalar(artifact, "image") or ""
    folder = scalar(artifact, "context") or scalar(artifact, "workspace") or "."
    context = resolve(source, folder)
    options = {**mapping(artifact, "kaniko"), **mapping(artifact, "docker")}
    file = scalar(options, "dockerfile") or "Dockerfile"
    named = resolve(source, file, context) if context is not None else None
    target = scalar(options, "target") or ""
    return Build(
        source.place(f"{key}.artifacts: {image}"),
        context,
        named,
        "" if "{{" in target or "$" in target else target,
        image_names(image),
    )


def _synced(artifact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is written into the container that runs, as its user."""
    sync = mapping(artifact, "sync")
    for entry in entries(sync, "manual"):
        target = scalar(mapping(entry), "dest")
        if target and target.startswith("/"):
            yield f"./{scalar(mapping(entry), 'src') or ''}", target.rstrip("/") or "/"
