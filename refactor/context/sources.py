"""The sources of a program in the build context, as far as they can be looked at."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.reasons import ReasonError

#: More files than these are not looked at.
_MAX_FILES = 4000


class TooManyFilesError(ReasonError):
    """The folder is too large to be looked through."""


def read_sources(
    context: BuildContext,
    root: str,
    is_source: Callable[[str], bool],
    is_skipped: Callable[[str], bool],
) -> Iterator[tuple[str, str]]:
    """Path and text of every source below a folder, what is not sent left out.

    `is_source` is asked with the name of a file, `is_skipped` with the name of a folder; folders
    that begin with a dot are skipped. Raises TooManyFilesError.
    """
    waiting, seen = [root], 0
    while waiting:
        folder = waiting.pop()
        for name in context.names(folder or "."):
            path = posixpath.join(folder, name)
            seen += 1
            if seen > _MAX_FILES:
                raise TooManyFilesError("too many files to look at")
            if is_source(name):
                if context.sends(path):
                    yield path, context.read(path) or ""
                continue
            visible = not name.startswith(".") and not is_skipped(name)
            if visible and context.is_folder(path) and context.sends(path):
                waiting.append(path)
