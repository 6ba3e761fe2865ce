"""Scripts of any kind, read by tree-sitter-bash."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dockerfix.patterns import pattern
from dockerfix.syntax.shell.checks import check_edges, check_node
from dockerfix.syntax.shell.commands import read_assignment, read_command
from dockerfix.syntax.shell.node_types import COMMANDS, REDIRECTIONS
from dockerfix.syntax.shell.script import Command, Item, Kind, Script, opaque_script
from dockerfix.syntax.shell.source import Source, UnreadableError
from dockerfix.syntax.shell.top_level import Part, read_top_level
from dockerfix.syntax.shell.words import read_word

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode
    from tree_sitter import Parser

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
#: Whose last part is the one that a redirection behind it belongs to.
_LEFT_OF_REDIRECT = frozenset(("list", "pipeline", "negated_command"))
_ASSIGNED_TILDE = pattern(r"[=:]~")


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def read_script(text: str, octets: bytes) -> Script:
    """Read a script, given as text and as bytes; an opaque one where the parser is not sure."""
    root = _parser().parse(octets).root_node
    if root.has_error:
        return opaque_script(text, "it is not a shell script that can be read")
    try:
        return _Reader(Source(text, octets)).read(root)
    except UnreadableError as error:
        return opaque_script(text, str(error))


class _Reader:
    """Turns the syntax tree of one script into items and commands."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.redirects: dict[int, list[SyntaxNode]] = {}
        self.features: set[str] = set()
        self.assigned: set[str] = set()
        self.commands: dict[int, Command] = {}
        #: Assignments in front of a command: they set nothing for the script.
        self.prefixes: set[int] = set()

    def read(self, root: SyntaxNode) -> Script:
        top = list(read_top_level(root))
        check_edges(root, self.source)
        self._walk(root, {part.node.id for part in top if not part.piped})
        items = tuple(self._item(part) for part in top)
        commands = tuple(sorted(self.commands.values(), key=lambda command: command.start))
        for command in commands:
            self.assigned.update(command.exported)
        features, assigned = frozenset(self.features), frozenset(self.assigned)
        return Script(self.source.text, None, items, commands, features, assigned)

    def _walk(self, root: SyntaxNode, top: set[int]) -> None:
        """Visit every node once: check that nothing is left out, note features, read commands."""
        stack = [root]
        while stack:
            node = stack.pop()
            kind = node.type
            if kind in _FEATURES:
                self.features.add(_FEATURES[kind])
            children = node.children if node.child_count else []
            check_node(node, children, self.source)
            self._note(node, kind, children)
            if kind in COMMANDS:
                redirects = self.redirects.get(node.id, [])
                self.commands[node.id] = read_command(
                    node, redirects, self.source, nested=node.id not in top
                )
            stack.extend(children)

    def _note(self, node: SyntaxNode, kind: str, children: list[SyntaxNode]) -> None:
        """Note what one node says about others."""
        if kind == "redirected_statement":
            self._note_redirects(children)
        elif kind == "command":
            self.prefixes.update(c.id for c in children if c.type == "variable_assignment")
        elif kind == "variable_assignment" and children:
            self._note_assignment(node, children[0])
        elif kind in ("for_statement", "file_redirect"):
            self._note_patterns(children)

    def _note_redirects(self, children: list[SyntaxNode]) -> None:
        """Remember which element the redirections of a statement belong to."""
        target, *redirects = children
        if target.type in REDIRECTIONS:
            raise UnreadableError("redirections without a command")
        while target.type in _LEFT_OF_REDIRECT or target.type == "redirected_statement":
            target = target.children[-1 if target.type in _LEFT_OF_REDIRECT else 0]
        self.redirects.setdefault(target.id, []).extend(redirects)

    def _note_assignment(self, node: SyntaxNode, name: SyntaxNode) -> None:
        if node.id not in self.prefixes:
            self.assigned.add(self.source.text_of(name))
        if _ASSIGNED_TILDE.search(self.source.text_of(node)):
            self.features.add("tilde")

    def _note_patterns(self, children: list[SyntaxNode]) -> None:
        for child in children:
            if child.type in ("word", "concatenation"):
                word = read_word(self.source.text_of(child), 0)
                self.features.update(["glob"] * word.has_glob + ["tilde"] * word.has_tilde)

    def _item(self, part: Part) -> Item:
        node, source = part.node, self.source
        start, end = source.offset(node.start_byte), source.offset(part.end)
        assigned: tuple[str, ...] = ()
        kind: Kind = "pipeline" if part.piped else _KINDS.get(node.type, "other")
        if kind == "assignment":
            nodes = node.children if node.type == "variable_assignments" else [node]
            assigned = tuple(read_assignment(entry, source).name for entry in nodes)
        return Item(
            kind,
            part.operator,
            start,
            end,
            source.text[start:end],
            self.commands.get(node.id) if kind == "command" else None,
            assigned,
            part.background,
        )
