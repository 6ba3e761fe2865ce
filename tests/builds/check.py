"""Hand an application, or a wrong rewrite of one, to `dockerfix verify`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dockerfix.pipeline import Result
from dockerfix.verify.engine import BuildOptions, find_engine
from dockerfix.verify.verdict import Verdict, Wishes, verify
from tests.builds.applications import Application, applications, images_of
from tests.builds.bases import make_bases
from tests.builds.machine import MachineError
from tests.builds.mutations import Mutation


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a wrong rewrite."""

    caught: bool
    #: What verify found first, else why nothing was tried.
    text: str


def check_application(
    application: Application, wishes: Wishes, tell: Callable[[str], None]
) -> Verdict:
    """Build an application before and after, and compare. Raises MachineError, EngineError."""
    return _verify(application, application.refactor(), wishes, tell)


def wishes(application: Application, measured: bool) -> Wishes:
    """Run both, ask both; measured: without the engine's cache, and once more after an edit."""
    probes = (application.probe,) if application.probe else ()
    return Wishes(True, probes, no_cache=measured, measure=measured)


def try_mutation(mutation: Mutation, tell: Callable[[str], None]) -> Trial:
    """Whether verify sees a wrong rewrite. Raises MachineError, EngineError."""
    (application,) = applications((mutation.app,))
    right = application.refactor()
    code = mutation.apply(right.code)
    if code == right.code:
        return Trial(False, "the rewrite has nothing any more that this mistake would change")
    wrong = Result(right.before, code, right.changes, right.declined, right.files)
    verdict = _verify(application, wrong, wishes(application, measured=False), tell)
    if verdict.state == "original broken":
        raise MachineError(f"{application.name} does not build: {verdict.problems}")
    found = [str(problem).splitlines()[0] for problem in verdict.problems]
    return Trial(bool(found), " | ".join(found) or "NOT CAUGHT")


def _verify(
    application: Application, result: Result, asked: Wishes, tell: Callable[[str], None]
) -> Verdict:
    make_bases(images_of(result.before, result.code), tell)
    options = BuildOptions(application.folder)
    return verify(str(application.folder), result, find_engine(), options, asked)
