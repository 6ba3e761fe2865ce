"""Simple commands out of the syntax tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerfix.patterns import pattern
from dockerfix.syntax.shell.node_types import HEREDOC_MARKS, REDIRECTIONS
from dockerfix.syntax.shell.script import Assignment, Command, Redirection, Word
from dockerfix.syntax.shell.source import Source, UnreadableError
from dockerfix.syntax.shell.words import RESERVED, read_word

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode

#: No command has such a name; the parser lets some pass where they are out of place.
_NEVER_NAMES = (RESERVED - {"in", "function", "select", "time", "coproc"}) | {"{", "}", "!"}
_BLANKS = pattern(r"(?:[ \t]|\\\n)*")
_CONTINUATIONS = pattern(r"(?:\\\n)*")
_NAME_PART = pattern(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")


def read_command(
    node: SyntaxNode, redirects: Sequence[SyntaxNode], source: Source, *, nested: bool
) -> Command:
    """The command of a node, `redirects` being those that stand behind it in the tree.

    Raises UnreadableError when its parts do not account for its text.
    """
    assignments: list[Assignment] = []
    words: list[Word] = []
    redirections: list[Redirection] = []
    for child in [*node.children, *redirects]:
        if child.type in REDIRECTIONS:
            _take_redirect(child, redirections, words, source)
        elif child.type == "variable_assignment" and node.type == "command" and not words:
            assignments.append(read_assignment(child, source))
        else:
            _add_word(child, words, source)
    if words and words[0].text in _NEVER_NAMES:
        raise UnreadableError("a reserved word out of place")
    start, end = source.span(node)
    end = max([end, *(source.span(redirect)[1] for redirect in redirects)])
    _check_gaps(start, [*assignments, *words, *redirections], source)
    return Command(start, end, tuple(assignments), tuple(words), tuple(redirections), nested=nested)


def read_assignment(node: SyntaxNode, source: Source) -> Assignment:
    """The assignment of a node. Raises UnreadableError for one to an array."""
    start, end = source.span(node)
    text = source.text[start:end]
    match = _NAME_PART.match(text)
    if match is None:
        raise UnreadableError("an assignment to an array")
    value = text[match.end() :]
    word = read_word(value, start + match.end()) if value else None
    return Assignment(match[1], word, start, end)


def _take_redirect(
    node: SyntaxNode, redirections: list[Redirection], words: list[Word], source: Source
) -> None:
    """Read a redirection; words behind its target are the command's (`echo a > b c`)."""
    parts = node.children
    operator = next((i for i, part in enumerate(parts) if not part.is_named), None)
    if operator is None:
        raise UnreadableError("a redirection of a form that is not known")
    sign, start = parts[operator].type, source.offset(node.start_byte)
    if operator + 1 == len(parts):  # `>&-`
        redirections.append(Redirection(sign, "", start, source.offset(node.end_byte)))
        return
    first, end = source.span(parts[operator + 1])
    redirections.append(Redirection(sign, source.text[first:end], start, end))
    for part in parts[operator + 2 :]:
        if part.type in REDIRECTIONS:
            _take_redirect(part, redirections, words, source)
        elif part.type not in HEREDOC_MARKS:
            _add_word(part, words, source)


def _add_word(node: SyntaxNode, words: list[Word], source: Source) -> None:
    """Add a word; the parser cuts some in two (`''\\*`), where no blank stands."""
    start, end = source.span(node)
    if words and _CONTINUATIONS.fullmatch(source.text, words[-1].end, start):
        start = words.pop().start
    words.append(read_word(source.text[start:end], start))


def _check_gaps(start: int, parts: list[Assignment | Word | Redirection], source: Source) -> None:
    """Between the parts stand blanks, and between two words at least one."""
    position = start
    joins = False
    for part in sorted(parts, key=_by_start):
        if not _BLANKS.fullmatch(source.text, position, part.start):
            raise UnreadableError("a command with parts that are not known")
        redirects = isinstance(part, Redirection)
        apart = not _CONTINUATIONS.fullmatch(source.text, position, part.start)
        if joins and not redirects and not apart:
            raise UnreadableError("words that nothing separates")
        position, joins = part.end, True


def _by_start(part: Assignment | Word | Redirection) -> int:
    return part.start
