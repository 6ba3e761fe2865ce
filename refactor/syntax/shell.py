"""A RUN script as commands joined by operators, with source spans; on tree-sitter-bash.

Offsets count characters of the script's text. A script that cannot be read with certainty is
opaque: it says why, and no pass touches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit, apply_edits

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode
    from tree_sitter import Parser

Kind: TypeAlias = Literal[
    "command",
    "pipeline",
    "subshell",
    "group",
    "if",
    "for",
    "while",
    "case",
    "function",
    "test",
    "assignment",
    "negated",
    "other",
]
Operator: TypeAlias = Literal["", "&&", "||", ";", "&", "\n"]

_KINDS: dict[str, Kind] = {
    "command": "command",
    "declaration_command": "command",
    "unset_command": "command",
    "pipeline": "pipeline",
    "subshell": "subshell",
    "compound_statement": "group",
    "if_statement": "if",
    "for_statement": "for",
    "c_style_for_statement": "for",
    "while_statement": "while",
    "case_statement": "case",
    "function_definition": "function",
    "test_command": "test",
    "variable_assignment": "assignment",
    "variable_assignments": "assignment",
    "negated_command": "negated",
}
_COMMAND_TYPES = frozenset(("command", "declaration_command", "unset_command"))
_REDIRECT_TYPES = frozenset(("file_redirect", "heredoc_redirect", "herestring_redirect"))
_SEPARATORS = frozenset((";", "&", "\n", "\r\n"))
#: Syntax nodes that a pass may want to know of, anywhere in the script.
_FEATURES = {
    "simple_expansion": "variable",
    "expansion": "variable",
    "command_substitution": "command substitution",
    "process_substitution": "process substitution",
    "arithmetic_expansion": "arithmetic",
    "herestring_redirect": "here-string",
    "heredoc_redirect": "here-document",
    "function_definition": "function",
    "comment": "comment",
    "&": "background",
    "((": "arithmetic",
}
#: Nodes whose parts must account for all of their text, with blanks and newlines between.
_TILED = frozenset(
    (
        *("program", "list", "pipeline", "subshell", "compound_statement"),
        *("if_statement", "elif_clause", "else_clause", "for_statement", "while_statement"),
        *("do_group", "case_statement", "case_item", "function_definition"),
    )
)
#: The same, where a newline would end the command.
_TILED_IN_LINE = _COMMAND_TYPES | {"redirected_statement", "file_redirect", "negated_command"}
#: Whose last part is the one that a redirection behind it belongs to.
_LEFT_OF_REDIRECT = frozenset(("list", "pipeline", "negated_command"))
_HEREDOC_MARKS = frozenset(
    ("<<", "<<-", "file_descriptor", "heredoc_start", "heredoc_body", "heredoc_end")
)
_HEREDOC_WORDS = frozenset(("word", "string", "raw_string", "concatenation", "number"))
_RESERVED = frozenset(
    (
        *("if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case"),
        *("esac", "in", "function", "select", "time", "coproc"),
    )
)
#: No command has such a name; the parser lets some pass where they are out of place.
_NEVER_NAMES = (_RESERVED - {"in", "function", "select", "time", "coproc"}) | {"{", "}", "!"}
_PLAIN_SCRIPT = pattern(r"(?:[A-Za-z0-9_./:=@,+%^ \t&-]|[ \t]\\\n)*")
_PLAIN_WORD = pattern(r"[A-Za-z0-9_./:=@,+%^-]+")
_BLANKS = pattern(r"(?:[ \t]|\\\n)*")
_CONTINUATIONS = pattern(r"(?:\\\n)*")
_GAP = pattern(rb"(?:[ \t\n]|\\\n)*")
_NO_GAP = pattern(rb"(?:\\\n)*")
_BARE_WORD = pattern(rb"(?:[^\s\\]|\\.)*", re.DOTALL)
_GAP_IN_LINE = pattern(rb"(?:[ \t]|\\\n)*")
_ASSIGNED_TILDE = pattern(r"[=:]~")
_NAME_PART = pattern(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")


class Word(NamedTuple):
    """A word of a command as the shell splits it."""

    text: str
    start: int
    end: int
    #: What it stands for with quotes taken off; None when an expansion decides.
    value: str | None
    #: Unquoted `*`, `?` or `[`.
    has_glob: bool = False
    has_tilde: bool = False
    has_brace: bool = False
    quoted: bool = False

    @property
    def is_literal(self) -> bool:
        """Whether the shell passes on just `value`."""
        return self.value is not None and not (self.has_glob or self.has_tilde or self.has_brace)


class Assignment(NamedTuple):
    """`NAME=value`, in front of a command or alone; `value` is None for an empty one."""

    name: str
    value: Word | None
    start: int
    end: int


class Redirection(NamedTuple):
    """A redirection; `target` is the source text after the operator."""

    operator: str
    target: str
    start: int
    end: int


class Command(NamedTuple):
    """A simple command; `export`, `declare`, `unset` and the like among them."""

    start: int
    end: int
    assignments: tuple[Assignment, ...]
    #: The name first.
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]
    #: Inside something: a pipeline, a subshell, `if`, a function, a substitution.
    nested: bool

    @property
    def name(self) -> Word | None:
        """The command's name; None for redirections alone."""
        return self.words[0] if self.words else None

    @property
    def literal_name(self) -> str | None:
        """The command's name, when nothing has to be expanded for it."""
        return self.words[0].value if self.words and self.words[0].is_literal else None

    @property
    def argv(self) -> tuple[str, ...] | None:
        """What the program is called with; None when a word is not literal."""
        values = [word.value for word in self.words if word.is_literal and word.value is not None]
        return tuple(values) if len(values) == len(self.words) else None


