"""Text to tree, by BuildKit's rules (`frontend/dockerfile/parser`), one pass over the lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank, Comment, Directive, Heredoc
from dockerfix.syntax.tree import Dockerfile, Node, SyntaxProblem
from dockerfix.syntax.words import KEYWORDS, SPACES, NotStringArrayError, read_json_array

BOM = "\ufeff"

_DIRECTIVE = pattern(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$")
_DIRECTIVE_NAMES = frozenset(("syntax", "escape", "check"))
_HEREDOC = pattern(r"\d*<<(-?)([^<]+)", re.DOTALL)
_HEREDOC_KEYWORDS = frozenset(("RUN", "COPY", "ADD"))
_NEED_ARGUMENTS = KEYWORDS - {"CMD", "ENTRYPOINT", "RUN", "SHELL"}


def parse(text: str) -> Dockerfile:
    """Parse a Dockerfile; never raises.

    What BuildKit would refuse is in `Dockerfile.errors`; the tree still holds every character.
    """
    return _Parser(text).run()


def keywords_of(text: str) -> Iterator[str]:
    """The keywords of the instructions in a piece of a Dockerfile, in order."""
    return (instruction.keyword for instruction in parse(text).instructions)


class _Parser:
    """The state of one pass over the lines."""

    def __init__(self, text: str) -> None:
        self.bom = BOM if text.startswith(BOM) else ""
        self.lines = text[len(self.bom) :].split("\n")
        #: The last line has no line end; when it is empty it is not there at all.
        self.lines = [f"{line}\n" for line in self.lines[:-1]] + [x for x in self.lines[-1:] if x]
        self.offset = len(self.bom)
        self.position = 0
        self.escape = "\\"
        self.directives: set[str] = set()
        self.directives_over = False
        self.nodes: list[Node] = []
        self.errors: list[SyntaxProblem] = []

    def run(self) -> Dockerfile:
        while self.position < len(self.lines):
            line = self.lines[self.position]
            content = line.strip(SPACES)
            if not content or content[0] == "#":
                self._take_other(line, content)
            else:
                self.directives_over = True
                self._take_instruction()
        self._check_structure()
        errors = tuple(sorted(self.errors, key=lambda error: error.line))
        return Dockerfile(self.bom, tuple(self.nodes), self.escape, errors)

    def _take_other(self, line: str, content: str) -> None:
        number = self.position + 1
        node: Node
        if not content:
            self.directives_over = True
            node = Blank(line, self.offset, number)
        else:
            node = self._read_directive(line, content) or Comment(line, self.offset, number)
        self._add(node, 1)

    def _read_directive(self, line: str, content: str) -> Directive | None:
        if self.directives_over:
            return None
        match = _DIRECTIVE.match(content[1:].lstrip(SPACES))
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVE_NAMES:
            self.directives_over = True
            return None
        if name in self.directives:
            self._error(self.position, f"only one {name} parser directive can be used")
        self.directives.add(name)
        value = match[2]
        if name == "escape":
            if value in ("\\", "`"):
                self.escape = value
            else:
                self._error(self.position, f"escape character {value} is neither \\ nor `")
        return Directive(name, value, line, self.offset, self.position + 1)

    def _add(self, node: Node, lines: int) -> None:
        self.nodes.append(node)
        self.offset += len(node.code)
        self.position += lines

    def _take_instruction(self) -> None:
        segments, last = self._read_segments()
        first = self.position
        code = "".join(self.lines[first : last + 1]) if last > first else self.lines[first]
        instruction = Instruction(code, self.offset, first + 1, segments, (), self.escape)
        if "<<" in code:
            names = heredoc_names(instruction)
            if names:
                heredocs, last = self._read_heredocs(names, last, self.offset + len(code))
                code = "".join(self.lines[first : last + 1])
                instruction = Instruction(
                    code, self.offset, first + 1, segments, heredocs, self.escape
                )
        message = _find_problem(instruction)
        if message:
            self._error(first, message)
        self._add(instruction, last - first + 1)

    def _read_segments(self) -> tuple[tuple[tuple[int, int], ...], int]:
        """Parts of the logical line, offsets from the instruction's start, and its last line."""
        line = self.lines[self.position]
        begin = len(line) - len(line.lstrip(SPACES))
        end, more = self._trim(line, begin)
        segments = [(begin, end)]
        last = self.position
        base = len(line)
        while more and last + 1 < len(self.lines):
            last += 1
            line = self.lines[last]
            content = line.lstrip(SPACES)
            if content and content[0] != "#":
                end, more = self._trim(line, 0)
                segments.append((base, base + end))
            base += len(line)
        return tuple(segments), last

    def _trim(self, line: str, begin: int) -> tuple[int, bool]:
        """Where the line's content ends, and whether the escape character continues it."""
        content = line.rstrip("\r\n")
        trimmed = content.rstrip(" \t")
        size = len(trimmed)
        ends_in_escape = size > begin and trimmed[-1] == self.escape
        if ends_in_escape and (size - begin == 1 or trimmed[-2] != self.escape):
            return size - 1, True
        return len(content), False

    def _read_heredocs(
        self, names: list[tuple[str, bool, bool]], last: int, offset: int
    ) -> tuple[tuple[Heredoc, ...], int]:
        heredocs = []
        for name, expand, chomp in names:
            body: list[str] = []
            ended = False
            while not ended and last + 1 < len(self.lines):
                last += 1
                line = self.lines[last]
                candidate = line.rstrip("\r\n")
                ended = (candidate.lstrip("\t") if chomp else candidate) == name
                if not ended:
                    body.append(line)
            content = "".join(body)
            heredocs.append(Heredoc(name, content, expand, chomp, offset, offset + len(content)))
            if not ended:
                self._error(self.position, f"unterminated heredoc: no line is just {name}")
                break
            offset += len(content) + len(self.lines[last])
        return tuple(heredocs), last

    def _error(self, position: int, message: str) -> None:
        line = self.lines[position] if position < len(self.lines) else ""
        column = len(line) - len(line.lstrip(SPACES)) + 1
        self.errors.append(SyntaxProblem(position + 1, column, message, line.strip(SPACES)))

    def _check_structure(self) -> None:
        instructions = (node for node in self.nodes if isinstance(node, Instruction))
        first = next((i for i in instructions if i.keyword != "ARG"), None)
        if first is None:
            self._error(0, "no build stage: the file has no FROM instruction")
        elif first.keyword != "FROM" and not self.errors:
            self._error(first.line - 1, "no build stage yet: only ARG may stand before FROM")


