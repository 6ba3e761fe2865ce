"""Where in the image files of the build context come to lie."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.state import known_variables
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.substitution import substitute
from dockerfix.syntax.tree import Dockerfile
from dockerfix.transform import Workspace


class Copied(NamedTuple):
    """One source of a COPY from the build context."""

    instruction: Instruction
    #: As written, variables put in, without a leading `/` or `./`; `.` is the whole context.
    source: str
    #: Absolute image path; a folder when `into_folder`.
    destination: str
    into_folder: bool


def read_copy(instruction: Instruction, workspace: Workspace) -> tuple[Copied, ...] | None:
    """The sources of a COPY (or of an ADD that copies); None when they cannot be told.

    A COPY from another stage or image has no sources in the context: an empty tuple.
    """
    if instruction.flag("from") is not None:
        return ()
    if instruction.heredocs or len(instruction.arguments) < 2:
        return None
    words = [_resolve(word, instruction, workspace) for word in instruction.arguments]
    if any(word is None or "://" in word or word.startswith("git@") for word in words):
        return None
    *sources, target = [word for word in words if word is not None]
    workdir = workspace.state(instruction).workdir
    destination = _absolute(target, workdir)
    if destination is None:
        return None
    into_folder = len(sources) > 1 or target.endswith("/") or target in (".", "..")
    # A file copied to a folder that is there goes into it; of the working directory that is known.
    into_folder = into_folder or destination == workdir
    return tuple(
        Copied(instruction, _clean(source), destination, into_folder) for source in sources
    )


def _resolve(word: str, instruction: Instruction, workspace: Workspace) -> str | None:
    if "$" not in word and '"' not in word and "'" not in word:
        return word
    stage = workspace.dockerfile.stage_of(instruction)
    if stage is None or instruction.is_exec_form:
        return word if "$" not in word else None
    scope = known_variables(stage, instruction) if "$" in word else {}
    return substitute(word, scope, instruction.escape)


def _absolute(path: str, workdir: str | None) -> str | None:
    if path.startswith("/"):
        return posixpath.normpath(path)
    return posixpath.normpath(posixpath.join(workdir, path)) if workdir else None


def _clean(source: str) -> str:
    return posixpath.normpath(source.lstrip("/") or ".")


def lineage(dockerfile: Dockerfile, stage: Stage) -> tuple[Stage, ...]:
    """A stage and those it is built on, the first one first."""
    found = [stage]
    while (parent := dockerfile.parent(found[-1])) is not None:
        found.append(parent)
    return tuple(reversed(found))


def instructions_before(dockerfile: Dockerfile, instruction: Instruction) -> Iterator[Instruction]:
    """What was done in the image before an instruction, latest first."""
    stage = dockerfile.stage_of(instruction)
    if stage is None:
        return
    position = stage.index_of(instruction)
    yield from reversed(stage.instructions[:position])
    for parent in reversed(lineage(dockerfile, stage)[:-1]):
        yield from reversed(parent.instructions)


def source_of(path: str, before: Instruction, workspace: Workspace) -> str | None:
    """Which file of the context lies at an absolute image path just before an instruction.

    None when no COPY puts one there, or when that cannot be told.
    """
    context = workspace.context
    if context is None:
        return None
    for instruction in instructions_before(workspace.dockerfile, before):
        if instruction.keyword not in ("COPY", "ADD"):
            continue
        copies = read_copy(instruction, workspace)
        if copies is None:
            return None
        for copied in copies:
            found = _candidate(copied, path, context)
            if found is not None:
                return found
    return None


def origin_of(path: str, stage: Stage, workspace: Workspace) -> str | None:
    """Which file of the context lies at an image path at the end of a stage.

    Follows COPY --from into other stages of the file; what a RUN made of a file is not seen.
    """
    for instruction in reversed(
        [i for part in lineage(workspace.dockerfile, stage) for i in part.instructions]
    ):
        if instruction.keyword not in ("COPY", "ADD"):
            continue
        if instruction.flag("from") is not None:
            found = _origin_in_stage(path, instruction, workspace)
        else:
            found = _origin_in_context(path, instruction, workspace)
        if found is not None:
            return found
    return None


def _origin_in_context(path: str, instruction: Instruction, workspace: Workspace) -> str | None:
    context = workspace.context
    candidates = (
        _candidate(copied, path, context)
        for copied in read_copy(instruction, workspace) or ()
        if context is not None
    )
    return next(filter(None, candidates), None)


def _origin_in_stage(path: str, instruction: Instruction, workspace: Workspace) -> str | None:
    here = workspace.dockerfile.stage_of(instruction)
    name = instruction.flag("from") or ""
    other = workspace.dockerfile.find_stage(name, here.index if here else None)
    words = instruction.arguments
    if other is None or len(words) < 2 or any("$" in word for word in words):
        return None
    target = _absolute(words[-1], workspace.state(instruction).workdir)
    for source in words[:-1]:
        for candidate in _sources_in_stage(path, source, target):
            found = origin_of(candidate, other, workspace)
            if found is not None:
                return found
    return None


def _sources_in_stage(path: str, source: str, target: str | None) -> Iterator[str]:
    """What a path of the image may have been in the other stage."""
    source = posixpath.normpath("/" + source.lstrip("/"))
    if target is None:
        return
    if path == target:
        yield source
    elif _is_below(path, target):
        inner = posixpath.relpath(path, target)
        yield posixpath.join(source, inner)
        if inner == posixpath.basename(source):
            yield source


def _candidate(copied: Copied, path: str, context: BuildContext) -> str | None:
    for source in context.find(copied.source):
        if context.is_folder(source):
            if path == copied.destination or not _is_below(path, copied.destination):
                continue
            inner = posixpath.relpath(path, copied.destination)
            candidate = posixpath.normpath(posixpath.join(source, inner))
        else:
            name = posixpath.basename(source)
            target = (
                posixpath.join(copied.destination, name)
                if copied.into_folder
                else copied.destination
            )
            candidate = source if target == path else ""
        if candidate and context.is_file(candidate) and context.sends(candidate):
            return candidate
    return None


def _is_below(path: str, folder: str) -> bool:
    return folder == "/" or path.startswith(f"{folder}/")
