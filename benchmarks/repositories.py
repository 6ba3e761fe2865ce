"""What the passes do to the corpus of repositories, beside what an expert would do.

    python -m benchmarks.repositories                # the corpus, laid out in full
    python -m benchmarks.repositories DIR            # as `python -m tests.corpus DIR` made it
    python -m benchmarks.repositories --cost 5       # CPU time a file, of five runs

All passes, each Dockerfile with its build context. `judgements.tsv` says for each Dockerfile and
pass whether a platform engineer who must not break the build would make this change in a review:
`yes`, `no` or `maybe`. It was written from the repositories alone, before looking at any result.

- split-stages, yes: a production image of one stage whose build, build tools or development
  dependencies would stay behind, with an entry that the repository tells.
- order-copies, yes: an install below a copy of the sources that could stand above it.
- add-user, yes: an image that runs as root and need not.
- dockerignore, yes: the context is copied, with version control or installed packages in it.

A hit is a yes that was done, a miss a yes that was declined, a wrong one a no that was done. Where
split-stages puts the manifests first in the stages that it makes, order-copies is done as well.
Exit code 1 when the passes failed for any file.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.corpus import Options, Row, refactor_file, run_files
from tests import corpus

JUDGEMENTS = Path(__file__).with_name("judgements.tsv")
#: The passes that are judged, each with the share of its yeses that has to be done, in percent.
GOALS = {"split-stages": 85, "order-copies": 90, "add-user": 85, "dockerignore": None}

_OF_PAGES = frozenset(("react", "vue", "angular", "svelte"))
_OF_SERVERS = frozenset(("next", "nuxt", "express", "nest", "fastify"))
_LANGUAGES = ("node", "python", "go", "java", "rust", "dotnet", "ruby", "php")


class Judgement(NamedTuple):
    """What an expert would do."""

    #: `yes`, `no` or `maybe`; `-` for what nobody judged.
    expert: str
    reason: str


class Verdict(NamedTuple):
    """One pass on one Dockerfile, beside the judgement."""

    group: str
    name: str
    pass_name: str
    done: bool
    #: Why the pass declined.
    reasons: tuple[str, ...]
    judgement: Judgement

    @property
    def outcome(self) -> str:
        """`hit`, `miss`, `wrong`; `left` for a no that was left, else `open`."""
        match self.judgement.expert, self.done:
            case "yes", done:
                return "hit" if done else "miss"
            case "no", done:
                return "wrong" if done else "left"
        return "open"


def group_of(entry: corpus.Application) -> str:
    """The group of the table that a Dockerfile counts to."""
    if "+" in entry.ecosystem:
        return "mixed"
    frameworks = set(entry.frameworks)
    if entry.ecosystem == "node" and frameworks & _OF_PAGES and not frameworks & _OF_SERVERS:
        return "react/static"
    return entry.ecosystem if entry.ecosystem in _LANGUAGES else "other"


def read_judgements(path: Path) -> dict[tuple[str, str, str], Judgement]:
    """Repository, Dockerfile and pass of each judgement. ValueError for another word than ours."""
    judgements = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["expert"] not in ("yes", "no", "maybe"):
                raise ValueError(f"{path}: {row['expert']!r} is none of yes, no, maybe")
            key = (row["repository"], row["dockerfile"], row["pass"])
            judgements[key] = Judgement(row["expert"], row["reason"])
    return judgements


def judge(
    entries: Iterable[tuple[corpus.Application, Row]],
    judgements: dict[tuple[str, str, str], Judgement],
) -> list[Verdict]:
    """Each judged pass on each Dockerfile."""
    return [
        Verdict(
            group_of(entry),
            f"{entry.repository} {entry.dockerfile}",
            name,
            name in row.passes or (name == "order-copies" and _orders_by_splitting(entry, row)),
            tuple(dict.fromkeys(reason for other, reason in row.declines if other == name)),
            judgements.get((entry.repository, entry.dockerfile, name), Judgement("-", "")),
        )
        for entry, row in entries
        for name in GOALS
    ]


def _orders_by_splitting(entry: corpus.Application, row: Row) -> bool:
    if "split-stages" not in row.passes:
        return False
    alone = Options("review", ("order-copies",), keep_diff=False)
    return refactor_file(entry.path, corpus.read(entry.path), alone).changed


def report(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The tables, in Markdown."""
    yield from _table_of_groups(verdicts)
    yield ""
    yield from _table_of_goals(verdicts)
    yield ""
    yield from _table_of_reasons(verdicts)
    for outcome, title in (("miss", "Misses"), ("wrong", "Wrong")):
        yield f"\n{title}:\n"
        for item in (item for item in verdicts if item.outcome == outcome):
            why = "; ".join(item.reasons) or "says nothing"
            ours = f" We: {why}." if outcome == "miss" else ""
            yield f"- {item.pass_name}, {item.name}: {item.judgement.reason}.{ours}"


