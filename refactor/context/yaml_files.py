"""YAML that somebody wrote, every scalar as its text.

PyYAML's base loader knows neither types nor tags: `on` stays `on`, `22:22` is no number of minutes,
and a tag of GitLab's or of a cloud is no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerfix.context.manifests.reading import BrokenManifestError

#: Files of people are smaller; generated ones are no evidence.
MAX_CHARACTERS = 300_000


def load_yaml(path: str, text: str) -> list[Any]:
    """The documents of a file. Raises BrokenManifestError with the line."""
    import yaml

    if len(text) > MAX_CHARACTERS:
        raise BrokenManifestError(path, 1, "too large")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return list(yaml.load_all(text.removeprefix("\ufeff"), loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise BrokenManifestError(path, line, error.problem or "no YAML") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BrokenManifestError(path, 1, "no YAML") from error


def mapping(data: object, *keys: str) -> Mapping[str, Any]:
    """The mapping below a path of keys, `<<` merged in; an empty one when there is none."""
    found = _merged(data)
    for key in keys:
        found = _merged(found.get(key))
    return found


def _merged(data: object, depth: int = 0) -> dict[str, Any]:
    if not isinstance(data, dict):
        return {}
    if "<<" not in data or depth > 8:
        return data
    merged: dict[str, Any] = {}
    bases = data["<<"] if isinstance(data["<<"], list) else [data["<<"]]
    for base in reversed(bases):
        merged.update(_merged(base, depth + 1))
    merged.update({key: value for key, value in data.items() if key != "<<"})
    return merged


def scalar(data: Mapping[str, Any], key: str) -> str | None:
    """The text under a key; None when there is none, or a list or mapping."""
    found = data.get(key)
    return found if isinstance(found, str) and found not in ("", "null", "~") else None


def entries(data: Mapping[str, Any], key: str) -> list[Any]:
    """The list under a key; an empty one when there is none."""
    found = data.get(key)
    return found if isinstance(found, list) else []
