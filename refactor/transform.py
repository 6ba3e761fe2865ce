"""What a pass is, what it is handed and what it gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar, cast

from dockerfix.lazy_property import lazy_property
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.style import Style, detect_style
from dockerfix.syntax.tree import Dockerfile

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext
    from dockerfix.registry.lockfile import Lock, Pin
    from dockerfix.state import State
    from dockerfix.syntax.run import RunScript

Found = TypeVar("Found")


class Level(IntEnum):
    """What a change means for the person who runs the container (DESIGN, section 1)."""

    #: The running container sees the same program, files, environment and user.
    SAFE = 1
    #: It can do or holds less than before; there is evidence that the program does not need it.
    REVIEW = 2
    #: Right for many, not provable from here.
    RISKY = 3

    def __str__(self) -> str:
        return self.name.lower()


class Evidence(NamedTuple):
    """A fact that a change rests on, and where it was read."""

    #: A file and key, a Dockerfile line, or a table of the knowledge base.
    source: str
    fact: str

    def __str__(self) -> str:
        return f"{self.source}: {self.fact}"


class NewFile(NamedTuple):
    """A file beside the Dockerfile that a change creates or replaces; the path is relative."""

    path: str
    content: str


class Change(NamedTuple):
    """One change of a pass: all of its edits, or none.

    `removed` and `added` name the keywords of whole instructions that go and come, and
    `dropped_comments` the comments that go: the pipeline refuses whatever they do not account for.
    """

    #: What was found, in the present tense, the source in backticks.
    message: str
    #: What is done about it, an imperative.
    help: str
    edits: tuple[Edit, ...]
    #: Line of the Dockerfile before this pass.
    line: int
    level: Level
    evidence: tuple[Evidence, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped_comments: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    #: Filled in by the pipeline.
    pass_name: str = ""


class Declined(NamedTuple):
    """A pass looked at something and left it alone."""

    #: A few fixed words, the same for every case of this reason, so that cases can be counted.
    reason: str
    line: int
    #: What is special about this case.
    detail: str = ""
    pass_name: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


@dataclass(frozen=True)
class Workspace:
    """The one thing a pass is handed: a tree and all that is known around it."""

    dockerfile: Dockerfile
    #: The folder that is sent to the builder; None for standard input or a lone file.
    context: BuildContext | None = None
    #: The stage that is built, when it is not the last.
    target: str | None = None
    #: Changes above this level will not be applied.
    level: Level = Level.REVIEW
    files: tuple[NewFile, ...] = field(default=())
    #: What image references meant when somebody looked; None without a lock file.
    lock: Lock | None = None
    #: How pins are written: `tag`, `digest`, or `both`.
    pin: str = "tag"
    #: When images are to be updated: what each reference becomes, as far as it was looked up.
    moves: Mapping[str, Pin] | None = None

    def mentions(self, text: str) -> bool:
        """Whether a text occurs anywhere in the file; looked for once."""
        if text not in self._mentions:
            self._mentions[text] = text in self.dockerfile.code
        return self._mentions[text]

    @lazy_property
    def _mentions(self) -> dict[str, bool]:
        return {}

    @lazy_property
    def style(self) -> Style:
        """The habits of the file."""
        return detect_style(self.dockerfile)

    @lazy_property
    def _states(self) -> dict[Instruction, State]:
        from dockerfix.state import trace_states

        return trace_states(self.dockerfile)

    def state(self, instruction: Instruction) -> State:
        """User, directory and shell just before an instruction of a stage."""
        return self._states[instruction]

    def run(self, instruction: Instruction) -> RunScript | None:
        """The script of an instruction of a stage, read once; None where `read_run` gives none.

        Nothing is known of a script that another shell than a POSIX one reads.
        """
        if instruction not in self._runs:
            from dockerfix.syntax.run import read_run

            posix = self.state(instruction).posix
            self._runs[instruction] = read_run(instruction) if posix else None
        return self._runs[instruction]

    @lazy_property
    def _runs(self) -> dict[Instruction, RunScript | None]:
        return {}

    def read_once(
        self, read: Callable[[Instruction, Workspace], Found], instruction: Instruction
    ) -> Found:
        """What a reader finds in an instruction of a stage; it reads each of them once."""
        key = (read, instruction)
        if key not in self._found:
            self._found[key] = read(instruction, self)
        return cast(Found, self._found[key])

    @lazy_property
    def _found(self) -> dict[object, object]:
        return {}

    @lazy_property
    def shipped_stages(self) -> tuple[Stage, ...]:
        """The stages whose layers are in the image: the one built and those it is built on."""
        stages = self.dockerfile.stages
        stage = self.dockerfile.find_stage(self.target) if self.target else None
        stage = stage or (stages[-1] if stages else None)
        shipped: list[Stage] = []
        while stage is not None:
            shipped.append(stage)
            stage = self.dockerfile.parent(stage)
        return tuple(reversed(shipped))


class Transform(ABC):
    """A pass: one kind of rewrite, with its proof.

    The docstring of each pass holds a Dockerfile before and after; the tests run it.
    """

    #: As the user names it: `merge-runs`.
    name: str
    #: The level its changes have at least; a single change may say more.
    level: ClassVar[Level]

    @abstractmethod
    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Look at the tree; give what should change and what was left alone, and why."""
