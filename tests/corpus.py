"""The corpus of real Dockerfiles, where it is: beside the checkout, never part of it.

`python -m tests.corpus FOLDER` lays the repositories out in full, sources as empty files: what a
pass that looks for files needs to see. Each becomes a repository of git's, as a clone is.
`python -m tests.corpus FOLDER CLONES` fills sources from clones `CLONES/<owner>__<name>`.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

#: Bytes from which on a file is not filled from a clone.
_LARGE = 1 << 18
ARCHIVES = Path(__file__).parents[2] / "shared" / "corpus"


class Application(NamedTuple):
    """A Dockerfile of a repository, as the corpus' index describes it."""

    repository: str
    #: Path in the repository.
    dockerfile: str
    #: Languages, with `+` between.
    ecosystem: str
    frameworks: tuple[str, ...]
    path: Path


def _folder() -> Path:
    return Path(os.environ.get("DOCKERFIX_CORPUS") or Path(tempfile.gettempdir()) / "corpus")


@cache
def flat_files() -> tuple[Path, ...]:
    """All Dockerfiles without context, sorted; skips the test by name when there is no corpus."""
    return tuple(_files("flat"))


@cache
def application_files() -> tuple[Path, ...]:
    """All Dockerfiles of the repositories with context."""
    return tuple(sorted(entry.path for entry in applications(_unpack("apps"))))


def applications(root: Path) -> list[Application]:
    """What `INDEX.dev.tsv` of a folder of repositories lists and the folder holds."""
    import csv

    with (root / "INDEX.dev.tsv").open(encoding="utf-8") as index:
        entries = [_application(root, row) for row in csv.DictReader(index, delimiter="\t")]
    return [entry for entry in entries if entry.path.is_file()]


def _application(root: Path, row: dict[str, str]) -> Application:
    path = root / row["repo"].replace("/", "__") / row["dockerfile"]
    frameworks = tuple(name for name in row["framework"].split(",") if name)
    return Application(row["repo"], row["dockerfile"], row["ecosystem"], frameworks, path)


def _files(name: str) -> list[Path]:
    root = _unpack(name)
    return sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".tsv")


def _unpack(name: str) -> Path:
    target = _folder() / name
    if target.is_dir():
        return target
    archive = ARCHIVES / f"{name}-dev.tar.xz"
    if not archive.exists():
        pytest.skip(f"no corpus: {archive} is not there, nor is {target} (DOCKERFIX_CORPUS)")
    with tarfile.open(archive) as tar:
        tar.extractall(_folder(), filter="data")
    return target


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def lay_out(target: Path, clones: Path | None = None) -> tuple[int, int]:
    """Copy the repositories to a folder, with an empty file for each path that is not kept.

    Files that are kept emptied for their size stay empty; links, whose target is not known, become
    files. Where `clones` holds a repository as `<owner>__<name>`, empty files are filled from it,
    at the commit of the index. Gives the numbers of files made and filled.
    """
    source = _unpack("apps")
    shutil.copytree(source, target, dirs_exist_ok=True)
    made = filled = 0
    commits = _commits(source)
    for folder in sorted(listing.parent for listing in target.glob("*/TREE-META.tsv")):
        made += _make_empty(folder)
        clone = clones / folder.name if clones else None
        if clone and clone.is_dir():
            filled += _fill(folder, clone, commits[folder.name])
        _check_in(folder)
    return made, filled


def _commits(root: Path) -> dict[str, str]:
    import csv

    with (root / "INDEX.dev.tsv").open(encoding="utf-8") as index:
        rows = csv.DictReader(index, delimiter="\t")
        return {row["repo"].replace("/", "__"): row["commit"] for row in rows}


def _make_empty(folder: Path) -> int:
    """A file for each path of the repository that is not there."""
    made = 0
    listing = (folder / "TREE-META.tsv").read_text(encoding="utf-8", errors="surrogateescape")
    for line in listing.splitlines():
        mode, kind, _, path = line.split("\t", 3)
        place = folder / path
        if kind != "blob" or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        place.chmod(0o755 if mode == "100755" else 0o644)
        made += 1
    return made


def _fill(folder: Path, clone: Path, commit: str) -> int:
    """Give empty files the content they have in a clone; what is large or missing stays empty."""
    listing = (folder / "TREE-META.tsv").read_text(encoding="utf-8", errors="surrogateescape")
    rows = (line.split("\t", 3) for line in listing.splitlines())
    paths = [path for _, kind, size, path in rows if kind == "blob" and 0 < int(size) < _LARGE]
    empty = [path for path in paths if _is_empty(folder / path)]
    contents = _read_blobs(clone, [f"{commit}:{path}" for path in empty])
    for path, content in zip(empty, contents, strict=True):
        (folder / path).write_bytes(content)
    return sum(map(bool, contents))


def _read_blobs(clone: Path, names: Sequence[str]) -> list[bytes]:
    """The content of blobs of a repository; nothing for those it does not have."""
    asked = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
    git = ("git", "-C", str(clone), "cat-file", "--batch")
    answer = io.BytesIO(subprocess.run(git, input=asked, capture_output=True, check=True).stdout)
    return [_next_blob(answer) for _ in names]


def _next_blob(answer: io.BytesIO) -> bytes:
    head = answer.readline().split()
    return b"" if head[-1] == b"missing" else answer.read(int(head[-1]) + 1)[:-1]


def _is_empty(place: Path) -> bool:
    return place.is_file() and not place.stat().st_size


def _check_in(folder: Path) -> None:
    """Make a repository of git's of the folder, with everything in its index."""
    subprocess.run(("git", "init", "--quiet"), cwd=folder, check=True)
    subprocess.run(
        ("git", "-c", "core.safecrlf=false", "add", "--all", "--force"), cwd=folder, check=True
    )


@cache
def laid_out() -> Path:
    """The repositories in full, in the folder of the corpus; laid out when they are not yet."""
    target = _folder() / "apps-full"
    if not target.is_dir():
        lay_out(target)
    return target


if __name__ == "__main__":
    made, filled = lay_out(Path(sys.argv[1]), *map(Path, sys.argv[2:3]))
    print(f"{made} empty files, {filled} of them filled")