class Item(NamedTuple):
    """One element of the top-level list, with the operator that joins it to the one before."""

    kind: Kind
    operator: Operator
    start: int
    end: int
    text: str
    #: For the kind `command`.
    command: Command | None
    #: Names that an element of the kind `assignment` sets.
    assigned: tuple[str, ...]
    #: Followed by `&`.
    background: bool


@dataclass(frozen=True)
class Script:
    """A shell script, read."""

    text: str
    #: Why it cannot be read; such a script has no items and stays as it is.
    opaque: str | None
    items: tuple[Item, ...]
    all_commands: tuple[Command, ...]
    features: frozenset[str]
    #: Names assigned anywhere, by plain assignments and by `export` and its kin.
    assigned: frozenset[str]

    def commands(self) -> Iterator[Command]:
        """Every simple command, nested ones too, in source order."""
        return iter(self.all_commands)

    @property
    def is_and_list(self) -> bool:
        """Whether it is one element, or several joined by `&&` only, none in the background."""
        return bool(self.items) and all(
            item.operator == ("&&" if index else "") and not item.background
            for index, item in enumerate(self.items)
        )

    @property
    def tail(self) -> str:
        """What stands behind the last element, such as a `;`; nothing may simply follow it."""
        return self.text[self.items[-1].end :].strip(" \t\n") if self.items else ""

    @cached_property
    def command_names(self) -> frozenset[str]:
        """The literal names of all commands."""
        names = (command.literal_name for command in self.all_commands)
        return frozenset(name for name in names if name is not None)

    def calls(self, *names: str) -> bool:
        """Whether any of these commands is called anywhere."""
        return not self.command_names.isdisjoint(names)

    @property
    def uses_variables(self) -> bool:
        """`$x` or `${x}` anywhere."""
        return "variable" in self.features

    @property
    def uses_command_substitution(self) -> bool:
        """`$(x)` or backticks anywhere."""
        return "command substitution" in self.features

    @property
    def uses_arithmetic(self) -> bool:
        """`$((x))` anywhere."""
        return "arithmetic" in self.features

    @property
    def uses_here_strings(self) -> bool:
        """`<<<` anywhere."""
        return "here-string" in self.features

    @property
    def uses_heredoc(self) -> bool:
        """`<<` anywhere."""
        return "here-document" in self.features

    @property
    def uses_background(self) -> bool:
        """`&` behind a command anywhere."""
        return "background" in self.features

    @property
    def uses_functions(self) -> bool:
        """A function is defined."""
        return "function" in self.features

    @property
    def has_comment(self) -> bool:
        """A comment; what is joined to such a line may become part of it."""
        return "comment" in self.features

    @property
    def uses_globs(self) -> bool:
        """An unquoted pattern in a command, in its redirections or in a `for` loop's words."""
        return "glob" in self.features or any(
            word.has_glob for command in self.all_commands for word in command.words
        )

    @property
    def uses_tilde(self) -> bool:
        """An unquoted tilde that the shell expands, in words, loops, targets and assignments."""
        return "tilde" in self.features or any(
            word.has_tilde for command in self.all_commands for word in command.words
        )

    def replace(self, replacements: Iterable[tuple[int, int, str]]) -> str:
        """The text with spans replaced. Raises ValueError when two overlap."""
        return apply_edits(self.text, [Edit(*replacement) for replacement in replacements])


