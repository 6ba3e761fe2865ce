"""What the steps of a RUN are for."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dockerfix.knowledge.shell_commands import (
    CLEANS,
    FETCHES_DEPENDENCIES,
    FETCHES_FILES,
    RUNS_SOMETHING,
    SETS_UP,
    SETS_UP_PACKAGES,
)
from dockerfix.packages import read_package_command
from dockerfix.syntax.shell.script import Command

#: What a step is for. Steps of different kinds change for different reasons: each keeps its layer.
Work: TypeAlias = Literal["other", "dependencies", "packages", "files", "set-up", "clean-up"]
#: A RUN is for the first of these that one of its commands is for.
WORKS: tuple[Work, ...] = (
    "other",
    "dependencies",
    "packages",
    "files",
    "set-up",
    "clean-up",
)

_NAMES: dict[Work, frozenset[str]] = {
    "clean-up": CLEANS,
    "set-up": SETS_UP,
    "files": FETCHES_FILES,
    "packages": SETS_UP_PACKAGES,
    "dependencies": FETCHES_DEPENDENCIES,
}


def work_of(command: Command) -> Work:
    """What a command is for."""
    name = base_name(command)
    package = read_package_command(command)
    if package is not None:
        if package.action in ("clean", "remove"):
            return "clean-up"
        if package.manager.system:
            return "packages"
        return "dependencies" if package.action in ("install", "upgrade") else "other"
    if "/" in (command.literal_name or "/") and command.literal_name != f"/bin/{name}":
        return "other"
    if name == "git":
        words = [word.text for word in command.words[1:2]]
        return {"config": "set-up", "clone": "files"}.get(words[0] if words else "", "other")  # type: ignore[return-value]
    if name == "npx" or (name in FETCHES_DEPENDENCIES and _runs_something(command)):
        return "other"
    return next((work for work, names in _NAMES.items() if name in names), "other")


def _runs_something(command: Command) -> bool:
    words = (word.text for word in command.words[1:] if not word.text.startswith("-"))
    return next(words, "") in RUNS_SOMETHING


def tool_of(command: Command) -> str | None:
    """The tool by which a command fetches dependencies, whatever its version; None for none."""
    name = base_name(command)
    return name.rstrip("0123456789.") if name in FETCHES_DEPENDENCIES else None


def base_name(command: Command) -> str:
    """The name of a command's program without its folder; "" when it is not known."""
    return (command.literal_name or "").rpartition("/")[2]
