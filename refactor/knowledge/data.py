"""Reads the tables of facts: one JSON file a subject, each table with its source.

JSON rather than TOML, because every run reads some of them: the standard library reads a JSON table
about thirty times as fast, and what a comment would say stands in `about` and `source`.
`schema.json` says what a file may hold; the tests hold all of them against it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def table(file: str, name: str) -> Any:  # noqa: ANN401 - the schema says what each table holds
    """The values of a table: a list of names, or facts by name.

    Raises OSError, ValueError or KeyError for data that is not there: a fault of dockerfix, never
    an empty table.
    """
    return _read(file)[name]["values"]


def names(file: str, *tables: str) -> frozenset[str]:
    """The names in one or several tables of a file."""
    return frozenset(name for entry in tables for name in table(file, entry))


@cache
def _read(file: str) -> dict[str, Any]:
    with (_FOLDER / f"{file}.json").open(encoding="utf-8") as stream:
        content: dict[str, Any] = json.load(stream)
    return content
