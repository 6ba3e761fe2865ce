"""What the steps of a RUN are for."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dockerfix.effects.kinds import command_kind
from dockerfix.knowledge.command_effects import Kind
from dockerfix.knowledge.shell_commands import (
    ADJUSTS,
    FETCHES_DEPENDENCIES,
    FETCHES_FILES,
    RUNS_SOMETHING,
    SETS_UP_PACKAGES,
    SETS_UP_TOO,
)
from dockerfix.packages import PackageCommand, read_package_command
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

#: What a command is for by the kind of work that the effects say it is.
_BY_KIND: dict[Kind, Work] = {
    "packages": "packages",
    "install": "dependencies",
    "tool": "dependencies",
    "fetch": "files",
    "user": "set-up",
    "configure": "set-up",
    "set-up": "set-up",
    "clean": "clean-up",
    "build": "other",
    "unknown": "other",
}
#: Programs that belong to the work they are done for, whatever kind they are of.
_BY_NAME: dict[Work, frozenset[str]] = {
    "clean-up": ADJUSTS,
    "packages": SETS_UP_PACKAGES,
    "files": FETCHES_FILES,
    "dependencies": FETCHES_DEPENDENCIES,
    "set-up": SETS_UP_TOO,
}
#: Where a program of such a name is the one that is meant.
_SYSTEM_FOLDERS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")
_NODE_TOOLS = frozenset(("npm", "yarn", "pnpm", "bun"))
#: What they set up changes with the dependencies that are going to fill it.
_MAKES_ENVIRONMENTS = frozenset(("python", "python3", "virtualenv"))


def work_of(command: Command) -> Work:
    """What a command is for."""
    package = read_package_command(command)
    if package is not None:
        return _package_work(package)
    name = base_name(command)
    if name == "npx" or (name in FETCHES_DEPENDENCIES and _runs_something(command)):
        return "other"
    if name in _NODE_TOOLS and command_kind(command) == "build":
        # The word that says so may stand behind `--filter x` or `workspace x`.
        return "other"
    if command.literal_name in (name, *(f"{folder}/{name}" for folder in _SYSTEM_FOLDERS)):
        named = (work for work, names in _BY_NAME.items() if name in names)
        if (found := next(named, None)) is not None:
            return found
    kind = command_kind(command)
    return "other" if kind == "set-up" and name in _MAKES_ENVIRONMENTS else _BY_KIND[kind]


def _package_work(package: PackageCommand) -> Work:
    if package.action in ("clean", "remove"):
        return "clean-up"
    if package.manager.system:
        return "packages"
    if package.action in ("install", "upgrade"):
        return "dependencies"
    return _BY_KIND[command_kind(package.command)]


def _runs_something(command: Command) -> bool:
    words = (word.text for word in command.words[1:] if not word.text.startswith("-"))
    return next(words, "") in RUNS_SOMETHING


def tool_of(command: Command) -> str | None:
    """The tool by which a command fetches dependencies, whatever its version; None for none."""
    fetches = work_of(command) == "dependencies"
    return base_name(command).rstrip("0123456789.") if fetches else None


def base_name(command: Command) -> str:
    """The name of a command's program without its folder; "" when it is not known."""
    return (command.literal_name or "").rpartition("/")[2]
