"""What the package managers' commands, options and caches are called.

The facts and their sources are in `package_managers.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from dockerfix.knowledge.data import table

Action: TypeAlias = Literal["install", "update", "upgrade", "remove", "clean", "query"]


class Manager(NamedTuple):
    """One package manager."""

    name: str
    #: What the command may be called.
    programs: frozenset[str]
    actions: Mapping[str, Action]
    #: Options whose value is a word of its own.
    valued: frozenset[str] = frozenset()
    #: Options by which it does not ask; the first is the one to write.
    yes: tuple[str, ...] = ()
    #: The same as a letter among other short options (`-qy`).
    yes_letter: str = ""
    #: Whether the option has to stand in front of the action (zypper).
    yes_first: bool = False
    #: Options by which it keeps no cache; the first is the one to write.
    no_cache: tuple[str, ...] = ()
    #: Environment variables that say the same.
    no_cache_variables: frozenset[str] = frozenset()
    #: The command that removes what it leaves behind.
    clean_up: str = ""
    #: Folders that hold what it leaves behind; a cache mount there wants to be filled.
    caches: tuple[str, ...] = ()
    #: Its installs do not work without an update before, once the index is gone.
    needs_index: bool = False
    #: Other programs that read the index, or install by it.
    index_readers: frozenset[str] = frozenset()
    #: Packages of the operating system, not of a program.
    system: bool = True
    #: Base images (repository, tag prefix) whose version is too old for the options above.
    too_old: tuple[tuple[str, str], ...] = ()


def _read(name: str) -> Manager:
    facts: dict[str, Any] = table("package_managers", name)
    actions = {word: action for action, words in facts["actions"].items() for word in words}
    given = {key: _frozen(key, value) for key, value in facts.items() if key != "actions"}
    return Manager(name, actions=actions, **given)


def _frozen(key: str, value: Any) -> Any:  # noqa: ANN401 - the schema says what each field holds
    if not isinstance(value, list):
        return value
    if key in _SETS:
        return frozenset(value)
    return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in value)


#: Fields in which the order means nothing.
_SETS = frozenset(("programs", "valued", "no_cache_variables", "index_readers"))

APT = _read("apt")
APK = _read("apk")
DNF = _read("dnf")
MICRODNF = _read("microdnf")
YUM = _read("yum")
ZYPPER = _read("zypper")
PIP = _read("pip")
GEM = _read("gem")
CONDA = _read("conda")
NPM = _read("npm")
YARN = _read("yarn")

MANAGERS = (APT, APK, DNF, MICRODNF, YUM, ZYPPER, PIP, GEM, CONDA, NPM, YARN)
#: Every manager by the names of its programs.
BY_PROGRAM = {program: manager for manager in MANAGERS for program in manager.programs}
