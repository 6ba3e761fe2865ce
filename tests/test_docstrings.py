"""The docstring of each pass holds a Dockerfile before and after; this runs them.

Form: an indented block under `Before:`, another under `After:`.
"""

from __future__ import annotations

import textwrap

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


@pytest.mark.parametrize("name", BUILT_IN)
def test_before_and_after(name: str) -> None:
    entry = built_in(name)
    docstring = textwrap.dedent("    " + (type(entry).__doc__ or ""))
    result = dockerfix.refactor(block(docstring, "Before"), select=(entry.name,), level="review")
    assert result.code == block(docstring, "After")
