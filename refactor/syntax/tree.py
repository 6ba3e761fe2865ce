"""The lossless Dockerfile tree.

The nodes tile the source: no gap, no overlap. `Dockerfile.code` joins their slices, so a file that
nobody edited comes back byte for byte. Offsets count characters of `Dockerfile.code`; bytes that
are not UTF-8 are lone surrogates in it (Python's `surrogateescape`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from dockerfix.lazy_property import lazy_property
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank, Comment, Directive
from dockerfix.syntax.stage import Stage

Node: TypeAlias = Comment | Blank | Directive | Instruction


class SyntaxProblem(NamedTuple):
    """Why BuildKit would refuse the file; `line` and `column` count from 1."""

    line: int
    column: int
    message: str
    source: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}: {self.source}"


@dataclass(frozen=True, eq=False)
class Dockerfile:
    """A parsed Dockerfile; `parse` makes it."""

    #: The UTF-8 byte order mark, or nothing.
    bom: str
    nodes: tuple[Node, ...]
    #: The escape character, `\\` unless a directive says otherwise.
    escape: str
    #: What BuildKit would refuse; empty for a file that parses.
    errors: tuple[SyntaxProblem, ...]

    @lazy_property
    def code(self) -> str:
        """The source text."""
        return self.bom + "".join([node.code for node in self.nodes])

    @lazy_property
    def folded(self) -> str:
        """The source text in small letters, to look for words in any letter case."""
        return self.code.lower()

    @lazy_property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions in order."""
        return tuple([node for node in self.nodes if isinstance(node, Instruction)])

    @property
    def directives(self) -> tuple[Directive, ...]:
        """The parser directives."""
        return tuple(node for node in self.nodes[:3] if isinstance(node, Directive))

    @lazy_property
    def comments(self) -> tuple[Comment, ...]:
        """The comment lines between instructions."""
        return tuple([node for node in self.nodes if isinstance(node, Comment)])

    @lazy_property
    def stages(self) -> tuple[Stage, ...]:
        """The build stages in order."""
        return tuple(_split_stages(self.instructions))

    @lazy_property
    def _positions(self) -> dict[Node, int]:
        return {node: index for index, node in enumerate(self.nodes)}

    def index(self, node: Node) -> int:
        """Position of a node among `nodes`."""
        return self._positions[node]

    def comments_of(self, instruction: Instruction) -> tuple[Comment, ...]:
        """The comments that belong to an instruction: those directly above it, no blank between."""
        found: list[Comment] = []
        index = self.index(instruction) - 1
        while index >= 0:
            node = self.nodes[index]
            if not isinstance(node, Comment):
                break
            found.append(node)
            index -= 1
        return tuple(reversed(found))

    def stage_of(self, instruction: Instruction) -> Stage | None:
        """The stage an instruction stands in; None for what comes before the first FROM."""
        return self._stage_by_instruction.get(instruction)

    @lazy_property
    def _stage_by_instruction(self) -> dict[Instruction, Stage]:
        return {i: stage for stage in self.stages for i in stage.instructions}

    def find_stage(self, reference: str, before: int | None = None) -> Stage | None:
        """The stage that a name or number means; the last of that name, letter case ignored.

        `before` keeps to stages with a lower index, as FROM and `--from` do.
        """
        stages = self.stages if before is None else self.stages[:before]
        named = self._stages_by_name.get(reference.lower(), ())
        for stage in reversed(named):
            if before is None or stage.index < before:
                return stage
        index = _read_index(reference)
        return stages[index] if index is not None and index < len(stages) else None

    @lazy_property
    def _stages_by_name(self) -> dict[str, list[Stage]]:
        names: dict[str, list[Stage]] = {}
        for stage in self.stages:
            if stage.name:
                names.setdefault(stage.name.lower(), []).append(stage)
        return names

    def parent(self, stage: Stage) -> Stage | None:
        """The stage that a stage is built on, if its base names one (FROM takes no number)."""
        return stage.parent


def _split_stages(instructions: tuple[Instruction, ...]) -> Iterator[Stage]:
    starts = [i for i, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
    if not starts:
        return
    global_arguments = instructions[: starts[0]]
    named: dict[str, Stage] = {}
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else len(instructions)
        stage = Stage(index, instructions[start:end], global_arguments)
        base = stage.resolved_base or ""
        if base.lower() in named:
            stage = replace(stage, parent=named[base.lower()])
        if stage.name:
            named[stage.name.lower()] = stage
        yield stage


def _read_index(text: str) -> int | None:
    """The number that a text is, when it can be one of a stage; Python refuses very long ones."""
    digits = text.lstrip("0") or text[:1]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
