"""Files of a build context that several Dockerfiles of one run change, as a `.dockerignore`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from dockerfix.job import Job, Outcome, read_text, run_job
from dockerfix.transform import NewFile

#: What files hold before a change, by their path; None where there is none.
OldFiles: TypeAlias = dict[str, str | None]


def old_files(outcome: Outcome) -> OldFiles:
    """What the files of the build context hold now that an outcome changes."""
    places = map(outcome.place, _files(outcome))
    return {path: read_text(Path(path)) if Path(path).is_file() else None for path in places}


def one_by_one(
    outcomes: Iterable[Outcome], jobs: Mapping[str, Job]
) -> Iterator[tuple[Outcome, OldFiles]]:
    """Each outcome as it is once those before it are written, and what its files hold then.

    One that shares a file with another before it is worked out anew. So a diff of many files
    applies as a whole, and shows what `--write` does.
    """
    made: OldFiles = {}
    for outcome in outcomes:
        known = [file for file in _files(outcome) if outcome.place(file) in made]
        if known:
            files = tuple(NewFile(f.path, made[outcome.place(f)] or "") for f in known)
            outcome = run_job(jobs[outcome.path]._replace(made=files))
        held = old_files(outcome)
        yield outcome, {path: made.get(path, text) for path, text in held.items()}
        made.update((outcome.place(file), file.content) for file in _files(outcome))


def _files(outcome: Outcome) -> tuple[NewFile, ...]:
    return outcome.result.files if outcome.result else ()
