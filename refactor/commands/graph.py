"""`dockerfix graph`: what each step touches, and what an edit makes run again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dockerfix
from dockerfix.context.locate import locate_context
from dockerfix.discovery import find_dockerfiles
from dockerfix.graph.gain import Gain, static_gain
from dockerfix.job import read_text
from dockerfix.pipeline import DockerfileSyntaxError, RefactoringError, Result
from dockerfix.registry.lockfile import LockError

USAGE = 2
#: Raised when a field of the document goes or changes its meaning.
SCHEMA_VERSION = 1


class _Drawn(NamedTuple):
    """A file with what was found out about it."""

    path: str
    result: Result
    gain: Gain


class Request(NamedTuple):
    """What is asked for besides the files."""

    context: str | None
    repository: str | None
    target: str | None
    level: str | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    #: A path in the context; None for one that is chosen.
    edit: str | None


def run(paths: tuple[str, ...], form: str, request: Request) -> int:
    """Show the graphs; give the exit code."""
    drawn: list[_Drawn] = []
    code = 0
    try:
        files = list(_files(paths))
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    for file in files:
        try:
            drawn.append(_draw(file, request))
        except (OSError, DockerfileSyntaxError, RefactoringError, LockError) as error:
            print(f"error: {file}: {error}", file=sys.stderr)
            code = USAGE
    if form == "svg" and len(drawn) > 1:
        print("error: an SVG shows one file; use --format html for several", file=sys.stderr)
        return USAGE
    print(_show(drawn, form), end="")
    return code


def _files(paths: tuple[str, ...]) -> Iterator[Path]:
    for text in paths:
        place = Path(text)
        if place.is_dir():
            yield from find_dockerfiles(place, ())
        else:
            place.stat()
            yield place


def _draw(file: Path, request: Request) -> _Drawn:
    given = request.repository or ""
    context = Path(request.context) if request.context else locate_context(file, given).folder
    result = dockerfix.refactor(
        read_text(file),
        context=context,
        repository=request.repository,
        name=file.name,
        target=request.target,
        level=request.level or "review",
        select=request.select,
        ignore=request.ignore,
    )
    gain = static_gain(result, context, file.name, request.target, request.edit)
    return _Drawn(str(file), result, gain)


def _show(drawn: list[_Drawn], form: str) -> str:
    if form == "json":
        from dockerfix.graph.text import document

        files = [document(entry.path, entry.gain) for entry in drawn]
        return json.dumps({"version": SCHEMA_VERSION, "files": files}, indent=2) + "\n"
    if form == "html":
        from dockerfix.graph.drawing import render_html

        return render_html([(entry.path, entry.gain) for entry in drawn])
    if form == "svg":
        from dockerfix.graph.drawing import render_svg

        return "".join(render_svg(entry.path, entry.gain) for entry in drawn)
    from dockerfix.graph.text import render_text
    from dockerfix.report.text import visible

    return "\n".join(
        visible(render_text(entry.path, entry.gain, entry.result.code != entry.result.before))
        for entry in drawn
    )
