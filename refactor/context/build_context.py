"""The build context: the folder that is sent to the builder. Files are read once, bounded."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

#: A manifest or lock file larger than this is not read.
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class BuildContext:
    """A folder; paths are relative to it, with forward slashes.

    Links are followed only as long as they stay inside the folder, as the builder does.
    """

    root: Path
    _texts: dict[str, str | None] = field(default_factory=dict, repr=False)

    def exists(self, path: str) -> bool:
        """Whether the path is there, inside the folder."""
        return self._locate(path) is not None

    def is_folder(self, path: str) -> bool:
        """Whether the path is a folder."""
        found = self._locate(path)
        return found is not None and found.is_dir()

    def is_file(self, path: str) -> bool:
        """Whether the path is a regular file."""
        found = self._locate(path)
        return found is not None and found.is_file()

    def read(self, path: str) -> str | None:
        """A text file's content; None when it is missing, too large or not readable."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def head(self, path: str, size: int) -> bytes | None:
        """The first bytes of a regular file; None when it cannot be read."""
        found = self._locate(path)
        try:
            if found is None or not stat.S_ISREG(found.stat().st_mode):
                return None
            with found.open("rb") as file:
                return file.read(size)
        except OSError:
            return None

    def _read(self, path: str) -> str | None:
        data = self.head(path, MAX_BYTES + 1)
        if data is None or len(data) > MAX_BYTES:
            return None
        return data.decode("utf-8", "surrogateescape")

    def _locate(self, path: str) -> Path | None:
        target = self.root / path.lstrip("/")
        try:
            real = Path(os.path.realpath(target))
            inside = real.is_relative_to(os.path.realpath(self.root))
            return real if inside and real.exists() else None
        except (OSError, ValueError):
            return None
