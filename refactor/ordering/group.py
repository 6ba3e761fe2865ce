"""COPY instructions, and the steps behind them that do not need what they bring."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator

from dockerfix.effects.instructions import effects_of
from dockerfix.effects.kinds import command_kind
from dockerfix.effects.model import Call, Step
from dockerfix.image.copies import Copied, read_copy
from dockerfix.installs.install import Install
from dockerfix.knowledge.command_effects import Kind
from dockerfix.ordering.crossing import copied_files, needs
from dockerfix.ordering.done_before import fetched_before, installed_before
from dockerfix.ordering.go_build import go_install
from dockerfix.ordering.steps import Group, Pass
from dockerfix.ordering.wrappers import behind_chmod, makes_executable
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.script import Item
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Declined, Workspace

#: Instructions that an install and a COPY may pass each other across.
_TRANSPARENT = frozenset(
    (
        *("ENV", "ARG", "LABEL", "MAINTAINER", "EXPOSE", "USER", "WORKDIR", "SHELL", "STOPSIGNAL"),
        *("CMD", "ENTRYPOINT", "HEALTHCHECK"),
    )
)
#: Work that is worth keeping from running again.
_WORTH: frozenset[Kind] = frozenset(("packages", "install", "tool", "fetch"))
#: ADD may unpack it: then it writes what nobody names.
_ARCHIVE = pattern(r"\.(?:tar|t[abgx]z\w*|gz|bz2|xz|zst)$|[*?]$")
#: Endings of what people write programs and pages in.
_SOURCES = frozenset(
    (
        *(".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".go", ".rs", ".java", ".kt", ".cs"),
        *(".py", ".rb", ".php", ".pl", ".lua", ".js", ".mjs", ".cjs", ".ts", ".html", ".css"),
    )
)
#: Each step is held against each COPY of its group: more would cost their square.
_MOST_COPIES = 200
#: Stops a group without a word: what follows needs the copies, as it should.
_END = "-"


def find_groups(stage: Stage, workspace: Workspace) -> Iterator[Group | Declined]:
    """The groups of a stage, and why one ended before it had a step."""
    if not _has_work(stage, workspace):
        return
    group = Group()
    for instruction in stage.instructions[1:]:
        wall = ""
        if instruction.keyword in ("COPY", "ADD"):
            wall = _take_copy(instruction, group, workspace)
        elif instruction.keyword == "RUN" and group.copies:
            wall = yield from _take_run(instruction, group, workspace)
        elif instruction.keyword not in (*_TRANSPARENT, "RUN"):
            wall = f"{instruction.keyword} stands between"
        if wall:
            yield group
            if wall != _END and not group.passes and _waits(instruction, group, workspace):
                yield Declined(f"order stays: {_general(wall)}", instruction.line, wall)
            group = Group()
    yield group


def _has_work(stage: Stage, workspace: Workspace) -> bool:
    """Whether the stage copies, and has a step that is worth passing or may be an install."""
    if not any(entry.keyword in ("COPY", "ADD") for entry in stage.instructions):
        return False
    # The kinds alone: the effects of every step would be kept for a file that needs none of them.
    runs = (workspace.run(entry) for entry in stage.instructions if entry.keyword == "RUN")
    commands = (command for run in runs if run is not None for command in run.script.commands())
    return any(command_kind(command) in (*_WORTH, "build") for command in commands)


def _take_copy(instruction: Instruction, group: Group, workspace: Workspace) -> str:
    if instruction.flag("from") is not None:
        return ""
    adds = instruction.keyword == "ADD"
    unpacked = adds and any(_ARCHIVE.search(word) for word in instruction.arguments[:-1])
    fetched = adds and "://" in instruction.argument_text
    if fetched or unpacked or read_copy(instruction, workspace) is None:
        return "a COPY that cannot be read"
    if len(group.copies) == _MOST_COPIES:
        return "more COPYs than are compared"
    group.copies.append(instruction)
    return ""


def _take_run(
    instruction: Instruction, group: Group, workspace: Workspace
) -> Generator[Declined, None, str]:
    """Add the steps of a RUN to the group; give why nothing may pass it, "" if that may be."""
    effects = effects_of(instruction, workspace)
    step = effects.step
    if step is None:
        return "a RUN that cannot be read"
    if effects.context or effects.takes_from:
        return "a RUN that mounts files"
    copied = list(copied_files(group.copies, workspace))
    found: list[Pass] = []
    for index, item in enumerate(step.run.script.items):
        if not group.passes and makes_executable(item):
            group.chmod = item.text
            continue
        wall = yield from _take_item(index, item, step, copied, found, workspace)
        if wall:
            if group.chmod:
                group.passes += behind_chmod(found, group.chmod)
            elif step.run.script.is_and_list:
                group.passes += _worth(found, step)
            else:
                group.passes += [p for p in found if p.install and _fetches_apart(p.install)]
            return wall
    if step.run.script.tail.strip() not in ("", ";"):
        return "a RUN that is no plain and-list"
    if group.chmod:
        return f"`{group.chmod}` may need the files" if found else ""
    if any(_is_worth(call) for call in step.calls):
        last = len(step.run.script.items) - 1
        group.passes += [entry for entry in found if entry.install is not None]
        if not group.passes or group.passes[-1].run is not step.run or not group.last.is_whole:
            group.passes.append(Pass(step.run, last))
    return ""


def _fetches(call: Call) -> bool:
    return call.install is not None and _fetches_apart(call.install)


def _fetches_apart(install: Install) -> bool:
    """Whether a command that goes in front of the RUN fetches, whatever the RUN does besides."""
    return bool(install.fetch) and not install.make


def _worth(found: list[Pass], step: Step) -> list[Pass]:
    """The passes up to the last one that is worth it."""
    worth = {
        index
        for index, item in enumerate(step.run.script.items)
        if any(_is_worth(call) for call in _calls_of(item, step))
    }
    return [entry for entry in found if entry.install is not None or entry.index in worth]


def _is_worth(call: Call) -> bool:
    package = read_package_command(call.command) if call.kind == "packages" else None
    if package is not None and package.action not in ("install", "upgrade", "update"):
        return False
    return call.kind in _WORTH


def _calls_of(item: Item, step: Step) -> list[Call]:
    return [call for call in step.calls if item.start <= call.command.start < item.end]


def _take_item(
    index: int,
    item: Item,
    step: Step,
    copied: list[Copied],
    found: list[Pass],
    workspace: Workspace,
) -> Generator[Declined, None, str]:
    """Why an element of a script needs the copies, "" when it does not."""
    calls = _calls_of(item, step)
    own = [call for call in calls if not call.command.nested]
    # What a command is given by others does not matter to what is fetched in front of it.
    if item.command is not None and len(own) == 1 and (len(calls) == 1 or _fetches(own[0])):
        call = _with_install(own[0], step.instruction, workspace)
        if call.problem is not None and copied:
            if _waits(step.instruction, Group([c.instruction for c in copied]), workspace):
                error = call.problem
                yield Declined(f"order stays: {error.reason}", step.instruction.line, error.detail)
            return _END
        if call.install is not None and _is_quiet(call):
            return _take_install(index, call.install, step, found, workspace)
    if index in step.unseen and copied:
        return "a step that may need the files"
    for call in calls:
        if any(needs(call, entry, workspace.context) for entry in copied):
            return f"`{call.text}` may need the files"
    found.append(Pass(step.run, index))
    return ""


def _is_quiet(call: Call) -> bool:
    """Whether it writes its output, if anywhere, to nowhere."""
    return all(r.target.startswith(("/dev/", "&")) for r in call.command.redirections)


def _with_install(call: Call, instruction: Instruction, workspace: Workspace) -> Call:
    found = go_install(call, instruction, workspace)
    return call if found is None else found


def _take_install(
    index: int, install: Install, step: Step, found: list[Pass], workspace: Workspace
) -> str:
    if not install.fetch:
        if installed_before(install, step.run, workspace):
            return _END
        found.append(Pass(step.run, index, install))
        return ""
    if not fetched_before(install, step.run, index, workspace):
        found.append(Pass(step.run, index, install))
    return _END


def _waits(instruction: Instruction, group: Group, workspace: Workspace) -> bool:
    """Whether a COPY of a folder stands above an install: there is something to say."""
    if not any(brings_folder(copy, workspace) for copy in group.copies):
        return False
    stage = workspace.dockerfile.stage_of(instruction)
    assert stage is not None
    rest = stage.instructions[stage.index_of(instruction) :]
    return any(_installs(entry, workspace) for entry in rest if entry.keyword == "RUN")


def _installs(instruction: Instruction, workspace: Workspace) -> bool:
    step = effects_of(instruction, workspace).step
    return step is not None and any(c.install or c.problem for c in step.calls)


def brings_folder(copy: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY brings a folder of the context, or all of it."""
    context = workspace.context
    if context is None:
        return any(entry.source == "." for entry in read_copy(copy, workspace) or ())
    sources = (path for c in read_copy(copy, workspace) or () for path in context.find(c.source))
    return any(path == "." or context.is_folder(path) for path in sources)


def brings_sources(copy: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY brings a file that is written by hand, and often."""
    words = (copied.source for copied in read_copy(copy, workspace) or ())
    return any(posixpath.splitext(word)[1] in _SOURCES for word in words)


def _general(wall: str) -> str:
    return "a step in front may need the files" if "`" in wall else wall
