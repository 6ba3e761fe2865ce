"""`dockerfix verify`: build before and after, and compare."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import dockerfix
from dockerfix.context.locate import find_context
from dockerfix.discovery import find_dockerfiles
from dockerfix.lockfile import LockError
from dockerfix.pipeline import DockerfileSyntaxError, RefactoringError
from dockerfix.verify.engine import BuildOptions, Engine, EngineError, find_engine
from dockerfix.verify.verdict import Verdict, Wishes, verify
from dockerfix.work import read_text

USAGE = 2


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for besides the files."""

    engine: Engine
    options: BuildOptions
    wishes: Wishes
    context: str | None
    level: str
    select: tuple[str, ...]
    ignore: tuple[str, ...]


def run(
    paths: tuple[str, ...],
    context: str | None,
    level: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    engine: str | None,
    form: str,
    bisect: bool,
    options: BuildOptions,
    wishes: Wishes,
) -> int:
    """Verify files; give the exit code: the worst of them."""
    try:
        request = Request(find_engine(engine), options, wishes, context, level, select, ignore)
        files = _files(paths)
    except (EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    print(f"{request.engine.program} {request.engine.version}", file=sys.stderr)
    verdicts: list[Verdict] = []
    code = 0
    for file in files:
        try:
            verdict = _verify(file, request)
            if verdict.exit_code == 1 and bisect:
                _bisect(verdict, file, request)
        except (EngineError, OSError, DockerfileSyntaxError, RefactoringError, LockError) as error:
            print(f"error: {file}: {error}", file=sys.stderr)
            code = max(code, USAGE)
            continue
        verdicts.append(verdict)
        code = max(code, verdict.exit_code)
        if form == "text":
            from dockerfix.report.verify import render_text

            print(render_text(verdict), end="", flush=True)
    _show(verdicts, form)
    return code


def _files(paths: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for text in paths:
        place = Path(text)
        if place.is_dir():
            found += find_dockerfiles(place, ())
        else:
            place.stat()
            found.append(place)
    return found


def _verify(file: Path, request: Request) -> Verdict:
    context = Path(request.context) if request.context else find_context(file)
    result = dockerfix.refactor(
        read_text(file),
        context=context,
        name=file.name,
        target=request.options.target,
        level=request.level,
        select=request.select,
        ignore=request.ignore,
    )
    options = replace(request.options, context=context)
    return verify(str(file), result, request.engine, options, request.wishes)


def _bisect(verdict: Verdict, file: Path, request: Request) -> None:
    """Leave out one pass after the other, and say without which of them it is the same."""
    for name in verdict.passes:
        other = _verify(file, replace(request, ignore=(*request.ignore, name)))
        if other.exit_code == 0:
            verdict.problems.append(f"without {name} it is the same: --ignore {name}")
            return
    verdict.problems.append("no single pass is the cause")


def _show(verdicts: list[Verdict], form: str) -> None:
    if form == "json":
        from dockerfix.report.verify import render_json

        print(render_json(verdicts))
    elif form == "html":
        from dockerfix.report.verify import render_html

        print(render_html(verdicts), end="")
