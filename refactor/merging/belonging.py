"""Which RUNs belong together: an owner would write them as one."""

from __future__ import annotations

import re

from dockerfix.merging.part import Part
from dockerfix.merging.work import Work, base_name
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.words import KEYWORDS

#: Longer scripts would meet the kernel's limit for one argument (MAX_ARG_STRLEN, 128 KiB).
_MAX_SCRIPT = 60_000
#: A comment that a tool reads just above an instruction.
_PRAGMA = pattern(r"(?:hadolint|dockerfix|checkov|kics|tally|trivy|nosemgrep|check=|snyk)\b")
_COMMENTED_OUT = pattern(rf"(?:{'|'.join(sorted(KEYWORDS))})\s", re.IGNORECASE)
_MAKES_USER = frozenset(("groupadd", "useradd", "addgroup", "adduser"))


def why_differs(group: list[Part], part: Part) -> str:
    """Why a RUN is about something else than the group before it."""
    if _flags(group[0].instruction) != _flags(part.instruction):
        return "the flags differ"
    size = sum(len(entry.run.script.text) for entry in group) + len(part.run.script.text)
    if size > _MAX_SCRIPT:
        return "it would be too long"
    if part.work == "clean-up":
        return ""
    works: set[Work] = {entry.work for entry in group if entry.work != "clean-up"}
    tools = {entry.tools for entry in group if entry.work == "dependencies"}
    together: dict[Work, bool] = {
        "clean-up": True,
        "set-up": works <= {"set-up", "packages", "files"},
        "packages": works <= {"set-up", "packages"},
        "files": works <= {"set-up", "files"},
        "dependencies": works == {"dependencies"}
        and tools == {part.tools}
        and all(entry.fetches_only for entry in (*group, part)),
    }
    if together.get(part.work):
        return ""
    return "different work: each keeps its own layer in the cache"


def why_comments(part: Part) -> str:
    """Why the comments above a RUN cannot move into another."""
    if part.has_detached:
        return "a comment of its own stands between"
    for comment in part.comments:
        if _PRAGMA.match(comment.text):
            return "a comment that a tool reads stands between"
        if _COMMENTED_OUT.match(comment.text):
            return "an instruction that is commented out stands between"
    return ""


def why_user(last: Part, part: Part) -> str:
    """A step that makes the user reads best alone, where the next has a comment of its own."""
    names = [base_name(command) for command in last.run.script.commands()]
    if part.comments and names and names[0] in _MAKES_USER:
        return "the one before makes the user, and this one has a comment of its own"
    return ""


def _flags(instruction: Instruction) -> set[tuple[str, str | None]]:
    return {(flag.name, flag.value) for flag in instruction.flags}
