"""What holds just before an instruction: directory, user, shell. Stages inherit it."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from dockerfix.knowledge.base_images import image_variables, image_workdir
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.substitution import substitute
from dockerfix.syntax.tree import Dockerfile

#: The shell of Linux images (Dockerfile reference, SHELL).
DEFAULT_SHELL = ("/bin/sh", "-c")
#: Shells that read POSIX scripts.
_POSIX_SHELLS = frozenset(("sh", "ash", "bash", "dash", "ksh", "zsh", "busybox"))
_WINDOWS_NAMES = ("nanoserver", "windowsservercore", "servercore", "windows")


class State(NamedTuple):
    """What holds just before an instruction."""

    #: Absolute directory; None when the base image or a variable decides.
    workdir: str | None
    #: As USER says; None when the base image decides.
    user: str | None
    shell: tuple[str, ...]
    #: False for Windows images and for shells that do not read POSIX scripts.
    posix: bool


def trace_states(dockerfile: Dockerfile) -> dict[Instruction, State]:
    """The state before every instruction of every stage."""
    states: dict[Instruction, State] = {}
    final: dict[int, State] = {}
    for stage in dockerfile.stages:
        parent = dockerfile.parent(stage)
        state = final[parent.index] if parent else _start(dockerfile, stage)
        for instruction in stage.instructions:
            states[instruction] = state
            state = state_after(state, instruction, stage)
        final[stage.index] = state
    return states


def _start(dockerfile: Dockerfile, stage: Stage) -> State:
    base = stage.resolved_base or stage.base
    if base.lower() == "scratch":
        return State("/", "0", DEFAULT_SHELL, dockerfile.escape == "\\")
    posix = dockerfile.escape == "\\" and not _is_windows(base)
    return State(image_workdir(read_image(base).repository), None, DEFAULT_SHELL, posix)


def _is_windows(base: str) -> bool:
    image = read_image(base.lower())
    return any(name in f"{image.repository}:{image.tag}" for name in _WINDOWS_NAMES)


def state_after(state: State, instruction: Instruction, stage: Stage) -> State:
    """What holds behind an instruction of a stage."""
    match instruction.keyword:
        case "WORKDIR":
            return state._replace(workdir=_workdir(state, instruction, stage))
        case "USER":
            return state._replace(user=_resolve(instruction, stage))
        case "SHELL":
            shell = instruction.exec_arguments or DEFAULT_SHELL
            program = shell[0].replace("\\", "/").rpartition("/")[2] if shell else ""
            posix = program.removesuffix(".exe") in _POSIX_SHELLS
            return state._replace(shell=shell, posix=posix)
        case _:
            return state


def _resolve(instruction: Instruction, stage: Stage) -> str | None:
    text = instruction.argument_text
    scope = known_variables(stage, instruction) if "$" in text else {}
    return substitute(text, scope, instruction.escape)


def known_variables(stage: Stage, before: Instruction) -> dict[str, str | None]:
    """What variables hold before an instruction, those of a known base image among them."""
    root = stage.lineage[0]
    image = image_variables(read_image(root.resolved_base or root.base).repository)
    return {**image, **stage.variables(before)}


def _workdir(state: State, instruction: Instruction, stage: Stage) -> str | None:
    path = _resolve(instruction, stage)
    if not path:
        return None
    if path.startswith("/"):
        return posixpath.normpath(path)
    if state.workdir is None:
        return None
    return posixpath.normpath(posixpath.join(state.workdir, path))
