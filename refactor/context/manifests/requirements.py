"""requirements.txt with all that it names.

Source: pip.pypa.io/en/stable/reference/requirements-file-format.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.pyproject import canonical, requirement_name
from dockerfix.context.manifests.reading import BrokenManifestError, read_text
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockerfix.context.build_context import BuildContext

_CONTINUED = pattern(r"\\\r?\n")
_COMMENT = pattern(r"(?:^|\s)#.*$")
_FILE_OPTION = pattern(r"(?:-r|--requirement|-c|--constraint)[ =]?\s*(\S+)")
_EDITABLE = pattern(r"(?:-e|--editable)[ =]?\s*(\S+)")
_REMOTE = pattern(r"(?:[a-z]+\+)?(?:https?|ssh|git|ftp|hg|svn|bzr)(?:\+\w+)?://|git@")
_LOCAL = pattern(r"\.{1,2}(?:/|$|\[)|/|file:|[\w.-]+/")
_DIRECT = pattern(r"\s*[A-Za-z0-9._-]+(?:\[[^\]]*\])?\s*@\s*(\S+)")
_MAX_FILES = 30


class Requirements(NamedTuple):
    """A file of requirements and those that it includes."""

    #: All files, the first one first; those that are missing are in `missing`.
    files: tuple[str, ...]
    missing: tuple[str, ...]
    #: Names of packages, as PyPI compares them.
    names: tuple[str, ...]
    #: Folders and archives of the repository, as paths in the context, with `-e` or without.
    local_paths: tuple[str, ...]


def read_requirements(context: BuildContext, path: str) -> Requirements | None:
    """A file of requirements; None when it is not there. Raises BrokenManifestError."""
    if not context.sends(path):
        return None
    files: list[str] = []
    missing: list[str] = []
    names: list[str] = []
    local: list[str] = []
    waiting = [path]
    while waiting:
        here = waiting.pop(0)
        found = read_text(context, "", here)
        if found is None:
            missing.append(here)
            continue
        files.append(here)
        if len(files) > _MAX_FILES:
            raise BrokenManifestError(path, 1, "too many files that include each other")
        for line in logical_lines(found[1]):
            included = _FILE_OPTION.match(line)
            if included and not _REMOTE.match(included[1]):
                other = posixpath.normpath(posixpath.join(posixpath.dirname(here), included[1]))
                if other not in files and other not in waiting:
                    waiting.append(other)
            elif not included:
                _read_line(line, here, names, local)
    return Requirements(
        tuple(files), tuple(missing), tuple(dict.fromkeys(names)), tuple(dict.fromkeys(local))
    )


def logical_lines(text: str) -> Iterator[str]:
    """The lines of a file of requirements, continuations joined and comments left out."""
    for line in _CONTINUED.sub("", text).splitlines():
        stripped = _COMMENT.sub("", line).strip()
        if stripped:
            yield stripped


def _read_line(line: str, path: str, names: list[str], local: list[str]) -> None:
    editable, direct = _EDITABLE.match(line), _DIRECT.match(line)
    target = editable[1] if editable else direct[1] if direct else line.split()[0]
    if direct:
        names.append(canonical(requirement_name(line) or ""))
    if _REMOTE.match(target) or (line.startswith("-") and not editable):
        return
    if editable or _LOCAL.match(target):
        written = target.removeprefix("file:").removeprefix("//").partition("[")[0]
        local.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), written)))
    elif not direct and (name := requirement_name(line)):
        names.append(canonical(name))
