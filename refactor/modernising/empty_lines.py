"""Empty lines within a continued instruction."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.modernising.change import Found, change
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.words import KEYWORDS, SPACES
from dockerfix.transform import Declined


def empty_continuations(instruction: Instruction) -> Found:
    """Remove the empty lines, unless an instruction seems to begin behind one."""
    if not instruction.has_inner_lines:
        return
    edits: list[Edit] = []
    for (_, before), (after, end) in zip(
        instruction.segments, instruction.segments[1:], strict=False
    ):
        found = list(_blank_lines(instruction, before, after))
        words = instruction.code[after:end].split(maxsplit=1)
        if found and words and words[0].upper() in KEYWORDS:
            # Docker takes it as a part of this instruction; the author surely did not mean that.
            line = instruction.line + instruction.code.count("\n", 0, after)
            yield Declined("empty line stays: an instruction seems to follow", line, words[0])
            return
        edits += found
    if edits:
        yield change(
            instruction,
            f"an empty line stands within a continued `{instruction.keyword}`",
            "Remove the empty line: Docker will refuse it in a future release",
            *edits,
        )


def _blank_lines(instruction: Instruction, before: int, after: int) -> Iterator[Edit]:
    code = instruction.code
    offset = code.index("\n", before) + 1
    while offset < after:
        end = code.index("\n", offset) + 1
        if not code[offset:end].strip(SPACES):
            yield Edit(instruction.start + offset, instruction.start + end, "")
        offset = end
