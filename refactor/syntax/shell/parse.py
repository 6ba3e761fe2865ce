"""Reading a shell script: plain ones here, the others by tree-sitter-bash."""

from __future__ import annotations

from functools import lru_cache

from dockerfix.patterns import pattern
from dockerfix.syntax.shell.script import Command, Item, Operator, Script, Word, opaque_script
from dockerfix.syntax.shell.words import PLAIN_WORD, RESERVED

_PLAIN_SCRIPT = pattern(r"(?:[A-Za-z0-9_./:=@,+%^ \t&-]|[ \t]\\\n)*")


@lru_cache(maxsize=4096)
def parse_script(text: str) -> Script:
    """Read a script; never raises."""
    if _PLAIN_SCRIPT.fullmatch(text):
        plain = _read_plain(text)
        if plain is not None:
            return plain
    if "\r" in text or "\0" in text:
        return opaque_script(text, "it holds a carriage return or a NUL")
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return opaque_script(text, "it holds characters that are not text")
    from dockerfix.syntax.shell.reader import read_script

    return read_script(text, octets)


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
            for match in PLAIN_WORD.finditer(part)
        )
        if not words or "&" in part or words[0].text in RESERVED or "=" in words[0].text:
            return None
        start, end = words[0].start, words[-1].end
        command = Command(start, end, (), words, (), nested=False)
        operator: Operator = "&&" if items else ""
        items.append(Item("command", operator, start, end, text[start:end], command, (), False))
        offset += len(part) + 2
    commands = tuple(item.command for item in items if item.command)
    assigned = frozenset(name for command in commands for name in command.exported)
    return Script(text, None, tuple(items), commands, frozenset(), assigned)
