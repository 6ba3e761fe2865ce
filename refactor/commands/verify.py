"""`dockerfix verify`: build before and after, and compare."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dockerfix.catalogue import UnknownPassError
from dockerfix.commands.planning import UsageError, plan
from dockerfix.config import Config, ConfigError
from dockerfix.job import Job, Outcome, run_job
from dockerfix.report.text import visible
from dockerfix.verify.bisect import find_culprits
from dockerfix.verify.engine import BuildOptions, Engine, EngineError, find_engine
from dockerfix.verify.side_by_side import verify
from dockerfix.verify.tree import TreeError
from dockerfix.verify.verdict import Verdict, Wishes

#: Exit codes; `docs/cli.md` lists them.
DIFFERS, USAGE, ORIGINAL_BROKEN, INTERRUPTED = 1, 2, 3, 130
_BUILD = (
    *("target", "platform", "network", "arguments", "secrets", "ssh", "timeout", "builder"),
    *("cache_scope", "extra"),
)
_CHOSEN = ("level", "select", "ignore", "context", "repository")
_WISHES = (
    *("run", "probes", "no_cache", "measure", "repeat", "run_options", "start_time"),
    *("own_builder",),
)


class VerifyError(Exception):
    """A file that cannot be verified; the message says why."""


class Request(NamedTuple):
    """What is asked for besides the files."""

    engine: Engine
    options: BuildOptions
    wishes: Wishes

    def check(self, job: Job) -> Verdict:
        """Refactor a file, build both, compare. Raises VerifyError."""
        outcome = run_job(job)
        if outcome.result is None:
            raise VerifyError("; ".join(outcome.errors))
        return self.judge(job, outcome)

    def judge(self, job: Job, outcome: Outcome) -> Verdict:
        """Build and compare what a job came to. Raises VerifyError."""
        assert outcome.result is not None
        context = job.settings.context or Path(job.path).parent
        target = self.options.target or job.settings.target
        options = self.options._replace(context=context, target=target)
        try:
            return verify(job.path, outcome.result, self.engine, options, self.wishes)
        except (EngineError, TreeError, OSError) as error:
            raise VerifyError(f"{job.path}: {error}") from error

    def culprits(self, job: Job, passes: tuple[str, ...]) -> tuple[str, ...]:
        """The passes without which the refactoring is right. Raises VerifyError."""

        def is_good_without(names: tuple[str, ...]) -> bool:
            return self.check(without(job, names)).exit_code == 0

        return find_culprits(passes, is_good_without)


def without(job: Job, passes: tuple[str, ...]) -> Job:
    """The same job with passes left out."""
    settings = job.settings
    return job._replace(settings=settings._replace(ignore=(*settings.ignore, *passes)))


def take_options(options: dict[str, Any]) -> dict[str, Any]:
    """The command line's options, sorted by whom they are for; the rest stays as it is."""
    build = {name: options.pop(name) for name in _BUILD}
    wishes = {name: options.pop(name) for name in _WISHES}
    logs = options.pop("logs")
    wishes["run"] = wishes["run"] or bool(wishes["probes"])
    chosen = {name: options.pop(name) for name in _CHOSEN}
    return {
        **options,
        "chosen": Config(**chosen, target=build["target"], pin=None),
        "options": BuildOptions(Path(), **build),
        "wishes": Wishes(**wishes, logs=Path(logs) if logs else None),
    }


def run(
    paths: Sequence[str],
    chosen: Config,
    engine: str | None,
    form: str,
    bisect: bool,
    options: BuildOptions,
    wishes: Wishes,
) -> int:
    """Verify files; give the exit code: the worst of them."""
    try:
        request = Request(find_engine(engine), options, wishes)
        jobs, missing = plan(paths, chosen)
    except (EngineError, ConfigError, UnknownPassError, UsageError) as error:
        _error(str(error))
        return USAGE
    print(request.engine, file=sys.stderr)
    for outcome in missing:
        _error("; ".join(outcome.errors))
    code = USAGE if missing else 0
    verdicts: list[Verdict] = []
    try:
        for job in jobs:
            code = max(code, _verify(job, request, bisect, form, verdicts))
    except KeyboardInterrupt:
        _error("interrupted; images and containers are removed")
        return INTERRUPTED
    _show(verdicts, form)
    return code


def _verify(job: Job, request: Request, bisect: bool, form: str, verdicts: list[Verdict]) -> int:
    """Verify one file; its exit code."""
    try:
        verdict = request.check(job)
        if verdict.exit_code == DIFFERS and bisect:
            verdict.notes.append(_advice(request.culprits(job, verdict.passes)))
    except VerifyError as error:
        _error(str(error))
        return USAGE
    verdicts.append(verdict)
    if form == "text":
        from dockerfix.report.verify import render_text

        print(visible(render_text(verdict)), end="", flush=True)
    return verdict.exit_code


def _advice(culprits: tuple[str, ...]) -> str:
    if not culprits:
        return "no pass is the cause by itself"
    return f"without {', '.join(culprits)} it is the same: --ignore {','.join(culprits)}"


def _show(verdicts: list[Verdict], form: str) -> None:
    if form == "json":
        from dockerfix.report.verify_json import render_json

        print(render_json(verdicts))
    elif form == "html":
        from dockerfix.report.verify_page import render_html

        sys.stdout.buffer.write(render_html(verdicts).encode("utf-8", "backslashreplace"))


def _error(text: str) -> None:
    print(visible(f"error: {text}"), file=sys.stderr)
