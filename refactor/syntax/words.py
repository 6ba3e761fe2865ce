"""The smallest parts of a Dockerfile: blanks, keywords, words, JSON arrays.

Stands on dockerfile-parse for taking quotes off. Splitting follows BuildKit's `parseWords`, because
dockerfile-parse does not know another escape character.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import NamedTuple

#: What Go's `unicode.IsSpace` calls a space; `str.isspace` accepts more (the separators 1C to 1F).
SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
#: Keywords of the Dockerfile reference.
KEYWORDS = frozenset(
    (
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    )
)
#: Instructions whose arguments may be a JSON array.
JSON_KEYWORDS = frozenset(("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"))


class NotStringArrayError(ValueError):
    """A JSON array whose elements are not all strings: BuildKit refuses the file."""


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


def unquote(text: str, escape: str = "\\") -> str:
    """Take quotes and escapes off a word, as ENV and LABEL values are read."""
    if "'" not in text and '"' not in text and escape not in text:
        return text
    if escape != "\\":
        return re.sub(r"['\"]", "", text)
    from dockerfile_parse.util import WordSplitter

    return str(WordSplitter(text).dequote())


def read_json_array(text: str) -> tuple[str, ...] | None:
    """The strings of a JSON array; None when the text is not one.

    Raises NotStringArrayError for an array of anything else, as BuildKit refuses it.
    """
    text = text.lstrip(SPACES)
    if not text.startswith("["):
        return None
    try:
        elements = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(element, str) for element in elements):
        raise NotStringArrayError
    return tuple(elements)
