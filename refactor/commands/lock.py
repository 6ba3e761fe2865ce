"""`dockerfix lock`: look up what image references mean, and keep it in dockerfix.lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dockerfix.commands.pinning import Lookups, complete, make_registry
from dockerfix.commands.planning import plan
from dockerfix.config import Config, find_config
from dockerfix.job import Job, read_text, run_job
from dockerfix.registry.lockfile import LOCK_NAME, Lock, read_lock, render_lock, repository_root
from dockerfix.registry.reference import ReferenceError, parse_reference
from dockerfix.syntax.images import image_uses
from dockerfix.syntax.parser import parse
from dockerfix.transforms.pin_tags import lock_key
from dockerfix.writing import Write, write_files


class Locked(NamedTuple):
    """What came of it."""

    #: What was looked up, a line each, and a summary.
    told: list[str]
    #: What went wrong; the lock holds everything else.
    failed: list[str]


def lock_images(paths: tuple[str, ...], refresh: bool, insecure: tuple[str, ...]) -> Locked:
    """Create or complete the lock of each repository that a path is in.

    Raises LockError, ConfigError, UsageError, OSError; a lock is written whole or not at all.
    """
    roots: dict[Path, list[str]] = {}
    for path in paths:
        folder = Path(path) if Path(path).is_dir() else Path(path).parent
        roots.setdefault(repository_root(folder), []).append(path)
    told: list[str] = []
    failed: list[str] = []
    for root, inside in roots.items():
        done = _lock_repository(root, inside, refresh, insecure)
        told += done.told
        failed += done.failed
    return Locked(told, failed)


def _lock_repository(
    root: Path, paths: list[str], refresh: bool, insecure: tuple[str, ...]
) -> Locked:
    path = root / LOCK_NAME
    before = path.read_bytes() if path.is_file() else None
    lock = read_lock(path) if before is not None else Lock()
    jobs, missing = plan(paths, Config())
    problems = [message for outcome in missing for message in outcome.errors]
    config = find_config(root)
    config = config._replace(insecure=(*config.insecure, *insecure))
    registry = make_registry(config, ask_always=True)
    lookups = Lookups(registry, known=lock.pins)
    references = sorted(set(_references(jobs, problems.append)))
    lookups.ask(ref for ref in references if refresh or lock.get(ref) is None)
    # What passes are going to add (a slim base) belongs into the lock as well.
    by_path = {job.path: _informed(job, lookups) for job in jobs}
    complete(
        list(map(run_job, by_path.values())), by_path, lookups, lambda again: map(run_job, again)
    )
    text = render_lock(lock.add(lookups.pins.values())).encode()
    if text != before:
        write_files([Write(path, before, text)], root)
    told = [f"{pin.reference} is {pin.tag}, {pin.digest[:19]}" for pin in lookups.pins.values()]
    count = f"{len(references)} references, {len(lookups.pins)} looked up"
    asked = f"{registry.requests} requests"
    failed = [f"{reference}: {reason}" for reference, reason in lookups.failed.items()]
    return Locked([*told, f"{path}: {count}, {asked}"], [*problems, *failed])


def _informed(job: Job, lookups: Lookups) -> Job:
    return job._replace(settings=job.settings._replace(pins=tuple(lookups.pins.values())))


def _references(jobs: Iterable[Job], complain: Callable[[str], None]) -> Iterator[str]:
    """The references of all files that a lock can speak for; those with a digest need none."""
    for job in jobs:
        dockerfile = parse(job.text if job.text is not None else read_text(Path(job.path)))
        if dockerfile.errors:
            complain(f"{job.path}:{dockerfile.errors[0].line}: {dockerfile.errors[0].message}")
            continue
        for use in image_uses(dockerfile):
            try:
                reference = parse_reference(use.text)
            except ReferenceError:
                continue
            if not use.reason and not reference.digest:
                yield lock_key(reference)
