"""JSON that somebody wrote: what is not as it should be is nothing."""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

from dockerfix.patterns import pattern

Json: TypeAlias = dict[str, Any]

#: A string, which stays; or a comment, or a comma before a closing bracket, which goes.
_ADDED = pattern(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*[\s\S]*?\*/')
_LAST_COMMA = pattern(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


def load_object(text: str | None) -> Json | None:
    """The object that a text holds; None when it holds anything else."""
    try:
        data = json.loads((text or "").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def table(data: Json, name: str) -> Json:
    """The object under a key; an empty one when there is another value, or none."""
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def load_commented_object(text: str | None) -> Json | None:
    """The object of a file that may hold comments and last commas, such as tsconfig.json."""
    plain = _ADDED.sub(_string_alone, text or "")
    return load_object(_LAST_COMMA.sub(_string_alone, plain))


def _string_alone(match: re.Match[str]) -> str:
    return match[1] or ""
