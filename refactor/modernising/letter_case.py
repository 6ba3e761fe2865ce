"""Keywords in another letter case than the file's others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerfix.modernising.change import Found, change, keyword_span
from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Workspace

_STAGE_NAME = pattern(r"\S+\s+(as)\s+\S+", re.IGNORECASE)
_HEALTH_KIND = pattern(r"(?:cmd|none)\b", re.IGNORECASE)


def letter_case(instruction: Instruction, workspace: Workspace) -> Found:
    """Write the words of the language as the file writes most of its keywords."""
    lower = workspace.style.lower_keywords
    words = list(_keyword_words(instruction))
    wrong = [
        (word, span)
        for word, span in words
        if word != (word.lower() if lower else word.upper()) and span[1] - span[0] == len(word)
    ]
    if not wrong:
        return
    names = ", ".join(f"`{word}`" for word, _ in wrong)
    style = "lower case" if lower else "capitals"
    yield change(
        instruction,
        f"{names} is not in {style} like the file's other keywords",
        f"Write it in {style}",
        *(Edit(*span, word.lower() if lower else word.upper()) for word, span in wrong),
    )


def _keyword_words(instruction: Instruction) -> Iterator[tuple[str, tuple[int, int]]]:
    """The words of an instruction that belong to the language, with their source spans."""
    yield instruction.keyword_text, keyword_span(instruction)
    if instruction.nested is not None:
        yield from _keyword_words(instruction.nested)
        return
    if instruction.keyword == "FROM":
        match = _STAGE_NAME.fullmatch(instruction.argument_text)
        group = 1
    elif instruction.keyword == "HEALTHCHECK":
        match = _HEALTH_KIND.match(instruction.argument_text)
        group = 0
    else:
        return
    if match:
        start = instruction.argument_start
        yield match[group], instruction.span(start + match.start(group), start + match.end(group))
