"""Build every application before and after, run both, compare, and print a table.

    python -m tests.builds                   all applications, measured, then the wrong rewrites
    python -m tests.builds node-express ...  these applications
    python -m tests.builds --quick ...       the same, but no build is measured
    python -m tests.builds --ci              what CI builds, not measured, and its wrong rewrites
    python -m tests.builds --wrong           only the wrong rewrites
    python -m tests.builds --engine          start the engine and leave it; print how to reach it

Unless DOCKER_HOST names an engine, one is unpacked and started. Base images are made from the
package registries alone. Exit code 1 when an image differs in a way that no change explains, when a
wrong rewrite is not caught, or when there is no engine.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from itertools import repeat

from dockerfix.verify.engine import EngineError
from dockerfix.verify.verdict import Verdict
from tests.builds import table
from tests.builds.applications import CI, Application, applications
from tests.builds.bases import make_bases
from tests.builds.check import check_application, images, try_mutation
from tests.builds.engine import engine_for_builds, start
from tests.builds.machine import MachineError
from tests.builds.mutations import MUTATIONS, Mutation


def tell(text: str) -> None:
    """Say something at once: a build takes long."""
    print(text, flush=True)


def check_applications(chosen: Sequence[Application], measured: bool, pool: Executor) -> list[str]:
    """Print the table; the names of those that are not the same program."""
    tell(table.HEADING)
    verdicts = pool.map(check_application, chosen, repeat(measured))
    told: dict[str, Verdict] = {}
    for application, verdict in zip(chosen, verdicts, strict=True):
        told[application.name] = verdict
        tell(table.row(application.name, verdict))
        for problem in verdict.problems:
            tell(f"    {problem}")
    for line in table.summary(told.values()):
        tell(line)
    return [name for name, verdict in told.items() if verdict.state != "equal"]


def check_mutations(mutations: Sequence[Mutation], pool: Executor) -> list[str]:
    """Print which checks caught each wrong rewrite; the names of those that none caught."""
    missed: list[str] = []
    for mutation, trial in zip(mutations, pool.map(try_mutation, mutations), strict=True):
        tell(f"wrong: {mutation.name:28} {', '.join(trial.checks)}: {trial.text[:120]}")
        if not trial.checks:
            missed.append(mutation.name)
    return missed


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.builds", description=__doc__)
    parser.add_argument("names", nargs="*", help="applications; all when none is named")
    parser.add_argument("--ci", action="store_true", help="the selection of CI, not measured")
    parser.add_argument("--quick", action="store_true", help="measure no build")
    parser.add_argument("--wrong", action="store_true", help="only the wrong rewrites")
    parser.add_argument("--engine", action="store_true", help="start the engine and leave it")
    return parser.parse_args()


def build(arguments: argparse.Namespace) -> int:
    """Do what the command line says, with an engine that answers. Raises MachineError."""
    begin = time.monotonic()
    names = CI if arguments.ci else tuple(arguments.names)
    chosen = [] if arguments.wrong else applications(names)
    wrong = [m for m in MUTATIONS if not arguments.names and (not names or m.app in names)]
    measured = not (arguments.ci or arguments.quick)
    make_bases(images(chosen, wrong), tell)
    # Builds wait for the network; two at a time use two cores, but would spoil what is measured.
    with ProcessPoolExecutor(1 if measured else 2) as pool:
        failed = check_applications(chosen, measured, pool) if chosen else []
        missed = check_mutations(wrong, pool)
    tell(
        f"{len(chosen)} applications, {len(failed)} not the same {failed}; "
        f"{len(wrong)} wrong rewrites, {len(missed)} missed {missed}; "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 1 if failed or missed else 0


def main() -> int:
    """Start an engine if none runs, and build; the exit code."""
    arguments = parse_arguments()
    try:
        if arguments.engine:
            start()
            for name in ("DOCKER_HOST", "DOCKER_CONFIG", "PATH"):
                print(f"export {name}={shlex.quote(os.environ[name])}")
            return 0
        with engine_for_builds() as engine:
            tell(engine)
            return build(arguments)
    except (MachineError, EngineError) as error:
        print(f"error: the applications cannot be built: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