@lru_cache(maxsize=4096)
def parse_script(text: str) -> Script:
    """Read a script; never raises."""
    if _PLAIN_SCRIPT.fullmatch(text):
        plain = _read_plain(text)
        if plain is not None:
            return plain
    if "\r" in text or "\0" in text:
        return _opaque(text, "it holds a carriage return or a NUL")
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _opaque(text, "it holds characters that are not text")
    return _Reader(text, octets).read()


def read_word(text: str, start: int) -> Word:
    """Read the source of one word: quotes off, expansions and patterns found."""
    if _PLAIN_WORD.fullmatch(text):
        return Word(text, start, start + len(text), text)
    return _WordReader(text).read(start)


def _opaque(text: str, reason: str) -> Script:
    return Script(text, reason, (), (), frozenset(), frozenset())


def _read_plain(text: str) -> Script | None:
    """Read an and-list of plain words without the parser; None when it is anything else.

    Most scripts of small Dockerfiles are of this kind, and loading the parser costs more than all
    the rest of a short run. The tests hold both ways against each other.
    """
    items: list[Item] = []
    offset = 0
    for part in text.replace("\\\n", "  ").split("&&"):
        words = tuple(
            Word(match[0], offset + match.start(), offset + match.end(), match[0])
            for match in _PLAIN_WORD.finditer(part)
        )
        if not words or "&" in part or words[0].text in _RESERVED or "=" in words[0].text:
            return None
        start, end = words[0].start, words[-1].end
        command = Command(start, end, (), words, (), nested=False)
        operator: Operator = "&&" if items else ""
        items.append(Item("command", operator, start, end, text[start:end], command, (), False))
        offset += len(part) + 2
    commands = tuple(item.command for item in items if item.command)
    assigned = frozenset(name for command in commands for name in _exported(command))
    return Script(text, None, tuple(items), commands, frozenset(), assigned)


_EXPORTERS = frozenset(("export", "declare", "typeset", "local", "readonly"))


def _exported(command: Command) -> Iterator[str]:
    if command.literal_name in _EXPORTERS:
        for word in command.words[1:]:
            yield word.text.partition("=")[0]


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


class _UnreadableError(Exception):
    """The parser's tree does not account for the text."""


@dataclass(slots=True)
class _Part:
    """An element of the top-level list, on its way to an item."""

    node: SyntaxNode
    operator: Operator
    #: Behind its redirections and the rest of its pipeline, in bytes.
    end: int
    #: `node` is only the head of a pipeline.
    piped: bool = False
    background: bool = False


