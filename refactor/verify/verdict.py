"""Both builds of one file, side by side, and the answer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dockerfix.pipeline import Result
from dockerfix.verify.compare import TreeDifference
from dockerfix.verify.configuration import Difference
from dockerfix.verify.engine import BuildError, BuildOptions, Engine, EngineError
from dockerfix.verify.findings import Finding
from dockerfix.verify.measure import (
    AGAIN,
    COLD,
    MANIFEST,
    SCENARIOS,
    SOURCE,
    Bench,
    Timing,
    copy_context,
)
from dockerfix.verify.packages import PackageChange
from dockerfix.verify.runs import Observation, RunOptions
from dockerfix.verify.scope import Scope, open_scope

__all__ = ["AGAIN", "COLD", "MANIFEST", "SOURCE", "Side", "Verdict", "Wishes", "verify"]

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


def verify(
    path: str, result: Result, engine: Engine, options: BuildOptions, wishes: Wishes
) -> Verdict:
    """Build before and after, compare, clean up. Raises EngineError."""
    passes = tuple(dict.fromkeys(change.pass_name for change in result.changes))
    verdict = Verdict(path, UNCHANGED, passes, diff=result.diff(path))
    if not result.changed:
        return verdict
    if wishes.run and not engine.runs:
        raise EngineError(f"{engine.program} runs no containers with a port; use docker or podman")
    with (
        tempfile.TemporaryDirectory(prefix="dockerfix-", ignore_cleanup_errors=True) as folder,
        open_scope(engine) as scope,
    ):
        job = _Job(verdict, result, engine, _own(options, wishes, scope), wishes, scope)
        job.work(Path(folder))
    return verdict


def _own(options: BuildOptions, wishes: Wishes, scope: Scope) -> BuildOptions:
    """The builder and the scope of caches that are asked for."""
    if wishes.own_builder:
        options = options._replace(builder=scope.builder())
    return options


@dataclass(slots=True)
class _Job:
    verdict: Verdict
    result: Result
    engine: Engine
    options: BuildOptions
    wishes: Wishes
    scope: Scope

    def work(self, folder: Path) -> None:
        if self.wishes.measure:
            copy_context(self.options.context, folder / "context")
            self.options = self.options._replace(context=folder / "context")
        places = {side: self._place(folder, side) for side in SIDES}
        bench = Bench(self.engine, self.scope, self.options, places)
        for side in SIDES:
            with self._failing(side):
                cold = self.wishes.no_cache or self.wishes.measure
                tag = self.scope.image(side)
                built = self.engine.build(places[side], tag, self.options, cold)
                bench.note(side, COLD if cold else "first", built)
            if self.verdict.state != UNCHANGED:
                return
        if self.wishes.measure:
            try:
                bench.run(self.wishes.repeat, self.wishes.scenarios)
            except BuildError as error:
                self.verdict.notes.append(f"not measured to the end: the build fails {error}")
        self._compare(bench)

    def _compare(self, bench: Bench) -> None:
        from dockerfix.verify.comparison import compare_images

        compare_images(
            self.verdict, self.result, self.engine, self.scope, self.wishes, bench, self.options
        )
        self.verdict.state = DIFFERS if self.verdict.findings else EQUAL

    def _place(self, folder: Path, side: str) -> Path:
        """Write one of the two files, with the ignore file that counts for it."""
        code = self.result.before if side == "before" else self.result.code
        place = folder / side / "Dockerfile"
        place.parent.mkdir()
        place.write_bytes(_octets(code))
        ignore = place.with_name("Dockerfile.dockerignore")
        own = Path(f"{self.verdict.path}.dockerignore")
        if own.is_file():
            shutil.copyfile(own, ignore)
        for file in self.result.files if side == "after" else ():
            if not file.path.endswith(".dockerignore"):
                raise EngineError(f"{file.path}: a new file that is no ignore file")
            ignore.write_bytes(_octets(file.content))
        return place

    @contextmanager
    def _failing(self, side: str) -> Iterator[None]:
        """A build that fails is an answer; its log is kept."""
        try:
            yield
        except BuildError as error:
            verdict = self.verdict
            verdict.state = ORIGINAL_BROKEN if side == "before" else BROKEN
            name = "original" if side == "before" else "refactored"
            verdict.findings.append(Finding("build", f"the {name} file does not build {error}"))
            verdict.log = _keep(error.log, self.wishes.logs)


def _keep(log: Path | None, folder: Path | None) -> str:
    """Copy a log to where it stays."""
    if log is None or not log.is_file():
        return ""
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="dockerfix-log-"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{log.parent.name}-{log.name}"
    shutil.copyfile(log, place)
    return str(place)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
