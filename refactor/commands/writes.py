"""Write what refactoring came to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dockerfix.commands.console import Console
from dockerfix.commands.planning import STANDARD_INPUT
from dockerfix.commands.shared import old_files
from dockerfix.job import Job, Outcome, run_job

if TYPE_CHECKING:
    from dockerfix.writing import Write


def write_all(outcomes: list[Outcome], jobs: dict[str, Job], console: Console) -> list[Outcome]:
    """Write file by file; who shares a `.dockerignore` that was just written is done anew."""
    written: set[str] = set()
    done: list[Outcome] = []
    for outcome in outcomes:
        if written.intersection(old_files(outcome)):
            outcome = run_job(jobs[outcome.path])
        written.update(old_files(outcome))
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
        for (name, old), file in zip(old_files(outcome).items(), result.files, strict=True)
    ]
    if result.code != result.before:
        writes.append(Write(path, _octets(result.before), _octets(result.code)))
    try:
        write_files(writes, _tree(outcome, path))
    except WriteError as error:
        return outcome._replace(result=None, errors=(str(error),))
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


def write_locks(writes: list[Write]) -> list[Outcome]:
    """Write the locks; what goes wrong, as outcomes."""
    from dockerfix.writing import WriteError, write_files

    failed: list[Outcome] = []
    for write in writes:
        try:
            write_files([write], write.path.parent)
        except WriteError as error:
            failed.append(Outcome(str(write.path), None, (str(error),)))
    return failed
