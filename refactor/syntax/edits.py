"""Edits: replace a span, insert, remove and move whole instructions.

An edit counts offsets in the code of one tree. A pass makes all its edits against the tree it was
handed; the pipeline applies them together and parses again, so no offset is ever stale.
"""

from __future__ import annotations

from bisect import bisect_left, insort_right
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank
from dockerfix.syntax.tree import Dockerfile, Node


class Edit(NamedTuple):
    """Put `text` in place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


class OverlapError(ValueError):
    """Two edits want the same characters."""


def apply_edits(code: str, edits: Iterable[Edit]) -> str:
    """Apply edits that do not overlap; insertions at one place keep their given order.

    Raises OverlapError when two edits overlap.
    """
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < position:
            raise OverlapError(f"edits overlap at offset {edit.start}")
        parts += (code[position : edit.start], edit.text)
        position = edit.end
    parts.append(code[position:])
    return "".join(parts)


class EditSet:
    """Edits that do not get in each other's way, in order; asking costs little however many."""

    def __init__(self) -> None:
        self._edits: list[Edit] = []

    def __iter__(self) -> Iterator[Edit]:
        return iter(self._edits)

    def add(self, edits: Iterable[Edit]) -> None:
        """Take more edits in; those of one place keep their given order."""
        for edit in edits:
            insort_right(self._edits, edit, key=_place)

    def overlaps(self, edits: Iterable[Edit]) -> bool:
        """Whether any of the edits touches characters or an insertion point of one in the set."""
        return any(self._overlaps(edit) for edit in edits)

    def _overlaps(self, edit: Edit) -> bool:
        index = bisect_left(self._edits, edit.start, key=_start)
        if index and self._edits[index - 1].end > edit.start:
            return True
        following = self._edits[index] if index < len(self._edits) else None
        return following is not None and (
            following.start == edit.start or following.start < edit.end
        )


def _start(edit: Edit) -> int:
    return edit.start


def _place(edit: Edit) -> tuple[int, int]:
    return (edit.start, edit.end)


def replace_part(instruction: Instruction, begin: int, end: int, text: str) -> Edit:
    """Replace a part of the logical line; what stood between its source lines goes with it."""
    return Edit(*instruction.span(begin, end), text)


def replace_arguments(instruction: Instruction, text: str) -> Edit:
    """Replace all arguments, the keyword and the flags stay."""
    return Edit(*instruction.argument_span, text)


def replace_instruction(instruction: Instruction, text: str) -> Edit:
    """Replace an instruction, its line end excluded, by `text`."""
    body = instruction.code.rstrip("\r\n")
    return Edit(instruction.start, instruction.start + len(body), text)


def head_of(dockerfile: Dockerfile, instruction: Instruction) -> int:
    """Offset where an instruction begins together with the comments that belong to it."""
    comments = dockerfile.comments_of(instruction)
    return comments[0].start if comments else instruction.start


def blank_above(dockerfile: Dockerfile, instruction: Instruction) -> bool:
    """Whether a blank line stands above an instruction and the comments that belong to it."""
    index = dockerfile.index(instruction) - 1 - len(dockerfile.comments_of(instruction))
    return index >= 0 and isinstance(dockerfile.nodes[index], Blank)


def blank_below(dockerfile: Dockerfile, instruction: Instruction) -> Blank | None:
    """The blank line right below an instruction."""
    following = dockerfile.nodes[dockerfile.index(instruction) + 1 :][:1]
    return following[0] if following and isinstance(following[0], Blank) else None


def end_with_gap(dockerfile: Dockerfile, instruction: Instruction) -> int:
    """Where an instruction that goes ends: of two blank lines around it, the lower goes as well."""
    below = blank_below(dockerfile, instruction)
    if below is None or not blank_above(dockerfile, instruction):
        return instruction.end
    return below.end


def cut(dockerfile: Dockerfile, gone: Iterable[Instruction]) -> Iterator[Edit]:
    """Take instructions out with their comments; of the blank lines around them, one stays.

    What lies side by side, or with blank lines between, goes as one piece.
    """
    nodes: set[object] = set()
    for instruction in gone:
        nodes.update((instruction, *dockerfile.comments_of(instruction)))
    for is_gap, group in groupby(dockerfile.nodes, lambda n: n not in nodes and _is_text(n)):
        piece = [] if is_gap else list(group)
        while piece and piece[-1] not in nodes:
            piece.pop()
        first = next((i for i, node in enumerate(piece) if node in nodes), len(piece))
        if first < len(piece):
            above = piece[first - 1] if first else None
            last = piece[-1]
            below = dockerfile.nodes[dockerfile.index(last) + 1 :][:1]
            swallow = isinstance(above, Blank) and bool(below) and isinstance(below[0], Blank)
            yield Edit(piece[first].start, below[0].end if swallow else last.end, "")


def _is_text(node: Node) -> bool:
    return not isinstance(node, Blank)


def with_comments(dockerfile: Dockerfile, instruction: Instruction, newline: str) -> str:
    """An instruction with the comments that belong to it, ending in a line end."""
    code = dockerfile.code[head_of(dockerfile, instruction) : instruction.end]
    return code if code.endswith("\n") else code + newline


def remove(dockerfile: Dockerfile, instruction: Instruction) -> Edit:
    """Remove an instruction and the comments that belong to it."""
    return Edit(head_of(dockerfile, instruction), instruction.end, "")


def remove_alone(instruction: Instruction) -> Edit:
    """Remove an instruction; the comments above it stay."""
    return Edit(instruction.start, instruction.end, "")


def insert_before(
    dockerfile: Dockerfile, instruction: Instruction, line: str, newline: str
) -> Edit:
    """Insert a line above an instruction and the comments that belong to it."""
    head = head_of(dockerfile, instruction)
    return Edit(head, head, line + newline)


def insert_after(instruction: Instruction, line: str, newline: str) -> Edit:
    """Insert a line below an instruction, whether or not the file ends with a line end."""
    if instruction.code.endswith("\n"):
        return Edit(instruction.end, instruction.end, line + newline)
    return Edit(instruction.end, instruction.end, newline + line)


def move_before(
    dockerfile: Dockerfile, instruction: Instruction, target: Instruction, newline: str
) -> tuple[Edit, Edit]:
    """Move an instruction with its comments above another one and its comments."""
    head = head_of(dockerfile, instruction)
    text = with_comments(dockerfile, instruction, newline)
    place = head_of(dockerfile, target)
    return Edit(place, place, text), Edit(head, instruction.end, "")
