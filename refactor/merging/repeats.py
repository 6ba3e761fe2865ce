"""Clean-ups in the middle of a layer, and updates of an index that is still there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dockerfix.knowledge.package_managers import Manager
from dockerfix.knowledge.shell_commands import IGNORES_INDEX, KEEPS_SOURCES
from dockerfix.merging.steps import Step, is_clean_up
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.syntax.shell.script import Command

#: Those that fetch an index by an update of its own; the others look for news by themselves.
_MANAGERS = ("apt", "apk")
#: Where indexes are, and whole file systems.
_INDEX = pattern(r"(?:^|[\s\"'=:>])/(?:var\b|etc/apt/apt\.conf|\*|[\s\"']|$)")
#: Where sources, keys and settings of package managers are.
_SETTINGS = pattern(r"/etc\b|keyring|\bapt\b|\bapk\b|/var\b|/usr/share\b")


def add_repeats(
    steps: Sequence[Step], united: Sequence[Step], may_go: Callable[[Step, list[Step]], bool]
) -> list[Step]:
    """Add the steps that are done again further down, or were done and still hold.

    `steps` are those of scripts that are going to be one and-list, `united` the ones that go
    already; `may_go` says whether the source can do without a step, given those that go. Returns
    the steps that go: `united`, the clean-ups that the same clean-up in a later script makes
    needless, and the updates behind which nothing has changed since the same update before.
    """
    gone = list(united)
    for index, step in enumerate(steps):
        if step not in gone and _is_cleaned_later(index, steps, gone) and may_go(step, gone):
            gone.append(step)
    for index, step in enumerate(steps):
        if step not in gone and _is_fresh(index, steps, gone) and may_go(step, gone):
            gone.append(step)
    return gone


def _is_cleaned_later(index: int, steps: Sequence[Step], gone: list[Step]) -> bool:
    """Whether the layer ends up the same, and nothing misses the clean-up until the later one."""
    step = steps[index]
    manager = _cleaned(index, steps)
    if manager is None:
        return False
    for end in range(index + 1, len(steps)):
        later = steps[end]
        # Two clean-ups of one script are two because their author wants them so.
        if later not in gone and later.text == step.text and later.run is not step.run:
            return _ignore_index(steps[index + 1 : end], manager)
    return False


def _cleaned(index: int, steps: Sequence[Step]) -> Manager | None:
    """The manager that a clean-up is for, one that has filled its index before.

    A clean-up before the first update may be there for what the image below has left; conda
    fetches its index with each install.
    """
    own = steps[index].package
    if own is not None and own.action == "clean" and own.manager.name == "conda":
        return own.manager
    for before in steps[:index]:
        package = before.package
        if package is not None and before.action == "update":
            manager = package.manager
            if manager.name in _MANAGERS and is_clean_up(steps[index], manager):
                return manager
    return None


def _ignore_index(between: Sequence[Step], manager: Manager) -> bool:
    """Whether steps do the same with an old index there as with none."""
    updated = manager.name not in _MANAGERS
    for step in between:
        if is_clean_up(step, manager):
            continue
        if step.package is None:
            if not _only_calls(step, IGNORES_INDEX) or _INDEX.search(step.text):
                return False
            continue
        if step.package.manager is not manager:
            return False
        if step.action != "update" and not (step.action == "install" and updated):
            return False
        updated = True
    return True


def _is_fresh(index: int, steps: Sequence[Step], gone: list[Step]) -> bool:
    """Whether the same update was done before, and what it left is there and still right."""
    step = steps[index]
    if (
        step.package is None
        or step.action != "update"
        or step.package.manager.name not in _MANAGERS
    ):
        return False
    manager = step.package.manager
    for before in reversed(steps[:index]):
        if is_clean_up(before, manager):
            if before not in gone:
                return False
        elif before.text == step.text:
            if before not in gone:
                return before.run is not step.run
        elif not _keeps_sources(before, manager):
            return False
    return False


def _keeps_sources(step: Step, manager: Manager) -> bool:
    """Whether a step changes neither repositories nor keys."""
    # Only where updates meet: it reads tables of its own.
    from dockerfix.knowledge.system_packages import changes_installs

    package = step.package
    if package is None:
        return _only_calls(step, KEEPS_SOURCES) and not _SETTINGS.search(step.text)
    return (
        package.manager is manager
        and step.action == "install"
        and package.is_plain
        and not any("/" in word.text or changes_installs(word.text) for word in package.packages)
    )


def _only_calls(step: Step, names: frozenset[str]) -> bool:
    """Whether a step sets no variable and calls only these programs, with plain words."""
    return not step.item.assigned and all(
        command.literal_name in names and _is_careful(command) for command in step.commands()
    )


def _is_careful(command: Command) -> bool:
    """What removes or changes files names each of them."""
    if command.literal_name not in ("rm", "chmod", "chown", "ln", "install"):
        return read_package_command(command) is None
    return all(word.is_literal and "*" not in word.text for word in command.words)
