"""COPY instructions, and the steps that they may move behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockerfix.installs.install import Install
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript


@dataclass(frozen=True)
class Pass:
    """A step that a COPY may move behind: a RUN up to one of its commands."""

    run: RunScript
    #: The last command that does not need the copies.
    index: int
    #: Of dependencies; None for other work.
    install: Install | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing in the RUN comes behind it."""
        return self.index + 1 == len(self.run.script.items)


@dataclass
class Group:
    """COPY instructions and the steps behind them, with nothing between that needs both."""

    copies: list[Instruction] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    #: The command that makes the wrapper executable by which an install is going to work.
    chmod: str = ""

    @property
    def last(self) -> Pass:
        """The step behind which the copies go."""
        return self.passes[-1]

    @property
    def installs(self) -> list[Install]:
        """The installs of dependencies among the steps."""
        return [entry.install for entry in self.passes if entry.install is not None]
