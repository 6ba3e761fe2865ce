"""Find Dockerfiles below a folder."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

#: `dockerfile` is what docker looks for where there is no `Dockerfile` (docker/cli, build/context).
_PATTERNS = (
    *("Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile*"),
    "dockerfile",
)
#: What stands beside a Dockerfile under a similar name and is none.
_NOT_DOCKERFILES = ("*.dockerignore", "*.orig", "*.rej", "*.bak", "*.swp", "*~", "*.j2", "*.tmpl")
#: Folders of other people's code, of tools and of version control.
SKIPPED_FOLDERS = frozenset(
    (
        *(".git", ".hg", ".svn", "node_modules", "vendor", "bower_components", "site-packages"),
        *(".venv", "venv", ".tox", ".nox", ".terraform", ".direnv", "__pycache__"),
    )
)


def find_dockerfiles(folder: Path, exclude: tuple[str, ...] = ()) -> Iterator[Path]:
    """The Dockerfiles below a folder, sorted; links to folders are not followed.

    `exclude` holds patterns for paths relative to the folder, as fnmatch reads them.
    """
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            if not is_dockerfile_name(name) or (name == "dockerfile" and "Dockerfile" in files):
                # Docker takes the name in small letters where there is no other.
                continue
            path = Path(root, name)
            if _is_excluded(path, folder, exclude):
                continue
            # Nobody may ever write to a pipe of that name; a broken link is worth a message.
            if os.path.isfile(path) or not os.path.exists(path):
                yield path


def is_dockerfile_name(name: str) -> bool:
    """Whether a file of that name is taken for a Dockerfile."""
    return _matches(name, _PATTERNS) and not _matches(name, _NOT_DOCKERFILES)


def _is_excluded(path: Path, folder: Path, exclude: tuple[str, ...]) -> bool:
    relative = path.relative_to(folder).as_posix()
    return any(
        fnmatch.fnmatchcase(relative, pattern)
        or fnmatch.fnmatchcase(relative, f"{pattern.rstrip('/')}/*")
        for pattern in exclude
    )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
