"""COPY instructions for what an install reads, in place of one that brings everything."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dockerfix.context.build_context import BuildContext
from dockerfix.context.git import is_kept_out_of_git, is_nowhere_in_git
from dockerfix.effects.reach import is_within
from dockerfix.ignoring.candidates import Candidate, has_deep_packages
from dockerfix.ignoring.counted_on import is_shipped_from_host
from dockerfix.ignoring.ignore_file import add_patterns
from dockerfix.ignoring.work import NODE_TOOLS
from dockerfix.image.copies import Copied, read_copy
from dockerfix.installs.install import Install
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import NewFile, Workspace

_GLOB = pattern(r"[*?\[]")
_ODD_NAME = pattern(r"[\s\"'$\\\[\]{},]")
#: Flags of a COPY that the COPY of the manifests takes over.
_KEPT_FLAGS = frozenset(("chown", "chmod", "link"))


class CannotMoveError(Exception):
    """Why the order stays: fixed words, and what is special about this case."""

    def __init__(self, reason: str, line: int, detail: str = "") -> None:
        super().__init__(reason, line, detail)
        self.reason = reason
        self.line = line
        self.detail = detail


@dataclass(frozen=True)
class _Place:
    """Where a file of the context is copied to."""

    copy: Instruction
    copied: Copied


def manifest_lines(
    installs: Sequence[Install],
    movers: list[Instruction],
    stayers: list[Instruction],
    workspace: Workspace,
    targets: Mapping[Instruction, str] | None = None,
    present: frozenset[str] = frozenset(),
) -> list[str]:
    """The COPY instructions that bring what the installs read.

    `targets` are those of the movers that are written in full, for another directory is current;
    `present` is what is there already.
    """
    full = targets or {}
    there = {c.source for s in stayers for c in read_copy(s, workspace) or ()} | present
    groups: dict[tuple[str, str], list[str]] = {}
    lines: list[str] = []
    files = dict.fromkeys(path for install in installs for path in install.files)
    needed = {install.files[0] for install in installs if install.files}
    for path in files:
        if _is_there(path, there):
            continue
        if path not in needed and _is_nowhere(path, movers, workspace):
            # What no COPY brings, the install does not read today.
            continue
        place = _place(path, movers, workspace)
        groups.setdefault((_head(place.copy, workspace), _target(path, place, full)), []).append(
            path
        )
    for (head, target), paths in groups.items():
        lines.append(f"{head} {' '.join(paths)} {target}")
    for folder in dict.fromkeys(path for install in installs for path in install.folders):
        if not _is_there(folder, there):
            place = _place(folder, movers, workspace)
            target = _target(posixpath.join(folder, "x"), place, full)
            lines.append(f"{_head(place.copy, workspace)} {folder} {target}")
    return lines


def keep_out(
    installs: Sequence[Install], movers: list[Instruction], workspace: Workspace
) -> tuple[NewFile, ...]:
    """The `.dockerignore` that keeps out of the context what the installs leave in it."""
    context = workspace.context
    assert context is not None
    missing: list[str] = []
    remade = {path for install in installs if install.remakes for path in install.leaves}
    for path in dict.fromkeys(path for install in installs for path in install.leaves):
        covered = any(
            c.source == "." or is_within(path, c.source)
            for m in movers
            for c in read_copy(m, workspace) or ()
        )
        if not covered or _is_kept_out(path, context):
            continue
        committed = context.exists(path) and not is_kept_out_of_git(path, context)
        if committed and path not in remade:
            raise CannotMoveError("the context holds what the install makes", movers[0].line, path)
        made_by = NODE_TOOLS if posixpath.basename(path) == "node_modules" else frozenset[str]()
        if is_shipped_from_host(Candidate(path, path, "", made_by=made_by), workspace):
            raise CannotMoveError("an image gets it from the host", movers[0].line, path)
        missing.append(path)
    return (add_patterns(_patterns(missing, context), context),) if missing else ()


def _is_kept_out(path: str, context: BuildContext) -> bool:
    """Whether a folder, or all that is in it, is kept out of the context."""
    rules = context.ignore_rules
    inside = rules.ignores(posixpath.join(path, "_"))
    return rules.ignores(path) or (inside and not any(p.lets_in for p in rules.patterns))


def _patterns(paths: list[str], context: BuildContext) -> list[str]:
    """Folders as an ignore file names them: many of one name at once, where git knows none."""
    names = Counter(posixpath.basename(path) for path in paths)
    every = {n for n, count in names.items() if count > 1 and is_nowhere_in_git(n, context)}
    if "node_modules" in paths and has_deep_packages("", context):
        every |= {"node_modules"} & {n for n in names if is_nowhere_in_git(n, context)}
    short = (posixpath.basename(path) for path in paths)
    return list(
        dict.fromkeys(
            f"**/{name}" if name in every else path for name, path in zip(short, paths, strict=True)
        )
    )


def _is_there(path: str, there: set[str]) -> bool:
    return any(fnmatchcase(path.rstrip("*"), text) or path.rstrip("*") == text for text in there)


def _is_nowhere(path: str, movers: list[Instruction], workspace: Workspace) -> bool:
    """Whether it is certain that no COPY brings a file."""
    copies = [read_copy(copy, workspace) for copy in movers]
    if any(found is None for found in copies):
        return False
    sources = [copied.source for found in copies for copied in found or ()]
    return not any(
        source == "." or _GLOB.search(source) or is_within(path.rstrip("*"), source)
        for source in sources
    )


def _place(path: str, movers: list[Instruction], workspace: Workspace) -> _Place:
    if _ODD_NAME.search(path):
        raise CannotMoveError("a file name that has to be quoted", movers[0].line, path)
    for copy in movers:
        for copied in read_copy(copy, workspace) or ():
            if copied.source == "." or is_within(path, copied.source):
                return _Place(copy, copied)
    raise CannotMoveError("a manifest is not among what is copied", movers[0].line, path)


def _head(copy: Instruction, workspace: Workspace) -> str:
    if not {flag.name for flag in copy.flags} <= _KEPT_FLAGS:
        raise CannotMoveError("flags of the COPY", copy.line)
    place = copy.start
    flags = "".join(f" {copy.code[flag.start - place : flag.end - place]}" for flag in copy.flags)
    return workspace.style.keyword("COPY") + flags


def _target(path: str, place: _Place, full: Mapping[Instruction, str]) -> str:
    """Where a file goes, as the COPY writes its own target."""
    written = full.get(place.copy, place.copy.arguments[-1])
    if place.copied.source == path:
        return written
    inner = posixpath.dirname(posixpath.relpath(path, place.copied.source))
    if written in (".", "./"):
        return f"{inner}/" if inner else "./"
    return posixpath.join(written.rstrip("/") or "/", inner).rstrip("/") + "/"
