"""merge-runs: neighbouring RUN instructions as one layer."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.merging.belonging import why_comments, why_differs, why_user
from dockerfix.merging.merge import merge
from dockerfix.merging.part import Part, read_part, rows_of
from dockerfix.merging.shell_proofs import (
    reads_profile,
    why_alone,
    why_last,
    why_looped,
    why_shadowed,
    why_unread,
)
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Level, Transform, Workspace

_Found = Iterator[Change | Declined]
#: Names of stages that try out the stage they are built on.
_TEST_STAGES = frozenset(("test", "tests", "testing", "unit-test", "lint", "check", "ci"))


class MergeRuns(Transform):
    """Make one layer of neighbouring RUN instructions, and one install of several.

    Only in stages whose layers are shipped, and only for steps that belong together: system
    set-up, the installs of one tool, and the clean-up behind a step.

    Before:
        FROM alpine:3.20
        RUN apk add --no-cache curl
        RUN apk add --no-cache wget
        # Where the data goes
        RUN mkdir -p /data

    After:
        FROM alpine:3.20
        RUN apk add --no-cache curl wget \\
            # Where the data goes
            && mkdir -p /data
    """

    name = "merge-runs"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Look at every row of neighbours."""
        for stage in workspace.shipped_stages:
            rows = list(rows_of(stage))
            if rows and _is_for_tests(stage, workspace):
                yield Declined("a stage for tests: its layers are not shipped", stage.start.line)
                continue
            for row in rows:
                yield from _merge_row(row, workspace)


def _is_for_tests(stage: Stage, workspace: Workspace) -> bool:
    """Whether a stage is there to test the one it is built on, which is what gets shipped."""
    return (
        workspace.target is None
        and (stage.name or "").lower() in _TEST_STAGES
        and workspace.dockerfile.parent(stage) is not None
    )


def _merge_row(row: list[Instruction], workspace: Workspace) -> _Found:
    """Cut a row into groups that may become one instruction each."""
    if reads_profile(workspace.state(row[0]), workspace):
        yield Declined("the shell reads a profile at each start", row[1].line)
        return
    group: list[Part] = []
    for index, instruction in enumerate(row):
        part = read_part(instruction, row[index - 1] if index else None, workspace)
        alone = why_alone(part) if part is not None else why_unread(instruction)
        reason = alone or (_why_apart(group, part) if part is not None and group else "")
        if reason:
            yield Declined(reason, instruction.line)
            if len(group) > 1:
                yield merge(group, workspace)
            group = []
        if part is not None and not alone:
            group.append(part)
    if len(group) > 1:
        yield merge(group, workspace)


def _why_apart(group: list[Part], part: Part) -> str:
    """Why a RUN does not join the group; "" when it does."""
    return (
        why_last(group[-1])
        or why_looped(group, part)
        or why_differs(group, part)
        or why_comments(part)
        or why_user(group[-1], part)
        or why_shadowed(group, part)
    )
