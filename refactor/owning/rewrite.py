"""The COPYs with a flag, and the command that goes."""

from __future__ import annotations

from dockerfix.owning.call import Call, StaysError
from dockerfix.syntax.edits import Edit, end_with_gap
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Change, Level


def add_flag(copy: Instruction, text: str) -> Edit:
    """Put a flag in front of a COPY's others."""
    start = copy.flags[0].start if copy.flags else copy.argument_span[0]
    return Edit(start, start, f"{text} ")


def change(call: Call, edits: list[Edit], stays: list[str], flag: str) -> Change:
    """The edits of COPYs and the end of the call; `stays` are folders that it still changes."""
    instruction = call.run.instruction
    name = call.command.literal_name
    removed: tuple[str, ...] = ()
    if stays:
        recursive = next(word for word in call.command.words if word.text in call.options)
        edits.append(call.run.replace(recursive.start, recursive.end + 1, ""))
        help_text = f"Use `{flag}`, and change the folder alone afterwards"
    elif len(call.run.script.items) == 1:
        if call.workspace.dockerfile.comments_of(instruction) or instruction.inner_comments:
            raise StaysError("a comment belongs to it")
        end = end_with_gap(call.workspace.dockerfile, instruction)
        edits.append(Edit(instruction.start, end, ""))
        removed = ("RUN",)
        help_text = f"Use `{flag}` instead"
    else:
        edit = call.run.remove_item(call.index)
        if edit is None:
            raise StaysError("a comment belongs to it")
        edits.append(edit)
        help_text = f"Use `{flag}` instead"
    return Change(
        f"`{name}` after `COPY` stores the files a second time",
        help_text,
        tuple(edits),
        instruction.line,
        Level.SAFE,
        removed=removed,
    )
