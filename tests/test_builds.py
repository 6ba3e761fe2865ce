"""What `python -m tests.builds` rests on, as far as it can be tested without an engine."""

from __future__ import annotations

import pytest

from dockerfix.verify.measure import COLD, SOURCE, Timing
from dockerfix.verify.verdict import Side, Verdict
from tests.builds.applications import CI, PROBES, Application, applications, images_of
from tests.builds.bases import BASES
from tests.builds.machine import MachineError
from tests.builds.mutations import MUTATIONS, Mutation
from tests.builds.table import row, summary

ALL = applications()
NAMES = {application.name for application in ALL}


def test_there_are_enough_applications() -> None:
    assert len(ALL) >= 24


@pytest.mark.parametrize("application", ALL, ids=lambda application: application.name)
def test_every_base_image_can_be_made(application: Application) -> None:
    result = application.refactor()
    known = {name for base in BASES for name in base.names}
    assert set(images_of(result.before, result.code)) <= known


def test_bases_come_before_what_needs_them() -> None:
    made: set[str] = set()
    for base in BASES:
        assert set(base.needs) <= made
        made.update(base.names)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mistake_can_still_be_made(mutation: Mutation) -> None:
    (application,) = applications((mutation.app,))
    right = application.refactor().code
    assert mutation.apply(right) != right


def test_lists_name_applications() -> None:
    assert set(CI) | set(PROBES) | {mutation.app for mutation in MUTATIONS} <= NAMES


def test_images_are_named_once_and_stages_are_no_images() -> None:
    code = "FROM node:20 AS build\nFROM build\nFROM scratch\nFROM node:20\n"
    assert images_of(code, "FROM debian:12\n") == ["node:20", "debian:12"]


def test_unknown_applications_are_an_error() -> None:
    with pytest.raises(MachineError, match="no application is called"):
        applications(("no-such",))


def side(size: int, cold: float, rebuild: float | None) -> Side:
    timings = {COLD: Timing((cold,), 9)}
    if rebuild is not None:
        timings[SOURCE] = Timing((rebuild,), 3)
    return Side(size, 5, cold, timings=timings)


def verdict(size: int, rebuild: float | None) -> Verdict:
    before = side(1_000_000_000, 60.0, rebuild)
    after = side(size, 30.0, rebuild and rebuild / 10)
    return Verdict("x", "equal", ("split-stages", "order-copies"), before, after)


def test_a_row_shows_gains() -> None:
    line = row("node-express", verdict(250_000_000, 20.0))
    assert "1000 -> 250  -75%" in line
    assert "60.0 -> 30.0  -50%" in line
    assert "20.0 -> 2.0  -90%" in line
    assert "split+ordered" in line


def test_an_application_that_does_not_build_has_a_row() -> None:
    assert row("broken", Verdict("x", "original broken")).endswith("original broken")


def test_the_summary_counts_what_was_measured() -> None:
    lines = summary([verdict(250_000_000, 20.0), verdict(450_000_000, None)])
    assert lines[0].endswith("-65% (2 applications)")
    assert lines[1].endswith("-90% (1 applications)")


def test_every_application_is_refactored() -> None:
    for application in applications():
        result = application.refactor()
        assert result.code != result.before, application.name
