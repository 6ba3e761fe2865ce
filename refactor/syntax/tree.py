"""The lossless Dockerfile tree.

The nodes tile the source: no gap, no overlap. `Dockerfile.code` joins their slices, so a file that
nobody edited comes back byte for byte. Offsets count characters of `Dockerfile.code`; bytes that
are not UTF-8 are lone surrogates in it (Python's `surrogateescape`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from sys import intern
from typing import NamedTuple, TypeAlias

from dockerfix.lazy_property import lazy_property
from dockerfix.patterns import pattern

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

_WHITESPACE = pattern(r"[\t\v\f\r ]+")
_KEYWORD = pattern(r"[^\t\v\f\r ]+")


class NotStringArrayError(ValueError):
    """A JSON array whose elements are not all strings: BuildKit refuses the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Comment:
    """A comment line of its own, between instructions."""

    code: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """Offset just after the node."""
        return self.start + len(self.code)

    @property
    def text(self) -> str:
        """The comment without `#` and the blanks around it."""
        return self.code.strip(SPACES)[1:].strip(SPACES)


@dataclass(frozen=True, slots=True, eq=False)
class Blank:
    """An empty line between instructions."""

    code: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """Offset just after the node."""
        return self.start + len(self.code)


@dataclass(frozen=True, slots=True, eq=False)
class Directive:
    """A parser directive: `# syntax=`, `# escape=`, `# check=`, only at the top of the file."""

    name: str
    value: str
    code: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """Offset just after the node."""
        return self.start + len(self.code)


@dataclass(frozen=True, slots=True, eq=False)
class Heredoc:
    """A here-document; `start` and `end` bound its body, the end mark is the line that follows."""

    name: str
    content: str
    #: False when the name is quoted, so that variables in the body are left alone.
    expand: bool
    #: True for `<<-`: leading tabs are dropped.
    chomp: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """A flag before the arguments, such as `--from=build`; `value` is None for a bare flag."""

    name: str
    value: str | None
    start: int
    end: int


class SyntaxProblem(NamedTuple):
    """Why BuildKit would refuse the file; `line` and `column` count from 1."""

    line: int
    column: int
    message: str
    source: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}: {self.source}"


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
        return _read_flags(logical, gap.end(), end)

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
        from dockerfix.syntax.values import instruction_arguments

        return instruction_arguments(self)

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


Node: TypeAlias = Comment | Blank | Directive | Instruction


