"""A clean-up at the end of what a package manager does in a layer."""

from __future__ import annotations

from dockerfix.hygiene.run import Found, PackageRun
from dockerfix.knowledge.package_managers import APT, Manager
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command
from dockerfix.transform import Change


def clean_up(run: PackageRun) -> Found:
    """A clean-up at the end of what a manager does in a layer."""
    if not run.shipped:
        return
    last = {package.manager.name: (index, package) for index, package in run.commands}
    for index, package in last.values():
        manager = package.manager
        if not manager.clean_up or not _fills_cache(run, manager) or _is_cleaned(run, manager):
            continue
        if run.following is not None and _only_cleans(run.following, manager):
            yield run.declined("no clean-up: the next RUN is one", manager.name)
            continue
        if run.mounts_cache(manager):
            yield run.declined("cache stays: a mount keeps it", manager.name)
        elif not run.run.script.is_and_list or run.run.script.tail:
            yield run.declined("no clean-up: not a plain and-list", manager.name)
        elif reason := _needed_later(run, manager, index):
            yield run.declined("no clean-up: needed later", reason)
        else:
            yield _append_clean_up(run, index, package)


def _fills_cache(run: PackageRun, manager: Manager) -> bool:
    """Whether this layer gets something to clean up; an index that an earlier one holds stays."""
    actions = {p.action for _, p in run.commands if p.manager is manager}
    if manager.needs_index and "update" not in actions:
        return False
    return not actions.isdisjoint(("install", "upgrade"))


def _append_clean_up(run: PackageRun, index: int, package: PackageCommand) -> Change:
    manager = package.manager
    clean_up = manager.clean_up.format(program=package.program.text)
    if package.command.words[0].text == "sudo":
        clean_up = f"sudo {clean_up}"
    return run.change(
        f"`{package.program.text}` leaves its package index in the layer",
        f"End with `{clean_up}`",
        _append(run, index, clean_up),
    )


def _append(run: PackageRun, index: int, command: str) -> Edit:
    """Behind an element, on a line of its own as the script or else the file does it."""
    items = run.run.script.items
    end = items[index].end
    for place in range(min(index, len(items) - 2), -1, -1):
        joint = _joint(run, items[place].end, items[place + 1].start)
        if joint.count("\n") == 1 and "#" not in joint:
            return run.run.insert(end, f"{joint}{command}")
    style = run.workspace.style.local(run.instruction.code)
    first = style.operator_first
    following = items[index + 1].start if index + 1 < len(items) else None
    # With the first character of what follows, or the line end in front of it is not in sight.
    behind = _joint(run, end, following + 1) if following is not None else ""
    if following is not None:
        first = _operator_is_first(behind, first)
    link = f"{style.continuation}&& " if first else f" &&{style.continuation}"
    if following is not None and "\n" not in behind:
        return run.run.replace(end, following, f"{link}{command}{link}")
    return run.run.insert(end, f"{link}{command}")


def _joint(run: PackageRun, begin: int, end: int) -> str:
    """What stands in the source between two elements of a script."""
    edit = run.run.replace(begin, end, "")
    offset = run.instruction.start
    return run.instruction.code[edit.start - offset : edit.end - offset]


def _operator_is_first(joint: str, otherwise: bool) -> bool:
    return "\n" in joint.partition("&&")[0] if "\n" in joint else otherwise


def _is_cleaned(run: PackageRun, manager: Manager) -> bool:
    # `apt-get clean` removes packages, not the lists.
    cleaned = any(p.manager is manager and p.action == "clean" for _, p in run.commands)
    if cleaned and manager is not APT:
        return True
    text = run.run.script.text
    return any(cache in text for cache in manager.caches if cache != "/var/cache/apt")


def _only_cleans(run: RunScript, manager: Manager) -> bool:
    """Whether a script does nothing but remove what the manager left; merge-runs joins it."""
    return all(_cleans(command, manager) for command in run.script.commands())


def _cleans(command: Command, manager: Manager) -> bool:
    package = read_package_command(command)
    if package is not None:
        return package.manager is manager and package.action == "clean"
    return command.literal_name == "rm" and any(
        cache in word.text for word in command.words for cache in manager.caches
    )


def _needed_later(run: PackageRun, manager: Manager, index: int) -> str | None:
    if not manager.needs_index:
        return None
    return run.surroundings.index_use(manager).after_command(run.run, index)
