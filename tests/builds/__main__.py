"""Build every application before and after, run both, and print a table.

    python -m tests.builds [APPLICATION ...]

Needs an engine with the base images that the applications name, and fails without one; java-maven
needs a Maven image that asks Maven Central. Exit code 1
when any pair differs in a way that no change explains, or when a wrong rewrite is not caught.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import dockerfix
from dockerfix.pipeline import Result
from dockerfix.verify.engine import BuildOptions, Engine, find_engine
from dockerfix.verify.verdict import Verdict, Wishes, verify
from tests.builds.mutations import MUTATIONS

APPS = Path(__file__).parent / "apps"


def check(app: Path, engine: Engine) -> Verdict:
    result = dockerfix.refactor((app / "Dockerfile").read_text(), context=app)
    return verify(str(app), result, engine, BuildOptions(app), Wishes(run=True, measure=True))


def row(app: Path, verdict: Verdict) -> str:
    before, after = verdict.before, verdict.after
    sizes = f"{before.size / 1e6:.0f} -> {after.size / 1e6:.0f} MB" if before and after else ""
    again = ""
    if before and after and before.rebuild_time is not None and after.rebuild_time is not None:
        again = f"{before.rebuild_time:.1f} -> {after.rebuild_time:.1f} s"
    return f"{app.name:18} {verdict.state:8} {sizes:18} {again:16} {', '.join(verdict.passes)}"


def check_mutations(engine: Engine) -> list[str]:
    """Wrong rewrites, each of which verify has to catch; the names of those it does not."""
    missed: list[str] = []
    for mutation in MUTATIONS:
        app = APPS / mutation.app
        before = (app / "Dockerfile").read_text()
        right = dockerfix.refactor(before, context=app)
        code = mutation.apply(right.code)
        assert code != right.code, f"{mutation.name} changes nothing"
        wrong = Result(before, code, right.changes, right.declined, right.files)
        verdict = verify(mutation.name, wrong, engine, BuildOptions(app), Wishes(run=True))
        caught = verdict.problems[0].splitlines()[0] if verdict.problems else "NOT CAUGHT"
        print(f"wrong: {mutation.name:28} {caught[:100]}", flush=True)
        if not verdict.problems:
            missed.append(mutation.name)
    return missed


def main() -> int:
    engine = find_engine()
    wanted = sys.argv[1:] or sorted(path.name for path in APPS.iterdir())
    failed: list[str] = []
    gains: list[float] = []
    for name in wanted:
        verdict = check(APPS / name, engine)
        print(row(APPS / name, verdict), flush=True)
        for problem in verdict.problems:
            print(f"    {problem}")
        if verdict.exit_code:
            failed.append(name)
        elif verdict.before and verdict.after and "split-stages" in verdict.passes:
            gains.append(1 - verdict.after.size / verdict.before.size)
    if gains:
        print(f"median size where there is something to split: {-statistics.median(gains):.0%}")
    if not sys.argv[1:]:
        failed += check_mutations(engine)
    print(f"{len(wanted)} applications, {len(failed)} failed {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
