"""exec-form: CMD and ENTRYPOINT that start the program itself, so that signals reach it."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator

from dockerfix.image.copies import instructions_before, source_of
from dockerfix.knowledge.base_images import base_repository, runs_arguments
from dockerfix.knowledge.shell_commands import BUILT_IN, INITS, RESERVED
from dockerfix.patterns import pattern
from dockerfix.state import DEFAULT_SHELL
from dockerfix.syntax.edits import Edit, replace_arguments, replace_part
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.syntax.shell.script import Command, Script
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Dockerfile
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_SYSTEM_FOLDERS = frozenset(("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/sbin"))
_SCRIPT_NAME = pattern(r"\.(?:sh|bash|ash|ksh|zsh|py|rb|pl|js|mjs|ts|php|lua|run|command)$")
#: A compiler that is told where its output goes.
_COMPILED_TO = r"(?:go|cargo|gcc|g\+\+|cc)\b.*\s-o[ =]\S*{name}(?:\s|$)"
#: As process 1 these heed no signal whoever stands in front of them, or are there for a person.
_DEAF = frozenset(
    ("tail", "sleep", "watch", "cat", "ls", "env", "bash", "sh", "ash", "dash", "zsh", "top")
)
#: Options by which a program says something about itself and ends.
_ENDS_AT_ONCE = frozenset(("-h", "--help", "-V", "--version", "-v", "-version", "-help"))
#: An array over several lines becomes one line when it is no longer than this.
_WIDTH = 72
_USES_ARGUMENTS = pattern(r"\$\{?[@*0-9]")
_NOT_TEXT = pattern("[\ud800-\udfff\0]")


class _StaysError(Exception):
    """Why an instruction keeps its form; a fixed phrase and what is special."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class ExecForm(Transform):
    """Start the program itself and not a shell, which may keep SIGTERM from it.

    Where variables need the shell, `exec` makes it give way to the program.

    Before:
        FROM node:22
        WORKDIR /app
        COPY . .
        CMD node server.js

    After:
        FROM node:22
        WORKDIR /app
        COPY . .
        CMD ["node", "server.js"]
    """

    name = "exec-form"
    level = Level.REVIEW

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Look at what each stage starts."""
        for stage in workspace.dockerfile.stages:
            for keyword in ("ENTRYPOINT", "CMD"):
                instruction = stage.last(keyword)
                if instruction is None or instruction.is_exec_form:
                    continue
                if instruction.argument_text and not _has_exec(instruction):
                    try:
                        yield _rewrite(instruction, stage, workspace)
                    except _StaysError as error:
                        yield Declined(error.reason, instruction.line, error.detail)


def _has_exec(instruction: Instruction) -> bool:
    return re.search(r"(?:^|&&|;)\s*exec\s", instruction.argument_text) is not None


def _rewrite(instruction: Instruction, stage: Stage, workspace: Workspace) -> Change:
    script = _read(instruction, workspace)
    command = _program(script, instruction, workspace)
    _check_entrypoint(instruction, stage, workspace)
    evidence = _no_missing_interpreter(command, instruction, workspace)
    argv = command.argv
    if argv is None or not _is_alone(script, command):
        return _add_exec(instruction, command, evidence)
    reason = _why_not_json(instruction, stage, workspace)
    if reason:
        return _add_exec(instruction, command, (*evidence, Evidence("form", reason)))
    return Change(
        f"`{instruction.keyword}` in shell form: the shell may keep signals from the program",
        "Write it as a JSON array",
        tuple(_as_array(instruction, command)),
        instruction.line,
        Level.REVIEW,
        evidence=evidence,
    )


def _as_array(instruction: Instruction, command: Command) -> Iterator[Edit]:
    """The words as JSON strings; on the lines they are on, where one line does not hold them."""
    words = [(word, json.dumps(word.value, ensure_ascii=False)) for word in command.words]
    array = f"[{', '.join(text for _, text in words)}]"
    if len(instruction.segments) == 1 or len(array) <= _WIDTH:
        yield replace_arguments(instruction, array)
        return
    start = instruction.argument_start
    for index, (word, text) in enumerate(words):
        head = "" if index else "["
        tail = "," if index + 1 < len(words) else "]"
        yield replace_part(instruction, start + word.start, start + word.end, head + text + tail)


def _add_exec(instruction: Instruction, command: Command, evidence: tuple[Evidence, ...]) -> Change:
    if command.literal_name is None or posixpath.basename(command.literal_name) in _DEAF:
        raise _StaysError("signals mean nothing to it", command.literal_name or "")
    options = {word.text for word in command.words[1:]}
    if options and options <= _ENDS_AT_ONCE:
        raise _StaysError("signals mean nothing to it", "it only tells about itself")
    start = instruction.argument_start + command.start
    return Change(
        f"`{instruction.keyword}` leaves a shell in front of the program, which gets no signals",
        "Let `exec` replace the shell",
        (replace_part(instruction, start, start, "exec "),),
        instruction.line,
        Level.REVIEW,
        evidence=evidence,
    )


def _read(instruction: Instruction, workspace: Workspace) -> Script:
    state = workspace.state(instruction)
    text = instruction.argument_text
    if state.shell != DEFAULT_SHELL or not state.posix:
        raise _StaysError("another shell is set")
    if text.startswith("["):
        raise _StaysError("it looks like JSON, but is not")
    if _NOT_TEXT.search(text):
        raise _StaysError("it holds bytes that are not UTF-8")
    if instruction.inner_comments:
        raise _StaysError("a comment stands within it")
    script = parse_script(text)
    if script.opaque:
        raise _StaysError("it cannot be read as a shell script")
    return script


def _program(script: Script, instruction: Instruction, workspace: Workspace) -> Command:
    """The command that the container is about: the last one."""
    last = script.items[-1] if script.items else None
    if last is None or last.command is None or script.tail or script.has_comment:
        raise _StaysError("it is more than a list of commands")
    if any(item.operator not in ("", "&&", ";") or item.background for item in script.items):
        raise _StaysError("it is more than a list of commands")
    if script.uses_functions or script.calls("trap", "wait"):
        raise _StaysError("the shell has work of its own")
    name = last.command.literal_name
    if last.command.assignments or script.uses_heredoc:
        raise _StaysError("a variable is set for the program")
    if name is None:
        raise _StaysError("a variable names the program")
    if name in BUILT_IN or name in RESERVED:
        raise _StaysError("the shell itself does it", name)
    return last.command


def _is_alone(script: Script, command: Command) -> bool:
    return len(script.items) == 1 and not command.redirections


# ENTRYPOINT and CMD together (Docker's reference, "Understand how CMD and ENTRYPOINT interact")


def _why_not_json(instruction: Instruction, stage: Stage, workspace: Workspace) -> str:
    if instruction.keyword == "ENTRYPOINT":
        return _why_not_json_entrypoint(stage, workspace.dockerfile)
    entrypoint = _inherited(stage, "ENTRYPOINT", workspace.dockerfile)
    if entrypoint is None:
        repository = base_repository(workspace.dockerfile, stage)
        if repository is None or not runs_arguments(repository):
            return "what the base image's ENTRYPOINT does with another CMD is not known"
        return ""
    arguments = entrypoint.exec_arguments
    if not arguments:
        return "the ENTRYPOINT in shell form ignores CMD"
    if posixpath.basename(arguments[0]) in INITS:
        return ""
    return "the ENTRYPOINT would get other arguments"


def _check_entrypoint(instruction: Instruction, stage: Stage, workspace: Workspace) -> None:
    """A CMD that the ENTRYPOINT drops starts nothing, whatever its form."""
    entrypoint = _inherited(stage, "ENTRYPOINT", workspace.dockerfile)
    if instruction.keyword != "CMD" or entrypoint is None:
        return
    words = entrypoint.exec_arguments or ()
    if not entrypoint.is_exec_form and entrypoint.argument_text:
        raise _StaysError("the ENTRYPOINT in shell form ignores CMD")
    script = words[2] if len(words) == 3 and words[1] == "-c" else ""
    if script and not _USES_ARGUMENTS.search(script):
        raise _StaysError("the script of the ENTRYPOINT ignores CMD")


def _why_not_json_entrypoint(stage: Stage, dockerfile: Dockerfile) -> str:
    heirs = [heir for heir in dockerfile.stages if stage in _line(heir, dockerfile)]
    if any(heir.last("CMD") is not None for heir in heirs):
        return "CMD, which is ignored now, would become its arguments"
    return ""


def _line(stage: Stage, dockerfile: Dockerfile) -> list[Stage]:
    line = [stage]
    while (parent := dockerfile.parent(line[-1])) is not None:
        line.append(parent)
    return line


def _inherited(stage: Stage, keyword: str, dockerfile: Dockerfile) -> Instruction | None:
    found = (entry.last(keyword) for entry in _line(stage, dockerfile))
    return next((instruction for instruction in found if instruction is not None), None)


# A script without `#!`: a shell runs it, the kernel does not


def _no_missing_interpreter(
    command: Command, instruction: Instruction, workspace: Workspace
) -> tuple[Evidence, ...]:
    name = command.literal_name or ""
    if "/" not in name:
        if _is_brought(name, instruction, workspace) or _SCRIPT_NAME.search(name):
            raise _StaysError("it may be a script without an interpreter line", name)
        return ()
    if posixpath.dirname(name) in _SYSTEM_FOLDERS and not _is_brought(name, instruction, workspace):
        return ()
    workdir = workspace.state(instruction).workdir
    path = posixpath.normpath(posixpath.join(workdir, name)) if workdir else name
    source = source_of(path, instruction, workspace) if path.startswith("/") else None
    if source is None or workspace.context is None:
        if _is_built(name, path, instruction, workspace):
            return (Evidence(name, "made by a build step of this file"),)
        raise _StaysError("it may be a script without an interpreter line", name)
    head = workspace.context.head(source, 4) or b""
    if not head.startswith((b"#!", b"\x7fELF")):
        raise _StaysError("it is a script without an interpreter line", source)
    return (Evidence(source, "has an interpreter line"),)


def _is_brought(name: str, instruction: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY or a RUN names a file that is called so."""
    base = posixpath.basename(name)
    return any(
        any(posixpath.basename(word.rstrip("/")) == base for word in entry.arguments)
        if entry.keyword in ("COPY", "ADD")
        else entry.keyword == "RUN" and re.search(rf">\s*\S*/{re.escape(base)}\b", entry.code)
        for entry in instructions_before(workspace.dockerfile, instruction)
    )


def _is_built(name: str, path: str, instruction: Instruction, workspace: Workspace) -> bool:
    """Whether a compiler's output, made here or in another stage, lies at the path."""
    if _SCRIPT_NAME.search(name):
        return False
    compiled = _COMPILED_TO.format(name=re.escape(posixpath.basename(name)))
    for entry in instructions_before(workspace.dockerfile, instruction):
        if entry.keyword == "RUN" and re.search(compiled, entry.argument_text):
            return True
        if entry.keyword == "COPY" and entry.flag("from") and _names(entry, path, workspace):
            return any(
                re.search(r"\b(?:go|cargo|gcc|g\+\+|make|dotnet|swift|ghc|stack)\b", run.code)
                for stage in workspace.dockerfile.stages
                for run in stage.instructions
                if run.keyword == "RUN"
            )
    return False


def _names(copy: Instruction, path: str, workspace: Workspace) -> bool:
    *sources, target = copy.arguments
    workdir = workspace.state(copy).workdir or "/"
    place = posixpath.normpath(posixpath.join(workdir, target))
    names = [posixpath.join(place, posixpath.basename(source)) for source in sources]
    return path == place or path in names
