"""Verdicts for programs; `verify.schema.json` beside this file describes the document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dockerfix.verify.runs import Observation
from dockerfix.verify.verdict import Side, Verdict

#: Raised when a field goes or changes its meaning.
SCHEMA_VERSION = 2
#: So many changed paths are listed for each file; the counts hold all of them.
MOST_PATHS = 5000


def render_json(verdicts: Sequence[Verdict]) -> str:
    """One document."""
    files = [_file(verdict) for verdict in verdicts]
    return json.dumps({"version": SCHEMA_VERSION, "files": files}, indent=2)


def _file(verdict: Verdict) -> dict[str, Any]:
    return {
        "path": verdict.path,
        "state": verdict.state,
        "exit_code": verdict.exit_code,
        "passes": list(verdict.passes),
        "before": _side(verdict.before),
        "after": _side(verdict.after),
        "findings": [{"check": f.check, "text": f.text} for f in verdict.findings],
        "notes": list(verdict.notes),
        "configuration": [
            {
                "field": entry.field,
                "before": entry.before,
                "after": entry.after,
                "explained_by": list(entry.explained_by),
                "why": entry.why,
            }
            for entry in verdict.configuration
        ],
        "files": _files(verdict),
        "packages": [
            {"manager": p.manager, "name": p.name, "before": p.before, "after": p.after}
            for p in verdict.packages
        ],
        "diff": verdict.diff,
        "log": verdict.log,
    }


def _files(verdict: Verdict) -> dict[str, Any]:
    changes = verdict.files.changes
    ordered = sorted(changes, key=lambda change: not change.unexplained)
    return {
        "counts": verdict.files.groups(),
        "changes": [
            {
                "path": change.path,
                "what": change.what,
                "cause": change.cause,
                "detail": change.detail,
                "unexplained": change.unexplained,
            }
            for change in ordered[:MOST_PATHS]
        ],
        "complete": len(changes) <= MOST_PATHS,
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "size": side.size,
        "compressed": side.compressed,
        "layers": side.layers,
        "build_time": round(side.build_time, 3),
        "builds": {
            scenario: {
                "median": round(timing.median, 3),
                "seconds": [round(value, 3) for value in timing.seconds],
                "steps": timing.steps,
            }
            for scenario, timing in side.timings.items()
        },
        "run": _run(side.observed),
    }


def _run(observed: Observation | None) -> dict[str, Any] | None:
    if observed is None:
        return None
    return {
        "answers": [
            {"question": a.question, "answer": a.text, "steady": a.steady, "detail": a.detail}
            for a in observed.answers
        ],
        "user": observed.user,
        "stop_time": round(observed.stop_time, 3),
        "exit_code": observed.exit_code,
        "denied": list(observed.denied),
        "written": list(observed.written),
    }
