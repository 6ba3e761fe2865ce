"""Wrappers of build tools that a step makes executable before it runs them."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from dockerfix.ordering.steps import Pass
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.script import Item
from dockerfix.transform import Workspace

_WRAPPERS = frozenset(("mvnw", "gradlew"))
#: `chmod` of a wrapper in the text of a step.
CHMOD = pattern(r"\bchmod\s+[\w+=,]+\s+(?:\S*/)?(?:mvnw|gradlew)\b")


def makes_executable(item: Item) -> bool:
    """Whether a command does nothing but set the mode of wrappers."""
    command = item.command
    if command is None or command.literal_name != "chmod" or command.redirections:
        return False
    paths = [word.value or "" for word in command.words[2:]]
    return bool(paths) and all(posixpath.basename(path) in _WRAPPERS for path in paths)


def only_makes_executable(instruction: Instruction, workspace: Workspace) -> bool:
    """Whether a RUN does nothing else."""
    run = workspace.run(instruction) if instruction.keyword == "RUN" else None
    return run is not None and not run.script.tail and all(map(makes_executable, run.script.items))


def behind_chmod(found: list[Pass], chmod: str) -> list[Pass]:
    """The steps that fetch by a wrapper, which has to be made executable for that as well."""
    return [
        replace(entry, install=entry.install._replace(fetch=f"{chmod} && {entry.install.fetch}"))
        for entry in found
        if entry.install is not None and entry.install.fetch.startswith(("./mvnw", "./gradlew"))
    ]
