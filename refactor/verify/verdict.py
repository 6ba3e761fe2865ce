"""The answer of a comparison, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dockerfix.verify.compare import TreeDifference
from dockerfix.verify.configuration import Difference
from dockerfix.verify.findings import Finding
from dockerfix.verify.measure import SCENARIOS, SOURCE, Timing
from dockerfix.verify.packages import PackageChange
from dockerfix.verify.runs import Observation, RunOptions

SIDES = ("before", "after")
EQUAL, DIFFERS, BROKEN = "equal", "differs", "broken"
ORIGINAL_BROKEN, UNCHANGED = "original broken", "unchanged"
_EXIT_CODES = {EQUAL: 0, UNCHANGED: 0, ORIGINAL_BROKEN: 3}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two images."""

    #: Octets of all layers as the engine counts them.
    size: int
    layers: int
    #: Seconds; of a build that may have used the engine's cache.
    build_time: float
    observed: Observation | None = None
    #: By kind of build: `measure.SCENARIOS`.
    timings: dict[str, Timing] = field(default_factory=dict)
    #: Octets of all layers compressed, when that was asked for.
    compressed: int | None = None

    @property
    def rebuild_time(self) -> float | None:
        """Seconds of a build after an edit of one source; None when that was not measured."""
        timing = self.timings.get(SOURCE)
        return timing.median if timing else None


@dataclass(slots=True)
class Verdict:
    """The answer for one file."""

    path: str
    #: `equal`, `differs`, `broken` (the refactored one does not build), `original broken`,
    #: `unchanged`.
    state: str
    passes: tuple[str, ...] = ()
    before: Side | None = None
    after: Side | None = None
    configuration: list[Difference] = field(default_factory=list)
    files: TreeDifference = field(default_factory=TreeDifference)
    packages: list[PackageChange] = field(default_factory=list)
    #: Where the program's folder is, for people.
    folder: str = "/"
    #: Why it is not equal.
    findings: list[Finding] = field(default_factory=list)
    #: What is good to know, and no fault.
    notes: list[str] = field(default_factory=list)
    diff: str = ""
    #: Where the log of the build that failed is kept.
    log: str = ""

    @property
    def problems(self) -> list[str]:
        """Why it is not equal: the check, and what it saw."""
        return [str(finding) for finding in self.findings]

    @property
    def exit_code(self) -> int:
        """0 equal, 1 not, 3 the original does not build."""
        return _EXIT_CODES.get(self.state, 1)


class Wishes(NamedTuple):
    """What to do besides building and comparing."""

    run: bool = False
    #: Paths, URLs, or commands to run inside; the exposed ports if none is given.
    probes: tuple[str, ...] = ()
    no_cache: bool = False
    #: Measure builds: cold, again, after an edit of a source, after one of a manifest.
    measure: bool = False
    #: The kinds of builds that are measured.
    scenarios: tuple[str, ...] = SCENARIOS
    #: Measure the compressed size too, which takes about as long as packing the image.
    compressed: bool = True
    repeat: int = 1
    #: Options for `run`, as the engine takes them.
    run_options: tuple[str, ...] = ()
    #: Seconds that a program gets to start.
    start_time: float = 30.0
    #: Where the log of a failed build is kept; a new temporary folder if not given.
    logs: Path | None = None
    #: Build with a builder of its own, that goes with its cache at the end.
    own_builder: bool = False

    @property
    def run_settings(self) -> RunOptions:
        """How containers are started and asked."""
        return RunOptions(self.probes, self.run_options, self.start_time)
