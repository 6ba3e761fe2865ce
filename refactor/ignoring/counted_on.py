"""Images that hold what was installed or built on the host, as nothing in them makes it again.

A workflow may install and build first, and then build a stage that only copies: what is made anew
in one stage is not made anew in another.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from dockerfix.effects.reach import is_within
from dockerfix.ignoring.candidates import Candidate
from dockerfix.ignoring.needed import other_dockerfiles
from dockerfix.ignoring.work import work_of
from dockerfix.image.copies import lineage, read_copy
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

#: What may run JavaScript with the modules beside it.
_RUNS_NODE = pattern(
    r"(?<![\w.-])(?:node(?:js)?|npm|npx|yarn|pnpm|bun|bunx|pm2(?:-\w+)?|ts-node|tsx|next|nuxt|nest"
    r"|[\w./-]+\.(?:sh|[cm]?[jt]s))(?![\w-])"
)
_HOLDS_MODULES = pattern(r"node_modules|\.output|standalone|\$")


def is_shipped_from_host(candidate: Candidate, workspace: Workspace) -> bool:
    """Whether an image that is made of this context gets a candidate from the context alone."""
    context = workspace.context
    if not candidate.made_by or context is None:
        return False
    others = (replace(workspace, dockerfile=other) for _, other in other_dockerfiles(context))
    return any(
        _copies(candidate, stage, file)
        and _may_need(candidate, stage, file)
        and not _is_made(candidate, stage, file)
        for file in (workspace, *others)
        for stage in _images(file)
    )


def _images(workspace: Workspace) -> Iterator[Stage]:
    """The stages that somebody may run: the last one, and those with an entry of their own."""
    for stage in workspace.dockerfile.stages:
        if (
            stage is workspace.dockerfile.stages[-1]
            or stage.last("CMD")
            or stage.last("ENTRYPOINT")
        ):
            yield stage


def _instructions(stage: Stage, workspace: Workspace) -> Iterator[Instruction]:
    for entry in lineage(workspace.dockerfile, stage):
        yield from entry.instructions


def _copies(candidate: Candidate, stage: Stage, workspace: Workspace) -> bool:
    return any(
        copied.source == "." or is_within(candidate.path, copied.source)
        for instruction in _instructions(stage, workspace)
        if instruction.keyword in ("COPY", "ADD")
        for copied in read_copy(instruction, workspace) or ()
    )


def _may_need(candidate: Candidate, stage: Stage, workspace: Workspace) -> bool:
    """Modules are for an image that runs JavaScript; a build's output may be for any."""
    if not candidate.path.endswith("node_modules"):
        return True
    entries = [i for i in _instructions(stage, workspace) if i.keyword in ("CMD", "ENTRYPOINT")]
    if not entries:
        return pattern("node|bun").search(stage.resolved_base or "") is not None
    return any(_RUNS_NODE.search(entry.argument_text) for entry in entries)


def _is_made(candidate: Candidate, stage: Stage, workspace: Workspace) -> bool:
    """Whether a step makes it there, or it comes from a stage where one does."""
    if _makes(candidate, stage, workspace):
        return True
    for instruction in _instructions(stage, workspace):
        name = instruction.flag("from")
        here = workspace.dockerfile.stage_of(instruction)
        if instruction.keyword != "COPY" or name is None or here is None:
            continue
        other = workspace.dockerfile.find_stage(name, here.index)
        if other is None or not _makes(candidate, other, workspace):
            continue
        if not candidate.path.endswith("node_modules") or _brings_modules(
            instruction, other, workspace
        ):
            return True
    return False


def _brings_modules(copy: Instruction, other: Stage, workspace: Workspace) -> bool:
    """Whether what is copied from a stage holds its modules, or needs none."""
    folder = workspace.state(other.instructions[-1]).workdir or "/"
    return any(
        _HOLDS_MODULES.search(source) or is_within(folder, posixpath.join("/", source))
        for source in copy.arguments[:-1]
    )


def _makes(candidate: Candidate, stage: Stage, workspace: Workspace) -> bool:
    works = work_of(lineage(workspace.dockerfile, stage), workspace)
    return any(not candidate.made_by.isdisjoint({work.tool, *work.builds}) for work in works)
