"""docker-bake files. Source: docs.docker.com/build/bake/reference (target, variable, matrix)."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Build, Findings, Source
from dockerfix.context.usage.hcl import Expression, parse_hcl
from dockerfix.context.usage.paths import image_names, resolve
from dockerfix.context.yaml_files import mapping
from dockerfix.patterns import pattern

_VARIABLE = pattern(r"\$\{(\w+)\}")
_KEYS = ("context", "dockerfile", "target", "tags")
_MAX_DEPTH, _MAX_TARGETS = 8, 64
#: What no variable of the file decides.
_UNKNOWN = "${?}"


def read_bake(source: Source) -> Findings:
    """The targets of a bake file, HCL or JSON. Raises BrokenManifestError."""
    is_json = source.path.endswith(".json")
    variables, targets, groups = _from_json(source) if is_json else _from_hcl(source)
    # What others inherit and no group names is a part of them, and nothing to build.
    parts = {name for target in targets.values() for name in _list(target, "inherits")} - groups
    return Findings(
        tuple(
            _target(source, name, values)
            for name, target in targets.items()
            if name not in parts
            for values in _variants(_inherited(target, targets, 0), variables)
        )
    )


def _list(data: Mapping[str, Any], key: str) -> list[str]:
    found = data.get(key)
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


#: Variables, targets, and the names of those that a group is made of.
_Content: TypeAlias = tuple[dict[str, str], dict[str, Mapping[str, Any]], set[str]]


def _from_hcl(source: Source) -> _Content:
    file = parse_hcl(source.path, source.text)
    variables = {
        block.labels[0]: block.attributes.get("default")
        for block in file.blocks
        if block.kind == "variable" and block.labels
    }
    variables |= {name: value for name, value in file.attributes.items() if name not in variables}
    targets: dict[str, Mapping[str, Any]] = {}
    for block in file.blocks:
        if block.kind == "target" and block.labels:
            name = block.labels[0]
            targets[name] = {**targets.get(name, {}), **block.attributes}
    groups = [block.attributes for block in file.blocks if block.kind == "group"]
    return _plain(variables), targets, {n for group in groups for n in _list(group, "targets")}


def _from_json(source: Source) -> _Content:
    try:
        data = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise BrokenManifestError(source.path, error.lineno, error.msg) from error
    except (ValueError, RecursionError) as error:
        raise BrokenManifestError(source.path, 1, "no JSON") from error
    variables = {n: mapping(v).get("default") for n, v in mapping(data, "variable").items()}
    targets = {name: mapping(target) for name, target in mapping(data, "target").items()}
    groups = map(mapping, mapping(data, "group").values())
    return _plain(variables), targets, {n for group in groups for n in _list(group, "targets")}


def _plain(variables: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if isinstance(value, str) and not isinstance(value, Expression) and "${" not in value
    }


def _inherited(
    target: Mapping[str, Any], targets: Mapping[str, Mapping[str, Any]], depth: int
) -> dict[str, Any]:
    """A target with what it inherits; the last one that it names wins."""
    found: dict[str, Any] = {}
    for name in _list(target, "inherits"):
        if name in targets and depth < _MAX_DEPTH:
            found |= _inherited(targets[name], targets, depth + 1)
    return found | {key: value for key, value in target.items() if key != "inherits"}


def _variants(
    target: Mapping[str, Any], variables: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    """A target with its variables put in, once for each entry of its matrix."""
    matrix = target.get("matrix")
    axes = mapping(matrix) if isinstance(matrix, dict) else {}
    lists = [
        [(name, value) for value in values if isinstance(value, str | dict)]
        for name, values in axes.items()
        if isinstance(values, list)
    ]
    for chosen in itertools.islice(itertools.product(*lists), _MAX_TARGETS):
        known = dict(variables)
        for name, value in chosen:
            inner = value if isinstance(value, dict) else {}
            known |= {f"{name}.{key}": str(text) for key, text in inner.items()}
            known |= {} if inner else {name: str(value)}
        yield {key: _known(target[key], known) for key in _KEYS if key in target}


def _known(value: object, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - as it is written
    if isinstance(value, list):
        return [_known(entry, variables) for entry in value]
    if isinstance(value, Expression):
        return variables.get(value, _UNKNOWN)
    if not isinstance(value, str):
        return _UNKNOWN
    return re.sub(r"\$\{([\w.]+)\}", lambda match: variables.get(match[1], match[0]), value)


def _target(source: Source, name: str, values: Mapping[str, Any]) -> Build:
    folder = values.get("context", ".")
    # Bake is run from the folder of the file, as is said of every path in it.
    context = None if "://" in folder else resolve(source, folder)
    dockerfile = resolve(source, values.get("dockerfile", "Dockerfile"), context)
    target = values.get("target", "")
    return Build(
        source.place(f"target.{name}"),
        context,
        dockerfile if context else None,
        "" if "$" in target else target,
        image_names(values.get("tags")),
    )
