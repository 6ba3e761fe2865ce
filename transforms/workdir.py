"""workdir: WORKDIR in place of repeated `cd` and of `mkdir`, and absolute paths in it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from dockerfix.image.copies import lineage
from dockerfix.syntax.edits import (
    Edit,
    blank_below,
    end_with_gap,
    insert_after,
    insert_before,
    replace_arguments,
)
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

#: With two RUNs, as many WORKDIRs would come as `cd`s go, when the directory is set back.
_MIN_RESTORED = 3
#: Where nothing but the directory decides what they mean.
_IN_DIRECTORY = frozenset(("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD"))


class Workdir(Transform):
    """Say the directory once instead of in each RUN, and say it in full.

    WORKDIR makes its folder: a `mkdir` of it right above goes.

    Before:
        FROM node:22 AS build
        WORKDIR /srv
        WORKDIR app
        COPY . .
        RUN cd /srv/app/web && npm ci
        RUN cd /srv/app/web && npm run build
        FROM nginx:1.27
        COPY --from=build /srv/app/web/dist /usr/share/nginx/html

    After:
        FROM node:22 AS build
        WORKDIR /srv
        WORKDIR /srv/app
        COPY . .
        WORKDIR /srv/app/web
        RUN npm ci
        RUN npm run build
        FROM nginx:1.27
        COPY --from=build /srv/app/web/dist /usr/share/nginx/html
    """

    name = "workdir"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Look at the WORKDIR instructions, then for RUNs that begin with the same `cd`."""
        for stage in workspace.dockerfile.stages:
            for instruction in stage.instructions:
                if instruction.keyword == "WORKDIR":
                    yield from _relative(instruction, stage, workspace)
            for run, workdir in pairwise(stage.instructions):
                if run.keyword == "RUN" and workdir.keyword == "WORKDIR":
                    yield from _made_twice(run, workdir, workspace)
            for group in _groups(stage, workspace):
                yield _hoist(group, stage, workspace)


def _relative(
    instruction: Instruction, stage: Stage, workspace: Workspace
) -> Iterator[Change | Declined]:
    path = instruction.argument_text
    if not path or path.startswith(("/", "$", '"', "'")) or not workspace.state(instruction).posix:
        return
    folder = workspace.state(instruction).workdir
    if any(char in path for char in "$'\"\\"):
        yield Declined("a variable or quotes in the path", instruction.line, path)
    elif folder is None:
        yield Declined("the base image decides what it is relative to", instruction.line, path)
    elif _has_variable(instruction, stage, workspace):
        yield Declined("a variable decides what it is relative to", instruction.line, path)
    else:
        absolute = posixpath.normpath(posixpath.join(folder, path))
        yield Change(
            f"`WORKDIR {path}` depends on the WORKDIR above it",
            f"Write `{absolute}`",
            (replace_arguments(instruction, absolute),),
            instruction.line,
            Level.SAFE,
            evidence=(Evidence("WORKDIR", f"the directory is {folder} here"),),
        )


def _made_twice(
    instruction: Instruction, workdir: Instruction, workspace: Workspace
) -> Iterator[Change]:
    """A `mkdir` of the folder that WORKDIR makes, with the same owner and mode (BuildKit)."""
    made, path = _made_by(instruction, workspace), workdir.argument_text
    folder = workspace.state(instruction).workdir
    if made is None or any(char in path for char in "$'\"\\"):
        return
    if folder is None and not (made.startswith("/") and path.startswith("/")):
        return
    made, named = (posixpath.normpath(posixpath.join(folder or "/", p)) for p in (made, path))
    dockerfile = workspace.dockerfile
    has_comment = bool(dockerfile.comments_of(instruction))
    # Comments are about the folder, and come to stand above its WORKDIR.
    if made != named or (has_comment and blank_below(dockerfile, instruction)):
        return
    end = instruction.end if has_comment else end_with_gap(dockerfile, instruction)
    yield Change(
        f"`WORKDIR {path}` makes its folder",
        "Remove the `mkdir`",
        (Edit(instruction.start, end, ""),),
        instruction.line,
        Level.SAFE,
        removed=("RUN",),
    )


def _made_by(instruction: Instruction, workspace: Workspace) -> str | None:
    """The folder that a RUN makes, where it does nothing else."""
    run = workspace.run(instruction)
    if run is None or instruction.flags or instruction.inner_comments or len(run.script.items) != 1:
        return None
    command = run.script.items[0].command
    if command is None or command.argv is None or command.redirections or command.assignments:
        return None
    words = command.argv
    is_plain = words[0] == "mkdir" and len(words) > 1 and set(words[1:-1]) <= {"-p"}
    return words[-1] if is_plain and workspace.state(instruction).posix else None


def _has_variable(before: Instruction, stage: Stage, workspace: Workspace) -> bool:
    """Whether what a user may pass in decides on the directory."""
    for entry in lineage(workspace.dockerfile, stage):
        for instruction in entry.instructions:
            if instruction is before:
                return False
            if instruction.keyword == "WORKDIR" and "$" in instruction.argument_text:
                return True
    return False


