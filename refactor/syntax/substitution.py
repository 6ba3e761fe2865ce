"""Variables put into a text, by the rules of BuildKit's shell lexer.

dockerfile-parse knows neither another escape character nor `${x:-y}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockerfix.patterns import pattern

_OWN_PARAMETERS = tuple("@*#?-$!")
_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]")


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
