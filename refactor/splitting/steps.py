"""Plain facts about the steps of a stage."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.effects.model import Call, Step
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import read_copy, source_of
from dockerfix.packages import read_package_command
from dockerfix.splitting.plan import Program, written
from dockerfix.syntax.instruction import Instruction

#: What a tool leaves there is of no use to the program.
_LEFTOVERS = ("/root", "/home", "/tmp", "/var/tmp", "/var/cache", "/var/lib/apt", "/usr/share/doc")


def is_leftover(path: str) -> bool:
    """Whether a path lies where tools leave what no program looks for."""
    return any(is_within(path, place) for place in _LEFTOVERS)


def tool_names(call: Call) -> tuple[str, ...]:
    """The names under which a tool is known that a command installs."""
    package = read_package_command(call.command)
    if call.words[0] == "corepack":
        return ("corepack", "yarn", "pnpm")
    if package is None:
        return call.words[:1]
    names = (word.text for word in package.packages)
    return tuple(name[:1] + name[1:].partition("@")[0] for name in names)


def copy_targets(copy: Instruction, program: Program) -> tuple[str, ...]:
    """The image paths of what a COPY brings; nothing where that cannot be told."""
    copied = read_copy(copy, program.workspace) or ()
    return tuple(
        posixpath.join(entry.destination, posixpath.basename(entry.source))
        if entry.into_folder and len(copied) > 1
        else entry.destination
        for entry in copied
    )


def stops_on_failure(step: Step) -> bool:
    """Whether a command that fails is the last one: an and-list, or one below `set -e`."""
    script, first = step.run.script, step.calls[0]
    options = [word for word in first.words[1:] if word.startswith("-")]
    by_option = first.words[:1] == ("set",) and any("e" in word for word in options)
    return by_option or (script.is_and_list and not script.tail)


def undone_calls(step: Step) -> tuple[Call, ...]:
    """The commands that make what a later one of the step removes, and those that only do that."""
    found: list[Call] = []
    removed: list[str] = []
    for call in reversed(step.calls):
        paths = written(call).paths
        if call.words[:1] == ("rm",):
            removed += paths
        elif _lies_in(paths, removed):
            found.append(call)
    made = [path for call in found for path in written(call).paths]
    removes = (call for call in step.calls if call.words[:1] == ("rm",))
    found += [call for call in removes if _lies_in(written(call).paths, made)]
    return tuple(found)


def replaced_calls(program: Program) -> tuple[Call, ...]:
    """The commands that make files in whose place a COPY puts those of the project, and their
    folders: stand-ins for sources, by which dependencies are built first.
    """
    last = program.stage.instructions[-1]
    found: list[Call] = []
    places: list[str] = []
    for step, call in program.calls("set-up"):
        paths = call.writes.paths
        before = [source_of(path, step.instruction, program.workspace) for path in paths]
        after = [source_of(path, last, program.workspace) for path in paths]
        if paths and not call.makes and not any(before) and all(after):
            found.append(call)
            places += paths
    for _, call in program.calls("set-up"):
        makes = call.makes if call.words[:1] == ("mkdir",) else ()
        if makes and all(any(is_within(place, path) for place in places) for path in makes):
            found.append(call)
    return tuple(found)


def _lies_in(paths: tuple[str, ...], places: list[str]) -> bool:
    return bool(paths) and all(any(is_within(p, place) for place in places) for p in paths)


def line_of(step: Step) -> str:
    """Where a step is, for people."""
    return f"line {step.instruction.line}"


def text_of(call: Call, step: Step) -> str:
    """A command as it is written."""
    return step.run.script.text[call.command.start : call.command.end]


def copied_from(path: str, program: Program) -> Iterator[str]:
    """From which files steps make one of the image: `cp target/*.jar app.jar`."""
    for _, call in program.calls("set-up"):
        operands = [word for word in call.words[1:] if not word.startswith("-")]
        if call.words[:1] not in (("cp",), ("mv",)) or len(operands) != 2 or not call.directory:
            continue
        source, target = (
            posixpath.normpath(posixpath.join(call.directory, word)) for word in operands
        )
        if path in (target, posixpath.join(target, posixpath.basename(source))):
            yield source
