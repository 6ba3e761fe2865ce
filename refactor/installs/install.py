"""The words in which the tools are described."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import Json, load_object
from dockerfix.reasons import ReasonError
from dockerfix.transform import Evidence, Level


class UnknownInstallError(ReasonError):
    """It cannot be told what an install reads: fixed words, and what is special about this case."""


class Project(NamedTuple):
    """A folder of the build context in which an install runs; "" is the context itself."""

    context: BuildContext
    folder: str
    #: The folder that was copied into the image, at or above it; what lies above was not.
    top: str = ""

    def path(self, name: str) -> str:
        """A name in the folder as a path in the context."""
        return posixpath.normpath(posixpath.join(self.folder, name))

    def has(self, name: str) -> bool:
        """Whether the builder is sent a file or folder of that name."""
        return self.context.sends(self.path(name))

    def present(self, *names: str) -> tuple[str, ...]:
        """Those of the names that are there, as paths in the context."""
        return tuple(self.path(name) for name in names if self.has(name))

    def read(self, name: str) -> str:
        """The text of a file. Raises UnknownInstallError when there is none to read."""
        text = self.context.read(self.path(name)) if self.has(name) else None
        if text is None:
            raise UnknownInstallError("a manifest is not in the build context", self.path(name))
        return text

    def read_json(self, name: str) -> Json:
        """A file that holds a JSON object. Raises UnknownInstallError when it does not."""
        data = load_object(self.read(name))
        if data is None:
            raise UnknownInstallError("a manifest cannot be read", self.path(name))
        return data


class Install(NamedTuple):
    """One install of dependencies."""

    tool: str
    #: What it reads, as paths in the context, the manifest first; the last part may be a pattern.
    files: tuple[str, ...]
    #: Folders that it reads as a whole.
    folders: tuple[str, ...] = ()
    #: Paths in the context's terms that it fills: what the context holds there must stay out.
    leaves: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    #: Whether what it fills holds nothing that is not made again, even where it is committed.
    remakes: bool = False
    #: The command that only fetches, where the command itself builds as well.
    fetch: str = ""
    #: Texts of a RUN that show that the dependencies were fetched already.
    fetched_by: tuple[str, ...] = ()
    #: What it means to fetch before.
    level: Level = Level.SAFE
    #: The folder of the context in whose place in the image it runs.
    folder: str = ""
    #: That place in the image.
    directory: str = ""
    #: Where the command itself runs, at that place or below it.
    started_in: str = ""
    #: Where it is run once before on stand-ins for the sources, as `fetch`: the commands that make
    #: these, those that remove all traces of them, and the stand-ins, as paths in the context.
    make: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()

    def place(self, path: str) -> str:
        """Where a path of the context lies in the image."""
        inner = posixpath.relpath(path, self.folder or ".")
        return posixpath.normpath(posixpath.join(self.directory, inner))


def lock_or_pattern(project: Project, lock: str) -> str:
    """The lock's name; a pattern that also matches nothing where there is none yet."""
    return project.path(lock) if project.has(lock) else project.path(lock) + "*"


def above(folder: str, top: str, *names: str) -> Iterator[str]:
    """Where files of these names would lie in a folder and in those above it, up to `top`."""
    while True:
        yield from (posixpath.join(folder, name) for name in names)
        if folder in ("", top):
            return
        folder = posixpath.dirname(folder)
