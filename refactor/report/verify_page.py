"""Verdicts as one page that needs nothing from elsewhere: no script, no font, no address."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files

from dockerfix.report.verify import WORDS, megabytes, percent
from dockerfix.verify.compare import TreeChange
from dockerfix.verify.verdict import Side, Verdict

#: So many paths are listed of each group.
_MOST_PATHS = 300
_KINDS = {
    "lost": "Files that are gone",
    "added": "Files that came",
    "content": "Files with other content",
    "mode": "Files with another mode",
    "owner": "Files of another owner",
    "kind": "Files that are something else",
}
_UNEXPLAINED = "unexplained"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_html(verdicts: Sequence[Verdict]) -> str:
    """The page."""
    style = files("dockerfix.report").joinpath("verify.css").read_text("utf-8")
    good = sum(1 for verdict in verdicts if verdict.exit_code == 0)
    body = "".join("".join(_section(verdict)) for verdict in verdicts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>dockerfix verify</title><style>\n{style}</style></head><body>"
        f"<header><h1>dockerfix verify</h1><p>{good} of {len(verdicts)} verified</p></header>"
        f"<main>{body}</main></body></html>\n"
    )


def _section(verdict: Verdict) -> Iterator[str]:
    state = "good" if verdict.exit_code == 0 else "bad"
    yield f'<section class="{state}"><h2>{_text(verdict.path)}</h2>'
    yield f'<p class="state">{_text(WORDS[verdict.state])}</p>'
    for finding in verdict.findings:
        text = f"<b>{_text(finding.check)}</b><pre>{_text(finding.text)}</pre>"
        yield f'<div class="problem">{text}</div>'
    notes = [*verdict.notes, *([f"the whole log: {verdict.log}"] if verdict.log else [])]
    if notes:
        items = "".join(f"<li>{_text(note)}" for note in notes)
        yield f'<ul class="notes">{items}</ul>'
    if verdict.before and verdict.after:
        yield f'<div class="figures">{"".join(_figures(verdict.before, verdict.after))}</div>'
        yield from _runs(verdict.before, verdict.after)
    yield from _configuration(verdict)
    yield from _groups(verdict)
    yield from _packages(verdict)
    if verdict.diff:
        yield f"<h3>What was changed</h3>{_diff(verdict.diff)}"
    yield "</section>"


def _figures(before: Side, after: Side) -> Iterator[str]:
    yield _bars("Size", before.size, after.size, megabytes)
    if before.compressed and after.compressed:
        yield _bars("Size, packed", before.compressed, after.compressed, megabytes)
    yield _bars("Layers", before.layers, after.layers, lambda value: f"{value:.0f}")
    if not before.timings:
        yield _bars("Build", before.build_time, after.build_time, _seconds)
    for scenario, old in before.timings.items():
        new = after.timings.get(scenario)
        if new is not None:
            yield _bars(f"Build: {scenario}", old.median, new.median, _seconds)


def _bars(name: str, before: float, after: float, shown: Callable[[float], str]) -> str:
    top = max(before, after, 1e-9)
    rows = "".join(
        f'<div class="bar {label}"><span>{label}</span>'
        f'<i style="width:{value / top * 100:.1f}%"></i><b>{shown(value)}</b></div>'
        for label, value in (("before", before), ("after", after))
    )
    title = f"{_text(name)} <em>{percent(before, after)}</em>"
    return f"<figure><figcaption>{title}</figcaption>{rows}</figure>"


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _runs(before: Side, after: Side) -> Iterator[str]:
    old, new = before.observed, after.observed
    if old is None or new is None:
        return
    rows = [
        (answer.question, answer.text, other.text)
        for answer, other in zip(old.answers, new.answers, strict=False)
    ]
    rows.append(("user of the process", old.user or "?", new.user or "?"))
    rows.append(("time to stop", _seconds(old.stop_time), _seconds(new.stop_time)))
    if old.written or new.written:
        rows.append(("files written", ", ".join(old.written[:5]), ", ".join(new.written[:5])))
    yield _table("What the containers did", ("", "before", "after"), rows)


def _configuration(verdict: Verdict) -> Iterator[str]:
    if not verdict.configuration:
        return
    rows = [
        (
            entry.field,
            entry.before or "not set",
            entry.after or "not set",
            f"{', '.join(entry.explained_by)}: {entry.why}" if entry.explained_by else _UNEXPLAINED,
        )
        for entry in verdict.configuration
    ]
    yield _table("Configuration", ("field", "before", "after", "because of"), rows)


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{_text(word)}</th>" for word in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<h3>{_text(title)}</h3><div class="table"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    kind = ' class="wrong"' if text == _UNEXPLAINED else ""
    return f"<td{kind}>{_text(text)}</td>"


def _groups(verdict: Verdict) -> Iterator[str]:
    for what, causes in verdict.files.groups().items():
        yield f"<h3>{_text(_KINDS[what])} ({sum(causes.values())})</h3>"
        for cause, count in causes.items():
            found = [c for c in verdict.files.changes if (c.what, c.cause) == (what, cause)]
            listed = "\n".join(map(_path, found[:_MOST_PATHS]))
            more = f"\n... and {count - _MOST_PATHS} more" if count > _MOST_PATHS else ""
            yield _details(f"{cause} ({count})", f"<pre>{_text(listed + more)}</pre>")


def _path(change: TreeChange) -> str:
    wrong = "UNEXPLAINED " if change.unexplained else ""
    return f"{wrong}/{change.path}{'  ' + change.detail if change.detail else ''}"


def _packages(verdict: Verdict) -> Iterator[str]:
    if not verdict.packages:
        return
    rows = [(c.manager, c.name, c.before or "-", c.after or "-") for c in verdict.packages]
    table = _table("", ("manager", "package", "before", "after"), rows)
    yield f"<h3>Packages ({len(rows)})</h3>{_details('list', table)}"


def _diff(text: str) -> str:
    lines = []
    for line in text.splitlines():
        kind = {"+": "plus", "-": "minus", "@": "place"}.get(line[:1], "")
        if line.startswith(("+++", "---")):
            kind = "place"
        shown = _text(line)
        lines.append(f'<span class="{kind}">{shown or " "}</span>')
    return f'<pre class="diff">{"".join(lines)}</pre>'


def _details(title: str, content: str) -> str:
    return f"<details><summary>{_text(title)}</summary>{content}</details>"


def _text(text: str) -> str:
    """Text for the page; what is no character is written out."""
    return html.escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))
