"""The habits of a file, so that new text looks as if its author had written it."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from dockerfix.patterns import pattern
from dockerfix.syntax.tree import Dockerfile

_OPERATOR_FIRST = pattern(r"\n([ \t]*)(?:&&|\|\||;)")
_OPERATOR_LAST = pattern(r"(?:&&|\|\||;)[ \t]*[\\`][ \t]*\r?\n([ \t]*)[^\s#]")
_CONTINUED = pattern(r"[\\`][ \t]*\r?\n([ \t]+)[^\s#]")


class Style(NamedTuple):
    """How this file is written."""

    newline: str
    escape: str
    #: Blanks in front of a continuation line.
    indent: str
    #: Whether `&&` stands at the head of a continuation line (or at the end of the one before).
    operator_first: bool
    lower_keywords: bool

    def local(self, code: str) -> Style:
        """The habits of a part of the file, where it shows any of its own."""
        operator_first, indent = _read_layout(code, None)
        if indent is None:
            return self
        return self._replace(operator_first=operator_first, indent=indent)

    def keyword(self, keyword: str) -> str:
        """A keyword in the file's letter case."""
        return keyword.lower() if self.lower_keywords else keyword.upper()

    @property
    def continuation(self) -> str:
        """What ends a line and begins the next within one instruction."""
        return f" {self.escape}{self.newline}{self.indent}"

    def join_commands(self, commands: list[str]) -> str:
        """Commands as one and-list over several lines."""
        if self.operator_first:
            return f"{self.continuation}&& ".join(commands)
        return f" &&{self.continuation}".join(commands)


def detect_style(dockerfile: Dockerfile) -> Style:
    """Read the habits; the majority decides, Docker's own examples on a tie."""
    code = dockerfile.code
    windows_ends = code.count("\r\n")
    newline = "\r\n" if windows_ends * 2 > code.count("\n") else "\n"
    operator_first, indent = _read_layout(code, "    ")
    return Style(
        newline, dockerfile.escape, indent or "", operator_first, _lower_majority(dockerfile)
    )


def _read_layout(code: str, default: str | None) -> tuple[bool, str | None]:
    """Whether operators stand at the head of a line, and the blanks in front of one."""
    first = Counter(_OPERATOR_FIRST.findall(code))
    last = Counter(_OPERATOR_LAST.findall(code))
    operator_first = first.total() >= last.total()
    indents = first if operator_first else last
    if not indents and default is not None:
        indents = Counter(_CONTINUED.findall(code))
    return operator_first, indents.most_common(1)[0][0] if indents else default


def _lower_majority(dockerfile: Dockerfile) -> bool:
    words = [instruction.keyword_text for instruction in dockerfile.instructions]
    return sum(word.islower() for word in words) * 2 > len(words)
