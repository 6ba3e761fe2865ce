"""Both builds of one file, side by side."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerfix.pipeline import Result
from dockerfix.verify.comparison import compare_images
from dockerfix.verify.engine import BuildError, BuildOptions, Engine, EngineError
from dockerfix.verify.findings import Finding
from dockerfix.verify.measure import COLD, Bench, copy_context
from dockerfix.verify.scope import Scope, open_scope
from dockerfix.verify.verdict import (
    BROKEN,
    DIFFERS,
    EQUAL,
    ORIGINAL_BROKEN,
    SIDES,
    UNCHANGED,
    Verdict,
    Wishes,
)


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
