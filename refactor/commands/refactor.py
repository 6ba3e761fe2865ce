"""The main job: find the files, refactor them, show or write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.catalogue import UnknownPassError
from dockerfix.commands.console import Console
from dockerfix.commands.planning import STANDARD_INPUT, UsageError, plan, run_jobs
from dockerfix.commands.shared import OldFiles, old_files, one_by_one
from dockerfix.commands.writes import write_all, write_locks
from dockerfix.config import Config, ConfigError
from dockerfix.job import Job, Outcome
from dockerfix.report.text import Summary, explanations, outcome_diff

if TYPE_CHECKING:
    from dockerfix.writing import Write

#: Exit codes; `docs/cli.md` lists them.
OK, CHANGES, FAILURE = 0, 1, 2

_VERBS = {"diff": "would be refactored", "check": "would be refactored", "write": "refactored"}


class Request(NamedTuple):
    """The options of the command line; `docs/cli.md` says what each means."""

    action: str
    level: str | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    context: str | None
    repository: str | None
    target: str | None
    pin: str | None
    locked: bool
    update: str | None
    explain: bool
    form: str
    exit_code: bool
    verify: bool
    color: str
    jobs: int | None
    quiet: bool
    verbose: bool


def run(paths: Sequence[str], request: Request) -> int:
    """Do it; give the exit code."""
    console = Console(request.color, request.quiet)
    try:
        _check(paths, request)
        found, missing = plan(paths, _config(request))
    except (ConfigError, UnknownPassError, UsageError) as error:
        console.error(str(error))
        return FAILURE
    if request.update:
        found = [job._replace(settings=job.settings._replace(moves=())) for job in found]
    outcomes = [*missing, *run_jobs(found, request.jobs, console)]
    by_path = {job.path: job for job in found}
    outcomes, locks = _look_up(outcomes, by_path, request, console)
    if request.verify:
        from dockerfix.commands.verified import keep_verified

        outcomes = keep_verified(outcomes, by_path, console.say)
    if request.action == "write":
        outcomes = [*write_all(outcomes, by_path, console), *write_locks(locks)]
        shown = [(outcome, old_files(outcome)) for outcome in outcomes]
    else:
        shown = list(one_by_one(outcomes, by_path))
        outcomes = [outcome for outcome, _ in shown]
    _show(shown, request, console)
    if request.action == "diff" and request.form == "text":
        _show_locks(locks, console)
    _tell(outcomes, request, console)
    return _exit_code(Summary.of(outcomes), request)


def _check(paths: Sequence[str], request: Request) -> None:
    """Refuse options that do not go together. Raises UsageError."""
    if request.verify and request.action != "write":
        raise UsageError("--verify goes with --write")
    if request.action == "write" and request.form != "text" and STANDARD_INPUT in paths:
        raise UsageError("--write puts standard input on standard output: --format text only")


def _config(request: Request) -> Config:
    return Config(
        level=request.level,
        select=request.select,
        ignore=request.ignore,
        context=request.context,
        repository=request.repository,
        target=request.target,
        pin=request.pin,
    )


def _look_up(
    outcomes: list[Outcome], by_path: dict[str, Job], request: Request, console: Console
) -> tuple[list[Outcome], list[Write]]:
    """Ask registries what the locks lack; the outcomes then, and the locks with the answers."""
    if request.locked or not _has_questions(outcomes, by_path):
        return outcomes, []
    from dockerfix.commands.pinning import amend_locks, look_up_open

    again = partial(run_jobs, jobs=request.jobs, console=console)
    outcomes = look_up_open(outcomes, by_path, request.update, again, console.say)
    return outcomes, amend_locks(outcomes, by_path)


def _tell(outcomes: list[Outcome], request: Request, console: Console) -> None:
    """What is worth saying of each file, and in sum."""
    for outcome in outcomes:
        for message in outcome.errors:
            console.error(message)
        if request.verbose and not outcome.errors:
            changed = outcome.result is not None and outcome.result.changed
            console.say(f"{outcome.path}: {_VERBS[request.action] if changed else 'left as it is'}")
        for line in explanations(outcome) if request.explain else ():
            console.say(line)
    console.say(Summary.of(outcomes).sentence(_VERBS[request.action]))


def _exit_code(summary: Summary, request: Request) -> int:
    if summary.failed:
        return FAILURE
    asked = request.action == "check" or request.exit_code
    return CHANGES if summary.changed and asked else OK


def _has_questions(outcomes: list[Outcome], by_path: dict[str, Job]) -> bool:
    """Whether a registry could, and may, say what a pass wants to know."""
    from dockerfix.transforms.pin_tags import open_questions

    return any(
        outcome.result is not None
        and not by_path[outcome.path].settings.locked
        and any(open_questions(outcome.result.declined))
        for outcome in outcomes
    )


def _show_locks(writes: list[Write], console: Console) -> None:
    from dockerfix.diff import unified_diff

    for write in writes:
        before, after = (text.decode() for text in (write.before or b"", write.after))
        console.result(unified_diff(before, after, os.path.relpath(write.path)))


def _show(shown: list[tuple[Outcome, OldFiles]], request: Request, console: Console) -> None:
    outcomes = [outcome for outcome, _ in shown]
    if request.form == "json":
        from dockerfix.report.json import render_json

        diffs = {outcome.path: outcome_diff(outcome, held) for outcome, held in shown}
        console.result(render_json(outcomes, diffs))
    elif request.form == "github":
        from dockerfix.report.github import render_github

        console.result(render_github(outcomes))
    elif request.action == "diff":
        for outcome, held in shown:
            console.result(outcome_diff(outcome, held))
    elif request.action == "check":
        changed = (outcome for outcome in outcomes if outcome.result and outcome.result.changed)
        console.result("".join(f"{outcome.path}\n" for outcome in changed))
