"""One RUN of a row of neighbours, and what stands above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from dockerfix.effects.piped import piped_scripts
from dockerfix.merging.work import WORKS, Work, tool_of, work_of
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank, Comment
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Node
from dockerfix.transform import Workspace

#: A line that sets a section apart.
_BANNER = pattern(r"#[\s#=*~_-]{7,}")


@dataclass(frozen=True)
class Part:
    """One RUN of a row."""

    run: RunScript
    #: Comments between the RUN before and this one.
    comments: tuple[Comment, ...] = ()
    #: One of the comments heads a section, or a blank line follows it: it is not about this RUN.
    has_detached: bool = False

    @cached_property
    def works(self) -> frozenset[Work]:
        """What its commands are for."""
        works = {command: work_of(command) for command in self.run.script.commands()}
        if "packages" in works.values():
            # A script that is fetched and run before packages are installed sets up their source.
            works |= dict.fromkeys(piped_scripts(self.run), "packages")
        return frozenset(works.values())

    @cached_property
    def work(self) -> Work:
        """What the step is for."""
        return next(work for work in WORKS if work in self.works or work == "clean-up")

    @property
    def fetches_only(self) -> bool:
        """Whether it fetches dependencies, and neither what they are built with nor archives."""
        return self.works.isdisjoint(("packages", "files"))

    @cached_property
    def tools(self) -> frozenset[str]:
        """Which tools fetch dependencies here."""
        tools = (tool_of(command) for command in self.run.script.commands())
        return frozenset(tool for tool in tools if tool is not None)

    @property
    def instruction(self) -> Instruction:
        """The RUN itself."""
        return self.run.instruction


def rows_of(stage: Stage) -> Iterator[list[Instruction]]:
    """RUN instructions with no other instruction between them, two at least."""
    row: list[Instruction] = []
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            row.append(instruction)
            continue
        if len(row) > 1:
            yield row
        row = []
    if len(row) > 1:
        yield row


def read_part(
    instruction: Instruction, previous: Instruction | None, workspace: Workspace
) -> Part | None:
    """Read a RUN and what stands between it and the one before; None when it is opaque."""
    run = workspace.run(instruction)
    if run is None:
        return None
    if previous is None:
        return Part(run)
    dockerfile = workspace.dockerfile
    between = dockerfile.nodes[dockerfile.index(previous) + 1 : dockerfile.index(instruction)]
    start = instruction.argument_span[0]
    inner = (comment for comment in instruction.inner_comments if comment.start < start)
    comments = (*(node for node in between if isinstance(node, Comment)), *inner)
    return Part(run, comments, _has_detached(between))


def _has_detached(between: Sequence[Node]) -> bool:
    if any(isinstance(node, Comment) and _BANNER.fullmatch(node.code.strip()) for node in between):
        return True
    return any(
        isinstance(node, Comment) and isinstance(following, Blank)
        for node, following in pairwise(between)
    )
