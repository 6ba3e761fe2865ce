"""Answers of registries, kept on disk between runs.

What is kept is checked again when it is read: a manifest by its digest. Anything that cannot be
read is as if it were not there; anything that cannot be written stays unwritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

#: Seconds that what a tag means, and which tags there are, is taken for true without asking.
FRESH = 300.0
#: Seconds after which an entry is removed.
_OLD = 14 * 24 * 3600.0
_MAX_BYTES = 48 * 1024 * 1024


class Entry(NamedTuple):
    """An answer worth keeping."""

    #: Method and URL; two that meet in one file name do not get mixed up.
    key: str
    body: str
    digest: str = ""
    content_type: str = ""
    etag: str = ""
    #: The next page.
    link: str = ""
    #: When it was received or last confirmed, in seconds since 1970.
    time: float = 0.0


@dataclass
class Cache:
    """A folder with a file for each answer; `folder` None keeps nothing."""

    folder: Path | None
    #: Seconds that an answer is fresh; 0 asks every time.
    fresh: float = FRESH
    clock: Callable[[], float] = time.time
    _cleaned: bool = False

    def get(self, key: str) -> Entry | None:
        """What was kept, however old."""
        if self.folder is None:
            return None
        try:
            with self._path(self.folder, key).open("rb") as file:
                data = json.loads(file.read(_MAX_BYTES))
            entry = Entry(**data)
        except (OSError, ValueError, TypeError):
            return None
        return entry if entry.key == key and isinstance(entry.time, (int, float)) else None

    def is_fresh(self, entry: Entry) -> bool:
        """Whether an entry may be used without asking."""
        return self.age(entry) < self.fresh

    def age(self, entry: Entry) -> float:
        """Seconds since an entry was received or confirmed; without end for one from the future."""
        age = self.clock() - entry.time
        return age if age >= 0 else float("inf")

    def put(self, entry: Entry) -> None:
        """Keep an answer."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._clean(self.folder)
            text = json.dumps({**entry._asdict(), "time": self.clock()})
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            try:
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                os.replace(name, self._path(self.folder, entry.key))
            except OSError:
                os.unlink(name)
                raise

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"

    def _clean(self, folder: Path) -> None:
        """Remove what is old, once a run."""
        if self._cleaned:
            return
        self._cleaned = True
        for entry in os.scandir(folder):
            if self.clock() - entry.stat().st_mtime > _OLD:
                os.unlink(entry.path)


def cache_folder() -> Path | None:
    """`$XDG_CACHE_HOME/dockerfix/registry`; None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return Path(base, "dockerfix", "registry")
    try:
        return Path.home() / ".cache" / "dockerfix" / "registry"
    except RuntimeError:
        return None
