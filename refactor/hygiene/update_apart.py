"""An `apt-get update` in a layer of its own."""

from __future__ import annotations

from dockerfix.hygiene.run import Found, PackageRun
from dockerfix.knowledge.package_managers import APT
from dockerfix.syntax.edits import Edit, end_with_gap, remove_alone
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.tree import Dockerfile
from dockerfix.transform import Change, Level


def update_apart(previous: PackageRun, run: PackageRun) -> Found:
    """`RUN apt-get update` is cached while the install below it changes."""
    if len(previous.commands) != 1 or len(previous.run.script.items) != 1:
        return
    update = previous.commands[0][1]
    installs = [p for _, p in run.commands if p.manager is update.manager]
    if update.action != "update" or update.manager is not APT or not installs:
        return
    if any(p.action == "update" for p in installs):
        return
    reason = _why_apart(previous, run)
    if reason:
        yield run.declined(f"update stays apart: {reason}")
        return
    text = previous.run.script.text
    yield Change(
        f"`{text}` is cached apart from the install that needs it",
        "Update and install in one instruction",
        (
            _removed(previous.instruction, run.workspace.dockerfile),
            run.run.insert(run.run.script.items[0].start, f"{text} && "),
        ),
        previous.instruction.line,
        Level.SAFE,
        removed=("RUN",),
    )


def _removed(instruction: Instruction, dockerfile: Dockerfile) -> Edit:
    """Take it out; its comments stay, and of the blank lines around it one."""
    if dockerfile.comments_of(instruction):
        return remove_alone(instruction)
    return Edit(instruction.start, end_with_gap(dockerfile, instruction), "")


def _why_apart(previous: PackageRun, run: PackageRun) -> str:
    if not run.run.script.is_and_list or run.run.script.tail or previous.run.script.tail:
        return "not a plain and-list"
    if _flags(previous.instruction) != _flags(run.instruction):
        return "the flags differ"
    if previous.instruction.has_inner_lines:
        return "a comment stands within it"
    return ""


def _flags(instruction: Instruction) -> set[tuple[str, str | None]]:
    return {(flag.name, flag.value) for flag in instruction.flags}
