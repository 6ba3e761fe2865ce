"""Look up, for many files together, the images that neither they nor the lock say enough about."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockerfix import find_lock
from dockerfix.config import Config, find_config
from dockerfix.job import Job, Outcome
from dockerfix.registry.cache import FRESH, Cache, cache_folder
from dockerfix.registry.client import Registry
from dockerfix.registry.credentials import read_credentials
from dockerfix.registry.lockfile import Pin, read_lock, render_lock
from dockerfix.registry.lookup import look_up, move
from dockerfix.registry.network import read_network
from dockerfix.registry.parallel import SilenceError, ask_all
from dockerfix.registry.reference import parse_reference
from dockerfix.transform import Declined, Level
from dockerfix.transforms.pin_tags import NOT_ASKED, OPEN, open_questions
from dockerfix.writing import Write

#: Questions asked at the same time.
WORKERS = 8
#: Seconds that `--diff` and its like wait for a word of some registry.
SILENCE = 8.0
#: Seconds that they wait for a connection.
SHORT = 3.0
#: What a pass adds (a slim base) is looked up too, and so on; more rounds than any file needs.
_ROUNDS = 4
_MOST_CAUSES = 3
_UNANSWERED = "not pinned: its registry did not say what it is"


@dataclass
class Lookups:
    """What was looked up in this run, and what could not be."""

    registry: Registry
    #: `patch`, `minor` or `major` when images are to be updated.
    span: str | None = None
    #: What a lock holds, for a refresh: it costs one request each where that is still so.
    known: Mapping[str, Pin] = field(default_factory=dict)
    #: Seconds without a word from any registry after which it gives up.
    silence: float = 30.0
    pins: dict[str, Pin] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def ask(self, references: Iterable[str]) -> None:
        """Look up what is not known yet, all at once."""
        wanted = sorted(set(references) - set(self.pins) - set(self.failed))
        answers = ask_all(
            wanted,
            self._ask_one,
            workers=WORKERS,
            silence=self.silence,
            heard=lambda: self.registry.answers,
        )
        for reference, found in answers:
            if isinstance(found, Pin):
                self.pins[reference] = found
            else:
                self.failed[reference] = str(found)
                if isinstance(found, SilenceError):
                    self.registry.give_up(str(found))

    def _ask_one(self, text: str) -> Pin:
        today = datetime.datetime.now(tz=datetime.UTC).date()
        reference = parse_reference(text)
        if self.span is not None:
            return move(reference, self.registry, today, self.span)
        return look_up(reference, self.registry, today, self.known.get(text))


def look_up_open(
    outcomes: list[Outcome],
    jobs: dict[str, Job],
    span: str | None,
    run: Callable[[list[Job]], Iterable[Outcome]],
    say: Callable[[str], None],
) -> list[Outcome]:
    """Ask the registries what passes want to know, and say what came of it; see `complete`."""
    config = find_config(Path(next(iter(jobs))).parent)
    registry = make_registry(config, ask_always=span is not None)
    lookups = Lookups(registry, span, silence=SILENCE)
    done = complete(outcomes, jobs, lookups, run)
    for line in (*unanswered(lookups), *(line for outcome in done for line in moved(outcome))):
        say(line)
    return done


def complete(
    outcomes: list[Outcome],
    jobs: dict[str, Job],
    lookups: Lookups,
    run: Callable[[list[Job]], Iterable[Outcome]],
) -> list[Outcome]:
    """Look up what passes asked for, and run the files again for which something was found.

    `jobs` are replaced by those that hold what was found; `run` refactors files.
    """
    for _ in range(_ROUNDS):
        wanted = {outcome.path: _questions(outcome, jobs) for outcome in outcomes}
        lookups.ask(reference for references in wanted.values() for reference in references)
        again = {
            path: _informed(jobs[path], references, lookups)
            for path, references in wanted.items()
            if any(reference in lookups.pins for reference in references)
        }
        if not again:
            break
        jobs.update(again)
        done = {outcome.path: outcome for outcome in run(list(again.values()))}
        outcomes = [done.get(outcome.path, outcome) for outcome in outcomes]
    return [_explained(outcome, lookups) for outcome in outcomes]


def _questions(outcome: Outcome, jobs: dict[str, Job]) -> list[str]:
    """The references of a file that a look-up would help with, and may be looked up."""
    if outcome.result is None or jobs[outcome.path].settings.locked:
        return []
    return list(open_questions(outcome.result.declined))


def _informed(job: Job, references: list[str], lookups: Lookups) -> Job:
    found = [lookups.pins[ref] for ref in references if ref in lookups.pins]
    settings = job.settings
    if lookups.span is None:
        return job._replace(settings=settings._replace(pins=(*settings.pins, *found)))
    moves = (*(settings.moves or ()), *found)
    return job._replace(settings=settings._replace(moves=moves))


def _explained(outcome: Outcome, lookups: Lookups) -> Outcome:
    """Say why a look-up failed, in place of that there was none."""
    result = outcome.result
    if result is None:
        return outcome
    declined = tuple(_explain(item, lookups) for item in result.declined)
    return outcome._replace(result=replace(result, declined=declined))


def _explain(item: Declined, lookups: Lookups) -> Declined:
    if item.reason not in OPEN or item.detail not in lookups.failed:
        return item
    reason = _UNANSWERED if item.reason != NOT_ASKED else _UNANSWERED.replace("pinned", "updated")
    return item._replace(reason=reason, detail=f"{item.detail}: {lookups.failed[item.detail]}")


def amend_locks(outcomes: Iterable[Outcome], jobs: dict[str, Job]) -> list[Write]:
    """What has to be written for each lock to hold what was looked up for its files."""
    amended: dict[str, dict[str, Pin]] = {}
    for outcome in outcomes:
        if outcome.result is None or outcome.context is None:
            continue
        settings = jobs[outcome.path].settings
        found = (*settings.pins, *_as_locked(settings.moves))
        path = find_lock(os.path.abspath(outcome.context)) if found else None
        if path is not None:
            amended.setdefault(path, {}).update((pin.reference, pin) for pin in found)
    writes: list[Write] = []
    for path, pins in sorted(amended.items()):
        before = Path(path).read_bytes()
        after = render_lock(read_lock(Path(path)).add(pins.values())).encode()
        writes += [Write(Path(path), before, after)] if after != before else []
    return writes


def _as_locked(moves: tuple[Pin, ...] | None) -> Iterator[Pin]:
    """What an updated reference has become is what the lock has to know."""
    for pin in moves or ():
        reference = str(parse_reference(pin.reference).with_tag(pin.tag))
        yield pin._replace(reference=reference)


def make_registry(config: Config, *, ask_always: bool) -> Registry:
    """Registries as this machine and the settings have them; `ask_always` takes nothing for fresh.

    Otherwise a host that could not be reached a moment ago is not tried again.
    """
    network = read_network(config.insecure, dict(config.mirrors))
    if not ask_always:
        network = replace(network, connect_timeout=SHORT)
    cache = Cache(cache_folder(), fresh=0.0 if ask_always else FRESH)
    return Registry(read_credentials(), network, cache, remember_down=not ask_always)


def unanswered(lookups: Lookups) -> list[str]:
    """A line for each cause for which images were not looked up."""
    causes = Counter(lookups.failed.values())
    found = [
        f"{'1 image' if count == 1 else f'{count} images'} not looked up: {cause}"
        for cause, count in causes.most_common(_MOST_CAUSES)
    ]
    more = len(causes) - len(found)
    return [*found, f"{more} more causes; see --explain"] if more > 0 else found


def moved(outcome: Outcome) -> Iterator[str]:
    """A line for each image that is updated, from and to."""
    for change in outcome.result.changes if outcome.result else ():
        if change.pass_name == "pin-tags" and change.level > Level.SAFE:
            yield f"{outcome.path}:{change.line}: {change.help.replace('`', '')}"
