"""Templates of Helm charts, with the values of the chart put in as far as that needs no Helm.

Source: helm.sh/docs/chart_template_guide (values_files, control_structures, functions). A value
that is computed, or that nobody knows, stays a mark; no branch of an `if` is left out.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Source
from dockerfix.context.usage.paths import read_beside
from dockerfix.context.yaml_files import load_yaml, mapping
from dockerfix.patterns import pattern

_LINE = pattern(r"^(\s*(?:-\s+)?(?:[\w.-]+:\s*)?)\{\{-?\s*((?:(?!\}\}).)*?)\s*-?\}\}\s*$")
_INLINE = pattern(r"\{\{-?\s*(.*?)\s*-?\}\}")
_PATH = pattern(r"^\(?\s*\$?\.Values\.([\w.]+)\s*\)?$")
_SCOPED = pattern(r"^\.([\w.]*)$")
_PRINTF = pattern(r'^printf\s+"([^"]*)"\s+([^()]*)$')
_VALUES = pattern(r"values(?:[._-][\w.-]+)?\.ya?ml")
_INDENT = pattern(r"\bn?indent\s+(\d+)")
_OPENS = ("if ", "with ", "range ", "define ", "block ")
#: What stands for a value that is not known: no image, user or port is written like that.
UNKNOWN = "$unknown"
_MAX_FILES = 6


class Values(NamedTuple):
    """The values of a chart, one set for each file that amends `values.yaml`."""

    #: "" for `values.yaml` alone.
    name: str
    data: Mapping[str, Any]


def values_of(source: Source) -> tuple[Values, ...]:
    """The values that a template of a chart may get; a single empty set where there is no chart."""
    chart = _chart(source)
    if chart is None:
        return (Values("", {}),)
    folder = os.path.join(source.root, chart)
    names = sorted(name for name in os.listdir(folder) if _VALUES.fullmatch(name))
    first = {name: _load(source, posixpath.join(chart, name)) for name in names[:_MAX_FILES]}
    base = next((data for name, data in first.items() if name in ("values.yaml", "values.yml")), {})
    others = (n for n in first if n not in ("values.yaml", "values.yml"))
    return (Values("", base), *(Values(name, _over(base, first[name])) for name in others))


def _chart(source: Source) -> str | None:
    """The folder of the chart that a template belongs to, relative to the repository."""
    folder = posixpath.dirname(source.path)
    while folder:
        inner, name = posixpath.split(folder)
        if name == "templates" and os.path.isfile(os.path.join(source.root, inner, "Chart.yaml")):
            return inner
        folder = inner
    return None


def _load(source: Source, path: str) -> Mapping[str, Any]:
    found = read_beside(source._replace(base=str(source.root)), path)
    try:
        documents = load_yaml(path, found.text) if found is not None else []
    except BrokenManifestError:
        return {}
    return mapping(documents[0]) if documents else {}


def _over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in over.items():
        old = found.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        found[key] = _over(old, value) if both else value  # type: ignore[arg-type]
    return found


def render(text: str, values: Mapping[str, Any]) -> str:
    """A template as YAML, values put in."""
    scopes: list[object] = []
    lines: list[str] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is not None and "toYaml" in match[2]:
            lines += _block(match[1], match[2], values, scopes)
        elif match is None or match[1].strip():
            lines.append(_INLINE.sub(lambda m: _value(m[1], values, scopes), line))
        elif match[2].startswith(_OPENS):
            scopes.append(_scope(match[2], values))
        elif match[2].startswith("end") and scopes:
            scopes.pop()
    return "\n".join(lines)


def _scope(action: str, values: Mapping[str, Any]) -> object:
    """What `.` means behind a `with`; None where it stays, or is not known."""
    word, _, rest = action.partition(" ")
    return _found(rest.strip(), values, []) if word == "with" else None


def _block(
    head: str, action: str, values: Mapping[str, Any], scopes: list[object]
) -> Iterator[str]:
    """The lines of `toYaml VALUE | nindent N`."""
    expression, _, filters = action.replace("toYaml", "").partition("|")
    found = _found(expression.strip(), values, scopes)
    if head.strip():
        yield head.rstrip()
    indent = _INDENT.search(filters)
    if isinstance(found, dict | list) and found and indent is not None:
        import yaml

        dumped = yaml.safe_dump(found, default_flow_style=False, default_style='"')
        yield from (" " * int(indent[1]) + line for line in dumped.splitlines())


def _value(expression: str, values: Mapping[str, Any], scopes: list[object]) -> str:
    """The text of an expression inside a line."""
    first, _, filters = expression.partition("|")
    formatted = _PRINTF.match(first)
    if formatted is not None:
        return _formatted(formatted[1], formatted[2].split(), values, scopes)
    found = _found(first.removeprefix("quote").strip(), values, scopes)
    if (found is None or found == "") and "default" in filters:
        written = re.search(r'default\s+"([^"]*)"', filters)
        named = re.search(r"default\s+(\.Values\.[\w.]+)", filters)
        found = written[1] if written else _found(named[1], values, scopes) if named else None
    return found if isinstance(found, str) and found and "\n" not in found else UNKNOWN


def _formatted(text: str, words: list[str], values: Mapping[str, Any], scopes: list[object]) -> str:
    """The text of `printf`, as far as its words are known."""
    for word in words:
        found = _found(word, values, scopes)
        text = text.replace("%s", found if isinstance(found, str) and found else UNKNOWN, 1)
    return UNKNOWN if "%" in text else text


def _found(expression: str, values: Mapping[str, Any], scopes: list[object]) -> object:
    match = _PATH.match(expression)
    if match is not None:
        return _at(values, match[1])
    scoped = _SCOPED.match(expression)
    scope = next((entry for entry in reversed(scopes) if entry is not None), None)
    if scoped is None or scope is None:
        return None
    return _at(scope, scoped[1]) if scoped[1] else scope


def _at(data: object, path: str) -> object:
    for key in path.split("."):
        data = mapping(data).get(key)
    return data
