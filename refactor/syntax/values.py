"""What arguments mean: words, pairs, variables, image names.

Stands on dockerfile-parse for taking quotes off and for reading `image AS name`. Splitting and
substitution follow BuildKit's `parseWords` and its shell lexer, because dockerfile-parse knows
neither another escape character nor `${x:-y}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.patterns import pattern
from dockerfix.syntax.tree import JSON_KEYWORDS, SPACES, read_json_array

if TYPE_CHECKING:
    from dockerfix.syntax.tree import Instruction, Stage

_WHITESPACE = pattern(r"[\t\v\f\r ]+")
_OWN_PARAMETERS = tuple("@*#?-$!")
_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]")


class Word(NamedTuple):
    """A word of an instruction's arguments; offsets count in the text that was split."""

    text: str
    start: int
    end: int


def split_words(text: str, escape: str = "\\") -> list[Word]:
    """Split at blanks outside quotes; quotes and escapes stay (BuildKit: parseWords)."""
    return [Word(found[0], *found.span()) for found in _word_pattern(escape).finditer(text)]


@cache
def _word_pattern(escape: str) -> re.Pattern[str]:
    """A word: plain text, quoted parts (an open quote runs to the end) and escaped characters."""
    skip = re.escape(escape)
    return re.compile(
        rf"""(?:[^'"{SPACES}{skip}]+|'[^']*'?|"(?:[^"{skip}]+|{skip}(?:.|\Z))*"?|{skip}(?:.|\Z))+""",
        re.DOTALL,
    )


def instruction_arguments(instruction: Instruction) -> tuple[str, ...]:
    """The argument list of an instruction as BuildKit's parser gives it.

    Raises ValueError for ENV and LABEL pairs that BuildKit refuses.
    """
    keyword, text = instruction.keyword, instruction.argument_text
    if keyword in JSON_KEYWORDS:
        elements = read_json_array(text)
        if elements is not None:
            return elements
    if not text:
        return ()
    match keyword:
        case "ADD" | "COPY" | "VOLUME" | "EXPOSE" | "FROM":
            return tuple(_WHITESPACE.split(text))
        case "ENV" | "LABEL":
            return tuple(part for pair in _pairs(instruction) for part in pair)
        case "ARG":
            return tuple(word.text for word in split_words(text, instruction.escape))
        case "HEALTHCHECK":
            return _health_arguments(text)
        case "ONBUILD":
            return instruction.nested.arguments if instruction.nested else ()
        case _:
            return (text,)


def _health_arguments(text: str) -> tuple[str, ...]:
    kind, _, rest = text.partition(_first_space(text))
    rest = rest.lstrip(SPACES)
    if not rest:
        return (kind,)
    return (kind, *(read_json_array(rest) or (rest,)))


def _first_space(text: str) -> str:
    return next((char for char in text if char in SPACES), " ")


def _pairs(instruction: Instruction) -> list[tuple[str, str]]:
    text = instruction.argument_text
    words = split_words(text, instruction.escape)
    if "=" not in words[0].text:
        parts = _WHITESPACE.split(text, maxsplit=1)
        if len(parts) < 2:
            raise ValueError(f"{instruction.keyword} needs a name and a value")
        return [(parts[0], parts[1])]
    pairs = []
    for word in words:
        name, equals, value = word.text.partition("=")
        if not equals:
            raise ValueError(f"no = in {word.text}: write name=value")
        pairs.append((name, value))
    return pairs


def unquote(text: str, escape: str = "\\") -> str:
    """Take quotes and escapes off a word, as ENV and LABEL values are read."""
    if "'" not in text and '"' not in text and escape not in text:
        return text
    if escape != "\\":
        return re.sub(r"['\"]", "", text)
    from dockerfile_parse.util import WordSplitter

    return str(WordSplitter(text).dequote())


def global_scope(stage: Stage) -> dict[str, str | None]:
    """Build arguments that FROM sees, with their defaults; None where there is none."""
    scope: dict[str, str | None] = {}
    for instruction in stage.global_arguments:
        if instruction.keyword == "ARG":
            _declare(instruction, scope, {})
    return scope


def stage_scope(stage: Stage, before: Instruction | None = None) -> dict[str, str | None]:
    """Variables in a stage before an instruction (or at its end), by ARG and ENV.

    None: declared, but its value comes from outside. Names the base image sets are not here.
    ENV wins over ARG of the same name (Docker's reference, "Using ARG variables"); a stage has
    those of the stages it is built on ("Scope").
    """
    defaults = global_scope(stage)
    scope: dict[str, str | None] = {}
    fixed: dict[str, str | None] = {}
    for instruction in (i for entry in stage.lineage for i in entry.instructions):
        if instruction is before:
            break
        if instruction.keyword == "ARG":
            _declare(instruction, scope, defaults)
        elif instruction.keyword == "ENV":
            known = scope | fixed
            names = instruction.arguments[::2]
            for name, value in zip(names, instruction.arguments[1::2], strict=True):
                fixed[unquote(name)] = substitute(value, known, instruction.escape)
    return scope | fixed


def _declare(
    instruction: Instruction, scope: dict[str, str | None], defaults: Mapping[str, str | None]
) -> None:
    for word in instruction.arguments:
        name, equals, value = word.partition("=")
        if equals:
            scope[name] = substitute(value, scope, instruction.escape)
        else:
            scope[name] = defaults.get(name)


