"""The words of a command, read as the rule of its program says."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockerfix.effects.reach import Reach, unite
from dockerfix.effects.touched import ALL, KEPT, Touched, named, use_of
from dockerfix.knowledge.command_effects import Rule, Use
from dockerfix.syntax.shell.script import Command, Word
from dockerfix.syntax.shell.words import read_word


@dataclass(slots=True)
class Operands:
    """Goes through the words of a command as its rule says."""

    rule: Rule
    directory: str | None
    command: Command
    operands: list[Word] = field(default_factory=list)

    def touched(self) -> Touched:
        """What the command reads, writes and makes."""
        rule = self.rule
        if rule.operands == "everything":
            return ALL
        found = self._options()
        if rule.needs_operand and not self.operands:
            return ALL
        for word, use in self._uses():
            found |= use_of(word, use, self.directory)
        found |= self._downloads()
        reads, writes = self._places(rule.reads), self._places(self._own_places())
        return found | Touched(reads, writes)

    def _places(self, names: tuple[str, ...]) -> Reach:
        """Places that the rule names; `~` is what tools keep in a home."""
        return unite(Reach(KEPT) if name == "~" else named(name, self.directory) for name in names)

    def _own_places(self) -> tuple[str, ...]:
        """What it writes in any case; not its own directory when an option says where to."""
        options = [w.text for w in self.command.words if w.text.startswith("-")]
        moved = any(self._option_use(_option(text)[0]) == "writes" for text in options)
        return tuple(place for place in self.rule.writes if place != "." or not moved)

    def _options(self) -> Touched:
        """What options name; gathers the operands on the way."""
        found = Touched()
        waiting: Use | None = None
        for word in self.command.words[1 + len(self.rule.words) :]:
            if waiting is not None:
                found |= use_of(word, waiting, self.directory)
                waiting = None
            elif not word.text.startswith("-") or len(word.text) == 1:
                self.operands.append(word)
            else:
                name, value = _option(word.text)
                use = self._option_use(name)
                if value is None:
                    waiting = use
                elif use is not None:
                    found |= use_of(read_word(value, 0), use, self.directory)
        return found

    def _option_use(self, name: str) -> Use | None:
        """What becomes of an option's value; None when it has none."""
        if not name.startswith("--"):
            # `-qO x` is `-q -O x`.
            name = f"-{name[-1]}"
        return self.rule.options.get(name) or ("text" if name in self.rule.values else None)

    def _uses(self) -> Iterator[tuple[Word, Use]]:
        rule, last = self.rule, len(self.operands) - 1
        plain = any(word.text in rule.first_unless for word in self.command.words)
        for index, word in enumerate(self.operands):
            if index == 0 and rule.first is not None and not plain:
                yield word, rule.first
            elif index == last and index > 0 and rule.last is not None:
                yield word, rule.last
            else:
                yield word, rule.operands

    def _downloads(self) -> Touched:
        """Files that are written into the directory under the name that the address ends in."""
        wanted = self.rule.writes_name_of
        options = [w.text for w in self.command.words if w.text.startswith("-")]
        if any(self._option_use(_option(text)[0]) == "writes" for text in options):
            return Touched()
        if "*" not in wanted and not any(_has_letter(text, wanted) for text in options):
            return Touched()
        names = [posixpath.basename(word.value or "") or None for word in self.operands]
        if None in names:
            return Touched(writes=named(".", self.directory))
        return Touched(writes=unite(named(name or ".", self.directory) for name in names))


def _option(text: str) -> tuple[str, str | None]:
    """Name and value of an option, the value None when it may be the next word."""
    name, equals, value = text.partition("=")
    if equals:
        return name, value
    if not text.startswith("--") and len(text) > 2 and text[2] in "/.~":
        return text[:2], text[2:]
    return text, None


def _has_letter(text: str, options: frozenset[str]) -> bool:
    """Whether an option, or one among short options written together, is one of these."""
    if text in options:
        return True
    return not text.startswith("--") and any(f"-{letter}" in options for letter in text[1:])
