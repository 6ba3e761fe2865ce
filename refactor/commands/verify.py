"""`dockerfix verify`: build before and after, and compare."""

from __future__ import annotations

import sys
from dataclasses import replace
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
        found = find_engine(engine)
        files = _files(paths)
    except (EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    print(f"{found.program} {found.version}", file=sys.stderr)
    verdicts: list[Verdict] = []
    code = 0
    for file in files:
        place = Path(context) if context else find_context(file)
        try:
            verdict = _verify(file, place, level, select, ignore, found, options, wishes)
            if verdict.exit_code == 1 and bisect:
                _bisect(verdict, file, place, level, select, ignore, found, options, wishes)
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


def _verify(
    file: Path,
    context: Path,
    level: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    engine: Engine,
    options: BuildOptions,
    wishes: Wishes,
) -> Verdict:
    result = dockerfix.refactor(
        read_text(file),
        context=context,
        name=file.name,
        target=options.target,
        level=level,
        select=select,
        ignore=ignore,
    )
    return verify(str(file), result, engine, replace(options, context=context), wishes)


def _bisect(
    verdict: Verdict,
    file: Path,
    context: Path,
    level: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    engine: Engine,
    options: BuildOptions,
    wishes: Wishes,
) -> None:
    """Leave out one pass after the other, and say without which of them it is the same."""
    for name in verdict.passes:
        other = _verify(file, context, level, select, (*ignore, name), engine, options, wishes)
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
