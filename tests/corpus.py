"""The corpus of real Dockerfiles, where it is: beside the checkout, never part of it."""

from __future__ import annotations

import os
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
