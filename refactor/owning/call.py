"""A chown or chmod of a RUN, and why it stays."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from dockerfix.effects.reach import is_within
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

#: Commands for system packages and users: they make nothing of the application.
SETS_UP = frozenset(
    (
        *("apt-get", "apk", "rm", "useradd", "adduser", "groupadd", "addgroup", "usermod", "true"),
        *("dnf", "yum", "microdnf", "update-ca-certificates", "curl", "echo"),
    )
)


class StaysError(Exception):
    """Why a chown or chmod stays; a fixed phrase and what is special."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class NothingCopiedError(StaysError):
    """There is nothing to say: the files come from elsewhere, or the folder is empty."""


@dataclass(frozen=True)
class Call:
    """A chown or chmod in the top-level list of a RUN."""

    run: RunScript
    index: int
    command: Command
    stage: Stage
    workspace: Workspace
    options: tuple[str, ...]
    #: Owner or mode.
    value: str
    paths: tuple[str, ...]

    @property
    def recursive(self) -> bool:
        """Whether it works on all that lies below its paths."""
        return any(option in ("-R", "--recursive", "-Rf", "-fR", "-Rv") for option in self.options)


def read_call(
    run: RunScript, index: int, command: Command, stage: Stage, workspace: Workspace
) -> Call:
    """Read a command of the top-level list. Raises StaysError when it is not plain."""
    argv = command.argv
    if argv is None:
        raise StaysError("a variable or pattern in its words")
    options = tuple(word for word in argv[1:] if word.startswith("-"))
    words = [word for word in argv[1:] if not word.startswith("-")]
    workdir = workspace.state(run.instruction).workdir
    if len(words) < 2 or not run.script.is_and_list or command.redirections:
        raise StaysError("it is not a plain command of an and-list")
    if any(c.literal_name in ("cd", "pushd") for _, c in run.top_commands):
        raise StaysError("it is not a plain command of an and-list")
    if workdir is None and not all(word.startswith("/") for word in words[1:]):
        raise StaysError("its path is not known")
    paths = tuple(posixpath.normpath(posixpath.join(workdir or "/", word)) for word in words[1:])
    before = run.script.text[: command.start]
    if any(_is_named(path, word, before) for path, word in zip(paths, words[1:], strict=True)):
        raise StaysError("another step works on that path", "in the same RUN")
    earlier = [c for i, c in run.top_commands if i < index]
    may_work_there = command.literal_name == "chown" or any(workdir == path for path in paths)
    if may_work_there and not all(_leaves_alone(c, paths) for c in earlier):
        raise StaysError("a command before it may work on that path", "in the same RUN")
    return Call(run, index, command, stage, workspace, options, words[0], paths)


def _is_named(path: str, word: str, text: str) -> bool:
    """Whether a script names a path, in full or as the command does."""
    return path in text or (not word.startswith("/") and word != "." and word in text.split())


def _leaves_alone(command: Command, paths: tuple[str, ...]) -> bool:
    """Whether a command makes nothing below the paths."""
    if command.literal_name in SETS_UP:
        return True
    words = [word for word in (command.argv or ())[1:] if word.startswith("/")]
    places = [posixpath.normpath(word) for word in words]
    is_plain = command.literal_name in ("mkdir", "chown", "chmod") and bool(places)
    return is_plain and not any(is_within(p, path) for p in places for path in paths)


def earlier(call: Call) -> tuple[Instruction, ...]:
    """The instructions of the stage in front of the call's."""
    instructions = call.stage.instructions
    return instructions[: call.stage.index_of(call.run.instruction)]
