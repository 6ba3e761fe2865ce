"""The rewrite of a split: the stage that builds, and behind it the stage that runs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from dockerfix.context.usage.usage import usage_of
from dockerfix.effects.instructions import effects_of
from dockerfix.image.entry import UnknownEntryError, read_entry
from dockerfix.splitting.plan import Beside, NotSplitError, Plan, Program, Step, read_steps
from dockerfix.splitting.planners import plan_program
from dockerfix.splitting.runtime_stage import RuntimeStage, runtime_stage
from dockerfix.splitting.smaller_base import fits, on_smaller_base
from dockerfix.syntax.edits import (
    Edit,
    blank_above,
    end_with_gap,
    head_of,
)
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank
from dockerfix.syntax.parser import keywords_of
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Node
from dockerfix.transform import Change, Evidence, Workspace

#: Names of stages that say what is done there, and not what it is for.
_BUILDING = frozenset(
    ("build", "builder", "build-env", "build-stage", "compile", "deps", "dependencies", "install")
)
#: Programs that images offer for a COPY --from, and that no program needs while it runs.
_BUILD_TOOLS = frozenset(("uv", "uvx", "composer", "bun", "bunx", "pnpm", "golangci-lint"))


def split(stage: Stage, workspace: Workspace) -> Change | None:
    """How a stage that builds is split; None when its program is of no known kind.

    Raises ReasonError, which says why it stays one stage.
    """
    program = _program(stage, workspace)
    plan = plan_program(program)
    if plan is None:
        return None
    if "$" in program.base and plan.base != program.base:
        raise NotSplitError("the base image is given from outside", program.base)
    builder, name = _names(program)
    plan = replace(plan, stage_name=builder, beside=_named(plan.beside, builder, name))
    edits = [*_name_edits(stage, program, plan.beside.base if plan.beside else builder)]
    plan, runtime = _staged(program, plan, name)
    text, removed = runtime.text, list(runtime.removed)
    end = _end_of_builder([*removed, *_taken_out(plan)], workspace)
    edits += [edit for edit in plan.edits if edit.text or edit.start < end]
    parting = _parting(plan.beside, builder, workspace) if plan.beside else ()
    edits += parting
    edits += _move_edits(removed, text, plan, end, workspace)
    return Change(
        "the image ships what it was built with",
        f"Build in one stage, run on `{plan.base}` in another: {plan.gain} stay behind",
        tuple(edits),
        stage.start.line,
        plan.level,
        evidence=(_entry_evidence(program), *plan.evidence),
        removed=tuple(i.keyword for i in (*plan.gone, *removed)),
        added=(
            *plan.added,
            *("RUN",) * len(plan.last),
            *(keyword for edit in parting for keyword in keywords_of(edit.text)),
            *keywords_of(text),
        ),
        dropped_comments=runtime.dropped,
        files=plan.files,
    )


def _staged(program: Program, plan: Plan, name: str) -> tuple[Plan, RuntimeStage]:
    """The stage that runs, on the smaller image if one is taken, and the plan for it."""
    smaller = plan.smaller
    if smaller is None:
        return plan, runtime_stage(program, plan, name)
    if smaller.image is None:
        plan = replace(plan, evidence=(*plan.evidence, smaller.evidence))
        return plan, runtime_stage(program, plan, name)
    other = on_smaller_base(plan, smaller.image, smaller)
    stage = _tried(program, other, name)
    return (other, stage) if stage is not None else (plan, runtime_stage(program, plan, name))


def _tried(program: Program, plan: Plan, name: str) -> RuntimeStage | None:
    """The stage that runs; None where it needs more than its image holds."""
    try:
        stage = runtime_stage(program, plan, name)
    except NotSplitError:
        return None
    return stage if fits(stage.text, plan) else None


def _entry_evidence(program: Program) -> Evidence:
    words = " ".join(program.entry.main[:3])
    return Evidence(f"line {program.entry.instruction.line}", f"runs `{words}`")


def _program(stage: Stage, workspace: Workspace) -> Program:
    keywords = {i.keyword for i in stage.instructions}
    if "ONBUILD" in keywords:
        raise NotSplitError("the image is a base for others")
    if any(not _is_usual_shell(i) for i in stage.instructions if i.keyword == "SHELL"):
        raise NotSplitError("another shell is set")
    if any(i.flag("from") and not _is_build_tool(i) for i in stage.instructions):
        raise NotSplitError("files come from another image")
    if any(i.keyword == "ADD" and "://" in i.code for i in stage.instructions):
        raise NotSplitError("files are fetched")
    repository, platform = read_image(stage.base).repository, stage.start.flag("platform") or ""
    if "$" in f"{repository}{platform}":
        raise NotSplitError("the base image is given from outside", stage.base)
    try:
        entry = read_entry(stage, workspace)
    except UnknownEntryError as error:
        raise NotSplitError(error.reason, error.detail) from error
    steps = read_steps(stage, workspace)
    folder = _folder(stage, steps, workspace)
    names = {posixpath.basename(call[0]) for call in entry.calls}
    fetched = [i for i in stage.instructions if i.flag("from")]
    if any(posixpath.basename(word) in names for i in fetched for word in i.arguments[:-1]):
        raise NotSplitError("files come from another image")
    return Program(workspace, stage, entry, steps, folder)


def _is_build_tool(instruction: Instruction) -> bool:
    """Whether a COPY takes nothing but programs that install or build from another image."""
    names = (posixpath.basename(word.rstrip("/")) for word in instruction.arguments[:-1])
    return instruction.keyword == "COPY" and all(name in _BUILD_TOOLS for name in names)


def _is_usual_shell(instruction: Instruction) -> bool:
    """Whether it is a shell of every Debian image: `bash -o pipefail -c`."""
    words = instruction.exec_arguments or ()
    return words[:1] in (("/bin/bash",), ("bash",), ("/bin/sh",), ("sh",))


def _folder(stage: Stage, steps: tuple[Step, ...], workspace: Workspace) -> str:
    """Where the program lies: the directory that it runs in, else the one of its install."""
    workdirs = [i for i in stage.instructions if i.keyword == "WORKDIR"]
    folder: str | None = None
    if workdirs:
        folder = effects_of(workdirs[-1], workspace).after.workdir
    else:
        calls = [call for step in steps for call in step.calls if call.kind == "install"]
        folders = {call.directory for call in calls}
        folder = folders.pop() if len(folders) == 1 else None
    return folder or "/"


# The stage that builds


def _names(program: Program) -> tuple[str, str]:
    """The names of the stage that builds and of the one that runs.

    Who builds the stage by its name gets what runs, as before.
    """
    name = program.stage.name
    if name is None:
        return "build", "runtime"
    is_target = name in usage_of(program.workspace.context).targets
    if name.lower() in _BUILDING and not is_target:
        return name, "runtime"
    return ("builder" if name.lower() == "build" else "build"), name


def _named(beside: Beside | None, *taken: str) -> Beside | None:
    """Its stages with names that no other stage has."""
    if beside is None:
        return None
    names = [name.lower() for name in taken]
    own = "production-dependencies" if beside.name in names else beside.name
    return beside._replace(name=own, base="common" if beside.base in names else beside.base)


def _parting(beside: Beside, builder: str, workspace: Workspace) -> tuple[Edit, ...]:
    """What parts the stage in front of a RUN: one stage beside, and the rest of this one."""
    dockerfile, style = workspace.dockerfile, workspace.style
    head, newline = head_of(dockerfile, beside.run), style.newline
    start = f"{style.keyword('FROM')} {beside.base} {style.keyword('AS')}"
    again = [entry.code.rstrip("\r\n") for entry in beside.again]
    lines = (f"{start} {beside.name}", *again, beside.line, "", f"{start} {builder}", *again)
    gap = "" if blank_above(dockerfile, beside.run) else newline
    return (Edit(head, head, gap + "".join(line + newline for line in lines)),)


def _name_edits(stage: Stage, program: Program, name: str) -> Iterator[Edit]:
    start, end = stage.start.argument_span
    if stage.name is None:
        yield Edit(end, end, f" {program.workspace.style.keyword('AS')} {name}")
    elif stage.name != name:
        code = program.workspace.dockerfile.code[start:end]
        begin = start + code.rindex(stage.name)
        yield Edit(begin, begin + len(stage.name), name)


def _taken_out(plan: Plan) -> list[Instruction]:
    """The instructions that the plan's own edits remove, nothing being put in their place."""
    cuts = [edit for edit in plan.edits if not edit.text]
    return [i for i in plan.gone if any(e.start <= i.start and i.end <= e.end for e in cuts)]