class _Reader:
    """Turns the syntax tree of one script into items and commands."""

    def __init__(self, text: str, octets: bytes) -> None:
        self.text = text
        self.octets = octets
        #: Character offset of each byte offset; None where both are the same.
        self.offsets = None if len(octets) == len(text) else _character_offsets(text)
        self.redirects: dict[int, list[SyntaxNode]] = {}
        self.features: set[str] = set()
        self.assigned: set[str] = set()
        self.commands: dict[int, Command] = {}
        #: Assignments in front of a command: they set nothing for the script.
        self.prefixes: set[int] = set()

    def read(self) -> Script:
        root = _parser().parse(self.octets).root_node
        if root.has_error:
            return _opaque(self.text, "it is not a shell script that can be read")
        try:
            top = list(self._top_level(root))
            self._check_edges(root)
            self._walk(root, {part.node.id for part in top if not part.piped})
            items = tuple(self._item(part) for part in top)
        except _UnreadableError as error:
            return _opaque(self.text, str(error))
        commands = tuple(sorted(self.commands.values(), key=lambda command: command.start))
        for command in commands:
            self.assigned.update(_exported(command))
        return Script(
            self.text,
            None,
            items,
            commands,
            frozenset(self.features),
            frozenset(self.assigned),
        )

    def _offset(self, octet: int) -> int:
        return octet if self.offsets is None else self.offsets[octet]

    def _span(self, node: SyntaxNode) -> tuple[int, int]:
        return self._offset(node.start_byte), self._offset(node.end_byte)

    def _source(self, node: SyntaxNode) -> str:
        start, end = self._span(node)
        return self.text[start:end]

    def _top_level(self, root: SyntaxNode) -> Iterator[_Part]:
        """The elements of the top-level list."""
        operator: Operator = ""
        children = root.children
        for index, child in enumerate(children):
            if child.type in _SEPARATORS:
                operator = child.type.strip("\r") or "\n"  # type: ignore[assignment]
                continue
            if child.type == "comment":
                continue
            behind = children[index + 1].type if index + 1 < len(children) else ""
            parts = list(self._flatten(child, operator))
            parts[-1].background = behind == "&"
            yield from parts
            operator = "\n"

    def _flatten(self, node: SyntaxNode, operator: Operator) -> Iterator[_Part]:
        """Take left-leaning lists apart, without recursion: they can be thousands deep.

        The parser lets a redirection reach over all of a list, and a pipe behind it too
        (`a && b 2>&1 | c`); to the shell both belong to the last element.
        """
        stack = [_Part(node, operator, node.end_byte)]
        while stack:
            part = stack.pop()
            kind = part.node.type
            if kind == "list":
                left, joined, right = self._sides(part.node)
                stack.append(_Part(right, joined, part.end, part.piped))
                stack.append(_Part(left, part.operator, left.end_byte))
            elif kind == "redirected_statement":
                body = part.node.children[0]
                stack.append(_Part(body, part.operator, part.end, part.piped))
            elif kind == "pipeline" and _begins_with_list(part.node):
                first = part.node.children[0]
                stack.append(_Part(first, part.operator, part.end, piped=True))
            else:
                yield part

    def _sides(self, node: SyntaxNode) -> tuple[SyntaxNode, Operator, SyntaxNode]:
        parts = [child for child in node.children if child.type != "comment"]
        if len(parts) != 3 or parts[1].type not in ("&&", "||"):
            raise _UnreadableError("a list of a form that is not known")
        return parts[0], "&&" if parts[1].type == "&&" else "||", parts[2]

    def _note_redirects(self, children: list[SyntaxNode]) -> None:
        """Remember which element the redirections of a statement belong to."""
        target, *redirects = children
        if target.type in _REDIRECT_TYPES:
            raise _UnreadableError("redirections without a command")
        while target.type in _LEFT_OF_REDIRECT or target.type == "redirected_statement":
            target = target.children[-1 if target.type in _LEFT_OF_REDIRECT else 0]
        self.redirects.setdefault(target.id, []).extend(redirects)

    def _walk(self, root: SyntaxNode, top: set[int]) -> None:
        """Visit every node once: check that nothing is left out, note features, read commands."""
        stack = [root]
        while stack:
            node = stack.pop()
            kind = node.type
            if kind in _FEATURES:
                self.features.add(_FEATURES[kind])
            children = node.children if node.child_count else []
            if kind in _TILED:
                self._check_gaps(node, children, _GAP)
            elif kind in _TILED_IN_LINE:
                self._check_gaps(node, children, _GAP_IN_LINE)
            elif kind == "concatenation":
                self._check_gaps(node, children, _NO_GAP)
            elif kind == "word":
                self._check_word(node)
            elif kind == "``":  # what it makes of the middle of two substitutions
                raise _UnreadableError("two substitutions in backticks in a row")
            self._note(node, kind, children)
            if kind in _COMMAND_TYPES:
                self.commands[node.id] = self._command(node, children, node.id not in top)
            stack.extend(children)

    def _note(self, node: SyntaxNode, kind: str, children: list[SyntaxNode]) -> None:
        """Note what one node says about others."""
        if kind == "redirected_statement":
            self._note_redirects(children)
        elif kind in ("pipeline", "negated_command"):
            if any(child.type == "list" for child in children[1:]):
                raise _UnreadableError("a list inside a pipeline")
            if any(child.type == "negated_command" for child in children[1:]):
                raise _UnreadableError("a negation inside a pipeline")
        elif kind == "heredoc_redirect":
            self._check_heredoc(children)
        elif kind == "command":
            self.prefixes.update(c.id for c in children if c.type == "variable_assignment")
        elif kind == "variable_assignment" and children:
            self._note_assignment(node, children[0])
        elif kind in ("for_statement", "file_redirect"):
            self._note_patterns(children)

    def _note_assignment(self, node: SyntaxNode, name: SyntaxNode) -> None:
        if node.id not in self.prefixes:
            self.assigned.add(self._source(name))
        if _ASSIGNED_TILDE.search(self._source(node)):
            self.features.add("tilde")

    def _note_patterns(self, children: list[SyntaxNode]) -> None:
        for child in children:
            if child.type in ("word", "concatenation"):
                word = read_word(self._source(child), 0)
                self.features.update(["glob"] * word.has_glob + ["tilde"] * word.has_tilde)

    def _check_heredoc(self, children: list[SyntaxNode]) -> None:
        """Refuse commands on the line of `<<`: the parser mixes them up with the body."""
        known = _HEREDOC_MARKS | _HEREDOC_WORDS | _REDIRECT_TYPES
        if any(child.type not in known for child in children):
            raise _UnreadableError("a command behind the mark of a here-document")

    def _check_gaps(
        self, node: SyntaxNode, children: list[SyntaxNode], gap: re.Pattern[bytes]
    ) -> None:
        """Between the parts of a node stand blanks, nothing else."""
        position = node.start_byte
        for child in children:
            start = child.start_byte
            if start > position and not gap.fullmatch(self.octets, position, start):
                raise _UnreadableError("parts that are not known")
            position = child.end_byte
        if not gap.fullmatch(self.octets, position, node.end_byte):
            raise _UnreadableError("parts that are not known")

    def _check_word(self, node: SyntaxNode) -> None:
        """The parser makes one word of some, such as `} ]`."""
        if not _BARE_WORD.fullmatch(self.octets, node.start_byte, node.end_byte):
            raise _UnreadableError("words that nothing separates")

    def _check_edges(self, root: SyntaxNode) -> None:
        """In front of and behind the tree stand blanks only."""
        if not (
            _GAP.fullmatch(self.octets, 0, root.start_byte)
            and _GAP.fullmatch(self.octets, root.end_byte)
        ):
            raise _UnreadableError("parts that are not known")

    def _command(self, node: SyntaxNode, children: list[SyntaxNode], nested: bool) -> Command:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        keyword = node.type == "command"
        redirects = self.redirects.get(node.id, [])
        for child in [*children, *redirects]:
            if child.type in _REDIRECT_TYPES:
                self._take_redirect(child, redirections, words)
            elif child.type == "variable_assignment" and keyword and not words:
                assignments.append(self._assignment(child))
            else:
                self._add_word(child, words)
        if words and words[0].text in _NEVER_NAMES:
            raise _UnreadableError("a reserved word out of place")
        start, end = self._span(node)
        end = max([end, *(self._span(redirect)[1] for redirect in redirects)])
        self._check_command(start, [*assignments, *words, *redirections])
        return Command(
            start, end, tuple(assignments), tuple(words), tuple(redirections), nested=nested
        )

    def _check_command(self, start: int, parts: list[Assignment | Word | Redirection]) -> None:
        position = start
        joins = False
        for part in sorted(parts, key=_by_start):
            if not _BLANKS.fullmatch(self.text, position, part.start):
                raise _UnreadableError("a command with parts that are not known")
            redirects = isinstance(part, Redirection)
            if (
                joins
                and not redirects
                and _CONTINUATIONS.fullmatch(self.text, position, part.start)
            ):
                raise _UnreadableError("words that nothing separates")
            position, joins = part.end, True

    def _take_redirect(
        self, node: SyntaxNode, redirections: list[Redirection], words: list[Word]
    ) -> None:
        """Read a redirection; words behind its target are the command's (`echo a > b c`)."""
        parts = node.children
        operator = next((i for i, part in enumerate(parts) if not part.is_named), None)
        if operator is None:
            raise _UnreadableError("a redirection of a form that is not known")
        sign, start = parts[operator].type, self._offset(node.start_byte)
        if operator + 1 == len(parts):  # `>&-`
            redirections.append(Redirection(sign, "", start, self._offset(node.end_byte)))
            return
        first, end = self._span(parts[operator + 1])
        redirections.append(Redirection(sign, self.text[first:end], start, end))
        for part in parts[operator + 2 :]:
            if part.type in _REDIRECT_TYPES:
                self._take_redirect(part, redirections, words)
            elif part.type not in _HEREDOC_MARKS:
                self._add_word(part, words)

    def _assignment(self, node: SyntaxNode) -> Assignment:
        start, end = self._span(node)
        text = self.text[start:end]
        match = _NAME_PART.match(text)
        if match is None:
            raise _UnreadableError("an assignment to an array")
        value = text[match.end() :]
        word = read_word(value, start + match.end()) if value else None
        return Assignment(match[1], word, start, end)

    def _add_word(self, node: SyntaxNode, words: list[Word]) -> None:
        """Add a word; the parser cuts some in two (`''\\*`), where no blank stands."""
        start, end = self._span(node)
        if words and _CONTINUATIONS.fullmatch(self.text, words[-1].end, start):
            start = words.pop().start
        words.append(read_word(self.text[start:end], start))

    def _item(self, part: _Part) -> Item:
        node = part.node
        start, end = self._offset(node.start_byte), self._offset(part.end)
        assigned: tuple[str, ...] = ()
        kind: Kind = "pipeline" if part.piped else _KINDS.get(node.type, "other")
        if kind == "assignment":
            parts = node.children if node.type == "variable_assignments" else [node]
            assigned = tuple(self._assignment(part).name for part in parts)
        return Item(
            kind,
            part.operator,
            start,
            end,
            self.text[start:end],
            self.commands.get(node.id) if kind == "command" else None,
            assigned,
            part.background,
        )


