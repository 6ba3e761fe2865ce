"""The configuration of two images, field by field, and which change explains a difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: Fields of the OCI image configuration, as engines print them.
_FIELDS = (
    *("User", "Env", "Entrypoint", "Cmd", "WorkingDir", "ExposedPorts", "Volumes", "Labels"),
    *("Healthcheck", "StopSignal", "Shell", "OnBuild"),
)
#: Which passes may change a field on purpose.
_EXPLAINS: dict[str, tuple[str, ...]] = {
    "User": ("add-user", "split-stages"),
    "Env": ("split-stages",),
    "Entrypoint": ("exec-form", "split-stages", "modernise"),
    "Cmd": ("exec-form", "split-stages", "modernise"),
    "Labels": ("modernise", "split-stages"),
    "Healthcheck": ("modernise",),
    "WorkingDir": ("workdir", "split-stages"),
    "ExposedPorts": ("split-stages",),
    "StopSignal": ("split-stages",),
}
#: What a runtime base image does not set any more, or sets in another way.
_OF_BASE = (
    *("PATH", "NODE_VERSION", "YARN_VERSION", "GOLANG_VERSION", "GOPATH", "GOTOOLCHAIN"),
    *("PYTHON_VERSION", "PYTHON_SHA256", "GPG_KEY", "LANG", "LANGUAGE", "LC_ALL", "JAVA_HOME"),
    *("JAVA_VERSION", "MAVEN_HOME", "MAVEN_CONFIG", "MAVEN_VERSION", "GRADLE_HOME"),
    *("GRADLE_VERSION", "PYTHON_PIP_VERSION", "PYTHON_SETUPTOOLS_VERSION", "SSL_CERT_FILE"),
    *("NGINX_VERSION", "NJS_VERSION", "NJS_RELEASE", "PKG_RELEASE", "DYNPKG_RELEASE"),
    *("RUSTUP_HOME", "CARGO_HOME", "RUST_VERSION"),
    *("PYTHON_GET_PIP_URL", "PYTHON_GET_PIP_SHA256", "DOTNET_VERSION", "ASPNET_VERSION"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not the same."""

    field: str
    before: str
    after: str
    #: The passes that did it on purpose; empty when nothing explains it.
    explained_by: tuple[str, ...] = ()


def compare_configurations(
    before: dict[str, Any], after: dict[str, Any], passes: Iterable[str]
) -> list[Difference]:
    """All differences; `passes` are those that changed the file."""
    active = set(passes)
    found: list[Difference] = []
    for name in _FIELDS:
        old, new = _plain(before.get(name)), _plain(after.get(name))
        if old == new:
            continue
        explained = tuple(entry for entry in _EXPLAINS.get(name, ()) if entry in active)
        if name == "Env" and not _only_of_base(before.get(name), after.get(name)):
            explained = ()
        if name == "ExposedPorts" and not set(old or ()) <= set(new or ()):
            explained = ()
        found.append(Difference(name, _text(old), _text(new), explained))
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A value with nothing for nothing; users 0 and root are the same."""
    if value in (None, "", [], {}, "0", "root", "0:0"):
        return None
    return sorted(value) if isinstance(value, list) and _is_environment(value) else value


def _is_environment(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(entry, str) and "=" in entry for entry in value)


def _only_of_base(before: list[str] | None, after: list[str] | None) -> bool:
    """Whether the variables that differ are those that base images set for themselves."""
    changed = set(before or ()) ^ set(after or ())
    return all(entry.partition("=")[0] in _OF_BASE for entry in changed)


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return " ".join(str(entry) for entry in value)
    return "" if value is None else str(value)
