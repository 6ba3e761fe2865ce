"""BuildKit's own parser (the PyPI package `dockerfile`) as the judge of ours."""

from __future__ import annotations

from typing import NamedTuple

import dockerfile as buildkit

from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.tree import Dockerfile


class Shape(NamedTuple):
    """What both parsers say of an instruction."""

    keyword: str
    line: int
    end_line: int
    arguments: tuple[str, ...]
    flags: tuple[str, ...]
    is_exec_form: bool
    heredocs: tuple[str, ...]


class RefusedError(Exception):
    """BuildKit's parser does not take the text."""


def buildkit_shapes(text: str) -> list[Shape]:
    try:
        found = buildkit.parse_string(text)
    except buildkit.GoParseError as error:
        raise RefusedError(str(error)) from error
    return [
        Shape(
            command.cmd.upper(),
            command.start_line,
            command.end_line,
            tuple(command.value),
            tuple(command.flags),
            command.json,
            tuple(heredoc.content for heredoc in command.heredocs),
        )
        for command in found
    ]


def our_shapes(tree: Dockerfile) -> list[Shape]:
    return [_shape(instruction) for instruction in tree.instructions]


def _shape(instruction: Instruction) -> Shape:
    # That package shows neither flags nor here-documents within ONBUILD.
    is_onbuild = instruction.keyword == "ONBUILD"
    return Shape(
        instruction.keyword,
        instruction.line,
        instruction.end_line,
        instruction.arguments,
        tuple(word for word, _, _ in instruction._parts[0]),
        instruction.is_exec_form,
        () if is_onbuild else tuple(heredoc.content for heredoc in instruction.heredocs),
    )
