"""Settings from `[tool.dockerfix]` in pyproject.toml or from `.dockerfix.toml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

LEVELS = ("safe", "review", "risky")


class ConfigError(ValueError):
    """A settings file that cannot be used; the message names file and key."""


class Config(NamedTuple):
    """Settings of one file; None or empty where nothing is said."""

    #: The most that a change may mean: safe, review or risky.
    level: str | None = None
    #: Only these passes.
    select: tuple[str, ...] = ()
    #: Not these passes.
    ignore: tuple[str, ...] = ()
    #: The build context, relative to the settings file.
    context: str | None = None
    #: The folder whose files say how images are built and run, relative to the settings file.
    repository: str | None = None
    #: The stage that is built.
    target: str | None = None
    #: How images are pinned: tag, digest or both.
    pin: str | None = None
    #: Registries that are asked over http.
    insecure: tuple[str, ...] = ()
    #: By registry: what is asked first.
    mirrors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: Whether no registry is asked.
    locked: bool = False
    #: Patterns of paths that a folder search leaves out.
    exclude: tuple[str, ...] = ()
    #: Whether passes of other installed packages run.
    plugins: bool = False


def find_config(folder: Path) -> Config:
    """The settings for files in a folder: the nearest file upwards that has any.

    Raises ConfigError for a file that is not TOML, an unknown key or a value of the wrong type.
    """
    return _find(folder.absolute())


@cache
def _find(folder: Path) -> Config:
    for name, keys in ((".dockerfix.toml", ()), ("pyproject.toml", ("tool", "dockerfix"))):
        path = folder / name
        if path.is_file():
            table = _read_table(path, keys)
            if table is not None:
                return _read(table, path)
    return _find(folder.parent) if folder.parent != folder else Config()


def _read_table(path: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    import tomllib

    try:
        text = path.read_text("utf-8")
        if keys and "dockerfix" not in text:
            return None
        table: Any = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def _read(table: dict[str, Any], path: Path) -> Config:
    known = Config._fields
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key}; there are {', '.join(sorted(known))}")
    values = {key: _value(key, value, path) for key, value in table.items()}
    for key in ("context", "repository"):
        if key in values:
            values[key] = str(path.parent / values[key])
    return Config(**values)


def _strings(key: str, value: object, path: Path) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ConfigError(f"{path}: {key} takes a list of strings")


def _value(key: str, value: object, path: Path) -> Any:  # noqa: ANN401 - as the key says
    if key in ("select", "ignore", "exclude", "insecure"):
        return _strings(key, value, path)
    if key == "mirrors":
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: mirrors takes a table of lists of strings")
        return tuple((name, _strings(f"mirrors.{name}", v, path)) for name, v in value.items())
    if key in ("plugins", "locked"):
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{path}: {key} takes true or false")
    if not isinstance(value, str):
        raise ConfigError(f"{path}: {key} takes a string")
    if key == "pin" and value not in ("tag", "digest", "both"):
        raise ConfigError(f"{path}: pin is tag, digest or both, not {value!r}")
    if key == "level" and value not in LEVELS:
        raise ConfigError(f"{path}: level is one of {', '.join(LEVELS)}, not {value}")
    return value
