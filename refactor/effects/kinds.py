"""What kind of work a command is."""

from __future__ import annotations

import posixpath

from dockerfix.installs.words import goals_of, install_words, maven_only_fetches
from dockerfix.knowledge.command_effects import Kind, Rule, command_facts
from dockerfix.knowledge.package_managers import GEM
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.shell.script import Command

#: They build besides fetching; what they leave is made out of the sources.
_ALSO_BUILD = frozenset(
    (
        *(("go", "build"), ("go", "install"), ("go", "test"), ("go", "vet"), ("go", "run")),
        *(("dotnet", "build"), ("dotnet", "publish"), ("go", "generate")),
        *(("go", "get"), ("go", "mod tidy"), ("go", "mod vendor")),
        *(("cargo", "build"), ("cargo", "test"), ("cargo", "install")),
    )
)
_BUILD_TOOLS = frozenset(("mvn", "./mvnw", "gradle", "./gradlew"))


def command_kind(command: Command) -> Kind:
    """What kind of work a command is."""
    if only_asks(command):
        return "set-up"
    rule = find_rule(command)
    found = install_words(command)
    if found is not None and not _also_builds(found):
        return "build" if _builds(found) else "install"
    package = read_package_command(command)
    if package is not None and not (rule is not None and rule.kind == "configure"):
        return _package_kind(package, rule)
    if not command.words:
        return "set-up"
    return rule.kind if rule is not None else "unknown"


def _builds(words: tuple[str, ...]) -> bool:
    """Whether a build tool is given a goal besides fetching; `./gradlew` alone fetches itself."""
    given = words[1:]
    return words[0] in _BUILD_TOOLS and bool(goals_of(given)) and not maven_only_fetches(given)


def _also_builds(words: tuple[str, ...]) -> bool:
    return words[:2] in _ALSO_BUILD or (words[0], " ".join(words[1:3])) in _ALSO_BUILD


def _package_kind(package: PackageCommand, rule: Rule | None) -> Kind:
    if package.manager.system:
        return "packages" if package.action is not None else "unknown"
    if package.action == "clean":
        return "clean"
    if package.action in ("install", "upgrade") and (package.packages or package.manager is GEM):
        return "tool"
    return rule.kind if rule is not None else "unknown"


def only_asks(command: Command) -> bool:
    """Whether it only asks a program for its version: `node --version`."""
    facts, name = command_facts(), command.literal_name
    if name is None or "/" in name or name in facts.shells or len(command.words) != 2:
        return False
    return command.words[1].value in facts.version_words


def find_rule(command: Command) -> Rule | None:
    """What is known about the program that a command calls; None for an unknown one."""
    name = command.literal_name
    if name is None:
        return None
    if "/node_modules/.bin/" in f"/{name}":
        # `npx` starts the same program.
        name = "npx"
    name = name if name.startswith("./") else posixpath.basename(name)
    facts = command_facts()
    if name not in facts.rules:
        return None
    return facts.find(name, tuple(word.value or "" for word in command.words[1:]))
