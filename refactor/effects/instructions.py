"""What each instruction reads, writes, needs and leaves behind."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.effects.commands import read_call
from dockerfix.effects.model import Call, Step
from dockerfix.effects.piped import piped_scripts
from dockerfix.effects.reach import EVERYTHING, NOTHING, Reach, unite
from dockerfix.image.copies import read_copy
from dockerfix.knowledge.command_effects import Kind, command_facts
from dockerfix.patterns import pattern
from dockerfix.state import State, state_after
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Flag
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command, Item
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

_VARIABLE = pattern(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
#: A redirection in place of a command, whose output is put in.
_INPUT = pattern(r"(?:\$\(|`)\s*<")
_TO_NOWHERE = pattern(r"[0-9&]*>+\s*(?:/dev/null|&[0-9])|<\s*/dev/null")
#: `[ -f x ]` and its like; a test of a text has no such operator.
_FILE_TEST = pattern(r"\[\[?\s(?:.*\s)?-[a-eghkprstuwxfLNOSG]\s|\s-(?:nt|ot|ef)\s")
#: They set what an image says of itself and touch no file.
_METADATA = frozenset(
    (
        *("ARG", "ENV", "LABEL", "MAINTAINER", "EXPOSE", "USER", "SHELL", "STOPSIGNAL"),
        *("CMD", "ENTRYPOINT", "HEALTHCHECK", "FROM"),
    )
)


class Effects(NamedTuple):
    """What one instruction does."""

    instruction: Instruction
    #: Paths of the build context that it reads.
    context: Reach
    #: Image paths.
    reads: Reach
    writes: Reach
    #: User, directory and shell that it meets, and those that it leaves behind.
    before: State
    after: State
    #: Variables that it puts in, and those that it sets for what follows.
    uses: frozenset[str]
    sets: frozenset[str]
    #: Stages and images from which it takes files.
    takes_from: tuple[str, ...] = ()
    #: Of a RUN that can be read.
    step: Step | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of work that a RUN does, in their order."""
        calls = self.step.calls if self.step is not None else ()
        return tuple(dict.fromkeys(call.kind for call in calls))

    @property
    def is_wall(self) -> bool:
        """Whether it may touch everything, so that nothing crosses it."""
        return self.reads.everything or self.writes.everything


def effects_of(instruction: Instruction, workspace: Workspace) -> Effects:
    """What an instruction of a stage does, read once; what is not known reaches everything."""
    return workspace.read_once(_read_effects, instruction)


def _read_effects(instruction: Instruction, workspace: Workspace) -> Effects:
    stage = workspace.dockerfile.stage_of(instruction)
    assert stage is not None
    before = workspace.state(instruction)
    plain = Effects(
        instruction,
        NOTHING,
        NOTHING,
        NOTHING,
        before,
        state_after(before, instruction, stage),
        frozenset(_VARIABLE.findall(instruction.code)),
        _sets(instruction),
    )
    match instruction.keyword:
        case "RUN":
            return _run(plain, workspace)
        case "COPY" | "ADD":
            return _copy(plain, workspace)
        case "WORKDIR":
            folder = plain.after.workdir
            return plain._replace(writes=Reach((folder,)) if folder else EVERYTHING)
        case "VOLUME":
            return plain._replace(writes=EVERYTHING)
        case keyword if keyword in _METADATA:
            return plain
        case _:
            return plain._replace(context=EVERYTHING, reads=EVERYTHING, writes=EVERYTHING)


def _sets(instruction: Instruction) -> frozenset[str]:
    words = instruction.arguments
    if instruction.keyword == "ENV":
        return frozenset(words[::2])
    if instruction.keyword == "ARG":
        return frozenset(word.partition("=")[0] for word in words)
    return frozenset()


def _copy(plain: Effects, workspace: Workspace) -> Effects:
    instruction = plain.instruction
    origin = instruction.flag("from")
    target = _target(instruction, workspace)
    writes = EVERYTHING if target is None else Reach((target,))
    if origin is not None:
        return plain._replace(writes=writes, takes_from=(origin,))
    if instruction.heredocs and not any(_is_path(w) for w in instruction.arguments[:-1]):
        return plain._replace(writes=writes)
    copied = read_copy(instruction, workspace)
    if copied is None:
        fetched = instruction.keyword == "ADD" and "://" in instruction.argument_text
        return plain._replace(context=NOTHING if fetched else EVERYTHING, writes=writes)
    return plain._replace(context=Reach(tuple(entry.source for entry in copied)), writes=writes)


