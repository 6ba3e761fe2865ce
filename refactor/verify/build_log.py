"""The log of a build: at which step it failed, what that step wrote, which steps ran."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

#: A log is read from its end: this many octets hold the step that failed.
_TAIL = 256 << 10
_LINES = 30
#: BuildKit, `--progress plain`.
_STEP = re.compile(r"^#(\d+) \[(?:\S+ )?\s*\d+/\d+\] (.*)$", re.M)
_CACHED = re.compile(r"^#(\d+) CACHED$", re.M)
_FAILED = re.compile(r"^-{6}\n > (.*?):\n(.*?)^-{6}$", re.M | re.S)
_PLACE = re.compile(r"^\S*Dockerfile\S*:(\d+)$", re.M)
_TIMED = re.compile(r"^\d+\.\d+ ", re.M)
#: Buildah, which podman builds with.
_STEP_OF_BUILDAH = re.compile(r"^(?:\[\d+/\d+\] )?STEP \d+/\d+: (.*)$", re.M)
_CACHED_OF_BUILDAH = re.compile(r"^--> Using cache", re.M)


class Failure(NamedTuple):
    """Where a build ended."""

    #: The step as the log names it; empty when it failed before the first.
    step: str
    #: Line of the Dockerfile, 0 when the log does not say.
    line: int
    #: The end of what the step wrote, and the engine's last word.
    output: str


def read_failure(log: Path) -> Failure:
    """Find the step that failed, and its output."""
    text = _tail(log)
    last = text.rstrip().splitlines()[-1:] or [""]
    block = _FAILED.search(text)
    place = _PLACE.search(text)
    if block:
        output = _TIMED.sub("", block[2]).rstrip().splitlines()[-_LINES:]
        return Failure(block[1], int(place[1]) if place else 0, "\n".join([*output, last[0]]))
    steps = list(_STEP_OF_BUILDAH.finditer(text))
    if steps:
        output = text[steps[-1].end() :].strip().splitlines()[-_LINES:]
        return Failure(steps[-1][1], 0, "\n".join(output))
    line = int(place[1]) if place else 0
    return Failure("", line, "\n".join(text.rstrip().splitlines()[-_LINES:]))


def count_steps(log: Path) -> int:
    """How many steps of a build ran, those not counted that came from the cache."""
    text = log.read_text("utf-8", "replace")
    if _STEP_OF_BUILDAH.search(text):
        ran = [step for step in _STEP_OF_BUILDAH.findall(text) if not step.startswith("FROM")]
        return len(ran) - len(_CACHED_OF_BUILDAH.findall(text))
    cached = set(_CACHED.findall(text))
    steps = dict(_STEP.findall(text))
    return sum(
        1
        for number, step in steps.items()
        if number not in cached and not step.startswith(("FROM ", "CACHED "))
    )


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        return file.read().decode("utf-8", "replace")
