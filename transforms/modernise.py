"""modernise: today's way to write what has been superseded."""

from __future__ import annotations

from dockerfix.modernising.change import Found
from dockerfix.modernising.empty_lines import empty_continuations
from dockerfix.modernising.letter_case import letter_case
from dockerfix.modernising.overridden import overridden
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
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
            yield from _maintainers(stage, workspace)
            yield from overridden(stage, workspace)
        for instruction in workspace.dockerfile.instructions:
            yield from _rewrite(instruction, workspace)
            yield from empty_continuations(instruction)


# Rules that few files need load where one does.


def _maintainers(stage: Stage, workspace: Workspace) -> Found:
    if all(instruction.keyword != "MAINTAINER" for instruction in stage.instructions):
        return
    from dockerfix.modernising.maintainer import maintainers

    yield from maintainers(stage, workspace)


def _rewrite(instruction: Instruction, workspace: Workspace) -> Found:
    """What replaces the keyword or the form: of the language, or in the file's letter case."""
    target = instruction.nested or instruction
    if target.keyword == "ADD":
        from dockerfix.modernising.add import add_to_copy

        found = add_to_copy(target, instruction, workspace)
        yield found
        if isinstance(found, Change):
            return
    yield from letter_case(instruction, workspace)
    if target.keyword in ("ENV", "LABEL"):
        from dockerfix.modernising.old_pairs import old_pairs

        yield from old_pairs(target, instruction)
    elif instruction.keyword == "RUN" and "useradd" in instruction.code:
        from dockerfix.modernising.login_log import log_of_a_high_number

        yield from log_of_a_high_number(instruction, workspace)
