"""CI: what builds an image, in GitHub's and GitLab's words; `docker build` in all of them.

Sources: github.com/docker/build-push-action (inputs), github.com/docker/bake-action,
docs.gitlab.com/ee/ci/yaml, docs.docker.com/build/bake/reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.manifests.reading import BrokenManifestError, Place
from dockerfix.context.usage.commands import read_script
from dockerfix.context.usage.facts import Build, Findings, Source
from dockerfix.context.usage.paths import image_name, resolve
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar
from dockerfix.patterns import pattern

_ACTIONS = ("docker/build-push-action@", "redhat-actions/buildah-build@", "mr-smithers-excellent/")
_WORKSPACE = pattern(r"^\$\{\{\s*github\.workspace\s*\}\}/?")
_HCL_TARGET = pattern(r'^target\s+"([^"]+)"\s*\{(.*?)^\}', 8 | 16)
_HCL_VALUE = pattern(r'^\s*(context|dockerfile|target)\s*=\s*"([^"]*)"', 8)


def read_workflow(source: Source) -> Findings:
    """The steps of a GitHub workflow or action that build an image. Raises BrokenManifestError."""
    scripts = read_script(source)
    if not any(action in source.text for action in _ACTIONS):
        return scripts
    found = [
        build
        for document in load_yaml(source.path, source.text)
        for job, step in _steps(document)
        if (build := _step(source, job, step)) is not None
    ]
    return Findings((*scripts.builds, *found), scripts.services)


def _steps(document: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, job in mapping(document, "jobs").items():
        for step in entries(mapping(job), "steps"):
            yield f"jobs.{name}", mapping(step)
    for step in entries(mapping(document, "runs"), "steps"):
        yield "runs", mapping(step)


def _step(source: Source, job: str, step: Mapping[str, Any]) -> Build | None:
    if not (scalar(step, "uses") or "").startswith(_ACTIONS):
        return None
    options = mapping(step, "with")
    written = scalar(options, "context") or scalar(options, "directory") or "."
    folder = _WORKSPACE.sub("./", written)
    context = resolve(source, folder, str(source.root)) if "://" not in folder else None
    file = (
        scalar(options, "file")
        or scalar(options, "dockerfile")
        or scalar(options, "containerfiles")
    )
    if file is None:
        dockerfile = resolve(source, "Dockerfile", context) if context else None
    else:
        dockerfile = resolve(source, _WORKSPACE.sub("./", file.split()[0]), str(source.root))
    tags = (scalar(options, "tags") or scalar(options, "image") or "").replace(",", "\n").split()
    names = (image_name(tag) for tag in tags if "${{" not in tag and "}}" not in tag)
    place = Place(source.path, f"{job}: {scalar(step, 'uses')}")
    return Build(place, context, dockerfile, scalar(options, "target") or "", tuple(names))


def read_bake(source: Source) -> Findings:
    """The targets of a docker-bake file, HCL or JSON. Raises BrokenManifestError."""
    if source.path.endswith(".json"):
        return Findings(tuple(_json_targets(source)))
    found: list[Build] = []
    for target in _HCL_TARGET.finditer(source.text):
        values = {match[1]: match[2] for match in _HCL_VALUE.finditer(target[2])}
        found.append(_target(source, target[1], values))
    return Findings(tuple(found))


def _json_targets(source: Source) -> Iterator[Build]:
    try:
        data = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise BrokenManifestError(source.path, error.lineno, error.msg) from error
    except (ValueError, RecursionError) as error:
        raise BrokenManifestError(source.path, 1, "no JSON") from error
    for name, entry in mapping(data, "target").items():
        yield _target(source, name, mapping(entry))


def _target(source: Source, name: str, values: Mapping[str, Any]) -> Build:
    context = resolve(source, scalar(values, "context") or ".")
    file = scalar(values, "dockerfile") or "Dockerfile"
    place = Place(source.path, f"target.{name}")
    dockerfile = resolve(source, file, context) if context else None
    return Build(place, context, dockerfile, scalar(values, "target") or "")
