"""The words in which work is described: a command, and the commands of a RUN."""

from __future__ import annotations

from typing import NamedTuple

from dockerfix.effects.reach import EVERYTHING, Reach, unite
from dockerfix.installs.install import Install, UnknownInstallError
from dockerfix.knowledge.command_effects import Kind
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command


class Call(NamedTuple):
    """One command of a RUN: what kind of work it is, and what it touches."""

    kind: Kind
    command: Command
    #: As the program gets them; a word that has to be expanded is as it is written.
    words: tuple[str, ...]
    #: For an install of dependencies.
    install: Install | None = None
    #: The directory it runs in; None when it is not known.
    directory: str | None = None
    #: Image paths.
    reads: Reach = EVERYTHING
    writes: Reach = EVERYTHING
    #: Folders that it makes where they are missing, and else leaves as they are.
    makes: tuple[str, ...] = ()
    #: Why it is not known what an install reads.
    problem: UnknownInstallError | None = None

    @property
    def text(self) -> str:
        """The first words, for people."""
        return " ".join(word.text for word in self.command.words[:2])


class Step(NamedTuple):
    """A RUN, read."""

    run: RunScript
    calls: tuple[Call, ...]
    #: Places of the elements of its script that test or redirect files outside of a command:
    #: `[ -f x ]`, `done < x`, `$(< x)`.
    unseen: frozenset[int] = frozenset()

    @property
    def instruction(self) -> Instruction:
        """The RUN itself."""
        return self.run.instruction

    def has(self, *kinds: Kind) -> bool:
        """Whether any of its commands is of one of these kinds."""
        return any(call.kind in kinds for call in self.calls)

    @property
    def reads(self) -> Reach:
        """Image paths that its commands read."""
        return EVERYTHING if self.unseen else unite(call.reads for call in self.calls)

    @property
    def writes(self) -> Reach:
        """Image paths that its commands write."""
        found = (call.writes | Reach(call.makes) for call in self.calls)
        return EVERYTHING if self.unseen else unite(found)
