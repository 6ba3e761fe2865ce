"""The flags and arguments of an instruction, out of its logical line."""

from __future__ import annotations

from dockerfix.patterns import pattern
from dockerfix.syntax.words import JSON_KEYWORDS, SPACES, read_json_array, split_words

_WHITESPACE = pattern(r"[\t\v\f\r ]+")


def read_flags(
    logical: str, position: int, end: int
) -> tuple[tuple[tuple[str, int, int], ...], int, int]:
    """Read `--name=value` words from the front (BuildKit: extractBuilderFlags).

    Returns the words with their spans, and the span of what follows them.
    """
    flags: list[tuple[str, int, int]] = []
    while position < end:
        if logical[position] in SPACES:
            position += 1
            continue
        if not logical.startswith("--", position, end):
            break
        word, stop = _read_flag_word(logical, position, end)
        if word == "--":
            position = stop
            while position < end and logical[position] in SPACES:
                position += 1
            break
        flags.append((word, position, stop))
        position = stop
    return tuple(flags), position, end


def _read_flag_word(logical: str, position: int, end: int) -> tuple[str, int]:
    word: list[str] = []
    quote = ""
    while position < end:
        char = logical[position]
        if char == "\\":
            position += 1
            if position < end:
                word.append(logical[position])
        elif quote:
            if char == quote:
                quote = ""
            else:
                word.append(char)
        elif char in "'\"":
            quote = char
        elif char in SPACES:
            break
        else:
            word.append(char)
        position += 1
    return "".join(word), min(position, end)


def read_arguments(keyword: str, text: str, escape: str) -> tuple[str, ...]:
    """The argument list of an instruction as BuildKit's parser gives it; not of ONBUILD.

    Raises ValueError for ENV and LABEL pairs that BuildKit refuses.
    """
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
            return tuple(part for pair in _pairs(keyword, text, escape) for part in pair)
        case "ARG":
            return tuple(word.text for word in split_words(text, escape))
        case "HEALTHCHECK":
            return _health_arguments(text)
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


def _pairs(keyword: str, text: str, escape: str) -> list[tuple[str, str]]:
    words = split_words(text, escape)
    if "=" not in words[0].text:
        parts = _WHITESPACE.split(text, maxsplit=1)
        if len(parts) < 2:
            raise ValueError(f"{keyword} needs a name and a value")
        return [(parts[0], parts[1])]
    pairs = []
    for word in words:
        name, equals, value = word.text.partition("=")
        if not equals:
            raise ValueError(f"no = in {word.text}: write name=value")
        pairs.append((name, value))
    return pairs
