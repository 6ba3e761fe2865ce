"""`NAME value` to `NAME=value`: the old form of ENV and LABEL in the new one, with the same value.

The old form takes the rest of the line, blanks and all, and reads it like one shell word: quotes
and escapes go, variables come in. The new form is split at blanks first and each word is then read
the same way (BuildKit: `parseNameVal`, `ProcessWord`). So a value that is one word stays as it is;
one with blanks outside quotes goes into double quotes, where only `"`, `$` and the escape
character mean something.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit, replace_part
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.words import split_words

_OLD_PAIR = pattern(r"([^\t\v\f\r ]+)([\t\v\f\r ]+)(.+)", re.DOTALL)
_PLAIN_NAME = pattern(r"[A-Za-z0-9_./-]+|\"[A-Za-z0-9_./-]+\"|'[A-Za-z0-9_./-]+'")
#: `${x}` alone may move from one kind of quoting to another; `${x:-'a b'}` may not.
_BRACED = pattern(r"\$\{(?!\w+\})")
#: A variable that a quote ends: without the quote the name would run on into what follows.
_ENDED_BY_QUOTE = pattern(r"\$\w*['\"]+(?![\s'\"]|$)")
_NEXT_PAIR = pattern(r"[ \t]*[A-Z_][A-Z0-9_]*(?:[ \t]+[^ \t]|=)")


class NotEqualError(ValueError):
    """The new form cannot be shown to give the same value."""


class OldPair(NamedTuple):
    """An ENV or LABEL in the old form; offsets count in the logical line."""

    name: str
    gap: tuple[int, int]
    value: str
    end: int


def read_old_pair(instruction: Instruction) -> OldPair | None:
    """The name and value of the old form; None for the new form."""
    text = instruction.argument_text
    match = _OLD_PAIR.fullmatch(text)
    if match is None or "=" in split_words(text, instruction.escape)[0].text:
        return None
    start = instruction.argument_start
    gap = (start + match.start(2), start + match.end(2))
    return OldPair(match[1], gap, match[3], start + len(text))


def new_form_edits(instruction: Instruction, pair: OldPair) -> tuple[Edit, ...]:
    """Edits that write the pair in the new form.

    Raises NotEqualError when that cannot be shown to mean the same, or reads like a mistake.
    """
    _check_intent(instruction, pair)
    value = quote_value(pair.value, instruction.escape)
    if value == pair.value:
        return (replace_part(instruction, *pair.gap, "="),)
    if value == f'"{pair.value}"':
        # Only the ends change: the author's line breaks stay.
        end = instruction.span(pair.gap[1], pair.end)[1]
        return (replace_part(instruction, *pair.gap, '="'), Edit(end, end, '"'))
    if len(instruction.segments) > 1:
        raise NotEqualError("the value has quotes and runs over several lines")
    return (replace_part(instruction, pair.gap[0], pair.end, f"={value}"),)


def _check_intent(instruction: Instruction, pair: OldPair) -> None:
    if not _PLAIN_NAME.fullmatch(pair.name):
        raise NotEqualError("the name is not plain")
    if pair.value.startswith("="):
        raise NotEqualError("blanks stand around the equals sign")
    if " #" in pair.value:
        raise NotEqualError("the value holds what looks like a comment")
    later = (instruction.code[begin:end] for begin, end in instruction.segments[1:])
    if any(_NEXT_PAIR.match(part) for part in later):
        raise NotEqualError("a continuation line reads like another pair")
    begin, end = instruction.span(*pair.gap)
    if "#" in instruction.code[begin - instruction.start : end - instruction.start]:
        raise NotEqualError("a comment stands between name and value")


def quote_value(value: str, escape: str) -> str:
    """The text of one word that means what `value` means as the rest of a line.

    Raises NotEqualError when no such text is certain.
    """
    _check_quotes(value, escape)
    words = split_words(value, escape)
    if len(words) == 1 and words[0].text == value:
        return value
    if escape in value:
        raise NotEqualError("the value has escapes and blanks")
    if "'" not in value and '"' not in value:
        return f'"{value}"'
    if value[0] in "[{":
        raise NotEqualError("the value reads like JSON, whose quotes Docker drops")
    if _BRACED.search(value) or _ENDED_BY_QUOTE.search(value):
        raise NotEqualError("the value mixes quotes and variables")
    return f'"{_requote(value, escape)}"'


def _check_quotes(value: str, escape: str) -> None:
    quote = ""
    skip = False
    for char in value:
        if skip:
            skip = False
        elif char == escape and quote != "'":
            skip = True
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
    if quote:
        raise NotEqualError("a quote is not closed")


def _requote(value: str, escape: str) -> str:
    """The inside of double quotes that means the same as a value without escapes."""
    result: list[str] = []
    quote = ""
    for char in value:
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif quote == "'" and char in '"$':
            result += (escape, char)
        else:
            result.append(char)
    return "".join(result)


def quote_literal(text: str, escape: str) -> str:
    """Double quotes around a text that is to be taken as it is."""
    special = f'"${escape}'
    return '"' + "".join([escape + char if char in special else char for char in text]) + '"'
