"""What programs do with the words they are given; the facts are in `command_effects.json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

from dockerfix.knowledge.data import names, table

_FILE = "command_effects"
#: What a command is for.
Kind: TypeAlias = Literal[
    #: packages of the operating system
    "packages",
    #: the dependencies of the project
    "install",
    #: a tool, by name, from a registry
    "tool",
    #: files from the network, unpacked or not
    "fetch",
    #: something made out of the sources
    "build",
    "user",
    #: settings of a tool
    "configure",
    #: folders, links, owners, modes
    "set-up",
    "clean",
    "unknown",
]
#: What becomes of a word: nothing is touched by `text`; `makes` is a folder, where it is missing;
#: `at` reads what stands behind an @.
Use: TypeAlias = Literal["text", "reads", "writes", "both", "makes", "at", "everything"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What one program does, when its first words are `words`."""

    kind: Kind
    words: tuple[str, ...] = ()
    #: What becomes of a word that is no option; of the first and of the last one of them.
    operands: Use = "everything"
    first: Use | None = None
    last: Use | None = None
    #: With one of these options the first is one like the others.
    first_unless: frozenset[str] = frozenset()
    #: Options whose value is a path, and what becomes of it.
    options: dict[str, Use] = field(default_factory=dict)
    #: Options whose value is no path.
    values: frozenset[str] = frozenset()
    #: Places that are touched in any case; `.` is the directory it runs in, `~` a home.
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    #: Options with which it writes a file into its directory, named as the address; `*`: always.
    writes_name_of: frozenset[str] = frozenset()
    #: Without an operand it reads the project.
    needs_operand: bool = False


class CommandFacts(NamedTuple):
    """The whole table."""

    rules: dict[str, tuple[Rule, ...]]
    #: Words that only ask a program what it is.
    version_words: frozenset[str]
    shells: frozenset[str]
    #: They write what an address gives to their output.
    fetchers: frozenset[str]
    #: Where packages of the operating system go.
    system: tuple[str, ...]
    #: Where they are configured.
    package_settings: tuple[str, ...]

    def find(self, name: str, words: tuple[str, ...]) -> Rule | None:
        """The rule for a program with these words behind its name."""
        fitting = [r for r in self.rules.get(name, ()) if words[: len(r.words)] == r.words]
        return max(fitting, key=lambda rule: len(rule.words), default=None)


@cache
def command_facts() -> CommandFacts:
    """The table, put together once."""
    system = tuple(table(_FILE, "system"))
    rules: dict[str, tuple[Rule, ...]] = {}
    for key, entry in table(_FILE, "rules").items():
        programs, *words = key.split(" ")
        rule = _rule(tuple(words), entry, system)
        for name in programs.split("|"):
            rules[name] = (*rules.get(name, ()), rule)
    return CommandFacts(
        rules,
        names(_FILE, "version_words"),
        names(_FILE, "shells"),
        names(_FILE, "fetchers"),
        system,
        tuple(table(_FILE, "package_settings")),
    )


def _rule(words: tuple[str, ...], entry: dict[str, Any], system: tuple[str, ...]) -> Rule:
    return Rule(
        entry["kind"],
        words,
        entry.get("operands", "everything"),
        entry.get("first"),
        entry.get("last"),
        frozenset(entry.get("first_unless", ())),
        dict(entry.get("options", {})),
        frozenset(entry.get("values", ())),
        _places(entry.get("reads", ()), system),
        _places(entry.get("writes", ()), system),
        frozenset(entry.get("writes_name_of", ())),
        entry.get("needs_operand", False),
    )


def _places(places: Iterable[str], system: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(place for name in places for place in (system if name == "system" else (name,)))
