"""What the scripts of neighbouring RUN instructions ask of package managers, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerfix.knowledge.package_managers import Manager
from dockerfix.merging.part import Part
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Item
from dockerfix.transform import Workspace

if TYPE_CHECKING:
    from dockerfix.effects.model import Call


@dataclass(frozen=True, slots=True)
class Step:
    """An element of one of the scripts."""

    part: Part
    index: int
    package: PackageCommand | None
    text: str

    @property
    def action(self) -> str | None:
        """What it asks of a package manager; None for anything else."""
        return self.package.action if self.package else None

    @property
    def run(self) -> RunScript:
        """The script it stands in."""
        return self.part.run

    @property
    def item(self) -> Item:
        """The element as the shell reads it."""
        return self.run.script.items[self.index]


def read_steps(part: Part) -> Iterator[Step]:
    """Read the elements of a script in their order."""
    for index, item in enumerate(part.run.script.items):
        package = read_package_command(item.command) if item.command else None
        yield Step(part, index, package, " ".join(item.text.split()))


def calls_of(step: Step, workspace: Workspace) -> tuple[Call, ...] | None:
    """What the commands of an element do, nested ones too; None when that is not known."""
    # Only where steps are done again: it reads tables of its own.
    from dockerfix.effects.instructions import effects_of

    read = effects_of(step.run.instruction, workspace).step
    if read is None or step.index in read.unseen:
        return None
    item = step.item
    return tuple(call for call in read.calls if item.start <= call.command.start < item.end)


def is_clean_up(step: Step, manager: Manager) -> bool:
    """Whether a step only removes what a manager leaves behind."""
    if step.package is not None:
        return step.package.manager is manager and step.action == "clean"
    words = step.text.split()
    return words[:1] == ["rm"] and all(
        word.startswith("-") or word.startswith(manager.caches) for word in words[1:]
    )
