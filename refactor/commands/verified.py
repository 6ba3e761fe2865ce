"""`dockerfix --write --verify`: only what was built, compared and found right is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dockerfix.commands.verify import DIFFERS, ORIGINAL_BROKEN, Request, VerifyError, without
from dockerfix.job import Job, Outcome, run_job
from dockerfix.verify.engine import BuildOptions, EngineError, find_engine
from dockerfix.verify.verdict import Verdict, Wishes


def keep_verified(
    outcomes: Iterable[Outcome], jobs: dict[str, Job], say: Callable[[str], None]
) -> list[Outcome]:
    """Each outcome as far as it is right; what is not becomes an error."""
    try:
        engine = find_engine()
    except EngineError as error:
        return [_refused(outcome, str(error)) for outcome in outcomes]
    request = Request(engine, BuildOptions(Path()), Wishes(run=engine.runs))
    found: list[Outcome] = []
    for outcome in outcomes:
        job = jobs.get(outcome.path)
        if job is None or job.text is not None or not (outcome.result and outcome.result.changed):
            found.append(outcome)
            continue
        try:
            found.append(_verified(outcome, job, request, say))
        except VerifyError as error:
            found.append(_refused(outcome, str(error)))
    return found


def _verified(outcome: Outcome, job: Job, request: Request, say: Callable[[str], None]) -> Outcome:
    verdict = request.judge(job, outcome)
    if verdict.exit_code == ORIGINAL_BROKEN:
        return _refused(outcome, f"{job.path}: left as it is: the original does not build")
    if verdict.exit_code != DIFFERS:
        say(f"{job.path}: verified")
        return outcome
    culprits = request.culprits(job, verdict.passes)
    if not culprits:
        return _refused(outcome, f"{job.path}: left as it is: {_reason(verdict)}")
    say(f"{job.path}: verified without {', '.join(culprits)}: {_reason(verdict)}")
    return run_job(without(job, culprits))


def _reason(verdict: Verdict) -> str:
    return verdict.problems[0] if verdict.problems else "the images differ"


def _refused(outcome: Outcome, message: str) -> Outcome:
    return outcome._replace(result=None, errors=(message,))
