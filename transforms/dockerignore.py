"""dockerignore: what the image must not hold stays out of the build context."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.ignoring.candidates import Candidate, candidates
from dockerfix.ignoring.counted_on import is_shipped_from_host
from dockerfix.ignoring.history import who_asks_for_history
from dockerfix.ignoring.ignore_file import add_patterns
from dockerfix.ignoring.needed import needed_by, would_let_in
from dockerfix.ignoring.size import Size, size_of
from dockerfix.image.copies import read_copy
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

#: A name that is in no pattern: what holds for it holds for all that lies in a folder.
_ANY_NAME = "\N{REPLACEMENT CHARACTER}"


class DockerIgnore(Transform):
    """Keep history, dependencies of the host, build outputs and secrets out of the context.

    Only where a COPY brings a folder, and only what it really holds, or will hold as soon as
    somebody works in it. At level safe: history alone.

    Build context:
        .gitignore: node_modules/
        package.json: {}
        package-lock.json: {}
        .dockerignore: *.md

    Before:
        FROM node:22
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        CMD ["node", "index.js"]

    After:
        FROM node:22
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        CMD ["node", "index.js"]
    """

    name = "dockerignore"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Look at the context of a file that copies folders of it."""
        context = workspace.context
        if context is None:
            return
        copies = list(_folder_copies(workspace, context))
        if not copies:
            return
        missing: list[Candidate] = []
        for candidate in _wanted(tuple(dict.fromkeys(root for root, _ in copies)), workspace):
            refusal = _refusal(candidate, workspace, context)
            if refusal is None:
                missing.append(candidate)
            elif refusal[0]:
                yield Declined(refusal[0], copies[0][1].line, refusal[1])
        if any(candidate.is_material for candidate in missing):
            yield _change(missing, copies[0][1], context)


def _wanted(roots: tuple[str, ...], workspace: Workspace) -> Iterator[Candidate]:
    """The candidates that the level allows, and that are worth a line of the file that is there."""
    context = workspace.context
    assert context is not None
    seen: set[str] = set()
    for candidate in candidates(roots, workspace):
        if workspace.level is Level.SAFE and not candidate.is_history:
            continue
        if _is_of_somebody(context) and not candidate.is_material:
            continue
        if candidate.pattern not in seen:
            seen.add(candidate.pattern)
            yield candidate


def _is_of_somebody(context: BuildContext) -> bool:
    """Whether the ignore file was there before this run: its lines are somebody's choice."""
    path = context.ignore_path
    return path is not None and os.path.lexists(os.path.join(context.root, path))


def _refusal(
    candidate: Candidate, workspace: Workspace, context: BuildContext
) -> tuple[str, str] | None:
    """Why a candidate is not written, and what is special; None when it is.

    The reason is "" when it goes without saying.
    """
    rules = context.ignore_rules
    if rules.ignores(candidate.path) or rules.ignores(f"{candidate.path}/{_ANY_NAME}"):
        return "", ""
    who = who_asks_for_history(workspace, context) if candidate.is_history else ""
    if who:
        return "the build asks for the history", f"{candidate.pattern}: {who}"
    if would_let_in(candidate, rules):
        return "the ignore file lets paths in again", candidate.pattern
    where = needed_by(candidate, workspace, context)
    if where:
        return "a path that the build counts on", f"{candidate.pattern}: {where}"
    if is_shipped_from_host(candidate, workspace):
        return "no step makes it again in an image that copies it", candidate.pattern
    return None


def _change(missing: list[Candidate], copy: Instruction, context: BuildContext) -> Change:
    file = add_patterns([candidate.pattern for candidate in missing], context)
    sizes = [size_of(candidate.path, context) for candidate in missing]
    lost = sum(sizes, Size())
    level = Level.SAFE if all(c.is_history for c in missing) else Level.REVIEW
    named = ", ".join(f"`{candidate.path}`" for candidate in missing[:3])
    evidence = [
        Evidence(candidate.path, f"{candidate.why} ({size})" if size.files else candidate.why)
        for candidate, size in zip(missing, sizes, strict=True)
    ]
    if lost.files:
        evidence.append(Evidence("the context", f"loses {lost}"))
    return Change(
        f"`{copy.argument_text}` copies {named}",
        f"List {'it' if len(missing) == 1 else 'them'} in `{file.path}`",
        (),
        copy.line,
        level,
        tuple(evidence),
        files=(file,),
    )


def _folder_copies(
    workspace: Workspace, context: BuildContext
) -> Iterator[tuple[str, Instruction]]:
    """The folders of the context that COPY brings as a whole, the whole context first."""
    found: list[tuple[str, Instruction]] = []
    for instruction in workspace.dockerfile.instructions:
        if instruction.keyword not in ("COPY", "ADD") or instruction.flag("from") is not None:
            continue
        if workspace.dockerfile.stage_of(instruction) is None:
            continue
        for copied in read_copy(instruction, workspace) or ():
            if copied.source == "." or context.is_folder(copied.source):
                found.append(("" if copied.source == "." else copied.source, instruction))
    yield from sorted(found, key=lambda item: item[0] != "")