def _end_of_builder(removed: list[Instruction], workspace: Workspace) -> int:
    """Where the last line ends that stays in the stage that builds."""
    dockerfile = workspace.dockerfile
    gone: set[object] = set(removed)
    gone.update(comment for i in removed for comment in dockerfile.comments_of(i))
    return max(n.end for n in dockerfile.nodes if n not in gone and not isinstance(n, Blank))


def _move_edits(
    removed: list[Instruction], text: str, plan: Plan, end: int, workspace: Workspace
) -> Iterator[Edit]:
    """Take instructions out, and put the new stage behind what is left."""
    dockerfile, newline = workspace.dockerfile, workspace.style.newline
    for entry in removed:
        if entry.start < end:
            yield Edit(head_of(dockerfile, entry), end_with_gap(dockerfile, entry), "")
    gap = "" if dockerfile.code[:end].endswith("\n") else newline
    last = "".join(f"{workspace.style.keyword('RUN')} {command}{newline}" for command in plan.last)
    if not dockerfile.code.endswith("\n"):
        text = text.removesuffix(newline)
    text += "".join(node.code for node in _last_blanks(dockerfile.nodes))
    yield Edit(end, len(dockerfile.code), f"{gap}{last}{newline}{text}")


def _last_blanks(nodes: tuple[Node, ...]) -> list[Node]:
    """The blank lines at the end of a file."""
    found = list(takewhile(lambda node: isinstance(node, Blank), reversed(nodes)))
    return found[::-1]
