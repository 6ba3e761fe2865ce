"""The jobs of a CI file, once for each entry of their matrix, their plain variables put in.

Sources: docs.github.com/actions/using-jobs/using-a-matrix-for-your-jobs, docs.gitlab.com/ee/ci/yaml
(`variables`, `parallel:matrix`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dockerfix.context.yaml_files import entries, mapping
from dockerfix.patterns import pattern

_EXPRESSION = pattern(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_SHELL = pattern(r"(?<![\\$])\$(?:\{(\w+)\}|(\w+))")
_MAX_JOBS = 48
#: Keys that are no job.
_NOT_JOBS = frozenset(("on", "name", "env", "variables", "defaults", "stages", "include", "orbs"))


def jobs_of(document: object) -> Iterator[object]:
    """Parts of a file, each with its variables put in; the keys above them are kept."""
    data = mapping(document)
    known = _variables(data)
    jobs = mapping(data, "jobs")
    if jobs:
        for name, job in jobs.items():
            for variant in _variants(mapping(job), known):
                yield {"defaults": data.get("defaults", {}), "jobs": {name: variant}}
        # What else there is: pipelines of CircleCI keep orbs under `workflows`.
        rest = {k: v for k, v in data.items() if k != "jobs" and k not in _NOT_JOBS}
        yield put(rest, known)
        return
    for name, job in data.items():
        if isinstance(job, dict) and name not in _NOT_JOBS:
            for variant in _variants(mapping(job), known):
                yield {name: variant}
        elif name not in _NOT_JOBS:
            yield {name: put(job, known)}


def _variables(data: Mapping[str, Any]) -> dict[str, str]:
    """`env` and `variables`, as far as they are texts without variables."""
    found: dict[str, str] = {}
    for key in ("env", "environment", "variables"):
        for name, value in mapping(data, key).items():
            text = mapping(value).get("value") if isinstance(value, dict) else value
            if isinstance(text, str) and "$" not in text:
                found |= {name: text, f"env.{name}": text}
        for entry in entries(mapping(data), key):
            pair = mapping(entry)
            if isinstance(pair.get("name"), str) and isinstance(pair.get("value"), str):
                found |= {pair["name"]: pair["value"]} if "$" not in pair["value"] else {}
    return found


def _variants(job: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[object]:
    own = {**known, **_variables(job)}
    matrix = mapping(job, "strategy").get("matrix")
    parallel = mapping(job, "parallel").get("matrix")
    if isinstance(matrix, dict):
        chosen = [{f"matrix.{k}": v for k, v in entry.items()} for entry in _github(matrix)]
    elif isinstance(parallel, list):
        chosen = [entry for axes in parallel for entry in _product(mapping(axes))]
    else:
        chosen = [{}]
    for entry in chosen[:_MAX_JOBS]:
        yield put(job, {**own, **_flat(entry)})


def _github(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    axes = {k: v for k, v in matrix.items() if k not in ("include", "exclude")}
    found = _product(axes) if axes else []
    for left in entries(matrix, "exclude"):
        found = [e for e in found if any(e.get(k) != v for k, v in mapping(left).items())]
    for added in entries(matrix, "include"):
        entry = dict(mapping(added))
        same = {key: value for key, value in entry.items() if key in axes}
        fits = [e for e in found if all(e.get(key) == value for key, value in same.items())]
        for old in fits if axes else ():
            old.update(entry)
        found += [entry] if not fits or not axes else []
    return found or [{}]


def _product(axes: Mapping[str, Any]) -> list[dict[str, Any]]:
    lists = [
        [(name, value) for value in (values if isinstance(values, list) else [values])]
        for name, values in axes.items()
    ]
    return [dict(chosen) for chosen in itertools.islice(itertools.product(*lists), _MAX_JOBS)]


def _flat(entry: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in entry.items():
        if isinstance(value, str):
            found[name] = value
        for key, inner in mapping(value).items() if isinstance(value, dict) else ():
            if isinstance(inner, str):
                found[f"{name}.{key}"] = inner
    return {name: text for name, text in found.items() if "$" not in text}


def put(node: object, known: Mapping[str, str]) -> object:
    """A part of a file with the variables put in that are known."""
    return _put(node, known, {}) if known else node


def _put(node: object, known: Mapping[str, str], made: dict[int, object]) -> object:
    if isinstance(node, str):
        return _put_text(node, known) if "$" in node else node
    if not isinstance(node, list | dict):
        return node
    # What aliases name is made once; a loop ends at what stands there already.
    if id(node) not in made:
        made[id(node)] = node
        if isinstance(node, list):
            made[id(node)] = [_put(entry, known, made) for entry in node]
        else:
            made[id(node)] = {k: _put(v, known, made) for k, v in mapping(node).items()}
    return made[id(node)]


def _put_text(text: str, known: Mapping[str, str]) -> str:
    text = _EXPRESSION.sub(lambda match: known.get(match[1], match[0]), text)
    return _SHELL.sub(lambda match: _known(match, known), text)


def _known(match: re.Match[str], known: Mapping[str, str]) -> str:
    return known.get(match[1] or match[2], match[0])
