"""What a command asks of a package manager."""

from __future__ import annotations

import re
from typing import NamedTuple

from dockerfix.knowledge.package_managers import BY_PROGRAM, NPM, YARN, Action, Manager
from dockerfix.patterns import pattern
from dockerfix.syntax.shell.script import Command, Word

_PYTHON = pattern(r"python[0-9.]*")
_PIP = pattern(r"pip[23](?:\.[0-9]+)?")
_TOGETHER = pattern(r"-[A-Za-z]{2}\S*")
#: Their options are words even behind a single dash.
_NODE = (NPM, YARN)


class PackageCommand(NamedTuple):
    """`apt-get install -y curl`, taken apart."""

    manager: Manager
    command: Command
    #: The word that names the program (`pip` in `python -m pip`).
    program: Word
    #: What is asked for; None when it is nothing known here.
    action: Action | None
    action_word: Word | None
    options: tuple[Word, ...]
    #: What stands behind the action and is no option: packages, or a cache's name.
    packages: tuple[Word, ...]

    @property
    def option_texts(self) -> tuple[str, ...]:
        """The options as they are written."""
        return tuple(word.text for word in self.options)

    def has_option(self, *names: str) -> bool:
        """Whether one of these options is given, alone, with `=value` or among short ones."""
        return any(
            part.partition("=")[0] in names
            for word in self.options
            for part in (word.text, *apart(word.text, self.manager))
        )

    @property
    def never_asks(self) -> bool:
        """Whether it answers its own questions with yes."""
        letter = self.manager.yes_letter
        return self.has_option(*self.manager.yes) or any(
            re.fullmatch(rf"-[A-Za-z]*{letter}[A-Za-z]*", text) for text in self.option_texts
        )

    @property
    def is_plain(self) -> bool:
        """Whether all of its words are literal, so that nothing hides in a variable."""
        return all(word.is_literal for word in self.command.words)


def read_package_command(command: Command) -> PackageCommand | None:
    """Read a call of a package manager; None for any other command."""
    words = _behind_sudo(command.words)
    name = _program(words)
    if name is None:
        return None
    manager = BY_PROGRAM.get("pip" if _PIP.fullmatch(name) else name)
    if manager is None:
        return None
    start = 2 if _PYTHON.fullmatch(words[0].text.rpartition("/")[2]) else 0
    return _read(manager, command, words[start:])


def _behind_sudo(words: tuple[Word, ...]) -> tuple[Word, ...]:
    if words and words[0].text == "sudo":
        words = words[1:]
        while words and words[0].text in ("-E", "-H", "-EH"):
            words = words[1:]
    return words


def _program(words: tuple[Word, ...]) -> str | None:
    """The program that runs in the end."""
    if not words or not words[0].is_literal:
        return None
    name = words[0].text.rpartition("/")[2]
    if _PYTHON.fullmatch(name) and [word.text for word in words[1:3]] == ["-m", "pip"]:
        return "pip"
    return name


def _read(manager: Manager, command: Command, words: tuple[Word, ...]) -> PackageCommand:
    options: list[Word] = []
    others: list[Word] = []
    takes_value = False
    for word in words[1:]:
        if takes_value or (word.text.startswith("-") and word.text != "-"):
            options.append(word)
            takes_value = not takes_value and _wants_value(word.text, manager)
        else:
            others.append(word)
    action_word = others[0] if others else None
    return PackageCommand(
        manager,
        command,
        words[0],
        manager.actions.get(action_word.text) if action_word else None,
        action_word,
        tuple(options),
        tuple(others[1:]),
    )


def _wants_value(option: str, manager: Manager) -> bool:
    """Whether the next word is the option's value, as behind the `-r` that ends `-Ur`."""
    return apart(option, manager)[-1] in manager.valued


def apart(option: str, manager: Manager) -> tuple[str, ...]:
    """Short options that are written together (`-Ur`), each by itself; any other as it is.

    What stands behind a letter that takes a value is the value, and stays with its letter.
    """
    if manager in _NODE or not _TOGETHER.fullmatch(option):
        return (option,)
    found: list[str] = []
    for index, letter in enumerate(option[1:], 1):
        if f"-{letter}" in manager.valued:
            return (*found, f"-{option[index:]}")
        found.append(f"-{letter}")
    return tuple(found)