def _is_path(word: str) -> bool:
    return not word.startswith("<<")


def _target(instruction: Instruction, workspace: Workspace) -> str | None:
    """Where a COPY goes; None when that cannot be told."""
    copied = read_copy(instruction, workspace)
    if copied:
        return copied[0].destination
    words = instruction.arguments
    directory = workspace.state(instruction).workdir
    if len(words) < 2 or "$" in words[-1]:
        return None
    if directory is None and not words[-1].startswith("/"):
        return None
    return posixpath.normpath(posixpath.join(directory or "/", words[-1]))


# RUN


def _run(plain: Effects, workspace: Workspace) -> Effects:
    step = read_step(plain.instruction, workspace)
    mounts = [flag for flag in plain.instruction.flags if flag.name == "mount"]
    context = unite(_mounted(flag) for flag in mounts)
    origins = tuple(name for flag in mounts if (name := _mount_option(flag, "from")))
    found = plain._replace(context=context, takes_from=origins)
    if step is None:
        return found._replace(reads=EVERYTHING, writes=EVERYTHING)
    return found._replace(reads=step.reads, writes=step.writes, step=step)


def _mounted(flag: Flag) -> Reach:
    """The paths of the context that a mount brings."""
    if (_mount_option(flag, "type") or "bind") != "bind" or _mount_option(flag, "from"):
        return NOTHING
    source = _mount_option(flag, "source") or _mount_option(flag, "src") or "."
    return EVERYTHING if "$" in source else Reach((posixpath.normpath(source.lstrip("/") or "."),))


def _mount_option(flag: Flag, name: str) -> str:
    pairs = (part.partition("=") for part in (flag.value or "").split(","))
    return next((value for key, _, value in pairs if key.strip() == name), "")


def read_step(instruction: Instruction, workspace: Workspace) -> Step | None:
    """The commands of a RUN, nested ones too, each with what it does; None when it is opaque."""
    run = workspace.run(instruction)
    if run is None:
        return None
    unseen = frozenset(i for i, item in enumerate(run.script.items) if _has_unseen(run, item))
    return Step(run, tuple(_calls(run, workspace)), unseen)


def _has_unseen(run: RunScript, item: Item) -> bool:
    """Whether files are tested, listed or redirected in an element outside of its commands."""
    if item.kind == "command" and "$(" not in item.text and "`" not in item.text:
        return False
    if _INPUT.search(item.text):
        return True
    rest = list(run.script.text[item.start : item.end])
    for command in run.script.commands():
        spans = [(command.start, command.end), *((r.start, r.end) for r in command.redirections)]
        for start, end in spans:
            for index in range(max(start, item.start), min(end, item.end)):
                rest[index - item.start] = " "
    left = _TO_NOWHERE.sub(" ", "".join(rest))
    return any(char in left for char in "<>*?") or _FILE_TEST.search(left) is not None


def _calls(run: RunScript, workspace: Workspace) -> Iterator[Call]:
    directory = workspace.state(run.instruction).workdir
    piped = set(piped_scripts(run))
    for command in run.script.commands():
        call = read_call(command, directory, run.instruction, workspace)
        if command in piped:
            writes = Reach(command_facts().system) | _own_folder(command, directory)
            call = call._replace(kind="tool", reads=NOTHING, writes=writes)
        yield call
        if command.literal_name == "cd":
            # Where a nested one leads depends on what runs.
            directory = None if command.nested else change_directory(directory, command)


def change_directory(directory: str | None, command: Command) -> str | None:
    """Where a `cd` leads from a directory; None when that is not known."""
    words = [word.value for word in command.words[1:]]
    if len(words) != 1 or words[0] is None or words[0] == "-" or words[0].startswith("~"):
        return None
    if words[0].startswith("/"):
        return posixpath.normpath(words[0])
    return posixpath.normpath(posixpath.join(directory, words[0])) if directory else None


def _own_folder(command: Command, directory: str | None) -> Reach:
    """Where an installer of PHP puts its file: an option says, else the directory it runs in."""
    words = [word.value or "" for word in command.words]
    if words[:1] != ["php"]:
        return NOTHING
    named = [word.partition("=")[2] for word in words if word.startswith("--install-dir=")]
    target = named[0] if named else directory or ""
    return Reach((target,)) if target.startswith("/") else EVERYTHING


def stage_effects(stage: Stage, workspace: Workspace) -> tuple[Effects, ...]:
    """What the instructions of a stage do, behind its FROM."""
    return tuple(effects_of(instruction, workspace) for instruction in stage.instructions[1:])