class _Entered(NamedTuple):
    """A RUN that begins with `cd PATH &&`."""

    run: RunScript
    path: str

    @property
    def instruction(self) -> Instruction:
        return self.run.instruction


def _groups(stage: Stage, workspace: Workspace) -> Iterator[list[_Entered]]:
    """Neighbouring RUNs that begin with the same `cd`."""
    group: list[_Entered] = []
    for instruction in stage.instructions:
        entered = _read(instruction, workspace)
        if group and (entered is None or entered.path != group[0].path):
            yield group
            group = []
        if entered is not None:
            group.append(entered)
    if group:
        yield group


def _read(instruction: Instruction, workspace: Workspace) -> _Entered | None:
    if instruction.keyword != "RUN" or "cd " not in instruction.argument_text:
        return None
    state = workspace.state(instruction)
    run = workspace.run(instruction)
    if run is None or len(run.script.items) < 2:
        return None
    first, second = run.script.items[:2]
    argv = first.command.argv if first.command else None
    if argv is None or len(argv) != 2 or argv[0] != "cd" or second.operator != "&&":
        return None
    if argv[1].startswith("/"):
        return _Entered(run, posixpath.normpath(argv[1]))
    if state.workdir is None or argv[1].startswith("-"):
        return None
    return _Entered(run, posixpath.normpath(posixpath.join(state.workdir, argv[1])))


def _hoist(group: list[_Entered], stage: Stage, workspace: Workspace) -> Change | Declined:
    first, last = group[0].instruction, group[-1].instruction
    path = group[0].path
    if len(group) < 2:
        return Declined("a single cd: WORKDIR would not make it shorter", first.line, path)
    if workspace.state(first).workdir == path:
        return Declined("the directory is the same already", first.line, path)
    if any("OLDPWD" in entry.run.script.text or "cd -" in entry.run.script.text for entry in group):
        return Declined("the script goes back to the directory before", first.line, path)
    if any(_mounts_matter(entry) for entry in group):
        return Declined("a mount decides what is there", first.line, path)
    if any(".." in entry.run.script.text for entry in group):
        return Declined("the script goes up from it, and it may be a link", first.line, path)
    restored: str | None = None
    if _matters_later(last, stage, workspace):
        restored = workspace.state(first).workdir
        if restored is None or _has_variable(first, stage, workspace):
            return Declined(
                "the directory before is not known, and is needed later", first.line, path
            )
        if len(group) < _MIN_RESTORED:
            return Declined("two WORKDIRs for two cds: it would not be shorter", first.line, path)
    edits = _edits(group, path, restored, workspace)
    if edits is None:
        return Declined("a comment stands behind the cd", first.line, path)
    return Change(
        f"{len(group)} `RUN` instructions begin with `cd {path}`",
        "Use `WORKDIR`",
        edits,
        first.line,
        Level.SAFE,
        added=("WORKDIR",) * (2 if restored else 1),
    )


def _mounts_matter(entered: _Entered) -> bool:
    """Whether a mount has a relative target, or covers the directory only for this RUN."""
    for flag in entered.instruction.flags:
        if flag.name != "mount":
            continue
        parts = dict(part.partition("=")[::2] for part in (flag.value or "").split(","))
        target = parts.get("target") or parts.get("dst") or parts.get("destination") or "/run"
        covered = f"{entered.path}/".startswith(f"{target.rstrip('/')}/")
        if not target.startswith("/") or covered:
            return True
    return False


def _edits(
    group: list[_Entered], path: str, restored: str | None, workspace: Workspace
) -> tuple[Edit, ...] | None:
    keyword, newline = workspace.style.keyword("WORKDIR"), workspace.style.newline
    first, last = group[0].instruction, group[-1].instruction
    edits = [insert_before(workspace.dockerfile, first, f"{keyword} {path}", newline)]
    for entry in group:
        items = entry.run.script.items
        edit = entry.run.replace(items[0].start, items[1].start, "")
        if any(edit.start <= c.start < edit.end for c in entry.instruction.inner_comments):
            return None
        edits.append(edit)
    if restored:
        edits.append(insert_after(last, f"{keyword} {restored}", newline))
    return tuple(edits)


def _matters_later(last: Instruction, stage: Stage, workspace: Workspace) -> bool:
    """Whether anything behind an instruction, or the image's user, sees the directory."""
    for instruction in stage.instructions[stage.index_of(last) + 1 :]:
        if instruction.keyword == "WORKDIR":
            return not instruction.argument_text.startswith("/")
        if instruction.keyword in _IN_DIRECTORY:
            return True
        if instruction.keyword in ("COPY", "ADD") and not instruction.arguments[-1].startswith("/"):
            return True
    heirs = (entry for entry in workspace.dockerfile.stages if entry is not stage)
    inherited = any(workspace.dockerfile.parent(heir) is stage for heir in heirs)
    return inherited or stage in workspace.shipped_stages
