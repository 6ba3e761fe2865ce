"""One file from disk to its outcome; never raises, so that one bad file stops no other."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dockerfix.catalogue import plugin_passes
from dockerfix.pipeline import DockerfileSyntaxError, RefactoringError, Result
from dockerfix.registry.lockfile import LockError, Pin
from dockerfix.transform import Declined, NewFile


class Settings(NamedTuple):
    """What the command line and the settings files say for one file."""

    level: str
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    context: Path | None
    target: str | None
    plugins: bool = False
    pin: str = "tag"
    #: What else may be the context; "" when that is certain.
    context_doubt: str = ""
    #: Whether no registry is asked.
    locked: bool = False
    #: What was looked up in this run, beside the lock.
    pins: tuple[Pin, ...] = ()
    #: What images are to be updated to; None for no update.
    moves: tuple[Pin, ...] | None = None
    #: The folder whose files are evidence; None: it is looked for.
    repository: Path | None = None


class Job(NamedTuple):
    """A file to look at; `text` is set when it does not come from disk (standard input)."""

    path: str
    settings: Settings
    text: str | None = None
    #: Files of the context as others of this run make them.
    made: tuple[NewFile, ...] = ()


class Outcome(NamedTuple):
    """What came of a file: a result, or the messages that say why there is none."""

    path: str
    result: Result | None
    errors: tuple[str, ...] = ()
    #: The build context, where the files lie that a change creates; None for standard input.
    context: Path | None = None

    def place(self, file: NewFile) -> str:
        """Where a file that a change creates or replaces lies."""
        return str((self.context or Path()) / file.path)


def run_job(job: Job) -> Outcome:
    """Refactor one file, without writing."""
    try:
        text = job.text if job.text is not None else read_text(Path(job.path))
        result = _refactor(text, job)
        if job.settings.context_doubt:
            doubt = Declined("the build context is not certain", 1, job.settings.context_doubt)
            result = replace(result, declined=(doubt, *result.declined))
        return Outcome(job.path, result, context=job.settings.context)
    except DockerfileSyntaxError as error:
        return Outcome(job.path, None, tuple(_locate(job.path, error)))
    except RefactoringError as error:
        message = f"{job.path}: left as it is: a fault of dockerfix in {error}; please report it"
        return Outcome(job.path, None, (message,))
    except LockError as error:
        return Outcome(job.path, None, (str(error),))
    except OSError as error:
        return Outcome(job.path, None, (f"{job.path}: cannot be read: {error.strerror or error}",))


def _name(job: Job) -> str:
    """The Dockerfile's path in its context."""
    context = job.settings.context
    if context is None or job.text is not None:
        return Path(job.path).name
    return Path(os.path.relpath(job.path, context)).as_posix()


def read_text(path: Path) -> str:
    """A file's text; bytes that are not UTF-8 become lone surrogates."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _refactor(text: str, job: Job) -> Result:
    import dockerfix

    settings = job.settings
    return dockerfix.refactor(
        text,
        context=settings.context,
        name=_name(job),
        target=settings.target,
        level=settings.level,
        select=settings.select,
        ignore=settings.ignore,
        plugins=plugin_passes() if settings.plugins else (),
        pin=settings.pin,
        repository=settings.repository,
        pins=settings.pins,
        moves=settings.moves,
        made={file.path: file.content for file in job.made},
    )


def _locate(path: str, error: DockerfileSyntaxError) -> list[str]:
    return [
        f"{path}:{problem.line}:{problem.column}: {problem.message}"
        + (f": {shorten(problem.source)}" if problem.source else "")
        for problem in error.problems[:5]
    ]


def shorten(text: str) -> str:
    """A source line for a message: not too long."""
    return text if len(text) <= 120 else f"{text[:117]}..."
