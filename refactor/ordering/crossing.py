"""Whether a COPY and a step may pass each other."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.git import is_kept_out_of_git
from dockerfix.effects.model import Call
from dockerfix.effects.reach import Reach, is_within
from dockerfix.image.copies import Copied, read_copy
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Workspace


def copied_files(copies: Iterable[Instruction], workspace: Workspace) -> Iterator[Copied]:
    """The sources of several COPY instructions."""
    for copy in copies:
        yield from read_copy(copy, workspace) or ()


def needs(call: Call, copied: Copied, context: BuildContext | None) -> bool:
    """Whether a command may touch what a COPY brings."""
    touched = call.reads | call.writes
    if touched.everything:
        return True
    if any(brings(copied, path, context) for path in touched.paths):
        return True
    # A folder that is made above the copied ones, or is not among them, is the same either way.
    return any(
        path == copied.destination or _brings_inside(copied, path, context) for path in call.makes
    )


def brings(copied: Copied, path: str, context: BuildContext | None) -> bool:
    """Whether a COPY may bring an image path, or what lies below it."""
    if context is not None and context.is_file(copied.source):
        place = copied.destination
        if copied.into_folder:
            place = posixpath.join(place, posixpath.basename(copied.source))
        return is_within(place, path) or is_within(path, place)
    return is_within(copied.destination, path) or _brings_inside(copied, path, context)


def _brings_inside(copied: Copied, path: str, context: BuildContext | None) -> bool:
    """Whether a COPY may bring a path that lies below its destination."""
    if path == copied.destination or not is_within(path, copied.destination):
        return False
    if context is None:
        return True
    inner = posixpath.relpath(path, copied.destination)
    sources = context.find(copied.source)
    return any(_holds(posixpath.normpath(posixpath.join(s, inner)), context) for s in sources)


def _holds(path: str, context: BuildContext) -> bool:
    """Whether the context of a build may hold a path: it is there, or git would not show it."""
    if context.ignore_rules.ignores(path):
        return False
    return context.exists(path) or is_kept_out_of_git(path, context)


def meets_any(reach: Reach, copies: Iterable[Copied], context: BuildContext | None) -> bool:
    """Whether a reach touches what any of the COPYs brings."""
    if reach.everything:
        return True
    return any(brings(copied, path, context) for copied in copies for path in reach.paths)
