"""The table: for each application what was done, and what it brought."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dockerfix.verify.measure import COLD
from dockerfix.verify.verdict import Side, Verdict

#: The passes that are worth a column, and what they did.
_DEEDS = (("split-stages", "split"), ("order-copies", "ordered"), ("add-user", "user"))

HEADING = (
    f"{'application':16} {'done':18} {'size, MB':>19} {'cold build, s':>20} "
    f"{'after an edit, s':>20}  result"
)


@dataclass(frozen=True, slots=True)
class Gain:
    """A number before and after."""

    before: float
    after: float

    @property
    def share(self) -> float:
        """How much of it went, from 0 to 1; below 0 when it grew."""
        return 1 - self.after / self.before if self.before else 0.0

    def text(self, digits: int) -> str:
        """Both numbers, and the change."""
        change = f"{-self.share:+.0%}"
        return f"{self.before:.{digits}f} -> {self.after:.{digits}f} {change:>5}"


def row(name: str, verdict: Verdict) -> str:
    """One line of the table."""
    cells = (size(verdict), cold_build(verdict), rebuild(verdict))
    told = [
        gain.text(digits) if gain else "" for gain, digits in zip(cells, (0, 1, 1), strict=True)
    ]
    deeds = [word for pass_name, word in _DEEDS if pass_name in verdict.passes]
    return (
        f"{name:16} {'+'.join(deeds) or '-':18} {told[0]:>19} {told[1]:>20} {told[2]:>20}  "
        f"{verdict.state}"
    )


def summary(verdicts: Iterable[Verdict]) -> list[str]:
    """The medians that the project promises something about."""
    right = [verdict for verdict in verdicts if verdict.state == "equal"]
    split = [verdict for verdict in right if "split-stages" in verdict.passes]
    ordered = [verdict for verdict in right if "order-copies" in verdict.passes]
    return [
        _median("size where stages were split", [size(verdict) for verdict in split]),
        _median("build after an edit where copies were ordered", [rebuild(v) for v in ordered]),
    ]


def size(verdict: Verdict) -> Gain | None:
    """Megabytes of the image."""
    return _gain(verdict, lambda side: side.size / 1e6)


def cold_build(verdict: Verdict) -> Gain | None:
    """Seconds of a build without any cache."""
    return _gain(verdict, lambda side: side.timings[COLD].median if COLD in side.timings else None)


def rebuild(verdict: Verdict) -> Gain | None:
    """Seconds of a build after an edit of one source."""
    return _gain(verdict, lambda side: side.rebuild_time)


def _gain(verdict: Verdict, number: Callable[[Side], float | None]) -> Gain | None:
    if verdict.before is None or verdict.after is None:
        return None
    before, after = number(verdict.before), number(verdict.after)
    return None if before is None or after is None else Gain(before, after)


def _median(what: str, gains: list[Gain | None]) -> str:
    shares = [gain.share for gain in gains if gain is not None]
    if not shares:
        return f"median {what}: not measured"
    return f"median {what}: {-statistics.median(shares):+.0%} ({len(shares)} applications)"
