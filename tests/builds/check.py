"""Hand an application, or a wrong rewrite of one, to `dockerfix verify`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dockerfix.pipeline import Result
from dockerfix.verify.engine import BuildOptions, find_engine
from dockerfix.verify.measure import COLD, SOURCE
from dockerfix.verify.verdict import BROKEN, ORIGINAL_BROKEN, Verdict, Wishes, verify
from tests.builds.applications import Application, applications, images_of
from tests.builds.bases import make_bases
from tests.builds.machine import MachineError
from tests.builds.mutations import Mutation

#: Seconds of one build.
_TIMEOUT = 900.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a wrong rewrite."""

    #: The checks that caught it; none when it was missed.
    checks: tuple[str, ...]
    #: What verify found first, else why nothing was tried.
    text: str


def check_application(
    application: Application, wishes: Wishes, tell: Callable[[str], None]
) -> Verdict:
    """Build an application before and after, and compare. Raises MachineError, EngineError.

    A build that fails is tried once more: a download that breaks off says nothing of the file.
    """
    result = application.refactor()
    verdict = _verify(application, result, wishes, tell)
    if verdict.state in (BROKEN, ORIGINAL_BROKEN):
        tell(f"{application.name} once more: {verdict.findings[0]}")
        verdict = _verify(application, result, wishes, tell)
    return verdict


def wishes(application: Application, measured: bool) -> Wishes:
    """Run both, ask both; measured: without the engine's cache, and again after an edit."""
    return Wishes(
        True,
        application.probes,
        measure=measured,
        scenarios=(COLD, SOURCE),
        compressed=False,
    )


def try_mutation(mutation: Mutation, tell: Callable[[str], None]) -> Trial:
    """Whether verify sees a wrong rewrite. Raises MachineError, EngineError."""
    (application,) = applications((mutation.app,))
    right = application.refactor()
    code = mutation.apply(right.code)
    if code == right.code:
        return Trial((), "the rewrite has nothing any more that this mistake would change")
    wrong = Result(right.before, code, right.changes, right.declined, right.files)
    verdict = _verify(application, wrong, wishes(application, measured=False), tell)
    if verdict.state == ORIGINAL_BROKEN:
        raise MachineError(f"{application.name} does not build: {verdict.problems}")
    if not verdict.findings:
        return Trial((), "NOT CAUGHT")
    checks = tuple(dict.fromkeys(finding.check for finding in verdict.findings))
    return Trial(checks, " ".join(verdict.findings[0].text.split()))


def _verify(
    application: Application, result: Result, asked: Wishes, tell: Callable[[str], None]
) -> Verdict:
    make_bases(images_of(result.before, result.code), tell)
    options = BuildOptions(application.folder, timeout=_TIMEOUT)
    return verify(str(application.folder), result, find_engine(), options, asked)
