"""dockerfix.lock: what image references meant when somebody looked.

TOML, sorted, one line a reference, so that it merges like code and its history reads well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from dockerfix.patterns import pattern
from dockerfix.registry.reference import is_digest, is_tag, parse_reference

LOCK_NAME = "dockerfix.lock"
VERSION = 1
#: Far above a lock for thousands of images.
MAX_BYTES = 16 * 1024 * 1024

_HEADER = (
    "# What image references meant on the day they were looked up. Made by `dockerfix lock`; "
    "commit it.\n"
)
_CONFLICT = pattern(r"^(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)")
_DATE = pattern(r"\d{4}-\d{2}-\d{2}")


class LockError(ValueError):
    """A lock file that cannot be used; the message names file, line and what is wrong."""


class Pin(NamedTuple):
    """What a reference meant on a day."""

    #: As `Reference` prints it, with the tag: `node:18-alpine`.
    reference: str
    #: The most specific tag of the same image.
    tag: str
    #: Of the index where there is one, so that it stands for every platform.
    digest: str
    #: `linux/amd64`, sorted; empty when the image does not say.
    platforms: tuple[str, ...]
    #: The day, `2026-05-04`.
    date: str
    #: Other tags, more specific than the reference's, that had the same digest.
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """The lock file's content."""

    pins: Mapping[str, Pin] = field(default_factory=dict)
    #: The references that no file holds yet.
    added: frozenset[str] = field(default=frozenset(), compare=False)

    def get(self, reference: str) -> Pin | None:
        """What the reference is locked to; a tag that another is locked to stands for itself."""
        return self.pins.get(reference) or self._results.get(reference)

    @cached_property
    def _results(self) -> dict[str, Pin]:
        found: dict[str, Pin] = {}
        for pin in self.pins.values():
            for tag in (*pin.also, pin.tag):
                reference = f"{pin.reference.rpartition(':')[0]}:{tag}"
                found[reference] = pin._replace(reference=reference, tag=tag, also=())
        return found

    def add(self, pins: Iterable[Pin]) -> Lock:
        """The lock with more entries; new ones win."""
        found = {pin.reference: pin for pin in pins}
        return Lock({**self.pins, **found}, self.added.union(found))


def moves_by_reference(pins: Iterable[Pin]) -> dict[str, Pin]:
    """For an update: what each reference becomes; what it became stays what it is."""
    found: dict[str, Pin] = {}
    for pin in pins:
        tagged = str(parse_reference(pin.reference).with_tag(pin.tag))
        found[pin.reference] = found[tagged] = found[f"{tagged}@{pin.digest}"] = pin
    return found


def repository_root(folder: Path) -> Path:
    """The folder that holds `.git`, from a folder upwards; the folder itself where none does."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def read_lock(path: Path) -> Lock:
    """Read a lock file. Raises LockError."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise LockError(f"{path}: larger than {MAX_BYTES} bytes")
        return parse_lock(data.decode("utf-8"), str(path))
    except OSError as error:
        raise LockError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise LockError(f"{path}: not UTF-8 at byte {error.start}") from error


def parse_lock(text: str, name: str = LOCK_NAME) -> Lock:
    """Read a lock file's text. Raises LockError, with the line where one can be named."""
    import tomllib

    for number, line in enumerate(text.splitlines(), start=1):
        if _CONFLICT.match(line):
            raise LockError(
                f"{name}:{number}: a merge conflict: keep either side, "
                "then run `dockerfix lock` to look up what is missing"
            )
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LockError(f"{name}: {_with_twin(str(error), text)}") from error
    if table.get("version") != VERSION:
        raise LockError(f"{name}: version {table.get('version')!r}; this dockerfix reads {VERSION}")
    images = table.get("images", {})
    if not isinstance(images, dict):
        raise LockError(f"{name}: [images] is no table")
    pins = {
        key: _read_pin(key, value, f"{name}:{_line_of(key, text)}") for key, value in images.items()
    }
    return Lock(pins)


def render_lock(lock: Lock) -> str:
    """The lock file's text, the same for the same content."""
    lines = [_render_pin(pin) for _, pin in sorted(lock.pins.items())]
    return f"{_HEADER}version = {VERSION}\n\n[images]\n" + "".join(lines)


def _with_twin(message: str, text: str) -> str:
    """TOML's own words, and the line of a reference that stands there twice."""
    if "overwrite" not in message:
        return message
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        key = line.partition(" = {")[0]
        if key in seen and key.startswith('"'):
            return f"line {number}: {key} stands there twice: keep one"
        seen.add(key)
    return message


def _line_of(key: str, text: str) -> int:
    place = text.find(f"\n{json.dumps(key)}")
    return text.count("\n", 0, place + 1) + 1


def _read_pin(key: str, value: object, where: str) -> Pin:
    if not isinstance(value, dict):
        raise LockError(f"{where}: {key}: not a table")
    entry: dict[str, Any] = value
    unknown = set(entry) - {"tag", "digest", "platforms", "date", "also"}
    if unknown:
        raise LockError(f"{where}: {key}: unknown key {min(unknown)}")
    pin = Pin(
        reference=key,
        tag=_text(entry, "tag", key, where),
        digest=_text(entry, "digest", key, where),
        platforms=_texts(entry, "platforms", key, where),
        date=_text(entry, "date", key, where),
        also=_texts(entry, "also", key, where),
    )
    _check_pin(pin, where)
    return pin


def _check_pin(pin: Pin, where: str) -> None:
    for tag in (pin.tag, *pin.also):
        if not is_tag(tag):
            raise LockError(f"{where}: {pin.reference}: {tag!r} is no tag")
    if not is_digest(pin.digest):
        raise LockError(f"{where}: {pin.reference}: {pin.digest!r} is no digest")
    if not _DATE.fullmatch(pin.date):
        raise LockError(f"{where}: {pin.reference}: {pin.date!r} is no date")


def _text(entry: dict[str, Any], key: str, reference: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise LockError(f"{where}: {reference}: {key} takes a string")
    return value


def _texts(entry: dict[str, Any], key: str, reference: str, where: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise LockError(f"{where}: {reference}: {key} takes a list of strings")
    return tuple(value)


def _render_pin(pin: Pin) -> str:
    # A JSON string of these characters is a TOML string.
    parts = [f"tag = {json.dumps(pin.tag)}"]
    if pin.also:
        parts.append(f"also = {json.dumps(list(pin.also))}")
    parts += [
        f"digest = {json.dumps(pin.digest)}",
        f"platforms = {json.dumps(list(pin.platforms))}",
        f"date = {json.dumps(pin.date)}",
    ]
    return f"{json.dumps(pin.reference)} = {{ {', '.join(parts)} }}\n"
