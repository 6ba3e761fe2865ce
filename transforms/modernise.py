"""modernise: today's way to write what has been superseded."""

from __future__ import annotations

from dockerfix.modernising.add import add_to_copy
from dockerfix.modernising.change import Found
from dockerfix.modernising.empty_lines import empty_continuations
from dockerfix.modernising.letter_case import letter_case
from dockerfix.modernising.login_log import log_of_a_high_number
from dockerfix.modernising.maintainer import maintainers
from dockerfix.modernising.old_pairs import old_pairs
from dockerfix.modernising.overridden import overridden
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Change, Level, Transform, Workspace


class Modernise(Transform):
    """Write superseded instructions and forms the way Docker's reference has them today.

    Before:
        FROM alpine:3.20 as base
        MAINTAINER Jane Doe <jane@example.com>
        ENV APP_HOME /srv/app
        ADD run.sh /srv/app/
        CMD ["sh"]
        CMD ["/srv/app/run.sh"]

    After:
        FROM alpine:3.20 AS base
        LABEL org.opencontainers.image.authors="Jane Doe <jane@example.com>"
        ENV APP_HOME=/srv/app
        COPY run.sh /srv/app/
        CMD ["/srv/app/run.sh"]
    """

    name = "modernise"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Found:
        """Go through the stages for what is overridden, then through all instructions."""
        for stage in workspace.dockerfile.stages:
            yield from maintainers(stage, workspace)
            yield from overridden(stage, workspace)
        for instruction in workspace.dockerfile.instructions:
            yield from _rewrite(instruction, workspace)
            target = instruction.nested or instruction
            yield from old_pairs(target, instruction)
            yield from empty_continuations(instruction)
            yield from log_of_a_high_number(instruction, workspace)


def _rewrite(instruction: Instruction, workspace: Workspace) -> Found:
    """What replaces the keyword: a new instruction, or the keyword in the file's letter case."""
    target = instruction.nested or instruction
    found = add_to_copy(target, instruction, workspace) if target.keyword == "ADD" else None
    if found is not None:
        yield found
    if not isinstance(found, Change):
        yield from letter_case(instruction, workspace)