def substitute(text: str, scope: Mapping[str, str | None], escape: str = "\\") -> str | None:
    """Put variables in and take quotes off; None when the value of one is not known.

    Docker's reference, "Environment replacement": `$x`, `${x}`, `:-`, `:+`, `#`, `##`, `%`, `%%`,
    `/`, `//`. A name nobody declared is not known here: the base image may set it.
    """
    result: list[str] = []
    quote = ""
    position = 0
    while position < len(text):
        char = text[position]
        if char == escape and quote != "'" and position + 1 < len(text):
            position += 1
            if quote and text[position] not in f'"${escape}':
                result.append(char)
            result.append(text[position])
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char == "$" and quote != "'":
            value, position = _expand(text, position + 1, scope, escape)
            if value is None:
                return None
            result.append(value)
            continue
        else:
            result.append(char)
        position += 1
    return "".join(result)


def _expand(
    text: str, position: int, scope: Mapping[str, str | None], escape: str
) -> tuple[str | None, int]:
    if text.startswith("{", position):
        end = _closing_brace(text, position)
        if end < 0:
            return None, len(text)
        return _expand_braced(text[position + 1 : end], scope, escape), end + 1
    match = _NAME.match(text, position)
    if match is None:
        # `$$` and its kin are the shell's own parameters.
        return (None if text[position : position + 1] in _OWN_PARAMETERS else "$"), position
    return scope.get(match[0]), match.end()


def _closing_brace(text: str, position: int) -> int:
    depth = 0
    for index in range(position, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return -1


def _expand_braced(body: str, scope: Mapping[str, str | None], escape: str) -> str | None:
    match = _NAME.match(body)
    if match is None:
        return None
    name, rest = match[0], body[match.end() :]
    value = scope.get(name)
    if not rest:
        return value
    if name not in scope or (value is None and rest[0] in "#%/"):
        return None
    if rest[0] == ":" and len(rest) > 1:
        operator, rest, is_set = rest[1], rest[2:], bool(value)
    else:
        operator, rest, is_set = rest[0], rest[1:], value is not None
    if value is None and operator in "-+?":
        # Declared without a default: what the user passes decides.
        return None
    match operator:
        case "-":
            return value if is_set else substitute(rest, scope, escape)
        case "+":
            return substitute(rest, scope, escape) if is_set else ""
        case "?":
            return value if is_set else None
        case "#" | "%" | "/":
            return _edit_value(value or "", operator, rest, scope, escape)
        case _:
            return None


def _edit_value(
    value: str, operator: str, rest: str, scope: Mapping[str, str | None], escape: str
) -> str | None:
    """`${x#p}` and its kin: cut a pattern off an end, or replace it."""
    twice = rest.startswith(operator)
    rest = rest[1:] if twice else rest
    pattern, end = _read_raw(rest, 0, "/" if operator == "/" else "", scope, escape)
    if pattern is None:
        return None
    if operator == "/":
        replacement, _ = _read_raw(rest, end + 1, "", scope, escape)
        if replacement is None or end >= len(rest):
            return None
        expression = re.compile(_glob(pattern, ".*"), re.DOTALL)
        return expression.sub(lambda _: replacement, value, count=0 if twice else 1)
    expression = re.compile(_glob(pattern, ".*" if twice else ".*?"), re.DOTALL)
    if operator == "#":
        match = expression.match(value)
        return value[match.end() :] if match else value
    starts = range(len(value) + 1) if twice else range(len(value), -1, -1)
    return next((value[:n] for n in starts if expression.fullmatch(value, n)), value)


def _read_raw(
    text: str, position: int, stop: str, scope: Mapping[str, str | None], escape: str
) -> tuple[str | None, int]:
    """Put variables in and take quotes off up to a character; escapes stay for the pattern."""
    result: list[str] = []
    quote = ""
    while position < len(text):
        char = text[position]
        if char == escape and position + 1 < len(text):
            result.append(text[position : position + 2])
            position += 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif not quote and stop and char == stop:
            break
        elif char == "$" and quote != "'":
            value, position = _expand(text, position + 1, scope, escape)
            if value is None:
                return None, position
            result.append(value)
            continue
        else:
            result.append(char)
        position += 1
    return "".join(result), position


def _glob(pattern: str, star: str) -> str:
    """A shell pattern as BuildKit reads it: `*`, `?` and escapes, no brackets."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and position + 1 < len(pattern):
            position += 1
            parts.append(re.escape(pattern[position]))
        else:
            parts.append({"*": star, "?": "."}.get(char) or re.escape(char))
        position += 1
    return "".join(parts)


class ImageName(NamedTuple):
    """An image reference in its parts, as the user wrote them; empty where a part is missing."""

    repository: str
    tag: str
    digest: str

    @property
    def last(self) -> str:
        """The last part of the repository: `node` in `docker.io/library/node`."""
        return self.repository.rpartition("/")[2]


def read_image(text: str) -> ImageName:
    """Split an image reference into repository, tag and digest (a port is no tag)."""
    name, _, digest = text.partition("@")
    head, slash, tail = name.rpartition("/")
    last, _, tag = tail.partition(":")
    return ImageName(head + slash + last, tag, digest)
