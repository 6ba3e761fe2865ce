"""The docstring of each pass holds a Dockerfile before and after; this runs them.

Form: an indented block under `Before:`, another under `After:`; one under `Build context:` where
the pass looks at files.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import dockerfix
from dockerfix.catalogue import BUILT_IN, built_in


def block(docstring: str, heading: str) -> str:
    lines = docstring.split(f"{heading}:\n", 1)[1].splitlines()
    margin = len(lines[0] or lines[1]) - len((lines[0] or lines[1]).lstrip())
    kept = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) < margin:
            break
        kept.append(line)
    return textwrap.dedent("\n".join(kept)).strip("\n") + "\n"


def build_context(docstring: str, folder: Path) -> Path:
    """Lay out what a block `Build context:` names: `path: content`, more of it indented."""
    for entry in re.split(r"\n(?=\S)", block(docstring, "Build context").strip()):
        path, _, content = textwrap.dedent(entry.replace(": ", ": \n" + " " * 4, 1)).partition(":")
        content = textwrap.dedent(content.lstrip(" \n") if "\n    " not in entry else content)
        content = content.strip() + "\n"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder


@pytest.mark.parametrize("name", BUILT_IN)
def test_before_and_after(name: str, tmp_path: Path) -> None:
    entry = built_in(name)
    docstring = textwrap.dedent("    " + (type(entry).__doc__ or ""))
    context = build_context(docstring, tmp_path) if "Build context:" in docstring else None
    result = dockerfix.refactor(
        block(docstring, "Before"), context=context, select=(entry.name,), level="review"
    )
    assert result.code == block(docstring, "After")
