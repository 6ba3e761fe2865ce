"""Hand an application, or a wrong rewrite of one, to `dockerfix verify`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from dockerfix.pipeline import Result
from dockerfix.verify.engine import BuildOptions, find_engine
from dockerfix.verify.measure import COLD, SOURCE
from dockerfix.verify.side_by_side import verify
from dockerfix.verify.verdict import BROKEN, ORIGINAL_BROKEN, Verdict, Wishes
from tests.builds.applications import Application, applications, images_of
from tests.builds.mutations import Mutation

#: Seconds of one build.
_TIMEOUT = 900.0
#: How often, and after how many seconds, a build that failed is tried again.
_MORE_TRIES, _PAUSE = 2, 10.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a wrong rewrite."""

    #: The checks that caught it; none when it was missed.
    checks: tuple[str, ...]
    #: What verify found first, else why nothing was tried.
    text: str


def images(chosen: Iterable[Application], mutations: Iterable[Mutation]) -> list[str]:
    """The base images of applications, before and after, and of wrong rewrites."""
    codes: list[str] = []
    for application in chosen:
        result = application.refactor()
        codes += [result.before, result.code]
    for mutation in mutations:
        result = _application(mutation).refactor()
        codes += [result.before, mutation.apply(result.code)]
    return images_of(*codes)


def check_application(application: Application, measured: bool) -> Verdict:
    """Build an application before and after, and compare. Raises EngineError."""
    broken = (BROKEN, ORIGINAL_BROKEN)
    return _patiently(application, application.refactor(), measured, broken)


def try_mutation(mutation: Mutation) -> Trial:
    """Whether verify sees a wrong rewrite. Raises EngineError."""
    application = _application(mutation)
    right = application.refactor()
    code = mutation.apply(right.code)
    if code == right.code:
        return Trial((), "the rewrite has nothing any more that this mistake would change")
    wrong = Result(right.before, code, right.changes, right.declined, right.files)
    verdict = _patiently(application, wrong, False, (ORIGINAL_BROKEN,))
    if verdict.state == ORIGINAL_BROKEN:
        return Trial((), f"{application.name} does not build")
    if not verdict.findings:
        return Trial((), "NOT CAUGHT")
    checks = tuple(dict.fromkeys(finding.check for finding in verdict.findings))
    return Trial(checks, " ".join(verdict.findings[0].text.split()))


def _application(mutation: Mutation) -> Application:
    (application,) = applications((mutation.app,))
    return application


def _patiently(
    application: Application, result: Result, measured: bool, broken: tuple[str, ...]
) -> Verdict:
    """Try again what ends in one of these states: a broken download says nothing of the file."""
    verdict = _verify(application, result, measured)
    for _ in range(_MORE_TRIES):
        if verdict.state not in broken:
            break
        print(f"{application.name} once more: {verdict.findings[0]}", flush=True)
        time.sleep(_PAUSE)
        verdict = _verify(application, result, measured)
    return verdict


def _verify(application: Application, result: Result, measured: bool) -> Verdict:
    """Run both, ask both; measured: without the engine's cache, and again after an edit."""
    wishes = Wishes(
        True,
        application.probes,
        measure=measured,
        scenarios=(COLD, SOURCE),
        compressed=False,
    )
    options = BuildOptions(application.folder, timeout=_TIMEOUT)
    return verify(str(application.folder), result, find_engine(), options, wishes)
