"""New words in a list of words, such as the packages of an install."""

from __future__ import annotations

from dockerfix.syntax.nodes import Comment
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Word
from dockerfix.syntax.style import Style

#: A line that grows beyond this is continued on the next one.
_WIDTH = 100


class WordList:
    """Words behind a word, in the layout that its lines have."""

    def __init__(self, run: RunScript, word: Word, style: Style) -> None:
        newline, line = _line_up_to(run, word)
        self.indent = line[: len(line) - len(line.lstrip())] if newline else style.indent
        self.one_a_line = newline and line.strip() == word.text
        self.column = len(line)
        self.style = style
        self.text: list[str] = []
        self.above = ""

    def follow(self, run: RunScript, word: Word) -> None:
        """Put words on lines of their own from here on, if they are on such ones where they are."""
        newline, line = _line_up_to(run, word)
        self.one_a_line = self.one_a_line or (newline and line.strip() == word.text)

    def add_comments(self, comments: tuple[Comment, ...]) -> None:
        """Put comments above the next word."""
        self.above = "".join(
            f"{self.indent}{comment.code.strip()}{self.style.newline}" for comment in comments
        )

    def add(self, names: list[str]) -> None:
        """Add words: each on a line of its own, or as many as fit; comments begin a line."""
        for name in names:
            if self.one_a_line or self.above or self.column + 1 + len(name) > _WIDTH:
                end = f" {self.style.escape}{self.style.newline}"
                self.text.append(f"{end}{self.above}{self.indent}{name}")
                self.above = ""
                self.column = len(self.indent) + len(name)
            else:
                self.text.append(f" {name}")
                self.column += 1 + len(name)


def _line_up_to(run: RunScript, word: Word) -> tuple[bool, str]:
    """Whether a word is on a continuation line, and that line up to the end of the word."""
    instruction = run.instruction
    start = instruction.argument_start
    _, end = instruction.span(start + word.start, start + word.end)
    _, newline, line = instruction.code[: end - instruction.start].rpartition("\n")
    return bool(newline), line
