"""What a split needs to know, and the steps of a stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockerfix.effects.commands import command_kind as call_kind
from dockerfix.effects.model import Call, Kind, Step
from dockerfix.entry import Entry
from dockerfix.packages import read_package_command
from dockerfix.reasons import ReasonError
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.tree import Instruction, Stage
from dockerfix.transform import Evidence, Level, NewFile, Workspace

#: Set-up whose part in the image that runs is understood.
_SET_UP = frozenset(
    (
        *("mkdir", "useradd", "groupadd", "adduser", "addgroup", "usermod", "chown", "chmod"),
        *("cd", "true", ":", "echo", "touch", "set"),
    )
)
#: Settings of the tools that build, which are gone with them.
_CONFIGURED = frozenset(("npm", "yarn", "pnpm", "go"))

__all__ = ["Call", "Kind", "NotSplitError", "Plan", "Program", "Step", "call_kind", "read_steps"]


class NotSplitError(ReasonError):
    """Why a stage stays one: fixed words, and what is special about this case."""


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
    step = workspace.effects(instruction).step
    where = f"line {instruction.line}"
    if step is None or not step.run.script.is_and_list or step.run.script.tail:
        raise NotSplitError("a step that cannot be read", where)
    for call in step.calls:
        if not _is_understood(call):
            raise NotSplitError("a step whose work is not known", f"{where}: {call.text}")
    if len(step.calls) != len(step.run.script.items):
        raise NotSplitError("a step that cannot be read", where)
    return step


def _is_understood(call: Call) -> bool:
    """Whether it is known what becomes of a command when the stage is split."""
    if call.kind == "set-up":
        return call.words[:1] == () or call.words[0] in _SET_UP
    if call.kind == "user":
        return call.words[0] in _SET_UP
    if call.kind == "configure":
        return call.words[0] in _CONFIGURED
    if call.kind == "clean":
        return call.words[0] == "rm" or read_package_command(call.command) is not None
    if call.kind == "tool":
        return call.words[0] == "corepack" or read_package_command(call.command) is not None
    return call.kind in ("packages", "install", "build")
