"""Run passes over many Dockerfiles, check every result, and print what came of them.

    python -m benchmarks.corpus                          # the corpus, all passes
    python -m benchmarks.corpus DIR --level safe         # every file below DIR
    python -m benchmarks.corpus --select merge-runs --sample 30 --seed 7   # diffs to read

Of each result: BuildKit's own parser (the package `dockerfile`) reads the same instructions as
ours, and a second run changes nothing. Exit code 1 when that fails for any file.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import dockerfix
from dockerfix.context.locate import find_context
from tests import corpus, oracle


@dataclass(frozen=True)
class Options:
    """How each file is refactored."""

    level: str
    select: tuple[str, ...]
    keep_diff: bool


@dataclass(frozen=True)
class Row:
    """What came of one file."""

    path: str
    #: `changed`, `left`, `refused` (no Dockerfile that BuildKit would build) or `failed`.
    state: str
    passes: tuple[str, ...] = ()
    declines: tuple[tuple[str, str], ...] = ()
    error: str = ""
    diff: str = ""


def check_file(path: Path, options: Options) -> Row:
    """Refactor one file and check the result; never raises."""
    text = corpus.read(path)
    if dockerfix.parse(text).errors:
        return Row(str(path), "refused", error=str(dockerfix.parse(text).errors[0]))
    try:
        return _refactor(path, text, options)
    except Exception as error:  # the table shows it, and the other files go on
        return Row(str(path), "failed", error=f"{type(error).__name__}: {error}")


def _refactor(path: Path, text: str, options: Options) -> Row:
    result = refactor_file(path, text, options)
    if result.code != text:
        if refactor_file(path, result.code, options).code != result.code:
            raise AssertionError("a second run changes something")
        _compare(result.code)
    return Row(
        str(path),
        "changed" if result.changed else "left",
        tuple(change.pass_name for change in result.changes),
        tuple((item.pass_name, item.reason) for item in result.declined),
        diff=result.diff(str(path)) if options.keep_diff else "",
    )


def refactor_file(path: Path, text: str, options: Options) -> dockerfix.Result:
    # A file of the flat corpus lies among the files of others: that folder is no context.
    context = None if "flat" in path.parts else find_context(path)
    return dockerfix.refactor(
        text, context=context, name=path.name, level=options.level, select=options.select
    )


def _compare(code: str) -> None:
    """BuildKit reads the result, and reads in it what we read."""
    octets = code.encode("utf-8", "surrogateescape")
    try:
        expected = oracle.buildkit_shapes(octets.decode())
    except UnicodeDecodeError:
        oracle.buildkit_shapes(octets.decode("utf-8", "replace"))  # its package takes UTF-8 only
        return
    if oracle.our_shapes(dockerfix.parse(code)) != expected:
        raise AssertionError("BuildKit's parser reads the result in another way")


def find_files(folders: Sequence[str]) -> list[Path]:
    """The files below the folders, or the corpus."""
    if not folders:
        return [*corpus.flat_files(), *corpus.application_files()]
    from dockerfix.discovery import find_dockerfiles

    return [path for folder in folders for path in find_dockerfiles(Path(folder))]


def report(rows: Sequence[Row], seconds: float) -> Iterator[str]:
    """The table."""
    states = Counter(row.state for row in rows)
    yield f"{len(rows)} files: " + ", ".join(f"{n} {state}" for state, n in states.most_common())
    yield f"{seconds:.0f} s wall, each changed file refactored twice and parsed by BuildKit"
    yield "\nfiles changed (changes) by pass"
    files = Counter(name for row in rows for name in set(row.passes))
    changes = Counter(name for row in rows for name in row.passes)
    for name, count in files.most_common():
        yield f"{count:7} {changes[name]:7}  {name}"
    yield "\ndeclines by pass and reason"
    declines = Counter(entry for row in rows for entry in row.declines)
    for (name, reason), count in sorted(declines.items(), key=lambda item: (item[0][0], -item[1])):
        yield f"{count:7}  {name}: {reason}"
    for row in rows:
        if row.state == "failed":
            yield f"FAILED {row.path}: {row.error}"


def choose(rows: Sequence[Row], size: int, seed: int) -> Iterator[Row]:
    """Diffs to read: some at random, the largest, and those with the rarest syntax."""
    changed = sorted((row for row in rows if row.diff), key=lambda row: row.path)
    picked = random.Random(seed).sample(changed, min(size, len(changed)))
    picked += sorted(changed, key=lambda row: -len(row.diff))[:5]
    picked += sorted(changed, key=_oddity, reverse=True)[:5]
    return iter({row.path: row for row in picked}.values())


def _oddity(row: Row) -> tuple[int, str]:
    marks = ("\r\n", "<<", "ONBUILD", "escape=", "||", "case ", "--mount", "\\\n-#", "\n-\n", "'\"")
    return sum(mark in row.diff for mark in marks), row.path


def run_files(paths: Iterable[Path], options: Options, jobs: int) -> list[Row]:
    """Check all files, spread over processes."""
    # BuildKit's parser brings Go's runtime, which does not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return list(pool.map(partial(check_file, options=options), paths, chunksize=32))


def main() -> int:
    """Run; 1 when a file failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", metavar="DIR", help="default: the corpus")
    parser.add_argument("--level", choices=("safe", "review", "risky"), default="review")
    parser.add_argument("--select", default="", help="passes, with commas between")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="print N diffs")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    select = tuple(name for name in arguments.select.split(",") if name)
    options = Options(arguments.level, select, bool(arguments.sample))
    start = time.perf_counter()
    rows = run_files(find_files(arguments.folders), options, arguments.jobs)
    print("\n".join(report(rows, time.perf_counter() - start)))
    for row in choose(rows, arguments.sample, arguments.seed) if arguments.sample else ():
        sys.stdout.buffer.write(f"\n{row.diff}".encode("utf-8", "surrogateescape"))
    return int(any(row.state == "failed" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
