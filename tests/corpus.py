"""The corpus of real Dockerfiles, where it is: beside the checkout, never part of it.

`python -m tests.corpus FOLDER` lays the repositories out in full, sources as empty files: what a
pass that looks for files needs to see.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

ARCHIVES = Path(__file__).parents[2] / "shared" / "corpus"


def _folder() -> Path:
    return Path(os.environ.get("DOCKERFIX_CORPUS") or Path(tempfile.gettempdir()) / "corpus")


@cache
def flat_files() -> tuple[Path, ...]:
    """All Dockerfiles without context, sorted; skips the test by name when there is no corpus."""
    return tuple(_files("flat"))


@cache
def application_files() -> tuple[Path, ...]:
    """All Dockerfiles of the repositories with context."""
    import csv

    root = _unpack("apps")
    with (root / "INDEX.dev.tsv").open(encoding="utf-8") as index:
        rows = csv.DictReader(index, delimiter="\t")
        paths = [root / row["repo"].replace("/", "__") / row["dockerfile"] for row in rows]
    return tuple(sorted(path for path in paths if path.is_file()))


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


def lay_out(target: Path) -> int:
    """Copy the repositories to a folder, with an empty file for each path that is not kept.

    Files that are kept emptied for their size stay empty; links, whose target is not known, become
    files. Gives the number of files made.
    """
    source = _unpack("apps")
    shutil.copytree(source, target, dirs_exist_ok=True)
    made = 0
    for listing in sorted(target.glob("*/TREE-META.tsv")):
        for line in listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            mode, kind, _, path = line.split("\t", 3)
            place = listing.parent / path
            if kind != "blob" or place.exists():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
            place.chmod(0o755 if mode == "100755" else 0o644)
            made += 1
    return made


if __name__ == "__main__":
    print(f"{lay_out(Path(sys.argv[1]))} empty files")
