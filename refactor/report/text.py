"""Results for people: the diff, the reasons, the summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.diff import unified_diff
from dockerfix.job import Outcome
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.graph.gain import Gain
    from dockerfix.pipeline import Result

#: Characters that would move the cursor or change a terminal's state.
_CONTROL = pattern(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\udc80-\udcff]")
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def outcome_diff(outcome: Outcome, old_files: dict[str, str | None]) -> str:
    """The diff of a Dockerfile and of the files beside it; `old_files` maps path to old content."""
    result = outcome.result
    if result is None:
        return ""
    parts = [result.diff(outcome.path)]
    for file in result.files:
        place = outcome.place(file)
        before = old_files[place]
        parts.append(unified_diff(before or "", file.content, place, created=before is None))
    return "".join(parts)


def colour_diff(diff: str) -> str:
    """The diff with colours."""
    import click

    lines = []
    for line in diff.splitlines(keepends=True):
        body = line.rstrip("\n")
        end = line[len(body) :]
        if line.startswith(("--- ", "+++ ")):
            lines.append(click.style(body, bold=True) + end)
        else:
            colour = _COLOURS.get(line[:1])
            lines.append(click.style(body, fg=colour) + end if colour else line)
    return "".join(lines)


def visible(text: str) -> str:
    """The text with control characters written out, for a terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", text)


def explanations(outcome: Outcome) -> Iterator[str]:
    """Why each change was made, and why passes that looked left something alone."""
    result = outcome.result
    if result is None:
        return
    for change in result.changes:
        yield f"{outcome.path}:{change.line}: {change.pass_name} ({change.level}): {change.message}"
        yield f"  help: {change.help}"
        for evidence in change.evidence:
            yield f"  because: {evidence}"
    for declined in result.declined:
        # What no pass says is about the whole file: its context, or a comment in it.
        who = f"{declined.pass_name} left this alone" if declined.pass_name else "note"
        yield f"{outcome.path}:{declined.line}: {who}: {declined}"
    if result.changed:
        from dockerfix.graph.gain import gain_lines

        yield from (f"{outcome.path}: {line}" for line in gain_lines(outcome_gain(outcome, result)))


def outcome_gain(outcome: Outcome, result: Result) -> Gain:
    """What a result gains, told from the effects alone."""
    from dockerfix.graph.gain import static_gain

    return static_gain(result, outcome.context, Path(outcome.path).name)


class Summary(NamedTuple):
    """Counts over all files."""

    changed: int
    unchanged: int
    failed: int

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Summary:
        """Count the outcomes."""
        changed = sum(bool(o.result and o.result.changed) for o in outcomes)
        failed = sum(bool(o.errors) for o in outcomes)
        return cls(changed, len(outcomes) - changed - failed, failed)

    def sentence(self, verb: str) -> str:
        """One line: `2 files would be refactored, 1 file left as it is.`"""
        parts = []
        if self.changed:
            parts.append(f"{_files(self.changed)} {verb}")
        if self.unchanged:
            parts.append(f"{_files(self.unchanged)} left as {_it(self.unchanged)}")
        if self.failed:
            parts.append(f"{_files(self.failed)} could not be refactored")
        return f"{', '.join(parts)}."


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _it(count: int) -> str:
    return "it is" if count == 1 else "they are"
