"""Files of the build context that the texts of a program name."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.git import is_kept_out_of_git
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import Copied, read_copy
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Program

_STRING = pattern(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`')
#: More folders than these are not looked through.
_MAX_FOLDERS = 200


def named_files(
    texts: Iterable[str],
    context: BuildContext,
    root: str,
    folder: str,
    is_source: Callable[[str], bool],
) -> tuple[str, ...]:
    """What string literals name, relative to where the program runs, sorted.

    `root` is the folder of the context that lies there, `folder` its place in the image. A file
    stands for itself, a longer path for its first folder, if that holds more than sources.
    """
    found: set[str] = set()
    for text in texts:
        for match in _STRING.finditer(text):
            found.update(_named(match[1] or match[2] or "", context, root, folder, is_source))
    return tuple(sorted(found))


def may_be_hidden(name: str, context: BuildContext, root: str) -> bool:
    """Whether a build may be sent a file of this name that git does not show: settings, keys."""
    path = posixpath.normpath(posixpath.join(root, name))
    if not name or name.startswith("/") or path.startswith("..") or context.exists(path):
        return False
    return not context.ignore_rules.ignores(path) and is_kept_out_of_git(path, context)


def data_beside(
    context: BuildContext, root: str, is_of_build: Callable[[str], bool]
) -> tuple[str, ...]:
    """The names in a folder of the context that are sent and that not only the build reads."""
    names = (name for name in context.names(root or ".") if not is_of_build(name))
    return tuple(name for name in names if context.sends(posixpath.join(root, name)))


def copied_by_name(
    program: Program, is_of_build: Callable[[str], bool], is_source: Callable[[str], bool]
) -> tuple[str, ...]:
    """Image paths, in the program's folder, of what a COPY names that is more than sources."""
    context = program.workspace.context
    assert context is not None
    found: dict[str, None] = {}
    for copy in program.copies:
        for copied in read_copy(copy, program.workspace) or ():
            if copied.source != ".":
                found.update(dict.fromkeys(_places(copied, context, is_of_build, is_source)))
    inside = (path for path in found if is_within(path, program.folder))
    return tuple(path for path in inside if path != program.folder)


def _places(
    copied: Copied,
    context: BuildContext,
    is_of_build: Callable[[str], bool],
    is_source: Callable[[str], bool],
) -> Iterator[str]:
    for source in context.find(copied.source):
        name = posixpath.basename(source)
        if is_of_build(name):
            continue
        if context.is_folder(source):
            if holds_data(context, source, is_source):
                yield copied.destination
        elif not is_source(name):
            inner = (copied.destination, name) if copied.into_folder else (copied.destination,)
            yield posixpath.join(*inner)


def holds_data(context: BuildContext, folder: str, is_source: Callable[[str], bool]) -> bool:
    """Whether there is more than sources in a folder; many folders are taken for data."""
    waiting, seen = [folder], 0
    while waiting and seen < _MAX_FOLDERS:
        place = waiting.pop()
        seen += 1
        for name in context.names(place):
            path = posixpath.join(place, name)
            if context.is_folder(path):
                waiting.append(path)
            elif not is_source(name) and context.sends(path):
                return True
    return bool(waiting)


def _named(
    text: str, context: BuildContext, root: str, folder: str, is_source: Callable[[str], bool]
) -> Iterator[str]:
    path = text.removeprefix("file://").removeprefix(f"{folder}/").removeprefix("./")
    head = path.split("/")[0]
    if not head or head in (".", "..") or any(char in head for char in "*?[% \n"):
        return
    file, below = posixpath.join(root, path), posixpath.join(root, head)
    if context.is_file(file) and context.sends(file) and not is_source(path):
        yield posixpath.normpath(path)
    elif (
        context.is_folder(below) and context.sends(below) and holds_data(context, below, is_source)
    ):
        yield head
