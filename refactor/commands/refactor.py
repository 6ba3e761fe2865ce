"""The main job: find the files, refactor them, show or write."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockerfix.catalogue import UnknownPassError, choose_passes, plugin_passes
from dockerfix.config import Config, ConfigError, find_config
from dockerfix.context.locate import Located, locate_context
from dockerfix.report.text import Summary, colour_diff, explanations, outcome_diff, visible
from dockerfix.work import Job, Outcome, Settings, read_text, run_job

if TYPE_CHECKING:
    from dockerfix.writing import Write

#: Exit codes; `docs/cli.md` lists them.
OK, CHANGES, FAILURE = 0, 1, 2
#: From this many files on, work is spread over processes.
PARALLEL_FROM = 64
STANDARD_INPUT = "-"

_VERBS = {"diff": "would be refactored", "check": "would be refactored", "write": "refactored"}


class UsageError(ValueError):
    """Options or paths that cannot be used."""


def run(
    paths: Sequence[str],
    *,
    action: str,
    level: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    context: str | None,
    target: str | None,
    pin: str | None,
    locked: bool,
    update: str | None,
    explain: bool,
    form: str,
    exit_code: bool,
    verify: bool,
    color: str,
    jobs: int | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Do it; give the exit code."""
    console = Console(color, quiet)
    chosen = Config(
        level=level, select=select, ignore=ignore, context=context, target=target, pin=pin
    )
    try:
        if verify and action != "write":
            raise UsageError("--verify goes with --write")
        if action == "write" and form != "text" and STANDARD_INPUT in paths:
            raise UsageError("--write puts standard input on standard output: --format text only")
        found, missing = plan(paths, chosen)
    except (ConfigError, UnknownPassError, UsageError) as error:
        console.error(str(error))
        return FAILURE
    if update:
        found = [replace(job, settings=replace(job.settings, moves=())) for job in found]
    outcomes = [*missing, *_run_jobs(found, jobs, console)]
    by_path = {job.path: job for job in found}
    locks: list[Write] = []
    if not locked and _has_questions(outcomes, by_path):
        from dockerfix.commands.pinning import amend_locks, look_up_open

        again = partial(_run_jobs, jobs=jobs, console=console)
        outcomes = look_up_open(outcomes, by_path, update, again, console.say)
        locks = amend_locks(outcomes, by_path)
    if verify:
        from dockerfix.commands.verified import keep_verified

        outcomes = keep_verified(outcomes, by_path, console.say)
    if action == "write":
        outcomes = [*_write_all(outcomes, by_path, console), *_write_locks(locks)]
    _show(outcomes, action, form, console)
    if action == "diff" and form == "text":
        _show_locks(locks, console)
    for outcome in outcomes:
        for message in outcome.errors:
            console.error(message)
        if verbose and not outcome.errors:
            state = _VERBS[action] if outcome.result and outcome.result.changed else "left as it is"
            console.say(f"{outcome.path}: {state}")
        if explain:
            for line in explanations(outcome):
                console.say(line)
    summary = Summary.of(outcomes)
    console.say(summary.sentence(_VERBS[action]))
    if summary.failed:
        return FAILURE
    return CHANGES if summary.changed and (action == "check" or exit_code) else OK


