"""ADD where COPY does."""

from __future__ import annotations

from dockerfix.context.archives import NotPlainError, why_plain
from dockerfix.modernising.change import change, keyword_span
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Change, Declined, Evidence, Workspace

#: Flags that ADD and COPY both know, with the same meaning.
_COMMON_FLAGS = frozenset(("chown", "chmod", "link", "exclude"))


def add_to_copy(
    target: Instruction, instruction: Instruction, workspace: Workspace
) -> Change | Declined:
    """Make a COPY of an ADD that neither fetches nor unpacks anything."""
    flags = [flag.name for flag in target.flags if flag.name not in _COMMON_FLAGS]
    if flags:
        return Declined("ADD stays: it has a flag of its own", instruction.line, f"--{flags[0]}")
    on_build = target is not instruction
    context = None if on_build else workspace.context
    try:
        facts = [why_plain(source, context) for source in target.arguments[:-1]]
    except NotPlainError as error:
        return Declined(f"ADD stays: {error}", instruction.line, target.argument_text)
    copy = workspace.style.keyword("COPY")
    return change(
        instruction,
        "`ADD` neither fetches nor unpacks anything here",
        "Use `COPY`",
        Edit(*keyword_span(target), copy),
        evidence=tuple(Evidence("sources of ADD", fact) for fact in facts),
        removed=() if on_build else ("ADD",),
        added=() if on_build else ("COPY",),
    )
