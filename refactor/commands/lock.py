"""`dockerfix lock`: look up what image references mean, and keep it in dockerfix.lock."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dockerfix.discovery import find_dockerfiles
from dockerfix.lockfile import LOCK_NAME, Lock, Pin, read_lock, render_lock, repository_root
from dockerfix.registry.client import Registry, RegistryError
from dockerfix.registry.credentials import read_credentials
from dockerfix.registry.lookup import look_up
from dockerfix.registry.reference import Reference, ReferenceError, parse_reference
from dockerfix.registry.tags import read_tag
from dockerfix.syntax.parser import parse
from dockerfix.work import read_text
from dockerfix.writing import Write, write_files

#: Questions asked at the same time.
_WORKERS = 8


def lock_images(
    paths: tuple[str, ...], refresh: bool, insecure: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Create or complete the lock of the repository; what was done, and what went wrong.

    Raises LockError, OSError.
    """
    folder = Path(paths[0]) if Path(paths[0]).is_dir() else Path(paths[0]).parent
    path = repository_root(folder) / LOCK_NAME
    before = path.read_bytes() if path.is_file() else None
    lock = read_lock(path) if before is not None else Lock()
    references, problems = _references(_files(paths))
    wanted = [r for r in references if refresh or lock.get(str(r)) is None]
    pins, failed = _look_up(wanted, Registry(read_credentials(), insecure))
    text = render_lock(lock.add(pins)).encode()
    if text != before:
        write_files([Write(path, before, text)], path.parent)
    told = [f"{pin.reference} is {pin.tag}, {pin.digest[:19]}" for pin in pins]
    return [*told, f"{path}: {len(references)} references, {len(pins)} looked up"], [
        *problems,
        *failed,
    ]


def _files(paths: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for text in paths:
        place = Path(text)
        found += find_dockerfiles(place, ()) if place.is_dir() else [place]
    return found


def _references(files: Iterable[Path]) -> tuple[list[Reference], list[str]]:
    """The references that may move, sorted, with a tag; and files that cannot be read."""
    from dockerfix.transforms.pin_tags import image_uses

    found: dict[str, Reference] = {}
    problems: list[str] = []
    for file in files:
        dockerfile = parse(read_text(file))
        if dockerfile.errors:
            problems.append(f"{file}:{dockerfile.errors[0].line}: {dockerfile.errors[0].message}")
            continue
        for use in image_uses(dockerfile):
            try:
                reference = parse_reference(use.text)
            except ReferenceError:
                continue
            tag = read_tag(reference.tag)
            if not reference.digest and not (tag is not None and tag.is_exact):
                tagged = reference.with_tag(reference.tag or "latest")
                found[str(tagged)] = tagged
    return [found[key] for key in sorted(found)], problems


def _look_up(references: list[Reference], registry: Registry) -> tuple[list[Pin], list[str]]:
    today = datetime.datetime.now(tz=datetime.UTC).date()
    pins: list[Pin] = []
    failed: list[str] = []

    def ask(reference: Reference) -> Pin | str:
        try:
            return look_up(reference, registry, today)
        except RegistryError as error:
            return f"{reference}: {error}"

    with ThreadPoolExecutor(_WORKERS) as pool:
        for answer in pool.map(ask, references):
            if isinstance(answer, Pin):
                pins.append(answer)
            else:
                failed.append(answer)
    return pins, failed
