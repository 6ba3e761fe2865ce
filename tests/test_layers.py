"""The floors of the house: no import runs upwards, and none in a circle (DESIGN, section 3)."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: From the ground up. A module may import those of its own floor and of those below.
FLOORS = (
    ("lazy_property", "patterns", "reasons", "_version"),
    ("syntax",),
    ("context", "knowledge"),
    ("packages", "registry", "state", "discovery", "config", "diff"),
    ("transform",),
    ("image",),
    ("installs",),
    ("effects",),
    ("catalogue", "pipeline"),
    (
        *("modernising", "owning", "hygiene", "merging", "run_as", "ignoring", "ordering"),
        *("splitting", "graph", "verify"),
    ),
    ("transforms", "job"),
    ("report",),
    ("commands", "writing"),
    ("cli",),
    ("__main__",),
)


@cache
def modules() -> dict[str, Path]:
    found = {}
    for folder, package in ((ROOT / "refactor", ""), (ROOT / "transforms", "transforms.")):
        for path in folder.rglob("*.py"):
            name = path.relative_to(folder).with_suffix("").as_posix().replace("/", ".")
            found[(package + name).removesuffix(".__init__")] = path
    return found


@cache
def imports() -> dict[str, set[str]]:
    """What each module imports, late imports too; `__init__` is the public face, and no floor."""
    return {name: set(_imported(path)) for name, path in modules().items() if name != "__init__"}


def _imported(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dockerfix."):
            module = (node.module or "").removeprefix("dockerfix.")
            inner = [f"{module}.{alias.name}" for alias in node.names]
            found += [name if name in modules() else module for name in inner]
    return found


def floor(name: str) -> int:
    unit = name.split(".")[0]
    return next(number for number, units in enumerate(FLOORS) if unit in units)


def test_no_circle() -> None:
    TopologicalSorter(imports()).prepare()


@pytest.mark.parametrize("name", sorted(imports()))
def test_no_import_runs_upwards(name: str) -> None:
    above = {other for other in imports()[name] if floor(other) > floor(name)}
    assert not above
