"""The configuration of two images, field by field, and which change explains a difference."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from dockerfix.verify.explain import Explainer, Explanation

#: Fields that say nothing about the program: https://github.com/moby/docker-image-spec, v1.3.
_NOISE = frozenset(
    (
        *("Hostname", "Domainname", "Image", "AttachStdin", "AttachStdout", "AttachStderr", "Tty"),
        *("OpenStdin", "StdinOnce", "ArgsEscaped", "MacAddress", "NetworkDisabled"),
    )
)
#: Fields with names inside, each of which is compared by itself.
_TABLES = frozenset(("Env", "Labels", "ExposedPorts", "Volumes", "Annotations"))
#: Fields of the image beside its configuration.
_PLATFORM = ("Architecture", "Os", "Variant", "Author")
_ORDER = (
    *("User", "Entrypoint", "Cmd", "WorkingDir", "Env", "ExposedPorts", "Volumes", "Labels"),
    *("Healthcheck", "StopSignal", "StopTimeout", "Shell", "OnBuild"),
)


class Difference(NamedTuple):
    """A field, or a name in one, that is not the same."""

    #: `User`, `Env PATH`.
    field: str
    before: str
    after: str
    #: The passes that did it on purpose; empty when nothing explains it.
    explained_by: tuple[str, ...] = ()
    #: How it comes about, for people.
    why: str = ""


def read_configuration(inspected: dict[str, Any]) -> dict[str, Any]:
    """The configuration that an engine prints, with the platform of the image."""
    config = dict(inspected.get("Config") or {})
    config.update((name, inspected.get(name)) for name in _PLATFORM)
    return config


def compare_configurations(
    before: dict[str, Any], after: dict[str, Any], explainer: Explainer
) -> list[Difference]:
    """All differences, each with what explains it."""
    found: list[Difference] = []
    for field, name, old, new in _pairs(before, after):
        if old != new:
            explanation = _explain(field, name, old, new, before, after, explainer)
            title = f"{field} {name}" if name else field
            found.append(
                Difference(title, _text(old), _text(new), explanation.passes, explanation.why)
            )
    return found


def _explain(
    field: str,
    name: str,
    old: Any,  # noqa: ANN401 - JSON
    new: Any,  # noqa: ANN401 - JSON
    before: dict[str, Any],
    after: dict[str, Any],
    explainer: Explainer,
) -> Explanation:
    if field in ("Entrypoint", "Cmd"):
        found = explainer.same_command(before, after)
        if found.passes:
            return found
    return explainer.explain(field, name, old, new)


def _pairs(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    rows: list[tuple[str, str, Any, Any]] = []
    fields = (before.keys() | after.keys()) - _NOISE
    for field in sorted(fields, key=_rank):
        if field not in _TABLES:
            rows.append(
                (field, "", plain(field, before.get(field)), plain(field, after.get(field)))
            )
            continue
        old, new = as_table(before.get(field)), as_table(after.get(field))
        names = sorted(old.keys() | new.keys())
        rows += [(field, name, old.get(name), new.get(name)) for name in names]
    return rows


def _rank(field: str) -> tuple[int, str]:
    return (_ORDER.index(field) if field in _ORDER else len(_ORDER), field)


def as_table(value: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    """`NAME=value` entries and objects alike, by name."""
    if isinstance(value, dict):
        return {name: entry if isinstance(entry, str) else "" for name, entry in value.items()}
    pairs = (str(entry).partition("=") for entry in value or ())
    return {name: text for name, _, text in pairs}


def plain(field: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """A value with nothing for nothing; users 0 and root are the same, as `/` and no folder."""
    nothing = {"User": ("0", "root", "0:0", "root:root"), "WorkingDir": ("/",)}.get(field, ())
    if value in (None, "", [], {}) or value in nothing:
        return None
    if field == "WorkingDir" and isinstance(value, str):
        return value.rstrip("/")
    return value


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
