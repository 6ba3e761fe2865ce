"""A verdict for people."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.verify.measure import COLD
from dockerfix.verify.verdict import Side, Verdict

#: What a state means, in words.
WORDS = {
    "equal": "the same program; every difference is explained",
    "differs": "NOT the same",
    "broken": "the refactored file does NOT build",
    "original broken": "the original does not build",
    "unchanged": "nothing to refactor",
}
_MOST_PACKAGES = 8


def render_text(verdict: Verdict) -> str:
    """A few lines; the faults last, where they are seen."""
    lines = [f"{verdict.path}: {WORDS[verdict.state]}"]
    if verdict.before and verdict.after:
        lines += _figures(verdict.before, verdict.after)
        lines += _run_lines(verdict.before, verdict.after)
        lines += _file_lines(verdict)
        lines += _package_lines(verdict)
    for entry in verdict.configuration:
        because = f"{', '.join(entry.explained_by)}: {entry.why}"
        why = because if entry.explained_by else "UNEXPLAINED"
        lines.append(f"  {entry.field}: {entry.before or '-'} -> {entry.after or '-'} ({why})")
    lines += [f"  note: {note}" for note in verdict.notes]
    lines += [f"  problem: {indented(problem)}" for problem in verdict.problems]
    if verdict.log:
        lines.append(f"  the whole log: {verdict.log}")
    return "\n".join(lines) + "\n"


def indented(text: str) -> str:
    """Lines below each other under the first."""
    return text.replace("\n", "\n    ")


def _figures(before: Side, after: Side) -> Iterator[str]:
    yield (
        f"  size    {megabytes(before.size)} -> {megabytes(after.size)}"
        f" ({percent(before.size, after.size)})"
    )
    if before.compressed and after.compressed:
        sizes = f"{megabytes(before.compressed)} -> {megabytes(after.compressed)}"
        yield f"  packed  {sizes} ({percent(before.compressed, after.compressed)})"
    yield f"  layers  {before.layers} -> {after.layers}"
    if not before.timings:
        yield f"  build   {before.build_time:.1f} s -> {after.build_time:.1f} s"
    for scenario, old in before.timings.items():
        new = after.timings.get(scenario)
        if new is not None:
            times = f"{old.median:.1f} s -> {new.median:.1f} s"
            share = percent(old.median, new.median)
            steps = f"{old.steps} -> {new.steps} steps"
            kind = "cold build" if scenario == COLD else f"build, {scenario}"
            yield f"  {kind}: {times} ({share}), {steps}"


def _run_lines(before: Side, after: Side) -> Iterator[str]:
    old, new = before.observed, after.observed
    if old is None or new is None:
        return
    yield f"  answer  {old.answer} -> {new.answer}"
    yield f"  user    {old.user or '?'} -> {new.user or '?'}"
    yield f"  stop    {old.stop_time:.1f} s -> {new.stop_time:.1f} s"


def _file_lines(verdict: Verdict) -> Iterator[str]:
    for what, causes in verdict.files.groups().items():
        text = ", ".join(f"{name} {count}" for name, count in causes.items())
        yield f"  {what:7} {sum(causes.values())} files: {text}"


def _package_lines(verdict: Verdict) -> Iterator[str]:
    for manager in dict.fromkeys(change.manager for change in verdict.packages):
        rows = [change for change in verdict.packages if change.manager == manager]
        lost = [change.name for change in rows if not change.after]
        came = [change.name for change in rows if not change.before]
        other = [f"{c.name} {c.before} -> {c.after}" for c in rows if c.before and c.after]
        parts = [
            f"{len(names)} {word} ({_some(names)})"
            for word, names in (("gone", lost), ("added", came), ("changed", other))
            if names
        ]
        yield f"  {manager:7} {', '.join(parts)}"


def _some(names: list[str]) -> str:
    more = f", ... {len(names) - _MOST_PACKAGES} more" if len(names) > _MOST_PACKAGES else ""
    return f"{', '.join(names[:_MOST_PACKAGES])}{more}"


def megabytes(size: float) -> str:
    """A size for people; MB are millions of octets, as engines print them."""
    return f"{size / 1e6:.0f} MB" if size >= 10e6 else f"{size / 1e6:.1f} MB"


def percent(before: float, after: float) -> str:
    """By how much it changed."""
    share = round((after - before) / before * 100) if before else None
    return "?" if share is None else f"{share:+d} %" if share else "0 %"
