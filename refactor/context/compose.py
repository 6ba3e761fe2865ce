"""How compose files run the image that is built here.

Read line by line: what is asked for are a few keys of services, as people indent them.
Source: docs.docker.com/reference/compose-file/services (`build`, `command`, `volumes`, `ports`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from dockerfix.context.build_context import BuildContext
from dockerfix.patterns import pattern

_NAME = pattern(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_KEY = pattern(r"^(\s*)([\w.-]+):\s*(.*?)\s*$")
_ENTRY = pattern(r"^\s*-\s*[\"']?([^\"'\n]+?)[\"']?\s*$")


@dataclass(frozen=True, slots=True)
class Service:
    """A service whose image is built from this context."""

    #: The compose file.
    file: str
    name: str
    #: `command` and `entrypoint`, as they are written; "" for none.
    command: str
    #: Host path and container path of what is mounted; a volume has its name for a path.
    mounts: tuple[tuple[str, str], ...]
    #: Ports in the container that are published.
    ports: tuple[int, ...]


def built_services(context: BuildContext | None) -> Iterator[Service]:
    """The services of the compose files in a context that build an image."""
    if context is None:
        return
    for name in context.names("."):
        if not _NAME.fullmatch(name):
            continue
        for title, lines in _blocks(context.read(name) or ""):
            if any(line.lstrip().startswith("build:") for line in lines):
                yield _read(name, title, lines)


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """The services with the lines that belong to them."""
    inside, indent = False, -1
    title, lines = "", list[str]()
    for line in text.splitlines():
        match = _KEY.match(line)
        if match and not match[1]:
            inside = match[2] == "services"
        elif match and inside and indent in (-1, len(match[1])) and not match[3]:
            indent = len(match[1])
            if title:
                yield title, lines
            title, lines = match[2], []
            continue
        if inside and title:
            lines.append(line)
    if title:
        yield title, lines


def _read(file: str, title: str, lines: list[str]) -> Service:
    commands: list[str] = []
    mounts: list[tuple[str, str]] = []
    ports: list[int] = []
    section = ""
    for line in lines:
        match = _KEY.match(line)
        if match and not line.lstrip().startswith("-"):
            section = match[2]
            if section in ("command", "entrypoint") and match[3]:
                commands.append(match[3])
            continue
        entry = _ENTRY.match(line)
        if entry is None:
            continue
        if section in ("command", "entrypoint"):
            commands.append(entry[1])
        elif section == "volumes":
            host, colon, inner = entry[1].partition(":")
            path = (inner if colon else host).partition(":")[0]
            mounts.append((host if colon else "", posixpath.normpath(path)))
        elif section == "ports":
            last = entry[1].rpartition(":")[2].partition("/")[0]
            if last.isdigit():
                ports.append(int(last))
    return Service(file, title, " ".join(commands), tuple(mounts), tuple(ports))
