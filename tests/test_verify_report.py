"""The verdict as text, as JSON, as a page."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from dockerfix.report.verify import render_text
from dockerfix.report.verify_json import render_json
from dockerfix.report.verify_page import render_html
from dockerfix.verify.compare import TreeChange, TreeDifference
from dockerfix.verify.configuration import Difference
from dockerfix.verify.findings import Finding
from dockerfix.verify.measure import SCENARIOS, Timing
from dockerfix.verify.packages import PackageChange
from dockerfix.verify.runs import Answer, Observation
from dockerfix.verify.verdict import Side, Verdict

HOSTILE = "<script>alert(1)</script>\udcff"


def full_verdict() -> Verdict:
    seen = Observation(
        (Answer("GET / on port 80", f"200 {HOSTILE}"),), "1000", 0.3, (HOSTILE,), ("/app/db",)
    )
    timings = {name: Timing((2.0, 1.0, 4.0), 3) for name in SCENARIOS}
    before = Side(100_000_000, 5, 2.0, seen, timings, 40_000_000)
    changes = [
        TreeChange(f"app/{HOSTILE}", "lost", "sources", unexplained=True),
        TreeChange("app/run", "mode", "program", "0755 -> 0644", True),
        TreeChange("usr/bin/git", "lost", "system packages"),
    ]
    return Verdict(
        f"<b>{HOSTILE}/Dockerfile",
        "differs",
        ("add-user",),
        before,
        replace(before, size=40_000_000, layers=3),
        [Difference("User", "", HOSTILE, ("add-user",), "x"), Difference("Env A", "1", "", ())],
        TreeDifference(changes),
        [PackageChange("dpkg", "git", "2.39", "")],
        "/app",
        [Finding("libraries", f"{HOSTILE}\nsecond line")],
        ["a note"],
        f"--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1 +1 @@\n-FROM {HOSTILE}\n+FROM b\n",
        "/tmp/log",
    )


EMPTY = Verdict("Dockerfile", "unchanged")
BROKEN = Verdict("Dockerfile", "original broken", findings=[Finding("build", "x")])


def test_text() -> None:
    told = render_text(full_verdict())
    for part in (
        *("size    100 MB -> 40 MB (-60 %)", "packed  40 MB -> 40 MB", "layers  5 -> 3"),
        *("cold build: 2.0 s -> 2.0 s", "build, source edit: 2.0 s", "3 -> 3 steps"),
        *("lost    2 files: sources 1, system packages 1", "dpkg    1 gone (git)"),
        *("Env A: 1 -> - (UNEXPLAINED)", "note: a note", "/tmp/log", "problem: libraries: "),
    ):
        assert part in told


@pytest.mark.parametrize("verdicts", [[], [EMPTY], [BROKEN], [full_verdict(), EMPTY]])
def test_json_is_as_its_schema_says(verdicts: list[Verdict]) -> None:
    schema = json.loads(files("dockerfix.report").joinpath("verify.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(render_json(verdicts)), schema)


def test_the_schema_refuses_what_it_does_not_know() -> None:
    schema = json.loads(files("dockerfix.report").joinpath("verify.schema.json").read_text())
    document = json.loads(render_json([EMPTY]))
    document["files"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_the_page_needs_nothing_and_runs_nothing() -> None:
    page = render_html([full_verdict(), EMPTY, BROKEN])
    page.encode("utf-8")
    for part in ("<script", "http:", "https:", "src=", "href=", "@import", "url("):
        assert part not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
