"""A build stage, and the variables that hold in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockerfix.lazy_property import lazy_property
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.substitution import substitute
from dockerfix.syntax.words import unquote


@dataclass(frozen=True, eq=False)
class Stage:
    """A build stage: FROM and what follows up to the next FROM."""

    index: int
    instructions: tuple[Instruction, ...]
    #: Build arguments declared before the first FROM, seen by every FROM.
    global_arguments: tuple[Instruction, ...]
    #: The stage it is built on, if its base names one.
    parent: Stage | None = None

    @property
    def start(self) -> Instruction:
        """The FROM instruction."""
        return self.instructions[0]

    @lazy_property
    def name(self) -> str | None:
        """The name given by AS, as it is written."""
        words = self.start.arguments
        return words[2] if len(words) == 3 and words[1].lower() == "as" else None

    @lazy_property
    def base(self) -> str:
        """The base image or stage as it is written, variables and all."""
        return self.start.arguments[0] if self.start.arguments else ""

    @lazy_property
    def resolved_base(self) -> str | None:
        """The base with global build arguments put in; None when one has no default."""
        if "$" not in self.base:
            return self.base
        return substitute(self.base, self.global_variables, self.start.escape)

    @lazy_property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages it is built on, the first one first, and the stage itself."""
        found = [self]
        while (parent := found[-1].parent) is not None:
            found.append(parent)
        return tuple(reversed(found))

    @lazy_property
    def arguments(self) -> tuple[str, ...]:
        """Names of the build arguments in scope: its own and those of the stages it is built on."""
        declared = (
            word.partition("=")[0]
            for stage in self.lineage
            for instruction in stage.instructions
            if instruction.keyword == "ARG"
            for word in instruction.arguments
        )
        return tuple(dict.fromkeys(declared))

    def variables(self, before: Instruction | None = None) -> dict[str, str | None]:
        """Variables before an instruction (or at the end), by ARG and ENV.

        None: declared, but its value comes from outside. Names the base image sets are not here.
        ENV wins over ARG of the same name (Docker's reference, "Using ARG variables"); a stage has
        those of the stages it is built on ("Scope").
        """
        scope: dict[str, str | None] = {}
        fixed: dict[str, str | None] = {}
        for instruction in (i for entry in self.lineage for i in entry.instructions):
            if instruction is before:
                break
            if instruction.keyword == "ARG":
                _declare(instruction, scope, self.global_variables)
            elif instruction.keyword == "ENV":
                known = scope | fixed
                names = instruction.arguments[::2]
                for name, value in zip(names, instruction.arguments[1::2], strict=True):
                    fixed[unquote(name)] = substitute(value, known, instruction.escape)
        return scope | fixed

    @lazy_property
    def global_variables(self) -> dict[str, str | None]:
        """Build arguments that FROM sees, with their defaults; None where there is none."""
        scope: dict[str, str | None] = {}
        for instruction in self.global_arguments:
            if instruction.keyword == "ARG":
                _declare(instruction, scope, {})
        return scope

    @lazy_property
    def _positions(self) -> dict[Instruction, int]:
        return {instruction: index for index, instruction in enumerate(self.instructions)}

    def index_of(self, instruction: Instruction) -> int:
        """Position of an instruction in this stage."""
        return self._positions[instruction]

    def last(self, keyword: str) -> Instruction | None:
        """The last instruction of that keyword in this stage."""
        return next((i for i in reversed(self.instructions) if i.keyword == keyword), None)


def _declare(
    instruction: Instruction, scope: dict[str, str | None], defaults: Mapping[str, str | None]
) -> None:
    for word in instruction.arguments:
        name, equals, value = word.partition("=")
        if equals:
            scope[name] = substitute(value, scope, instruction.escape)
        else:
            scope[name] = defaults.get(name)
