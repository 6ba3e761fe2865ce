"""What a split needs to know, and the steps of a stage."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dockerfix.effects.instructions import effects_of
from dockerfix.effects.model import Call, Step
from dockerfix.effects.reach import Reach
from dockerfix.image.entry import Entry
from dockerfix.knowledge.command_effects import Kind
from dockerfix.reasons import ReasonError
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Evidence, Level, NewFile, Workspace

__all__ = [
    "Beside",
    "Call",
    "Kind",
    "NotSplitError",
    "Plan",
    "Program",
    "Smaller",
    "Step",
    "read_steps",
]


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
    #: COPY instructions that have no part in the program.
    aside: frozenset[Instruction] = frozenset()

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
        copies = (i for i in self.stage.instructions if i.keyword in ("COPY", "ADD"))
        return tuple(i for i in copies if i not in self.aside)

    @property
    def variables(self) -> dict[str, str]:
        """What ENV sets, as it is written."""
        found: dict[str, str] = {}
        for instruction in self.stage.instructions:
            if instruction.keyword == "ENV":
                words = instruction.arguments
                found.update(zip(words[::2], words[1::2], strict=True))
        return found


class Beside(NamedTuple):
    """A stage beside the one that builds: both stand on what comes before a RUN."""

    run: Instruction
    #: The RUN that the stage does in place of that one.
    line: str
    #: Image paths that come from there.
    paths: tuple[str, ...]
    #: The COPY that brings the program's folder, where it is done again in the stage that runs, and
    #: what the build makes in that folder: in place of a COPY of all that the build leaves there.
    sources: Instruction | None = None
    outputs: tuple[str, ...] = ()
    #: ARGs in front of that RUN which both stages declare again.
    again: tuple[Instruction, ...] = ()
    #: Names of the stage, and of the one below both.
    name: str = "deps"
    base: str = "base"


class Smaller(NamedTuple):
    """A smaller image to run on, of which it cannot be proved that the program runs there."""

    #: None where something speaks against any.
    image: str | None
    evidence: Evidence
    #: Whether it has no shell.
    bare: bool = False


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
    #: Commands at the end of the stage that builds.
    last: tuple[str, ...] = ()
    #: Instructions at the head of the stage that runs.
    first: tuple[str, ...] = ()
    #: The instruction that says what runs, and the program that it has to start instead.
    main: tuple[Instruction, tuple[str, ...]] | None = None
    #: Names of tools from a registry that run in the container.
    tools: frozenset[str] = frozenset()
    #: System packages that only the build needs here, whatever others need them for.
    unneeded: frozenset[str] = frozenset()
    #: Instructions that the edits take out of the stage that builds.
    gone: tuple[Instruction, ...] = ()
    #: Instructions of the stage that runs, behind all its files.
    after: tuple[str, ...] = ()
    #: Whether it is known that the program calls no others.
    calls_none: bool = False
    #: Name of the stage that builds.
    stage_name: str = "build"
    beside: Beside | None = None
    #: What to run on at level risky, if anything is known of that.
    smaller: Smaller | None = None


def read_steps(stage: Stage, workspace: Workspace) -> tuple[Step, ...]:
    """All RUNs of a stage. Raises NotSplitError for one whose work is not known."""
    return tuple(
        _read_step(instruction, workspace)
        for instruction in stage.instructions
        if instruction.keyword == "RUN"
    )


def _read_step(instruction: Instruction, workspace: Workspace) -> Step:
    step = effects_of(instruction, workspace).step
    where = f"line {instruction.line}"
    if step is None or not is_sequence(step):
        raise NotSplitError("a step that cannot be read", where)
    for call in step.calls:
        if not _is_understood(call):
            raise NotSplitError("a step whose work is not known", f"{where}: {call.text}")
    if len(step.calls) != len(step.run.script.items):
        raise NotSplitError("a step that cannot be read", where)
    return step


def is_sequence(step: Step) -> bool:
    """Whether its commands are done one after the other, none of them on a condition but `&&`."""
    items = step.run.script.items
    return all(
        item.command is not None and not item.background and item.operator in ("", "&&", ";", "\n")
        for item in items
    )


def _is_understood(call: Call) -> bool:
    """Whether it is known what a command touches; what becomes of it is decided later."""
    if call.kind in ("packages", "install", "build"):
        return True
    if call.kind == "tool" and call.words[0].startswith(("pip", "python")):
        # Whatever it reads, it puts it where Python looks for packages.
        return True
    if call.words[1:3] == ("-m", "venv"):
        return True
    reaches = written(call) | call.reads if call.words[:1] not in _TAKES else written(call)
    return call.words[:1] == ("mkdir",) or not reaches.everything


#: Where what they take comes from is no matter, as long as it is known where they put it.
_TAKES = (("cp",), ("mv",))


def written(call: Call) -> Reach:
    """What a command writes; of `mv $A b` that is `b` as far as anything is left of it."""
    found = call.writes | Reach(call.makes)
    if not found.everything or call.words[:1] not in _TAKES:
        return found
    last = call.command.words[-1]
    if not last.is_literal or last.value is None or call.directory is None:
        return found
    return Reach((posixpath.normpath(posixpath.join(call.directory, last.value)),))