class Console:
    """Standard output for results, standard error for talk."""

    def __init__(self, color: str, quiet: bool) -> None:
        self.quiet = quiet
        self.terminal = sys.stdout.isatty()
        self.colored = color == "always" or (
            color == "auto" and self.terminal and not os.environ.get("NO_COLOR")
        )

    def result(self, text: str) -> None:
        """Results, byte for byte; on a terminal without control characters."""
        if self.terminal:
            text = visible(text)
        if self.colored:
            text = colour_diff(text)
        try:
            sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Whoever read the output has seen enough: `dockerfix . | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(OK)

    def say(self, text: str) -> None:
        """Talk, unless it should be quiet."""
        if not self.quiet:
            self._print(text)

    def error(self, text: str) -> None:
        """An error."""
        self._print(f"error: {text}")

    def _print(self, text: str) -> None:
        print(visible(text), file=sys.stderr)

    def progress(self, done: int, total: int) -> None:
        """How far it is, where somebody watches."""
        if not self.quiet and total > 20 and sys.stderr.isatty():
            end = "\r" if done < total else "\r\x1b[K"
            print(f"{done} of {total} files", end=end, file=sys.stderr, flush=True)


def plan(paths: Sequence[str], chosen: Config) -> tuple[list[Job], list[Outcome]]:
    """The files to look at, each once; and an outcome for each path that is none.

    Raises ConfigError, UnknownPassError, UsageError for what no file can be looked at with.
    """
    jobs: dict[str, Job] = {}
    missing: list[Outcome] = []
    for path in paths:
        try:
            for job in _expand(path, chosen):
                jobs.setdefault(os.path.realpath(job.path), job)
        except (OSError, UsageError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            missing.append(Outcome(path, None, (f"{path}: {reason}",)))
    _check_passes(list(jobs.values()))
    return list(jobs.values()), missing


def _expand(path: str, chosen: Config) -> Iterator[Job]:
    from dockerfix.discovery import find_dockerfiles

    if path == STANDARD_INPUT:
        text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        settings = _settings(chosen, find_config(Path()), None)
        yield Job(STANDARD_INPUT, settings, text)
        return
    place = Path(path)
    if not place.is_dir():
        place.stat()
        yield Job(path, _settings(chosen, find_config(place.parent), locate_context(place)))
        return
    if not os.access(place, os.R_OK | os.X_OK):
        raise UsageError("the folder cannot be read")
    found = list(find_dockerfiles(place, find_config(place).exclude))
    if not found:
        raise UsageError("no Dockerfile in this folder")
    for file in found:
        yield Job(str(file), _settings(chosen, find_config(file.parent), locate_context(file)))


def _settings(chosen: Config, config: Config, located: Located | None) -> Settings:
    """What holds for one file: the command line wins over the settings file."""
    context = chosen.context or config.context
    if context is not None and not Path(context).is_dir():
        raise UsageError(f"the build context {context} is not a folder")
    return Settings(
        level=chosen.level or config.level or "review",
        select=chosen.select or config.select,
        ignore=chosen.ignore or config.ignore,
        context=Path(context) if context else located.folder if located else None,
        context_doubt=located.doubt if located and not context else "",
        target=chosen.target or config.target,
        plugins=config.plugins,
        pin=chosen.pin or config.pin or "tag",
        locked=config.locked,
    )


def _check_passes(plan: list[Job]) -> None:
    """Refuse a pass that nobody knows, once, before any work."""
    for settings in {job.settings for job in plan}:
        plugins = plugin_passes() if settings.plugins else ()
        choose_passes(settings.select, settings.ignore, plugins)


def _run_jobs(plan: list[Job], jobs: int | None, console: Console) -> Iterator[Outcome]:
    workers = jobs or (os.cpu_count() or 1 if len(plan) >= PARALLEL_FROM else 1)
    for done, outcome in enumerate(_outcomes(plan, workers), start=1):
        console.progress(done, len(plan))
        yield outcome


def _outcomes(plan: list[Job], workers: int) -> Iterator[Outcome]:
    if workers == 1 or len(plan) < 2:
        yield from map(run_job, plan)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(workers, len(plan))) as pool:
        yield from pool.map(run_job, plan, chunksize=16)


def _has_questions(outcomes: list[Outcome], by_path: dict[str, Job]) -> bool:
    """Whether a registry could, and may, say what a pass wants to know."""
    from dockerfix.transforms.pin_tags import open_questions

    return any(
        outcome.result is not None
        and not by_path[outcome.path].settings.locked
        and any(open_questions(outcome.result.declined))
        for outcome in outcomes
    )


def _write_locks(writes: list[Write]) -> list[Outcome]:
    """Write the locks; what goes wrong, as outcomes."""
    from dockerfix.writing import WriteError, write_files

    failed: list[Outcome] = []
    for write in writes:
        try:
            write_files([write], write.path.parent)
        except WriteError as error:
            failed.append(Outcome(str(write.path), None, (str(error),)))
    return failed


def _show_locks(writes: list[Write], console: Console) -> None:
    from dockerfix.diff import unified_diff

    for write in writes:
        before, after = (text.decode() for text in (write.before or b"", write.after))
        console.result(unified_diff(before, after, os.path.relpath(write.path)))


def _show(outcomes: list[Outcome], action: str, form: str, console: Console) -> None:
    if form == "json":
        from dockerfix.report.json import render_json

        diffs = {outcome.path: outcome_diff(outcome, _old_files(outcome)) for outcome in outcomes}
        console.result(render_json(outcomes, diffs))
    elif form == "github":
        from dockerfix.report.github import render_github

        console.result(render_github(outcomes))
    elif action == "diff":
        for outcome in outcomes:
            console.result(outcome_diff(outcome, _old_files(outcome)))
    elif action == "check":
        changed = (outcome for outcome in outcomes if outcome.result and outcome.result.changed)
        console.result("".join(f"{outcome.path}\n" for outcome in changed))


def _old_files(outcome: Outcome) -> dict[str, str | None]:
    """What the files of the build context hold now, by their path; None where there is none."""
    found: dict[str, str | None] = {}
    for file in outcome.result.files if outcome.result else ():
        path = outcome.place(file)
        found[path] = read_text(Path(path)) if Path(path).is_file() else None
    return found


def _write_all(outcomes: list[Outcome], jobs: dict[str, Job], console: Console) -> list[Outcome]:
    """Write file by file; who shares a `.dockerignore` that was just written is done anew."""
    written: set[str] = set()
    done: list[Outcome] = []
    for outcome in outcomes:
        if written.intersection(_old_files(outcome)):
            outcome = run_job(jobs[outcome.path])
        written.update(_old_files(outcome))
        done.append(_write(outcome, console))
    return done


def _write(outcome: Outcome, console: Console) -> Outcome:
    """Write what changed; standard input goes to standard output."""
    result = outcome.result
    if result is None:
        return outcome
    if outcome.path == STANDARD_INPUT:
        console.result(result.code)
        return outcome
    if not result.changed:
        return outcome
    from dockerfix.writing import Write, WriteError, write_files

    path = Path(outcome.path)
    # A .dockerignore first: it is right beside the old Dockerfile too.
    writes = [
        Write(Path(name), None if old is None else _octets(old), _octets(file.content))
        for (name, old), file in zip(_old_files(outcome).items(), result.files, strict=True)
    ]
    if result.code != result.before:
        writes.append(Write(path, _octets(result.before), _octets(result.code)))
    try:
        write_files(writes, _tree(outcome, path))
    except WriteError as error:
        return replace(outcome, result=None, errors=(str(error),))
    return outcome


def _tree(outcome: Outcome, path: Path) -> Path:
    """The folder that links may not leave: where one is, else the build context."""
    here = Path.cwd()
    if path.absolute().is_relative_to(here):
        return here
    context = outcome.context
    inside = context is not None and path.absolute().is_relative_to(context.absolute())
    return context if context is not None and inside else path.parent


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