def heredoc_names(instruction: Instruction) -> list[tuple[str, bool, bool]]:
    """The here-documents an instruction announces: (name, expand, chomp) of each."""
    target = instruction.nested if instruction.keyword == "ONBUILD" else instruction
    if target is None or target.keyword not in _HEREDOC_KEYWORDS or target.is_exec_form:
        return []
    names = []
    for word in _raw_words(instruction.logical):
        match = _HEREDOC.fullmatch(word)
        if match:
            name = _unquote(match[2])
            names.append((name, name == match[2], match[1] == "-"))
    return names


def _raw_words(line: str) -> list[str]:
    """Split at blanks outside quotes, quotes kept (BuildKit: shlex with RawQuotes, RawEscapes).

    A line it cannot split, an open quote for one, announces no here-document.
    """
    words: list[str] = []
    word: list[str] = []
    quote = ""
    skip = False
    for char in line:
        if skip:
            skip = False
        elif char == "\\" and quote != "'":
            skip = True
        elif quote:
            if char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in SPACES:
            if word:
                words.append("".join(word))
                word = []
            continue
        word.append(char)
    if quote:
        return []
    if word:
        words.append("".join(word))
    return words


def _unquote(word: str) -> str:
    """Take quotes and escapes off, as the shell does for a here-document's name."""
    result: list[str] = []
    quote = ""
    position = 0
    while position < len(word):
        char = word[position]
        if char == "\\" and quote != "'" and position + 1 < len(word):
            position += 1
            if quote and word[position] not in '"$\\':
                result.append(char)
            result.append(word[position])
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            result.append(char)
        position += 1
    return "".join(result)


def _find_problem(instruction: Instruction) -> str | None:
    keyword = instruction.keyword
    if keyword not in KEYWORDS:
        return f"unknown instruction {instruction.keyword_text or '(nothing)'}"
    text = instruction.argument_text
    if not text:
        return f"{keyword} needs arguments" if keyword in _NEED_ARGUMENTS else None
    if text[0] == "[":
        try:
            read_json_array(text)
        except NotStringArrayError:
            if keyword not in ("ENV", "LABEL", "ARG"):
                return "a JSON array may hold strings only"
    if keyword in ("ENV", "LABEL"):
        return _find_pair_problem(instruction)
    if keyword == "FROM" and len(instruction.arguments) not in (1, 3):
        return "FROM takes an image, or an image, AS and a name"
    if keyword == "ONBUILD":
        return _find_onbuild_problem(instruction)
    return None


def _find_pair_problem(instruction: Instruction) -> str | None:
    try:
        instruction.arguments  # noqa: B018 - reading it is the check
    except ValueError as error:
        return str(error)
    return None


def _find_onbuild_problem(instruction: Instruction) -> str | None:
    nested = instruction.nested
    if nested is None or nested.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        return "ONBUILD does not take this instruction"
    return _find_problem(nested)
