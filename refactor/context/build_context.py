"""The build context: the folder that is sent to the builder. Files are read once, bounded."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from dockerfix.context.ignore import IgnoreRules, parse_ignore_file, translate

#: A manifest or lock file larger than this is not read.
MAX_BYTES = 16 * 1024 * 1024


class _Place(NamedTuple):
    """What is on the disk: a path without links, and the mode of what is there."""

    path: str
    mode: int


@dataclass(frozen=True)
class BuildContext:
    """A folder; paths are relative to it, with forward slashes.

    Links are followed only as long as they stay inside the folder, as the builder does.
    """

    root: Path
    #: Path of the Dockerfile, relative to the folder, for `<path>.dockerignore`.
    dockerfile: str = "Dockerfile"
    #: Files as a change is going to make them, in place of those on disk.
    overlay: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: The repository that it is part of; None: it is looked for.
    repository: Path | None = None
    _texts: dict[str, str | None] = field(default_factory=dict, repr=False)
    _places: dict[str, _Place | None] = field(default_factory=dict, repr=False)
    _names: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def overlaid(self, files: Mapping[str, str]) -> BuildContext:
        """The same folder with the content of some files replaced."""
        # What was read of the disk holds on: the overlay is asked first.
        known = (self._texts, self._places, self._names)
        return BuildContext(self.root, self.dockerfile, dict(files), self.repository, *known)

    def exists(self, path: str) -> bool:
        """Whether the path is there, inside the folder."""
        return path in self.overlay or self._locate(path) is not None

    def is_folder(self, path: str) -> bool:
        """Whether the path is a folder."""
        found = self._locate(path)
        return found is not None and stat.S_ISDIR(found.mode)

    def is_file(self, path: str) -> bool:
        """Whether the path is a regular file."""
        if path in self.overlay:
            return True
        found = self._locate(path)
        return found is not None and stat.S_ISREG(found.mode)

    def mode(self, path: str) -> int | None:
        """The permission bits of a file."""
        found = self._locate(path)
        return stat.S_IMODE(found.mode) if found else None

    def read(self, path: str) -> str | None:
        """A text file's content; None when it is missing, too large or not readable."""
        if path in self.overlay:
            return self.overlay[path]
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    @cached_property
    def ignore_path(self) -> str | None:
        """The ignore file that counts: the one of this Dockerfile, else the context's."""
        own = f"{self.dockerfile}.dockerignore"
        return next((path for path in (own, ".dockerignore") if self.is_file(path)), None)

    @cached_property
    def ignore_rules(self) -> IgnoreRules:
        """What is kept out of the context."""
        text = self.read(self.ignore_path) if self.ignore_path else None
        return parse_ignore_file(text or "")

    def sends(self, path: str) -> bool:
        """Whether the path is there and not ignored."""
        return self.exists(path) and not self.ignore_rules.ignores(path)

    def find(self, pattern: str) -> list[str]:
        """The sent paths that a COPY source means, sorted; it may hold wildcards."""
        pattern = posixpath.normpath(pattern.lstrip("/") or ".")
        if not any(char in pattern for char in "*?[\\"):
            return [pattern] if pattern == "." or self.sends(pattern) else []
        found = [""]
        for part in pattern.split("/"):
            found = [name for folder in found for name in self._match(folder, part)]
        return sorted(path for path in found if self.sends(path))

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; nothing when it cannot be read."""
        if folder not in self._names:
            target = self._locate(folder)
            try:
                self._names[folder] = sorted(os.listdir(target.path)) if target else []
            except OSError:
                self._names[folder] = []
        return self._names[folder]

    def _match(self, folder: str, part: str) -> list[str]:
        regex = re.compile(translate(part))
        return [
            posixpath.join(folder, name) for name in self.names(folder) if regex.fullmatch(name)
        ]

    def head(self, path: str, size: int) -> bytes | None:
        """The first bytes of a regular file; None when it cannot be read."""
        found = self._locate(path)
        try:
            if found is None or not stat.S_ISREG(found.mode):
                return None
            with open(found.path, "rb") as file:
                return file.read(size)
        except OSError:
            return None

    def _read(self, path: str) -> str | None:
        data = self.head(path, MAX_BYTES + 1)
        if data is None or len(data) > MAX_BYTES:
            return None
        return data.decode("utf-8", "surrogateescape")

    @cached_property
    def _real_root(self) -> str:
        return os.path.realpath(self.root)

    def _locate(self, path: str) -> _Place | None:
        """Where a path leads, when that is inside the folder; looked for once."""
        if path not in self._places:
            self._places[path] = self._find_place(path)
        return self._places[path]

    def _find_place(self, path: str) -> _Place | None:
        above, _, name = path.strip("/").rpartition("/")
        try:
            if name in ("", ".", ".."):
                return self._follow(os.path.join(self._real_root, path.lstrip("/")))
            # The folder is known as a rule: one question to the system is enough then.
            folder = self._locate(above)
            if folder is None:
                return None
            place = os.path.join(folder.path, name)
            mode = os.lstat(place).st_mode
            return self._follow(place) if stat.S_ISLNK(mode) else _Place(place, mode)
        except (OSError, ValueError):
            return None

    def _follow(self, place: str) -> _Place | None:
        """Where links lead, inside the folder alone. Raises OSError when nothing is there."""
        real = os.path.realpath(place)
        inside = real == self._real_root or real.startswith(self._real_root.rstrip("/") + "/")
        return _Place(real, os.stat(real).st_mode) if inside else None
