"""Which commands install the dependencies of a project.

Apart from what the installs read, for those who ask about the command alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Literal, TypeAlias

from dockerfix.knowledge.package_managers import PIP
from dockerfix.packages import apart
from dockerfix.patterns import pattern
from dockerfix.syntax.shell.script import Command

Family: TypeAlias = Literal["node", "python", "other"]

_PYTHON = pattern(r"python[0-9.]*")
_PIP = pattern(r"pip[0-9.]*")
#: They download what the project's files say, whatever else they are asked to do.
_BUILD_TOOLS = frozenset(("go", "mvn", "./mvnw", "dotnet", "./gradlew", "cargo"))
_NODE_INSTALLS = {
    "npm": frozenset(("install", "i", "ci", "clean-install")),
    "yarn": frozenset(("install",)),
    "pnpm": frozenset(("install", "i")),
    "bun": frozenset(("install", "i")),
}
#: Options whose value is a word of its own.
_VALUED = frozenset(
    (
        *("--registry", "--loglevel", "--cache", "--network-timeout", "--cache-folder", "--mutex"),
        *(
            "--prefix",
            "--cwd",
            "--network-concurrency",
            "--store-dir",
            "--omit",
            "--include",
            "--only",
            "--reporter",
        ),
    )
)
#: Options after which it works elsewhere, or on something else.
_ELSEWHERE = frozenset(
    (
        *("-g", "--global", "--prefix", "--cwd", "-C", "--dir", "--filter", "-F", "-w"),
        *("--workspace", "--location", "--modules-folder", "--modules-dir", "--userconfig"),
    )
)
#: Options that name the directory to work in.
DIRECTORY_OPTIONS = {"npm": "--prefix", "yarn": "--cwd", "bun": "--cwd"}
_GO_BUILDS = frozenset(("get", "build", "install", "test", "vet", "run", "generate"))
#: Goals and phases that build, and fetch what they need.
MAVEN_BUILDS = frozenset(("package", "install", "verify", "compile", "test"))


def install_words(command: Command) -> tuple[str, ...] | None:
    """The words of an install of dependencies, the tool first; None for any other command."""
    words = command.argv or _build_words(command)
    if not words:
        return None
    name = posixpath.basename(words[0]) if words[0] not in ("./mvnw", "./gradlew") else words[0]
    if _PYTHON.fullmatch(name) and words[1:3] in (("-m", "pip"), ("-m", "pipenv"), ("-m", "uv")):
        name, words = words[2], words[2:]
    if _PIP.fullmatch(name):
        name = "pip"
    words = (name, *words[1:])
    if name == "pip" or words[:2] == ("uv", "pip"):
        words = tuple(part for word in words for part in apart(word, PIP))
    return words if install_family(words) is not None else None


def _build_words(command: Command) -> tuple[str, ...] | None:
    """The words of a build tool of whose arguments some hold variables: what it downloads is the
    same. None where a whole word is a variable, which may be any option.
    """
    if command.literal_name not in _BUILD_TOOLS:
        return None
    texts = [word.value if word.is_literal else word.text.strip("\"'") for word in command.words]
    words = tuple(text for text in texts if text is not None)
    return None if any(word.startswith(("$", "`")) for word in words) else words


def install_family(words: tuple[str, ...]) -> Family | None:
    """Whose tool installs dependencies by a command of these words; None when none does."""
    if _is_node_install(words):
        return "node"
    if _is_python_install(words):
        return "python"
    return "other" if _is_other_install(words) else None


def _is_node_install(words: tuple[str, ...]) -> bool:
    """Whether a command installs all dependencies of the project in its directory."""
    tool = words[0]
    if tool not in _NODE_INSTALLS:
        return False
    options, others = _split(words[1:])
    elsewhere = {option.partition("=")[0] for option in options} & _ELSEWHERE
    if elsewhere - {DIRECTORY_OPTIONS.get(tool, "")}:
        return False
    if not others:
        return tool == "yarn" and not any(o in ("--version", "-v", "--help") for o in options)
    if tool == "npm" and others[0] in ("update", "up"):
        return True
    return len(others) == 1 and others[0] in _NODE_INSTALLS[tool]


def _split(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    options: list[str] = []
    others: list[str] = []
    valued = False
    for word in words:
        if valued or word.startswith("-"):
            options.append(word)
            valued = not valued and word in _VALUED
        else:
            others.append(word)
    return options, others


def _is_python_install(words: tuple[str, ...]) -> bool:
    """Whether a command installs what a file of the project names."""
    match words:
        case ("pip", "install", *rest) | ("uv", "pip", "install", *rest):
            return _has_requirements(rest)
        case ("poetry", "install", *_) | ("pipenv", "install" | "sync", *_) | ("uv", "sync", *_):
            return True
        case ("conda" | "mamba" | "micromamba", "env", "create" | "update", *_):
            return True
        case _:
            return False


def _has_requirements(words: list[str]) -> bool:
    return any(word.startswith(("-r", "--requirement")) for word in words)


def environment_of(words: tuple[str, ...]) -> str:
    """The file that `conda env create` reads."""
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-f", "--file"):
            return following
        if word.startswith(("--file=", "-f=")):
            return word.partition("=")[2]
    return "environment.yml"


def _is_other_install(words: tuple[str, ...]) -> bool:
    """Whether a command fetches the dependencies of the project in its directory."""
    match words:
        case ("go", "mod", "download", *rest):
            return not [word for word in rest if not word.startswith("-")]
        case ("go", "mod", "tidy" | "vendor", *_):
            return True
        case ("mix", "deps.get", *_) | ("dart" | "flutter", "pub", "get", *_):
            return True
        case ("go", action, *_):
            return action in _GO_BUILDS and not any("@" in word for word in words)
        case ("mvn" | "./mvnw", *rest):
            return not MAVEN_BUILDS.isdisjoint(rest) or maven_only_fetches(rest)
        case ("dotnet", "restore", *_):
            return True
        case ("dotnet", "publish" | "build", *rest):
            return "--no-restore" not in rest and "--no-build" not in rest
        case ("./gradlew", *_) | ("cargo", "build" | "test", *_):
            return True
        case ("cargo", "install", *rest):
            return "--path" in rest
        case ("bundle" | "bundler", *rest):
            return not rest or rest[0] == "install" or rest[0].startswith("--")
        case ("composer", "install", *_):
            return True
        case _:
            return False


def goals_of(words: Sequence[str]) -> list[str]:
    """The goals, phases and tasks among the words behind `mvn` or `gradlew`."""
    return [word for word in words if not word.startswith("-")]


def maven_only_fetches(words: Sequence[str]) -> bool:
    """Whether all goals among the words behind `mvn` are those of its dependency plugin."""
    goals = goals_of(words)
    return bool(goals) and all(goal.startswith("dependency:") for goal in goals)
