"""Which files are looked at, with what settings, and the work on them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockerfix.catalogue import choose_passes, plugin_passes
from dockerfix.commands.console import Console
from dockerfix.config import Config, find_config
from dockerfix.context.locate import Located, locate_context
from dockerfix.context.repository_root import is_inside, repository_root
from dockerfix.job import Job, Outcome, Settings, run_job

#: From this many files on, work is spread over processes.
PARALLEL_FROM = 64
STANDARD_INPUT = "-"


class UsageError(ValueError):
    """Options or paths that cannot be used."""


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
        yield _job(place, path, chosen, "")
        return
    if not os.access(place, os.R_OK | os.X_OK):
        raise UsageError("the folder cannot be read")
    found = list(find_dockerfiles(place, find_config(place).exclude))
    if not found:
        raise UsageError("no Dockerfile in this folder")
    for file in found:
        yield _job(file, str(file), chosen, path)


def _job(file: Path, path: str, chosen: Config, around: str) -> Job:
    """The work on one file; `around` is the folder that was named, "" where the file itself was."""
    config = find_config(file.parent)
    given = chosen.repository or config.repository
    if given is not None and not Path(given).is_dir():
        raise UsageError(f"the repository {given} is not a folder")
    root = os.path.realpath(given) if given else repository_root(str(file.parent), around)
    settings = _settings(chosen, config, locate_context(file, root))
    outside = settings.context is not None and not is_inside(
        os.path.realpath(settings.context), root
    )
    if given is None and outside:
        root = repository_root(str(settings.context), around)
    return Job(path, settings._replace(repository=Path(root)))


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


def run_jobs(plan: list[Job], jobs: int | None, console: Console) -> Iterator[Outcome]:
    """The outcome of each file, in their order; `jobs` processes, as many as fit if None."""
    workers = jobs or (os.cpu_count() or 1 if len(plan) >= PARALLEL_FROM else 1)
    for done, outcome in enumerate(_outcomes(plan, workers), start=1):
        console.progress(done, len(plan))
        yield outcome


def _outcomes(plan: list[Job], workers: int) -> Iterator[Outcome]:
    if workers == 1 or len(plan) < 2:
        yield from map(run_job, plan)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(workers, len(plan)), initializer=_leave_interrupts) as pool:
        yield from pool.map(run_job, plan, chunksize=16)


def _leave_interrupts() -> None:
    """Interrupts are for the process that started the workers; one hit in a lock waits for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
