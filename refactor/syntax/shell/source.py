"""The text of a script, by the places that the syntax tree gives in bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode


class UnreadableError(Exception):
    """The parser's tree does not account for the text."""


class Source:
    """A script as text and as the bytes that the parser reads."""

    __slots__ = ("_offsets", "octets", "text")

    def __init__(self, text: str, octets: bytes) -> None:
        self.text = text
        self.octets = octets
        #: Character offset of each byte offset; None where both are the same.
        self._offsets = None if len(octets) == len(text) else _character_offsets(text)

    def offset(self, octet: int) -> int:
        """The character offset of a byte offset."""
        return octet if self._offsets is None else self._offsets[octet]

    def span(self, node: SyntaxNode) -> tuple[int, int]:
        """Where a node begins and ends, in characters."""
        return self.offset(node.start_byte), self.offset(node.end_byte)

    def text_of(self, node: SyntaxNode) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]


def _character_offsets(text: str) -> list[int]:
    offsets: list[int] = []
    for index, char in enumerate(text):
        offsets += [index] * len(char.encode("utf-8", "surrogateescape"))
    offsets.append(len(text))
    return offsets
