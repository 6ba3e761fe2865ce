"""The elements of a script's top-level list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerfix.syntax.shell.script import Operator
from dockerfix.syntax.shell.source import UnreadableError

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode

_SEPARATORS = frozenset((";", "&", "\n", "\r\n"))


@dataclass(slots=True)
class Part:
    """An element of the top-level list, on its way to an item."""

    node: SyntaxNode
    operator: Operator
    #: Behind its redirections and the rest of its pipeline, in bytes.
    end: int
    #: `node` is only the head of a pipeline.
    piped: bool = False
    background: bool = False


def read_top_level(root: SyntaxNode) -> Iterator[Part]:
    """The elements in their order. Raises UnreadableError for a list that is not understood."""
    operator: Operator = ""
    children = root.children
    for index, child in enumerate(children):
        if child.type in _SEPARATORS:
            operator = child.type.strip("\r") or "\n"  # type: ignore[assignment]
            continue
        if child.type == "comment":
            continue
        behind = children[index + 1].type if index + 1 < len(children) else ""
        parts = list(_flatten(child, operator))
        parts[-1].background = behind == "&"
        yield from parts
        operator = "\n"


def _flatten(node: SyntaxNode, operator: Operator) -> Iterator[Part]:
    """Take left-leaning lists apart, without recursion: they can be thousands deep.

    The parser lets a redirection reach over all of a list, and a pipe behind it too
    (`a && b 2>&1 | c`); to the shell both belong to the last element.
    """
    stack = [Part(node, operator, node.end_byte)]
    while stack:
        part = stack.pop()
        kind = part.node.type
        if kind == "list":
            left, joined, right = _sides(part.node)
            stack.append(Part(right, joined, part.end, part.piped))
            stack.append(Part(left, part.operator, left.end_byte))
        elif kind == "redirected_statement":
            body = part.node.children[0]
            stack.append(Part(body, part.operator, part.end, part.piped))
        elif kind == "pipeline" and _begins_with_list(part.node):
            first = part.node.children[0]
            stack.append(Part(first, part.operator, part.end, piped=True))
        else:
            yield part


def _sides(node: SyntaxNode) -> tuple[SyntaxNode, Operator, SyntaxNode]:
    parts = [child for child in node.children if child.type != "comment"]
    if len(parts) != 3 or parts[1].type not in ("&&", "||"):
        raise UnreadableError("a list of a form that is not known")
    return parts[0], "&&" if parts[1].type == "&&" else "||", parts[2]


def _begins_with_list(node: SyntaxNode) -> bool:
    while node.type in ("pipeline", "redirected_statement"):
        node = node.children[0]
    return node.type == "list"
