"""Every folder under `fixtures/<pass>/<case>` is a case.

`before/` holds the Dockerfile and its build context, `after/` the files as they must be afterwards
(no `after/`: nothing may change). `options.toml` may set `select` (default: the pass), `level`,
`target`, `context = false`, and `declined`: for each entry a decline must hold that text.
`UPDATE_FIXTURES=1` writes `after/`; read what it wrote.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

import dockerfix

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/before"))


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def run(code: str, case: Path) -> tuple[dockerfix.Result, dict[str, Any]]:
    options_file = case / "options.toml"
    options = tomllib.loads(options_file.read_text()) if options_file.exists() else {}
    unknown = set(options) - {"select", "level", "target", "context", "declined", "why"}
    assert not unknown, f"unknown options {unknown}"
    result = dockerfix.refactor(
        code,
        context=case / "before" if options.get("context", True) else None,
        repository=case / "before",
        target=options.get("target"),
        level=options.get("level", "review"),
        select=tuple(options.get("select", [case.parent.name])),
    )
    return result, options


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case: Path) -> None:
    before = read(case / "before" / "Dockerfile")
    result, options = run(before, case)
    expected = {
        str(path.relative_to(case / "after")): read(path)
        for path in sorted((case / "after").rglob("*"))
        if path.is_file()
    }
    if os.environ.get("UPDATE_FIXTURES"):
        write_after(case, result)
        return
    assert result.code == expected.get("Dockerfile", before)
    created = {file.path: file.content for file in result.files}
    assert created == {path: text for path, text in expected.items() if path != "Dockerfile"}
    reasons = [str(item) for item in result.declined]
    for text in options.get("declined", []):
        assert any(text in reason for reason in reasons), reasons
    again, _ = run(result.code, case)
    assert again.code == result.code, "a second run changes something"


def write_after(case: Path, result: dockerfix.Result) -> None:
    if not result.changed:
        return
    files = {"Dockerfile": result.code} | {file.path: file.content for file in result.files}
    for name, text in files.items():
        target = case / "after" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_all_passes(case: Path) -> None:
    """What one pass leaves alone, or is made for, stops no other."""
    before = read(case / "before" / "Dockerfile")
    folder = case / "before"
    result = dockerfix.refactor(before, context=folder, level="risky", repository=folder)
    assert not dockerfix.parse(result.code).errors