@dataclass(frozen=True, eq=False)
class Stage:
    """A build stage: FROM and what follows up to the next FROM."""

    index: int
    instructions: tuple[Instruction, ...]
    #: Build arguments declared before the first FROM, seen by every FROM.
    global_arguments: tuple[Instruction, ...]
    #: The stage it is built on, if its base names one.
    parent: Stage | None = None

    @property
    def start(self) -> Instruction:
        """The FROM instruction."""
        return self.instructions[0]

    @lazy_property
    def name(self) -> str | None:
        """The name given by AS, as it is written."""
        words = self.start.arguments
        return words[2] if len(words) == 3 and words[1].lower() == "as" else None

    @lazy_property
    def base(self) -> str:
        """The base image or stage as it is written, variables and all."""
        return self.start.arguments[0] if self.start.arguments else ""

    @lazy_property
    def resolved_base(self) -> str | None:
        """The base with global build arguments put in; None when one has no default."""
        from dockerfix.syntax.values import global_scope, substitute

        if "$" not in self.base:
            return self.base
        return substitute(self.base, global_scope(self), self.start.escape)

    @lazy_property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages it is built on, the first one first, and the stage itself."""
        found = [self]
        while (parent := found[-1].parent) is not None:
            found.append(parent)
        return tuple(reversed(found))

    @lazy_property
    def arguments(self) -> tuple[str, ...]:
        """Names of the build arguments in scope: its own and those of the stages it is built on."""
        declared = (
            word.partition("=")[0]
            for stage in self.lineage
            for instruction in stage.instructions
            if instruction.keyword == "ARG"
            for word in instruction.arguments
        )
        return tuple(dict.fromkeys(declared))

    def variables(self, before: Instruction | None = None) -> dict[str, str | None]:
        """Variables by ARG and ENV before an instruction, or at the end; None: not known here."""
        from dockerfix.syntax.values import stage_scope

        return stage_scope(self, before)

    @lazy_property
    def _positions(self) -> dict[Instruction, int]:
        return {instruction: index for index, instruction in enumerate(self.instructions)}

    def index_of(self, instruction: Instruction) -> int:
        """Position of an instruction in this stage."""
        return self._positions[instruction]

    def last(self, keyword: str) -> Instruction | None:
        """The last instruction of that keyword in this stage."""
        return next((i for i in reversed(self.instructions) if i.keyword == keyword), None)


@dataclass(frozen=True, eq=False)
class Dockerfile:
    """A parsed Dockerfile; `parse` makes it."""

    #: The UTF-8 byte order mark, or nothing.
    bom: str
    nodes: tuple[Node, ...]
    #: The escape character, `\\` unless a directive says otherwise.
    escape: str
    #: What BuildKit would refuse; empty for a file that parses.
    errors: tuple[SyntaxProblem, ...]

    @lazy_property
    def code(self) -> str:
        """The source text."""
        return self.bom + "".join([node.code for node in self.nodes])

    @lazy_property
    def folded(self) -> str:
        """The source text in small letters, to look for words in any letter case."""
        return self.code.lower()

    @lazy_property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions in order."""
        return tuple([node for node in self.nodes if isinstance(node, Instruction)])

    @property
    def directives(self) -> tuple[Directive, ...]:
        """The parser directives."""
        return tuple(node for node in self.nodes[:3] if isinstance(node, Directive))

    @lazy_property
    def comments(self) -> tuple[Comment, ...]:
        """The comment lines between instructions."""
        return tuple([node for node in self.nodes if isinstance(node, Comment)])

    @lazy_property
    def stages(self) -> tuple[Stage, ...]:
        """The build stages in order."""
        return tuple(_split_stages(self.instructions))

    @lazy_property
    def _positions(self) -> dict[Node, int]:
        return {node: index for index, node in enumerate(self.nodes)}

    def index(self, node: Node) -> int:
        """Position of a node among `nodes`."""
        return self._positions[node]

    def comments_of(self, instruction: Instruction) -> tuple[Comment, ...]:
        """The comments that belong to an instruction: those directly above it, no blank between."""
        found: list[Comment] = []
        index = self.index(instruction) - 1
        while index >= 0:
            node = self.nodes[index]
            if not isinstance(node, Comment):
                break
            found.append(node)
            index -= 1
        return tuple(reversed(found))

    def stage_of(self, instruction: Instruction) -> Stage | None:
        """The stage an instruction stands in; None for what comes before the first FROM."""
        return self._stage_by_instruction.get(instruction)

    @lazy_property
    def _stage_by_instruction(self) -> dict[Instruction, Stage]:
        return {i: stage for stage in self.stages for i in stage.instructions}

    def find_stage(self, reference: str, before: int | None = None) -> Stage | None:
        """The stage that a name or number means; the last of that name, letter case ignored.

        `before` keeps to stages with a lower index, as FROM and `--from` do.
        """
        stages = self.stages if before is None else self.stages[:before]
        named = self._stages_by_name.get(reference.lower(), ())
        for stage in reversed(named):
            if before is None or stage.index < before:
                return stage
        index = _read_index(reference)
        return stages[index] if index is not None and index < len(stages) else None

    @lazy_property
    def _stages_by_name(self) -> dict[str, list[Stage]]:
        names: dict[str, list[Stage]] = {}
        for stage in self.stages:
            if stage.name:
                names.setdefault(stage.name.lower(), []).append(stage)
        return names

    def parent(self, stage: Stage) -> Stage | None:
        """The stage that a stage is built on, if its base names one (FROM takes no number)."""
        return stage.parent


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


def _after_first_word(text: str) -> str:
    parts = text.split(maxsplit=1)
    return parts[1] if len(parts) == 2 else ""


def _split_stages(instructions: tuple[Instruction, ...]) -> Iterator[Stage]:
    starts = [i for i, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
    if not starts:
        return
    global_arguments = instructions[: starts[0]]
    named: dict[str, Stage] = {}
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else len(instructions)
        stage = Stage(index, instructions[start:end], global_arguments)
        base = stage.resolved_base or ""
        if base.lower() in named:
            stage = replace(stage, parent=named[base.lower()])
        if stage.name:
            named[stage.name.lower()] = stage
        yield stage


def _read_flags(
    logical: str, position: int, end: int
) -> tuple[tuple[tuple[str, int, int], ...], int, int]:
    """Read `--name=value` words from the front (BuildKit: extractBuilderFlags)."""
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


def _read_index(text: str) -> int | None:
    """The number that a text is, when it can be one of a stage; Python refuses very long ones."""
    digits = text.lstrip("0") or text[:1]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
