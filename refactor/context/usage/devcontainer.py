"""devcontainer.json: an image to work in. Source: containers.dev/implementors/json_reference."""

from __future__ import annotations

from dockerfix.context.json_files import load_commented_object, table
from dockerfix.context.usage.facts import Build, Findings, Source
from dockerfix.context.usage.paths import resolve
from dockerfix.context.yaml_files import scalar
from dockerfix.patterns import pattern

_FOLDER = pattern(r"\$\{localWorkspaceFolder\}")


def read_devcontainer(source: Source) -> Findings:
    """The image that people work in, where it is built of a Dockerfile."""
    data = load_commented_object(source.text) or {}
    build = table(data, "build")
    file = scalar(build, "dockerfile") or scalar(build, "dockerFile") or scalar(data, "dockerFile")
    if file is None:
        return Findings()
    folder = scalar(build, "context") or scalar(data, "context") or "."
    context = resolve(source, _FOLDER.sub(str(source.root), folder))
    dockerfile = resolve(source, _FOLDER.sub(str(source.root), file))
    target = scalar(build, "target") or ""
    place = source.place("build.dockerfile" if build else "dockerFile")
    return Findings((Build(place, context, dockerfile, target, is_development=True),))