def _by_start(part: Assignment | Word | Redirection) -> int:
    return part.start


def _begins_with_list(node: SyntaxNode) -> bool:
    while node.type in ("pipeline", "redirected_statement"):
        node = node.children[0]
    return node.type == "list"


def _character_offsets(text: str) -> list[int]:
    offsets: list[int] = []
    for index, char in enumerate(text):
        offsets += [index] * len(char.encode("utf-8", "surrogateescape"))
    offsets.append(len(text))
    return offsets


class _WordReader:
    """Takes the quotes off one word."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: list[str] = []
        self.known = True
        self.quoted = False
        self.bare: list[str] = []

    def read(self, start: int) -> Word:
        text = self.text
        position = 0
        while position < len(text):
            position = self._step(position)
        bare = "".join(self.bare)
        return Word(
            text,
            start,
            start + len(text),
            "".join(self.value) if self.known else None,
            has_glob=any(char in bare for char in "*?["),
            has_tilde=text.startswith("~") or "=~" in bare or ":~" in bare,
            has_brace="{" in bare and ("," in bare or ".." in bare),
            quoted=self.quoted,
        )

    def _step(self, position: int) -> int:
        char = self.text[position]
        if char == "\\":
            return self._escape(position)
        if char == "'":
            return self._single(position)
        if char == '"':
            return self._double(position)
        if char in "$`<>(":
            self.known = False
        self.value.append(char)
        self.bare.append(char)
        return position + 1

    def _escape(self, position: int) -> int:
        if self.text[position + 1 : position + 2] != "\n":
            self.quoted = True
            self.value.append(self.text[position + 1 : position + 2] or "\\")
        return position + 2

    def _single(self, position: int) -> int:
        self.quoted = True
        end = self.text.find("'", position + 1)
        end = len(self.text) if end < 0 else end
        self.value.append(self.text[position + 1 : end])
        return end + 1

    def _double(self, position: int) -> int:
        self.quoted = True
        position += 1
        while position < len(self.text) and self.text[position] != '"':
            char = self.text[position]
            if char == "\\" and self.text[position + 1 : position + 2] in ("$", "`", '"', "\\"):
                position += 1
                char = self.text[position]
            elif char == "\\" and self.text[position + 1 : position + 2] == "\n":
                position += 2
                continue
            elif char in "$`":
                self.known = False
            self.value.append(char)
            position += 1
        return position + 1
