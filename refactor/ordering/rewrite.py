"""The new order: what installs read in front of them, the other COPYs behind them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from dockerfix.effects.instructions import effects_of
from dockerfix.effects.model import Call
from dockerfix.effects.reach import is_within, touches
from dockerfix.image.copies import Copied, read_copy, source_of
from dockerfix.installs.install import Install
from dockerfix.ordering.crossing import brings
from dockerfix.ordering.edits import edit_order, lines_stay
from dockerfix.ordering.first_run import check_first_run
from dockerfix.ordering.group import brings_folder, brings_sources
from dockerfix.ordering.manifest_copies import CannotMoveError, keep_out, manifest_lines
from dockerfix.ordering.moved import Moved
from dockerfix.ordering.steps import Group, Pass
from dockerfix.ordering.targets import full_target, full_targets, leaves_directory
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Change, Level, Workspace

#: A comment by which somebody wants a step to run again with every edit.
_WANTED = pattern(
    r"\b(?:always|every time|bust|after)\b.*\b(?:cop(?:y|ied)|sources?|src|cache|runs?|happens)\b",
    re.I,
)
_VARIABLE = pattern(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def rewrite(group: Group, workspace: Workspace) -> Change | None:
    """The change that gives a group its order; None when it has that already.

    Raises CannotMoveError when the order has to stay.
    """
    passes = list(group.passes)
    while passes and _leaves_layers(passes[-1], workspace):
        passes.pop()
    if not passes:
        last = group.last.run.instruction
        raise CannotMoveError("the step cleans up at its end", last.line)
    group = Group(group.copies, passes)
    early = [copy for copy in group.copies if copy.start < group.last.run.instruction.start]
    movers = _movers(early, group.installs, workspace)
    if not movers:
        return None
    later = [p for p in group.passes if p.run.instruction.start > movers[0].start]
    if not later:
        return None
    _check_movers(movers, early, group, workspace)
    installs = [entry.install for entry in later if entry.install is not None]
    if installs and workspace.context is None:
        raise CannotMoveError("no build context to look at", movers[0].line)
    stayers = [copy for copy in early if copy not in movers]
    moved = Moved(tuple(movers), (), tuple(later))
    if installs:
        targets = {} if lines_stay(moved) else full_targets(moved, workspace)
        there = frozenset(_there(installs, movers[0], workspace))
        lines = manifest_lines(installs, movers, stayers, workspace, targets, there)
        moved = replace(moved, lines=tuple(lines))
    edits, added = edit_order(moved, workspace)
    return Change(
        _message(installs),
        _help(installs),
        tuple(edits),
        movers[0].line,
        max((install.level for install in installs), default=Level.SAFE),
        evidence=tuple(e for install in installs for e in install.evidence),
        added=added,
        files=keep_out(installs, movers, workspace) if installs else (),
    )


def _there(installs: list[Install], mover: Instruction, workspace: Workspace) -> Iterator[str]:
    """What installs read that lies at its place already, where the COPY stood."""
    for install in installs:
        for path in install.files if install.directory else ():
            if source_of(install.place(path), mover, workspace) == path:
                yield path


def _message(installs: list[Install]) -> str:
    if any(install.make for install in installs):
        return "an edit of any file makes the dependencies compile again"
    if installs:
        return "an edit of any file makes the install run again"
    return "an edit of any file makes the steps run again that need none of them"


def _help(installs: list[Install]) -> str:
    if not installs:
        return "Copy the sources behind the steps that do not need them"
    tools = ", ".join(dict.fromkeys(install.tool for install in installs))
    if any(install.make for install in installs):
        return f"Let {tools} compile the dependencies first, and copy the sources behind that"
    return f"Copy what {tools} reads first, and the rest behind the install"


def _movers(
    early: list[Instruction], installs: list[Install], workspace: Workspace
) -> list[Instruction]:
    """The COPYs of folders and sources that no install reads, and what stays behind those."""
    movers: list[Instruction] = []
    runs_first = any(install.make for install in installs)
    for copy in early:
        if installs and _is_needed(copy, installs, workspace):
            continue
        if (
            runs_first
            or brings_folder(copy, workspace)
            or brings_sources(copy, workspace)
            or any(_overtakes_wrongly(mover, copy, workspace) for mover in movers)
        ):
            movers.append(copy)
    return movers


def _is_needed(copy: Instruction, installs: list[Install], workspace: Workspace) -> bool:
    """Whether all that a COPY brings is what the installs read."""
    context = workspace.context
    if context is None:
        return False
    files = {path for install in installs for path in install.files}
    folders = {path for install in installs for path in install.folders}
    for copied in read_copy(copy, workspace) or ():
        for source in context.find(copied.source) or [copied.source]:
            known = source in files or any(fnmatchcase(source, text) for text in files)
            if context.is_folder(source):
                known = any(is_within(source, folder) for folder in folders)
            if not known:
                return False
    return True


# What must hold


def _check_movers(
    movers: list[Instruction], early: list[Instruction], group: Group, workspace: Workspace
) -> None:
    last = group.last.run.instruction
    for copy in movers:
        if _changes_between(set(_VARIABLE.findall(copy.code)), copy, last, workspace):
            raise CannotMoveError("a variable in the COPY", copy.line)
        if copy.heredocs or copy.has_inner_lines:
            raise CannotMoveError("a comment stands within the COPY", copy.line)
        if leaves_directory(copy, last, workspace) and full_target(copy, workspace) is None:
            raise CannotMoveError("the directory changes in between", copy.line)
        for other in early:
            stays = other not in movers and other.start > copy.start
            if stays and _overtakes_wrongly(copy, other, workspace):
                raise CannotMoveError("another COPY goes to the same folder", other.line)
    for entry in group.passes:
        for comment in workspace.dockerfile.comments_of(entry.run.instruction):
            if entry.run.instruction.start > movers[0].start and _WANTED.search(comment.text):
                raise CannotMoveError("a comment asks for this order", comment.line, comment.text)
    _check_other_stages(movers, group, workspace)
    for entry in group.passes:
        if entry.install is not None and entry.install.make:
            check_first_run(entry.install, movers, entry.run.instruction, workspace)


def _changes_between(
    names: set[str], first: Instruction, last: Instruction, workspace: Workspace
) -> bool:
    """Whether a variable gets another value on the way."""
    stage = workspace.dockerfile.stage_of(first)
    assert stage is not None
    between = stage.instructions[stage.index_of(first) : stage.index_of(last) + 1]
    return any(effects_of(entry, workspace).sets & names for entry in between)


def _leaves_layers(entry: Pass, workspace: Workspace) -> bool:
    """Whether to cut a RUN leaves in a layer of the image what the RUN removes again."""
    stage = workspace.dockerfile.stage_of(entry.run.instruction)
    step = effects_of(entry.run.instruction, workspace).step
    if entry.is_whole or stage not in workspace.shipped_stages or step is None:
        return False
    runs_first = entry.install is not None and bool(entry.install.make)
    if entry.install is not None and entry.install.fetch and not runs_first:
        return False
    end = entry.run.script.items[entry.index].end
    rest = [call for call in step.calls if call.command.start >= end]
    cleans = any(_cleans(call) for call in rest if not call.command.nested)
    if runs_first:
        # A layer of its own keeps all that is compiled for the dependencies.
        return cleans or any(call.words[1:2] == ("clean",) for call in rest)
    return cleans and any(call.kind != "clean" for call in rest)


def _cleans(call: Call) -> bool:
    package = read_package_command(call.command)
    return call.kind == "clean" or (package is not None and package.action == "remove")


def _check_other_stages(movers: list[Instruction], group: Group, workspace: Workspace) -> None:
    """A COPY --from in between must go elsewhere: which of the two comes last decides."""
    stage = workspace.dockerfile.stage_of(movers[0])
    assert stage is not None
    folders = [c.destination for copy in movers for c in read_copy(copy, workspace) or ()]
    begin, end = stage.index_of(movers[0]), stage.index_of(group.last.run.instruction)
    for instruction in stage.instructions[begin:end]:
        if instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is not None:
            target = effects_of(instruction, workspace).writes
            if any(target.holds(folder) for folder in folders):
                raise CannotMoveError(
                    "a COPY from another stage goes to the same folder", instruction.line
                )


def _meets(copied: Copied, actual: str, entry: Copied, workspace: Workspace) -> bool:
    """Whether two COPYs may write the same file; a single file is only where it lies."""
    context = workspace.context
    if context is not None and context.is_file(copied.source):
        # Without a slash at its end a target is a folder only where something has made it one.
        makes_folder = not copied.into_folder and is_within(entry.destination, actual)
        return makes_folder or is_within(actual, entry.destination)
    return touches(copied.destination, entry.destination)


def _overtakes_wrongly(mover: Instruction, stayer: Instruction, workspace: Workspace) -> bool:
    """Whether a file that is copied again later would be another one than before."""
    for copied in read_copy(stayer, workspace) or ():
        name = posixpath.basename(copied.source) if copied.into_folder else ""
        actual = posixpath.normpath(posixpath.join(copied.destination, name))
        for entry in read_copy(mover, workspace) or ():
            if not _meets(copied, actual, entry, workspace):
                continue
            is_file = workspace.context is not None and workspace.context.is_file(copied.source)
            if is_file and not brings(entry, actual, workspace.context):
                continue
            inside = posixpath.relpath(copied.source, entry.source)
            expected = posixpath.normpath(posixpath.join(entry.destination, inside))
            if inside.startswith("..") or expected != actual:
                return True
    return False
