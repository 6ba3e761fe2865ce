"""What the rules have in common."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.words import SPACES
from dockerfix.transform import Change, Declined, Evidence, Level

Found = Iterator[Change | Declined]


def change(
    instruction: Instruction,
    message: str,
    help_text: str,
    *edits: Edit,
    evidence: tuple[Evidence, ...] = (),
    removed: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
) -> Change:
    """A safe change of one instruction."""
    return Change(
        message,
        help_text,
        edits,
        instruction.line,
        Level.SAFE,
        evidence=evidence,
        removed=removed,
        added=added,
    )


def keyword_span(instruction: Instruction) -> tuple[int, int]:
    """Where the keyword stands in the source."""
    logical = instruction.logical
    begin = len(logical) - len(logical.lstrip(SPACES))
    return instruction.span(begin, begin + len(instruction.keyword_text))
