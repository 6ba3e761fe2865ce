"""Results as GitHub workflow commands, which show up as annotations of the changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from dockerfix.job import Outcome


def render_github(outcomes: Sequence[Outcome]) -> str:
    """One command for each change and each error."""
    lines = []
    for outcome in outcomes:
        for error in outcome.errors:
            lines.append(f"::error file={_property(outcome.path)},title=dockerfix::{_data(error)}")
        for change in outcome.result.changes if outcome.result else ():
            place = f"file={_property(outcome.path)},line={change.line}"
            title = _property(f"dockerfix {change.pass_name}")
            text = _data(f"{change.message}. {change.help}")
            lines.append(f"::warning {place},title={title}::{text}")
    return "".join(f"{line}\n" for line in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
