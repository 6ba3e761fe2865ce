"""Where a Dockerfile names images of registries, and which text has to change for another tag.

FROM, `COPY --from`, `RUN --mount=from`, the `# syntax=` directive; through the defaults of global
ARGs and through `${VERSION:-18}`. Names of stages, `scratch`, numbers, and what is known only when
the build is started are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Dockerfile
from dockerfix.syntax.words import split_words

_MOUNT_FROM = pattern(r"(?:^|,)from=([^,]+)")
_VARIABLE = pattern(r"\$(?:(\w+)|\{(\w+)(?:(:?-)([^${}]*))?\})")


class ImageUse(NamedTuple):
    """A reference to an image, with the part of it that may be edited.

    `front` and `back` are what stands around that part: literal text, or other variables' values.
    """

    #: With defaults put in; as it is written where that cannot be done.
    text: str
    line: int
    #: Span of the editable part in the source.
    start: int
    end: int
    front: str = ""
    back: str = ""
    #: The global ARG that holds the part; "" for none.
    argument: str = ""
    #: Why it cannot be edited; "" when it can.
    reason: str = ""

    def edited(self, text: str) -> str | None:
        """The part as it must be for the whole to be `text`; None when it cannot be."""
        if self.reason or not text.startswith(self.front) or not text.endswith(self.back):
            return None
        end = len(text) - len(self.back)
        return text[len(self.front) : end] if end >= len(self.front) else None


class _Piece(NamedTuple):
    """A part of a name: literal, or what a variable has for a default."""

    text: str
    start: int
    end: int
    argument: str = ""
    reason: str = ""


def image_uses(dockerfile: Dockerfile) -> Iterator[ImageUse]:
    """Every reference to an image of a registry, in the order of the file."""
    yield from _in_directive(dockerfile)
    for stage in dockerfile.stages:
        yield from _base(stage, dockerfile)
        for instruction in stage.instructions:
            yield from _in_flags(instruction, stage, dockerfile)


def _in_directive(dockerfile: Dockerfile) -> Iterator[ImageUse]:
    """`# syntax=docker/dockerfile:1`: the first word is the image that reads the file."""
    for directive in dockerfile.directives:
        words = directive.value.split()
        if directive.name == "syntax" and words:
            start = directive.start + directive.code.index(words[0], directive.code.index("="))
            yield ImageUse(words[0], directive.line, start, start + len(words[0]))
            return


def _in_flags(instruction: Instruction, stage: Stage, dockerfile: Dockerfile) -> Iterator[ImageUse]:
    """`COPY --from=image` and `RUN --mount=from=image`."""
    for flag in instruction.flags:
        value = flag.value or ""
        start = flag.end - len(value)
        if flag.name == "mount" and instruction.keyword == "RUN":
            match = _MOUNT_FROM.search(value)
            value, start = (match[1], start + match.start(1)) if match else ("", 0)
        elif flag.name != "from" or instruction.keyword != "COPY":
            continue
        if not value or value.isdigit() or value.lower() == "scratch":
            continue
        if dockerfile.find_stage(value, stage.index) is None:
            reason = "" if any(char in value for char in ":/@") else _CONTEXT
            reason = _VARIABLES if "$" in value else reason
            yield ImageUse(value, instruction.line, start, start + len(value), reason=reason)


_CONTEXT = "it may be a build context of that name"
_VARIABLES = "variables name it that only the build knows"


def _base(stage: Stage, dockerfile: Dockerfile) -> Iterator[ImageUse]:
    instruction, text = stage.start, stage.base
    begin = instruction.argument_start
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text, begin = text[1:-1], begin + 1
    if not text or text.lower() == "scratch":
        return
    if dockerfile.find_stage(text, stage.index) is not None:
        return
    start, end = instruction.span(begin, begin + len(text))
    if end - start != len(text) or any(char in text for char in "\"'\\`"):
        yield ImageUse(text, instruction.line, start, end, reason="it is quoted or broken up")
        return
    if "$" not in text:
        yield ImageUse(text, instruction.line, start, end)
        return
    yield from _with_variables(text, start, stage, dockerfile)


def _with_variables(
    text: str, start: int, stage: Stage, dockerfile: Dockerfile
) -> Iterator[ImageUse]:
    line = stage.start.line
    pieces = list(_pieces(text, start, stage))
    resolved = "".join(piece.text for piece in pieces)
    if "$" in resolved or any(piece.reason == _VARIABLES for piece in pieces):
        yield ImageUse(text, line, start, start + len(text), reason=_VARIABLES)
        return
    if dockerfile.find_stage(resolved, stage.index) is not None or resolved.lower() == "scratch":
        return
    index = _tag_piece(pieces)
    piece = pieces[index]
    yield ImageUse(
        resolved,
        line,
        piece.start,
        piece.end,
        "".join(item.text for item in pieces[:index]),
        "".join(item.text for item in pieces[index + 1 :]),
        piece.argument,
        piece.reason,
    )


def _tag_piece(pieces: list[_Piece]) -> int:
    """The piece in which the tag begins: where it moves is where it has to be edited."""
    for index in range(len(pieces) - 1, -1, -1):
        text = pieces[index].text
        if ":" in text.rpartition("/")[2]:
            behind = text.rpartition(":")[2]
            following = index + 1 < len(pieces) and not behind
            return index + 1 if following else index
        if "/" in text:
            break
    return len(pieces) - 1


def _pieces(text: str, start: int, stage: Stage) -> Iterator[_Piece]:
    position = 0
    for match in _VARIABLE.finditer(text):
        if match.start() > position:
            literal = text[position : match.start()]
            yield _Piece(literal, start + position, start + match.start())
        yield _variable(match[1] or match[2], match[3], match[4], start + match.start(4), stage)
        position = match.end()
    if position < len(text):
        yield _Piece(text[position:], start + position, start + len(text))


def _variable(
    name: str, operator: str | None, inline: str | None, start: int, stage: Stage
) -> _Piece:
    """What a variable is without further ado: the default of its ARG, or the one beside it."""
    declared = [
        (instruction, word)
        for instruction in stage.global_arguments
        if instruction.keyword == "ARG"
        for word in split_words(instruction.argument_text, instruction.escape)
        if word.text.partition("=")[0] == name
    ]
    if declared and "=" in declared[-1][1].text:
        instruction, word = declared[-1]
        value = word.text.partition("=")[2]
        if value and (operator or "") in ("", "-", ":-"):
            reason = "its ARG is declared twice" if len(declared) > 1 else ""
            return _default(name, value, instruction, word.start, reason)
    if operator and inline:
        return _Piece(inline, start, start + len(inline))
    return _Piece(f"${name}", 0, 0, name, _VARIABLES)


def _default(
    name: str, value: str, instruction: Instruction, word_start: int, reason: str
) -> _Piece:
    inner = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
    if any(char in inner for char in "\"'\\`$"):
        return _Piece(f"${name}", 0, 0, name, _VARIABLES)
    offset = instruction.argument_start + word_start + len(name) + 1 + (inner != value)
    start, end = instruction.span(offset, offset + len(inner))
    if end - start != len(inner):
        reason = reason or "it is quoted or broken up"
    return _Piece(inner, start, end, name, reason)


def argument_users(dockerfile: Dockerfile, name: str) -> Iterator[tuple[int, str]]:
    """Line and text of what a global ARG's default decides besides the base of one image.

    FROMs are told by their base; a stage that declares the name takes the default over.
    """
    for instruction in dockerfile.stages[0].global_arguments if dockerfile.stages else ():
        values = [word.partition("=")[2] for word in instruction.arguments]
        if instruction.keyword == "ARG" and any(_names(value, name) for value in values):
            yield instruction.line, "another ARG"
    for stage in dockerfile.stages:
        if any(_names(flag.value or "", name) for flag in stage.start.flags):
            yield stage.start.line, "a platform"
        for instruction in stage.instructions[1:]:
            if instruction.keyword == "ARG" and name in map(_name_of, instruction.arguments):
                yield instruction.line, "a stage"


def base_users(dockerfile: Dockerfile, name: str) -> list[str]:
    """The bases, as they are written, that a global ARG has a part in."""
    return [stage.base for stage in dockerfile.stages if _names(stage.base, name)]


def _names(text: str, name: str) -> bool:
    """Whether a text has a variable in it, whatever is done to that."""
    return re.search(rf"\$(?:{name}\b|\{{{name}\b)", text) is not None


def _name_of(word: str) -> str:
    return word.partition("=")[0]
