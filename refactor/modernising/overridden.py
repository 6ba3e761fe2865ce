"""CMD, ENTRYPOINT and HEALTHCHECK of which only the last one counts."""

from __future__ import annotations

from dockerfix.modernising.change import Found, change
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Workspace

#: Instructions of which a stage heeds the last one only (Docker's reference).
_LAST_COUNTS = ("CMD", "ENTRYPOINT", "HEALTHCHECK")


def overridden(stage: Stage, workspace: Workspace) -> Found:
    """Remove all but the last one of each keyword in a stage."""
    last: dict[str, Instruction] = {}
    for instruction in reversed(stage.instructions):
        keyword = instruction.keyword
        if keyword not in _LAST_COUNTS:
            continue
        if keyword in last:
            yield _remove_overridden(instruction, last[keyword], workspace)
        else:
            last[keyword] = instruction


def _remove_overridden(
    instruction: Instruction, last: Instruction, workspace: Workspace
) -> Change | Declined:
    keyword = instruction.keyword
    nodes = workspace.dockerfile.nodes
    index = workspace.dockerfile.index(instruction)
    following = nodes[index + 1]
    if workspace.dockerfile.comments_of(instruction) or instruction.inner_comments:
        # The comment would end up above something that it does not speak of.
        return Declined(
            "overridden instruction stays: a comment belongs to it", instruction.line, keyword
        )
    alone = index > 0 and isinstance(nodes[index - 1], Blank) and isinstance(following, Blank)
    end = following.end if alone else instruction.end
    return change(
        instruction,
        f"`{keyword}` is overridden by the `{keyword}` in line {last.line}",
        "Remove it: only the last one of a stage counts",
        Edit(instruction.start, end, ""),
        removed=(keyword,),
    )
