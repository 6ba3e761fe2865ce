"""Results for programs: one JSON document; `docs/cli.md` describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dockerfix.job import Outcome
from dockerfix.transform import Change, Declined

#: Raised when a field goes or changes its meaning.
SCHEMA_VERSION = 1


def render_json(outcomes: Sequence[Outcome], diffs: dict[str, str]) -> str:
    """The document for all files; `diffs` maps path to diff."""
    files = [_file(outcome, diffs.get(outcome.path, "")) for outcome in outcomes]
    return json.dumps({"version": SCHEMA_VERSION, "files": files}, indent=2) + "\n"


def _file(outcome: Outcome, diff: str) -> dict[str, Any]:
    result = outcome.result
    return {
        "path": outcome.path,
        "changed": bool(result and result.changed),
        "errors": list(outcome.errors),
        "changes": [_change(change) for change in result.changes] if result else [],
        "declined": [_declined(declined) for declined in result.declined] if result else [],
        "gain": _gain(outcome),
        "diff": diff,
    }


def _gain(outcome: Outcome) -> dict[str, object] | None:
    """What the result gains; None where nothing changes."""
    result = outcome.result
    if result is None or not result.changed:
        return None
    from dockerfix.graph.gain import gain_document
    from dockerfix.report.text import outcome_gain

    return gain_document(outcome_gain(outcome, result))


def _change(change: Change) -> dict[str, Any]:
    return {
        "pass": change.pass_name,
        "line": change.line,
        "level": str(change.level),
        "message": change.message,
        "help": change.help,
        "evidence": [{"source": e.source, "fact": e.fact} for e in change.evidence],
    }


def _declined(declined: Declined) -> dict[str, Any]:
    return {
        "pass": declined.pass_name,
        "line": declined.line,
        "reason": declined.reason,
        "detail": declined.detail,
    }
