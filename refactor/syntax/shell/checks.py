"""That the syntax tree accounts for all of a script's text, with blanks between its parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockerfix.patterns import pattern
from dockerfix.syntax.shell.node_types import COMMANDS, HEREDOC_MARKS, REDIRECTIONS
from dockerfix.syntax.shell.source import Source, UnreadableError

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode

_GAP = pattern(rb"(?:[ \t\n]|\\\n)*")
_GAP_IN_LINE = pattern(rb"(?:[ \t]|\\\n)*")
_NO_GAP = pattern(rb"(?:\\\n)*")
_BARE_WORD = pattern(rb"(?:[^\s\\]|\\.)*", re.DOTALL)
#: What may stand between the parts of a node, by its type.
_GAPS = {
    **dict.fromkeys(
        (
            *("program", "list", "pipeline", "subshell", "compound_statement"),
            *("if_statement", "elif_clause", "else_clause", "for_statement", "while_statement"),
            *("do_group", "case_statement", "case_item", "function_definition"),
        ),
        _GAP,
    ),
    # A newline would end the command.
    **dict.fromkeys(
        (*COMMANDS, "redirected_statement", "file_redirect", "negated_command"), _GAP_IN_LINE
    ),
    "concatenation": _NO_GAP,
}
_HEREDOC_PARTS = (
    HEREDOC_MARKS | REDIRECTIONS | {"word", "string", "raw_string", "concatenation", "number"}
)


def check_edges(root: SyntaxNode, source: Source) -> None:
    """In front of and behind the tree stand blanks only, or UnreadableError is raised."""
    if not (
        _GAP.fullmatch(source.octets, 0, root.start_byte)
        and _GAP.fullmatch(source.octets, root.end_byte)
    ):
        raise UnreadableError("parts that are not known")


def check_node(node: SyntaxNode, children: list[SyntaxNode], source: Source) -> None:
    """Nothing of a node is left out, or read as what it is not; else raises UnreadableError."""
    kind = node.type
    if kind in _GAPS:
        _check_gaps(node, children, source)
    if kind in ("pipeline", "negated_command"):
        _check_pipeline(children)
    elif kind == "word":
        # The parser makes one word of some, such as `} ]`.
        if not _BARE_WORD.fullmatch(source.octets, node.start_byte, node.end_byte):
            raise UnreadableError("words that nothing separates")
    elif kind == "heredoc_redirect":
        # The parser mixes commands on the line of `<<` up with the body.
        if any(child.type not in _HEREDOC_PARTS for child in children):
            raise UnreadableError("a command behind the mark of a here-document")
    elif kind == "``":  # what it makes of the middle of two substitutions
        raise UnreadableError("two substitutions in backticks in a row")


def _check_gaps(node: SyntaxNode, children: list[SyntaxNode], source: Source) -> None:
    gap = _GAPS[node.type]
    position = node.start_byte
    for child in children:
        start = child.start_byte
        if start > position and not gap.fullmatch(source.octets, position, start):
            raise UnreadableError("parts that are not known")
        position = child.end_byte
    if not gap.fullmatch(source.octets, position, node.end_byte):
        raise UnreadableError("parts that are not known")


def _check_pipeline(children: list[SyntaxNode]) -> None:
    later = [child.type for child in children[1:]]
    if "list" in later:
        raise UnreadableError("a list inside a pipeline")
    if "negated_command" in later:
        raise UnreadableError("a negation inside a pipeline")
