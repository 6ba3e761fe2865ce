"""ENV and LABEL without an equals sign."""

from __future__ import annotations

from dockerfix.modernising.change import Found, change
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.pairs import NotEqualError, new_form_edits, read_old_pair
from dockerfix.syntax.words import unquote
from dockerfix.transform import Declined


def old_pairs(target: Instruction, instruction: Instruction) -> Found:
    """Write `ENV name value` with an equals sign."""
    pair = read_old_pair(target)
    if pair is None:
        return
    if target is not instruction and instruction.escape != "\\":
        # The trigger is kept as text and read later with the default escape character.
        yield Declined(f"{target.keyword} stays: ONBUILD in an escape= file", instruction.line)
        return
    try:
        edits = new_form_edits(target, pair)
    except NotEqualError as error:
        detail = f"{target.keyword} {unquote(pair.name)}"
        yield Declined(f"old form stays: {error}", instruction.line, detail)
        return
    yield change(
        instruction,
        f"`{target.keyword} {pair.name} ...` is the old form without an equals sign",
        "Write it with an equals sign",
        *edits,
    )