def _table_of_groups(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| ecosystem | files | " + " | ".join(f"{name}: done, hits/yes" for name in GOALS) + " |"
    yield "|---|---|" + "---|" * len(GOALS)
    for group in (*_ordered_groups(verdicts), "all"):
        ours = [item for item in verdicts if group in (item.group, "all")]
        cells = [_cell([item for item in ours if item.pass_name == name]) for name in GOALS]
        yield f"| {group} | {len(ours) // len(GOALS)} | " + " | ".join(cells) + " |"


def _ordered_groups(verdicts: Sequence[Verdict]) -> list[str]:
    known = ("node", "react/static", *_LANGUAGES[1:], "mixed", "other")
    return [group for group in known if any(item.group == group for item in verdicts)]


def _cell(items: Sequence[Verdict]) -> str:
    count = Counter(item.outcome for item in items)
    wrong = f", {count['wrong']} wrong" if count["wrong"] else ""
    done = sum(item.done for item in items)
    return f"{done}, {count['hit']}/{count['hit'] + count['miss']}{wrong}"


def _table_of_goals(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| pass | goal | yes | hits | misses | wrong | no, left | maybe: done, left |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, goal in GOALS.items():
        items = [item for item in verdicts if item.pass_name == name]
        count = Counter(item.outcome for item in items)
        yes = count["hit"] + count["miss"]
        share = f"{count['hit']} ({100 * count['hit'] / yes:.0f} %)" if yes else "0"
        maybe = Counter(item.done for item in items if item.judgement.expert == "maybe")
        yield (
            f"| {name} | {f'{goal} %' if goal else '-'} | {yes} | {share} | {count['miss']} "
            f"| {count['wrong']} | {count['left']} | {maybe[True]}, {maybe[False]} |"
        )


def _table_of_reasons(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| ecosystem | pass | declined | why, most often |"
    yield "|---|---|---|---|"
    for group in _ordered_groups(verdicts):
        for name in GOALS:
            items = [v for v in verdicts if (v.group, v.pass_name, v.done) == (group, name, False)]
            reasons = Counter(reason for item in items for reason in item.reasons)
            top = "; ".join(f"{reason} ({n})" for reason, n in reasons.most_common(3))
            declined = sum(bool(item.reasons) for item in items)
            yield f"| {group} | {name} | {declined} | {top or '-'} |"


def measure(paths: Sequence[Path], options: Options, runs: int) -> list[float]:
    """CPU milliseconds a file, of each run over all files in this process."""
    texts = [(path, corpus.read(path)) for path in paths]
    return [_measure_once(texts, options) for _ in range(runs)]


def _measure_once(texts: Sequence[tuple[Path, str]], options: Options) -> float:
    start = time.process_time()
    for path, text in texts:
        refactor_file(path, text, options)
    return 1000 * (time.process_time() - start) / len(texts)


def main() -> int:
    """Run; 1 when a file failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="default: the corpus")
    parser.add_argument("--judgements", type=Path, default=JUDGEMENTS, metavar="FILE")
    parser.add_argument("--level", choices=("safe", "review", "risky"), default="review")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cost", type=int, default=0, metavar="N", help="measure N runs instead")
    arguments = parser.parse_args()
    options = Options(arguments.level, (), keep_diff=False)
    entries = corpus.applications(arguments.folder or corpus.laid_out())
    paths = [entry.path for entry in entries]
    if arguments.cost:
        costs = measure(paths, options, arguments.cost)
        each = ", ".join(f"{cost:.2f}" for cost in costs)
        print(f"{len(paths)} files, ms CPU a file: {statistics.median(costs):.2f} ({each})")
        return 0
    rows = run_files(paths, options, arguments.jobs)
    verdicts = judge(zip(entries, rows, strict=True), read_judgements(arguments.judgements))
    print("\n".join(report(verdicts)))
    failures = [row for row in rows if row.state == "failed"]
    for row in failures:
        print(f"FAILED {row.path}: {row.error}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
