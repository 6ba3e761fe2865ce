"""One word of a shell script: quotes off, expansions and patterns found."""

from __future__ import annotations

from dockerfix.patterns import pattern
from dockerfix.syntax.shell.script import Word

#: They open or close a construct of the shell.
RESERVED = frozenset(
    (
        *("if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case"),
        *("esac", "in", "function", "select", "time", "coproc"),
    )
)
#: A word that stands for itself.
PLAIN_WORD = pattern(r"[A-Za-z0-9_./:=@,+%^-]+")


def read_word(text: str, start: int) -> Word:
    """Read the source of one word that stands at an offset; never raises."""
    if PLAIN_WORD.fullmatch(text):
        return Word(text, start, start + len(text), text)
    return _WordReader(text).read(start)


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
