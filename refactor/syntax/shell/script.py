"""What a shell script holds: words, commands and the operators between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

from dockerfix.syntax.edits import Edit, apply_edits

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

_EXPORTERS = frozenset(("export", "declare", "typeset", "local", "readonly"))


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

    @property
    def exported(self) -> tuple[str, ...]:
        """The names that `export` and its kin set."""
        if self.literal_name not in _EXPORTERS:
            return ()
        return tuple(word.text.partition("=")[0] for word in self.words[1:])


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


def opaque_script(text: str, reason: str) -> Script:
    """A script that cannot be read, and why."""
    return Script(text, reason, (), (), frozenset(), frozenset())
