"""A verdict for people, for programs, and as a page."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict

from dockerfix.verify.verdict import Side, Verdict

SCHEMA_VERSION = 1
_WORDS = {
    "equal": "the same program; every difference is explained",
    "differs": "NOT the same",
    "broken": "the refactored file does NOT build",
    "original broken": "the original does not build",
    "unchanged": "nothing to refactor",
}


def render_text(verdict: Verdict) -> str:
    """A few lines."""
    lines = [f"{verdict.path}: {_WORDS[verdict.state]}"]
    if verdict.before and verdict.after:
        lines += [
            f"  size    {_mb(verdict.before.size)} -> {_mb(verdict.after.size)}"
            f" ({_percent(verdict.before.size, verdict.after.size)})",
            f"  layers  {verdict.before.layers} -> {verdict.after.layers}",
            f"  build   {verdict.before.build_time:.1f} s -> {verdict.after.build_time:.1f} s",
        ]
        old, new = verdict.before.rebuild_time, verdict.after.rebuild_time
        if old is not None and new is not None:
            text = f"{old:.1f} s -> {new:.1f} s ({_percent(old, new)})"
            lines.append(f"  rebuild {text} after an edit of a source")
        lines += _run_lines(verdict.before, verdict.after)
        for kind in ("lost", "added", "changed"):
            paths = getattr(verdict.files, kind)
            causes = verdict.files.by_cause(paths, verdict.folder)
            text = ", ".join(f"{name} {count}" for name, count in causes.items())
            lines.append(f"  {kind:7} {len(paths)} files" + (f": {text}" if text else ""))
    for entry in verdict.configuration:
        why = ", ".join(entry.explained_by) or "UNEXPLAINED"
        lines.append(f"  {entry.field}: {entry.before or '-'} -> {entry.after or '-'} ({why})")
    lines += [f"  problem: {problem}" for problem in verdict.problems]
    return "\n".join(lines) + "\n"


def render_json(verdicts: Sequence[Verdict]) -> str:
    """One document."""
    return json.dumps(
        {"version": SCHEMA_VERSION, "files": [asdict(verdict) for verdict in verdicts]}, indent=2
    )


def render_html(verdicts: Sequence[Verdict]) -> str:
    """One page that needs nothing from elsewhere."""
    body = "".join(_section(verdict) for verdict in verdicts)
    return f"{_HEAD}<h1>dockerfix verify</h1>{body}</body></html>\n"


def _section(verdict: Verdict) -> str:
    parts = [
        f"<section class={'good' if verdict.exit_code == 0 else 'bad'}>",
        f"<h2>{html.escape(verdict.path)}</h2><p>{_WORDS[verdict.state]}</p>",
    ]
    parts += [f"<pre class=problem>{html.escape(text)}</pre>" for text in verdict.problems]
    if verdict.before and verdict.after:
        parts.append(_bars("size", verdict.before.size, verdict.after.size, _mb))
        times = (verdict.before.build_time, verdict.after.build_time)
        parts.append(_bars("build", *times, lambda value: f"{value:.1f} s"))
        again = (verdict.before.rebuild_time, verdict.after.rebuild_time)
        if again[0] is not None and again[1] is not None:
            parts.append(_bars("rebuild", again[0], again[1], lambda value: f"{value:.1f} s"))
    if verdict.configuration:
        rows = "".join(
            f"<tr><td>{entry.field}<td>{html.escape(entry.before)}<td>{html.escape(entry.after)}"
            f"<td>{', '.join(entry.explained_by) or 'unexplained'}"
            for entry in verdict.configuration
        )
        parts.append(f"<table><tr><th>field<th>before<th>after<th>because of{rows}</table>")
    for kind in ("lost", "added", "changed"):
        paths = getattr(verdict.files, kind)
        if paths:
            listed = html.escape("\n".join(paths[:500]))
            parts.append(_details(f"{len(paths)} {kind}", listed))
    parts.append(_details("diff", html.escape(verdict.diff)))
    return "".join(parts) + "</section>"


def _details(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary><pre>{text}</pre></details>"


def _bars(name: str, before: float, after: float, text: object) -> str:
    top = max(before, after, 1e-9)
    rows = ""
    for label, value in (("before", before), ("after", after)):
        shown = text(value) if callable(text) else value
        rows += (
            f"<div class=bar><span>{name} {label}</span>"
            f"<i style='width:{value / top * 60:.1f}%'></i><b>{shown}</b></div>"
        )
    return rows


def _run_lines(before: Side, after: Side) -> list[str]:
    if before.observed is None or after.observed is None:
        return []
    old, new = before.observed, after.observed
    return [
        f"  answer  {old.answer} -> {new.answer}",
        f"  user    {old.user or '?'} -> {new.user or '?'}",
        f"  stop    {old.stop_time:.1f} s -> {new.stop_time:.1f} s",
    ]


def _mb(size: float) -> str:
    return f"{size / 1e6:.0f} MB"


def _percent(before: float, after: float) -> str:
    return f"{(after - before) / before * 100:+.0f} %" if before else "?"


_HEAD = """<!doctype html><html lang=en><meta charset=utf-8><title>dockerfix verify</title><style>
:root{color-scheme:light dark;--line:#8884;--bar:#3b82f6;--good:#15803d;--bad:#b91c1c}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
section{border-left:4px solid var(--line);padding-left:1rem;margin:2rem 0}
.good{border-color:var(--good)}.bad{border-color:var(--bad)}
pre{overflow:auto;border:1px solid var(--line);padding:.6rem;font-size:13px}
.problem{border-color:var(--bad)}table{border-collapse:collapse}td,th{border:1px solid var(--line);
padding:.2rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
.bar{display:flex;gap:.6rem;align-items:center}.bar span{width:7rem}
.bar i{height:.8rem;background:var(--bar)}
</style><body>"""
