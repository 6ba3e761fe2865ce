"""JSON that somebody wrote: what is not as it should be is nothing."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


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
