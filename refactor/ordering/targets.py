"""Where a COPY goes that is done in another directory than it was written for."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from dockerfix.state import known_variables
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.substitution import substitute
from dockerfix.transform import Workspace

if TYPE_CHECKING:
    from dockerfix.ordering.moved import Moved


def leaves_directory(copy: Instruction, last: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY would mean another place behind an instruction: its target is relative."""
    moves = workspace.state(copy).workdir != workspace.state(last).workdir
    return moves and not _is_absolute(copy, workspace)


def full_targets(moved: Moved, workspace: Workspace) -> dict[Instruction, str]:
    """The targets in full of the COPYs that go to where another directory is current."""
    last = moved.last.run.instruction
    return {
        copy: full_target(copy, workspace) or copy.arguments[-1]
        for copy in moved.movers
        if leaves_directory(copy, last, workspace)
    }


def full_target(copy: Instruction, workspace: Workspace) -> str | None:
    """The target of a COPY as an absolute path; None where that cannot be written in its place."""
    written, directory = copy.arguments[-1], workspace.state(copy).workdir
    if directory is None or "$" in written or not copy.code.rstrip().endswith(written):
        return None
    path = posixpath.normpath(posixpath.join(directory, written))
    is_folder = posixpath.basename(written) in ("", ".", "..")
    return posixpath.join(path, "") if is_folder else path


def with_target(code: str, copy: Instruction, target: str) -> str:
    """The text of a COPY, its last line end included, with another target."""
    place = code.rindex(copy.arguments[-1])
    return code[:place] + target + code[place + len(copy.arguments[-1]) :]


def _is_absolute(copy: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY goes to the same place in every directory."""
    target = copy.arguments[-1]
    stage = workspace.dockerfile.stage_of(copy)
    if "$" in target and stage is not None:
        target = substitute(target, known_variables(stage, copy), copy.escape) or ""
    return target.startswith("/")
