"""An instruction: its keyword, flags and arguments, with their places in the source."""

from __future__ import annotations

from dataclasses import dataclass
from sys import intern

from dockerfix.lazy_property import lazy_property
from dockerfix.patterns import pattern
from dockerfix.syntax.arguments import read_arguments, read_flags
from dockerfix.syntax.nodes import Comment, Flag, Heredoc
from dockerfix.syntax.words import JSON_KEYWORDS, SPACES, NotStringArrayError, read_json_array

_WHITESPACE = pattern(r"[\t\v\f\r ]+")
_KEYWORD = pattern(r"[^\t\v\f\r ]+")


@dataclass(frozen=True, eq=False)
class Instruction:
    """One instruction with its continuation lines and heredocs.

    `logical` is the instruction as BuildKit reads it: the continuation lines joined, comments and
    blank lines among them left out. `span` maps a part of it back to the source.
    """

    code: str
    start: int
    line: int
    #: Parts of `code` (begin, end) that make up the logical line.
    segments: tuple[tuple[int, int], ...]
    heredocs: tuple[Heredoc, ...]
    escape: str

    @property
    def end(self) -> int:
        """Offset just after the node, its line end included."""
        return self.start + len(self.code)

    @lazy_property
    def end_line(self) -> int:
        """Number of the last line of the instruction, heredoc bodies included."""
        return self.line + self.code.rstrip("\n").count("\n")

    @lazy_property
    def logical(self) -> str:
        """The joined line, without the line end."""
        if len(self.segments) == 1:
            begin, end = self.segments[0]
            return self.code[begin:end]
        return "".join([self.code[begin:end] for begin, end in self.segments])

    @lazy_property
    def keyword_text(self) -> str:
        """The keyword as it is written."""
        found = _KEYWORD.match(self.logical.strip(SPACES))
        return intern(found[0]) if found else ""

    @lazy_property
    def keyword(self) -> str:
        """The keyword in capitals."""
        return intern(self.keyword_text.upper())

    @lazy_property
    def _parts(self) -> tuple[tuple[tuple[str, int, int], ...], int, int]:
        """Flag words with their logical spans, and the logical span of the arguments."""
        logical = self.logical
        begin = len(logical) - len(logical.lstrip(SPACES)) + len(self.keyword_text)
        end = len(logical.rstrip(SPACES))
        gap = _WHITESPACE.match(logical, begin)
        if gap is None or gap.end() >= end:
            return (), end, end
        return read_flags(logical, gap.end(), end)

    @lazy_property
    def flags(self) -> tuple[Flag, ...]:
        """The flags, in order, with their source offsets."""
        flags = []
        for word, begin, end in self._parts[0]:
            name, equals, value = word[2:].partition("=")
            start, stop = self.span(begin, end)
            flags.append(Flag(name, value if equals else None, start, stop))
        return tuple(flags)

    def flag(self, name: str) -> str | None:
        """Value of the last flag of that name; None when there is none or it has no value."""
        return next((f.value for f in reversed(self.flags) if f.name == name), None)

    @property
    def argument_start(self) -> int:
        """Offset in `logical` of the first argument."""
        return self._parts[1]

    @lazy_property
    def argument_text(self) -> str:
        """Everything after the keyword and its flags, as one string."""
        return self.logical[self._parts[1] : self._parts[2]]

    @lazy_property
    def exec_arguments(self) -> tuple[str, ...] | None:
        """The elements of a JSON array, or None when the arguments are not one."""
        text = self.argument_text
        if self.keyword == "HEALTHCHECK":
            text = _after_first_word(text)
        elif self.keyword == "ONBUILD":
            return self.nested.exec_arguments if self.nested else None
        elif self.keyword not in JSON_KEYWORDS:
            return None
        try:
            return read_json_array(text)
        except NotStringArrayError:
            return None

    @property
    def is_exec_form(self) -> bool:
        """Whether the arguments are a JSON array of strings."""
        return self.exec_arguments is not None

    @lazy_property
    def arguments(self) -> tuple[str, ...]:
        """The arguments, split as BuildKit's parser splits them, quotes kept.

        ENV and LABEL alternate keys and values; a shell form is one string; JSON is its elements.
        """
        if self.nested is not None:
            return self.nested.arguments
        return read_arguments(self.keyword, self.argument_text, self.escape)

    @lazy_property
    def nested(self) -> Instruction | None:
        """The instruction inside ONBUILD, with offsets into the same source."""
        if self.keyword != "ONBUILD" or not self.argument_text:
            return None
        return self.part(self._parts[1], self._parts[2])

    def part(self, begin: int, end: int) -> Instruction:
        """This instruction narrowed to a part of its logical line; `code` stays the whole."""
        segments = []
        position = 0
        for first, last in self.segments:
            low = max(begin - position, 0)
            high = min(end - position, last - first)
            if low < high:
                segments.append((first + low, first + high))
            position += last - first
        return Instruction(
            self.code, self.start, self.line, tuple(segments), self.heredocs, self.escape
        )

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Source offsets of `logical[begin:end]`; an empty part maps to one place."""
        start = stop = -1
        position = 0
        for first, last in self.segments:
            length = last - first
            if start < 0 and (begin < position + length or (begin == end <= position + length)):
                start = self.start + first + begin - position
            if end <= position + length:
                stop = self.start + first + end - position
                break
            position += length
        if start < 0 or stop < 0:
            raise ValueError(f"no such part of the instruction: {begin} to {end}")
        return start, max(start, stop)

    @property
    def argument_span(self) -> tuple[int, int]:
        """Source offsets of all arguments, heredoc bodies not included."""
        return self.span(self._parts[1], self._parts[2])

    @lazy_property
    def inner_comments(self) -> tuple[Comment, ...]:
        """The comment lines between the continuation lines."""
        found: list[Comment] = []
        for (_, before), (after, _) in zip(self.segments, self.segments[1:], strict=False):
            if "#" not in self.code[before:after]:
                continue
            offset = self.code.index("\n", before) + 1
            for text in self.code[offset:after].splitlines(keepends=True):
                if text.lstrip(SPACES).startswith("#"):
                    line = self.line + self.code.count("\n", 0, offset)
                    found.append(Comment(text, self.start + offset, line))
                offset += len(text)
        return tuple(found)

    @property
    def has_inner_lines(self) -> bool:
        """Whether comments or blank lines stand between the continuation lines."""
        return any(
            self.code.count("\n", before, after) > 1
            for (_, before), (after, _) in zip(self.segments, self.segments[1:], strict=False)
        )


def _after_first_word(text: str) -> str:
    parts = text.split(maxsplit=1)
    return parts[1] if len(parts) == 2 else ""
