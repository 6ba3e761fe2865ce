"""The shell script of a RUN instruction, with edits that land in the Dockerfile's source."""

from __future__ import annotations

from dataclasses import dataclass

from dockerfix.syntax.edits import Edit, replace_part
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.syntax.shell.script import Command, Script


@dataclass(frozen=True, slots=True, eq=False)
class RunScript:
    """A RUN in shell form whose script can be read; offsets count in the script."""

    instruction: Instruction
    script: Script

    @property
    def top_commands(self) -> tuple[tuple[int, Command], ...]:
        """The simple commands of the top-level list, with their place in it."""
        return tuple(
            (index, item.command)
            for index, item in enumerate(self.script.items)
            if item.command is not None
        )

    def replace(self, begin: int, end: int, text: str) -> Edit:
        """Put a text in place of a part of the script."""
        start = self.instruction.argument_start
        return replace_part(self.instruction, start + begin, start + end, text)

    def insert(self, offset: int, text: str) -> Edit:
        """Put a text behind the character before `offset`."""
        return self.replace(offset, offset, text)

    def remove_item(self, index: int) -> Edit | None:
        """Take one command out of an and-list; None when it is alone or a comment would go too."""
        items = self.script.items
        if len(items) < 2 or not self.script.is_and_list:
            return None
        if index == 0:
            edit = self.replace(items[0].start, items[1].start, "")
        else:
            edit = self.replace(items[index - 1].end, items[index].end, "")
        if any(edit.start <= c.start < edit.end for c in self.instruction.inner_comments):
            return None
        return edit


def read_run(instruction: Instruction) -> RunScript | None:
    """Read the script of a RUN as POSIX shells do.

    None for exec form, here-documents and scripts that cannot be read.
    """
    if instruction.keyword != "RUN" or instruction.heredocs:
        return None
    if not instruction.argument_text or instruction.is_exec_form:
        return None
    script = parse_script(instruction.argument_text)
    return None if script.opaque or not script.items else RunScript(instruction, script)
