"""What a file puts into the image: programs and folders, by their paths."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.image.copies import lineage
from dockerfix.state import known_variables
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.substitution import substitute
from dockerfix.transform import Workspace

#: Where a program is looked for that is named without a folder (Debian's and Alpine's PATH).
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Placed(NamedTuple):
    """One source of a COPY or ADD, where it comes to lie; the target alone for a build's output."""

    instruction: Instruction
    #: The target, absolute.
    target: str
    #: The last part of the source's name; "" for a whole folder that is `.`.
    name: str

    def holds(self, path: str) -> bool:
        """Whether a path is, or lies in, what is put there."""
        own = posixpath.join(self.target, self.name)
        return path in (self.target, own) or path.startswith(f"{self.target.rstrip('/')}/")


def placed_in(stage: Stage, workspace: Workspace) -> Iterator[Placed]:
    """What COPY, ADD and builds put into a stage and those it is built on."""
    for entry in lineage(workspace.dockerfile, stage):
        for instruction in entry.instructions:
            if instruction.keyword in ("COPY", "ADD"):
                yield from _copied(instruction, workspace)
            elif instruction.keyword == "RUN":
                yield from _built(instruction, workspace)


def find_program(word: str, stage: Stage, workspace: Workspace) -> Placed | None:
    """What the file puts at the path of a program; None for programs of the image."""
    found = tuple(placed_in(stage, workspace))
    if "/" in word:
        directory = workspace.state(stage.instructions[-1]).workdir or "/"
        path = posixpath.normpath(posixpath.join(directory, word))
        return next((placed for placed in found if placed.holds(path)), None)
    for folder in (*_own_path(stage), *_PATH):
        for placed in found:
            is_there = placed.target == f"{folder}/{word}" or (
                placed.target == folder and placed.name == word
            )
            # A whole folder of programs: an environment that another stage made.
            inside = folder not in _PATH and placed.holds(f"{folder}/{word}")
            if is_there or inside:
                return placed
    return None


def resolve_path(word: str, instruction: Instruction, workspace: Workspace) -> str | None:
    """An absolute path for a word of an instruction; None when it is not known."""
    stage = workspace.dockerfile.stage_of(instruction)
    if "$" in word and stage is not None:
        scope = known_variables(stage, instruction)
        word = substitute(word, scope, instruction.escape) or "$"
    before = workspace.state(instruction).workdir
    if "$" in word or (before is None and not word.startswith("/")):
        return None
    return posixpath.normpath(posixpath.join(before or "/", word.strip("\"'")))


def _copied(instruction: Instruction, workspace: Workspace) -> Iterator[Placed]:
    words = instruction.arguments
    target = resolve_path(words[-1], instruction, workspace) if len(words) > 1 else None
    if target is not None:
        for source in words[:-1]:
            yield Placed(instruction, target, posixpath.basename(source.rstrip("/.")))


def _built(instruction: Instruction, workspace: Workspace) -> Iterator[Placed]:
    """The outputs of `go build -o`."""
    run = workspace.run(instruction)
    for command in run.script.commands() if run is not None else ():
        words = [word.value or "" for word in command.words]
        if words[:2] == ["go", "build"] and "-o" in words[:-1]:
            target = resolve_path(words[words.index("-o") + 1], instruction, workspace)
            if target is not None:
                yield Placed(instruction, target, "")


def _own_path(stage: Stage) -> list[str]:
    """The folders that ENV puts in front of PATH."""
    found: list[str] = []
    for instruction in stage.instructions:
        if instruction.keyword == "ENV":
            pairs = zip(instruction.arguments[::2], instruction.arguments[1::2], strict=False)
            found += [f for name, value in pairs if name == "PATH" for f in value.split(":")]
    return [folder.strip("\"'").rstrip("/") for folder in found if "$" not in folder]
