"""Where a later step still needs the index that a package manager keeps in the image.

`apt-get install` fails when the lists are gone; `apk add` without `--no-cache` of older releases
does so too. What follows a step counts: the rest of its script, the later instructions of its
stage, and the stages that are built on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.knowledge.package_managers import Manager
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

#: Programs that run a script they are given.
_RUNNERS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "source", "."))
#: A place for programs that came with packages: none of them is a script of the author.
_SYSTEM_PATH = pattern(r"(?:/usr(?:/local)?|/opt/[^/]+)?/s?bin/[\w.+-]+")
#: Scripts that every source package brings along; they build, and install no system packages.
_BUILD_SCRIPTS = frozenset(
    ("configure", "Configure", "config", "autogen.sh", "bootstrap", "bootstrap.sh", "buildconf")
) | frozenset(("gradlew", "mvnw", "manage.py", "b2", "waf", "cmake", "pip", "pip3", "python"))


class IndexUse(NamedTuple):
    """For every RUN, why what comes after it needs the index; missing: nothing does."""

    manager: Manager
    context: BuildContext | None
    after: dict[Instruction, str]

    def after_command(self, run: RunScript, index: int) -> str | None:
        """The reason that holds behind one element of a script."""
        later = self.after.get(run.instruction)
        end = run.script.items[index].end
        return _need(self._uses(run, end), later)

    def _uses(self, run: RunScript, start: int) -> Iterator[str | None]:
        for command in run.script.commands():
            if command.start >= start:
                yield from _use(command, self.manager, self.context)


def trace_index_use(workspace: Workspace, manager: Manager) -> IndexUse:
    """Go backwards through all stages once."""
    use = IndexUse(manager, workspace.context, {})
    at_start: dict[int, str] = {}
    children: dict[int, list[Stage]] = {}
    for stage in workspace.dockerfile.stages:
        parent = workspace.dockerfile.parent(stage)
        if parent is not None:
            children.setdefault(parent.index, []).append(stage)
    for stage in reversed(workspace.dockerfile.stages):
        found = (at_start.get(child.index) for child in children.get(stage.index, ()))
        reason = next(filter(None, found), None)
        for instruction in reversed(stage.instructions):
            if reason:
                use.after[instruction] = reason
            reason = _before(use, instruction, workspace, reason)
        if reason:
            at_start[stage.index] = reason
    return use


def _before(
    use: IndexUse, instruction: Instruction, workspace: Workspace, later: str | None
) -> str | None:
    """Why the index is needed in front of an instruction."""
    if instruction.keyword != "RUN":
        return later
    run = workspace.run(instruction)
    if run is None:
        return _before_unread(use.manager, instruction, later)
    return _need(use._uses(run, 0), later)


def _before_unread(manager: Manager, instruction: Instruction, later: str | None) -> str | None:
    text = instruction.code
    position = min(
        (p for p in (text.find(name) for name in manager.programs) if p >= 0), default=-1
    )
    if position < 0:
        return later
    if re.search(r"\bupdate\b[^\n]*(?:&&|;|\n)", text[position:]):
        return None
    return f"line {instruction.line} may install packages"


def _need(uses: Iterator[str | None], later: str | None) -> str | None:
    """The first step that needs the index or renews it decides."""
    for use in uses:
        return use or None
    return later


def _use(command: Command, manager: Manager, context: BuildContext | None) -> Iterator[str]:
    """A reason for a command that needs the index, "" for one that renews it, else nothing."""
    package = read_package_command(command)
    if package is not None and package.manager is manager:
        if package.has_option("--no-cache"):
            return
        if package.action == "update" and not command.nested:
            yield ""
        elif package.action in ("install", "upgrade", None) or _looks_up(package):
            yield f"`{' '.join(word.text for word in command.words[:2])}`"
        return
    if command.literal_name in manager.index_readers:
        yield f"`{command.literal_name}`"
    path = _script(command)
    if path is not None:
        yield from _script_use(path, manager, context)


def _looks_up(package: PackageCommand) -> bool:
    """Whether it asks the index; `apk info` speaks of what is installed."""
    word = package.action_word
    return package.action == "query" and word is not None and word.text != "info"


def _script(command: Command) -> str | None:
    """The script of the author that a command runs; one that is piped in is not his."""
    name = command.literal_name
    if name is None:
        return command.words[0].text if command.words else None
    if name in _RUNNERS:
        if any(word.text in ("-s", "-es", "-xs", "-exs") for word in command.words[1:]):
            return None
        arguments = [word.text for word in command.words[1:] if not word.text.startswith("-")]
        return arguments[0] if arguments else None
    return name if "/" in name and not _SYSTEM_PATH.fullmatch(name) else None


def _script_use(path: str, manager: Manager, context: BuildContext | None) -> Iterator[str]:
    """What a script does, as far as the context shows it."""
    if path.rpartition("/")[2] in _BUILD_SCRIPTS:
        return
    text = _find(path, context) if context else None
    if text is None and " " in path:
        text = path
    if text is None:
        yield f"`{path[:40]}` may install packages"
    elif _mentions(manager, text):
        yield "" if "update" in text else f"`{path[:40]}` installs packages"


def _mentions(manager: Manager, text: str) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in manager.programs)


def _find(path: str, context: BuildContext) -> str | None:
    """The text of a script in the context that has the same name at its end."""
    parts = path.lstrip("./").split("/")
    for start in range(len(parts)):
        candidate = "/".join(parts[start:])
        if candidate and context.is_file(candidate):
            return context.read(candidate)
    return None
