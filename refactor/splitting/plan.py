"""What a split needs to know, and the steps of a stage."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dockerfix.entry import Entry
from dockerfix.installs.install import Install, UnknownInstallError
from dockerfix.installs.read import install_words, read_install
from dockerfix.packages import read_package_command
from dockerfix.reasons import ReasonError
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell import Command
from dockerfix.syntax.tree import Instruction, Stage
from dockerfix.transform import Evidence, Level, NewFile, Workspace

Kind: TypeAlias = Literal["packages", "install", "tool", "build", "set-up", "clean", "unknown"]

#: Programs that make something out of the sources.
_BUILDERS = frozenset(
    (
        *("npm", "yarn", "pnpm", "npx", "tsc", "go", "mvn", "./mvnw", "gradle", "./gradlew"),
        *("cargo", "dotnet", "make", "node", "python", "python3", "webpack", "vite"),
    )
)
_SET_UP = frozenset(
    (
        *("mkdir", "useradd", "groupadd", "adduser", "addgroup", "usermod", "chown", "chmod"),
        *("cd", "true", ":", "echo", "touch", "set"),
    )
)


class NotSplitError(ReasonError):
    """Why a stage stays one: fixed words, and what is special about this case."""


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a RUN: what kind of work it is."""

    kind: Kind
    command: Command
    words: tuple[str, ...]
    #: For an install of dependencies.
    install: Install | None = None
    #: The directory it runs in.
    directory: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A RUN, read."""

    run: RunScript
    calls: tuple[Call, ...]

    @property
    def instruction(self) -> Instruction:
        """The RUN itself."""
        return self.run.instruction

    def has(self, *kinds: Kind) -> bool:
        """Whether any of its commands is of one of these kinds."""
        return any(call.kind in kinds for call in self.calls)


@dataclass(frozen=True)
class Program:
    """A single stage that builds and runs a program."""

    workspace: Workspace
    stage: Stage
    entry: Entry
    steps: tuple[Step, ...]
    #: The directory at the end of the stage: where the program runs.
    folder: str

    @property
    def base(self) -> str:
        """The base image as it is written."""
        return self.stage.base

    def calls(self, *kinds: Kind) -> Iterator[tuple[Step, Call]]:
        """All commands of these kinds."""
        for step in self.steps:
            for call in step.calls:
                if call.kind in kinds:
                    yield step, call

    @property
    def copies(self) -> tuple[Instruction, ...]:
        """The COPY and ADD instructions."""
        return tuple(i for i in self.stage.instructions if i.keyword in ("COPY", "ADD"))

    @property
    def variables(self) -> dict[str, str]:
        """What ENV sets, as it is written."""
        found: dict[str, str] = {}
        for instruction in self.stage.instructions:
            if instruction.keyword == "ENV":
                words = instruction.arguments
                found.update(zip(words[::2], words[1::2], strict=True))
        return found


@dataclass(frozen=True)
class Plan:
    """How a program is split."""

    #: The base image of the stage that runs it.
    base: str
    #: Source and target of each COPY from the stage that builds, in order.
    copies: tuple[tuple[str, str], ...]
    #: What stays behind, for people.
    gain: str
    evidence: tuple[Evidence, ...]
    #: Edits of the stage that builds.
    edits: tuple[Edit, ...] = ()
    #: Keywords of the instructions that those edits add.
    added: tuple[str, ...] = ()
    #: Instructions of the stage that runs it, in front of the COPYs.
    extra: tuple[str, ...] = ()
    #: COPY instructions that go to the stage that runs it, behind the other COPYs.
    moved: tuple[Instruction, ...] = ()
    #: Files of the build context that have to change with it.
    files: tuple[NewFile, ...] = ()
    #: All instructions of the stage that runs, where its image has a program of its own.
    lines: tuple[str, ...] = ()
    level: Level = Level.REVIEW
    #: Whether the image has no shell, so that nothing can be run while building it.
    bare: bool = False


def read_steps(stage: Stage, workspace: Workspace) -> tuple[Step, ...]:
    """All RUNs of a stage. Raises NotSplitError for one whose work is not known."""
    return tuple(
        _read_step(instruction, workspace)
        for instruction in stage.instructions
        if instruction.keyword == "RUN"
    )


def _read_step(instruction: Instruction, workspace: Workspace) -> Step:
    run = workspace.run(instruction)
    where = f"line {instruction.line}"
    if run is None or not run.script.is_and_list or run.script.tail:
        raise NotSplitError("a step that cannot be read", where)
    directory = workspace.state(instruction).workdir
    calls: list[Call] = []
    for _, command in run.top_commands:
        call = _read_call(command, directory, instruction, workspace)
        if call.kind == "unknown":
            text = " ".join(word.text for word in command.words[:2])
            raise NotSplitError("a step whose work is not known", f"{where}: {text}")
        if command.literal_name == "cd":
            words = [word.value for word in command.words[1:]]
            target = words[0] if len(words) == 1 and words[0] else None
            directory = posixpath.normpath(posixpath.join(directory or "/", target or ""))
        calls.append(call)
    if len(run.top_commands) != len(run.script.items):
        raise NotSplitError("a step that cannot be read", where)
    return Step(run, tuple(calls))


def _read_call(
    command: Command, directory: str | None, instruction: Instruction, workspace: Workspace
) -> Call:
    words = tuple(word.value or word.text for word in command.words)
    kind = call_kind(command)
    install = None
    if kind == "install":
        found = install_words(command)
        assert found is not None
        try:
            install = read_install(found, directory, instruction, workspace)
        except UnknownInstallError:
            install = None
    return Call(kind, command, words, install, directory)


def call_kind(command: Command) -> Kind:
    """What kind of work a command is."""
    words = tuple(word.value or word.text for word in command.words)
    package = read_package_command(command)
    if package is not None and package.manager.system:
        return "packages" if package.action is not None else "unknown"
    found = install_words(command)
    if found is not None and found[:2] not in (("go", "build"), ("go", "install")):
        return "build" if found[0] in ("mvn", "./mvnw") else "install"
    name = words[0] if words else ""
    if package is not None and package.action == "clean":
        return "clean"
    if package is not None and package.action in ("install", "upgrade") and package.packages:
        return "tool"
    if name == "rm":
        return "clean"
    if name in _SET_UP:
        return "set-up"
    if name == "corepack":
        return "tool"
    return "build" if name in _BUILDERS else "unknown"
