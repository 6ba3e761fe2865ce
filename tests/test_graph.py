"""What a graph says of steps, what an edit makes run again, and how it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import dockerfix
from dockerfix.cli import main
from dockerfix.context.build_context import BuildContext
from dockerfix.graph.gain import gain_document, gain_lines, static_gain
from dockerfix.graph.model import Graph, read_graph
from dockerfix.transform import Workspace

BEFORE = """\
FROM node:20
WORKDIR /app
COPY . .
RUN npm ci
CMD ["node", "index.js"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "package.json").write_text('{"dependencies": {"express": "^4"}}')
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "index.js").write_text("")
    (tmp_path / ".dockerignore").write_text("node_modules\n")
    (tmp_path / "Dockerfile").write_text(BEFORE)
    return tmp_path


def graph(text: str, context: Path | None = None, edit: str | None = None) -> Graph:
    folder = BuildContext(context) if context is not None else None
    return read_graph(Workspace(dockerfix.parse(text), folder), edit)


def again(text: str, context: Path | None = None, edit: str | None = None) -> list[str]:
    return [step.text for step in graph(text, context, edit).again]


def test_everything_behind_the_copy_runs_again(project: Path) -> None:
    assert again(BEFORE, project) == ["COPY . .", "RUN npm ci"]
    assert graph(BEFORE, project).edit == "index.js"


def test_what_stands_in_front_of_it_does_not(project: Path) -> None:
    text = "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\n"
    assert again(text, project) == ["COPY . ."]
    assert again(text, project, "package.json") == [
        "COPY package*.json ./",
        "RUN npm ci",
        "COPY . .",
    ]


def test_an_ignored_file_is_no_source(project: Path) -> None:
    (project / ".dockerignore").write_text("index.js\n")
    assert graph(BEFORE, project).edit == ""


def test_stages_that_take_from_one_that_runs_again() -> None:
    text = (
        "FROM golang:1.22 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /app\n"
        "FROM debian:12 AS tools\nRUN apt-get update\n"
        "FROM scratch\nCOPY --from=tools /etc /etc\nCOPY --from=build /app /app\nUSER 1\n"
    )
    assert again(text) == ["COPY . .", "RUN go build -o /app", "COPY --from=build /app /app"]
    found = graph(text)
    assert [stage.is_shipped for stage in found.stages] == [False, False, True]
    assert found.stages[2].needs == (1, 0)
    assert len(found.layers) == 2


def test_a_stage_that_stands_on_one_that_runs_again() -> None:
    text = "FROM a AS base\nCOPY . /x\nFROM base\nRUN y\n"
    assert again(text) == ["COPY . /x", "RUN y"]


def test_gain(project: Path) -> None:
    result = dockerfix.refactor(BEFORE, context=project, select=("order-copies",))
    gain = static_gain(result, project)
    assert gain.spared == ("install",)
    assert gain_lines(gain) == [
        "after an edit of index.js: 1 step runs again (0 RUN), 2 before (1 RUN); "
        "no longer: install",
        "layers in the image: 4, 3 before",
    ]
    assert gain_document(gain)["steps_again"] == {"before": 2, "after": 1}


def test_dependencies_that_a_build_fetched_itself(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module a\n\nrequire example.com/b v1.0.0\n")
    (tmp_path / "main.go").touch()
    text = "FROM golang:1.24\nWORKDIR /app\nCOPY . .\nRUN go build -o /bin/a\n"
    gain = static_gain(
        dockerfix.refactor(text, context=tmp_path, select=("order-copies",)), tmp_path
    )
    assert gain_lines(gain)[0] == (
        "after an edit of main.go: 2 steps run again (1 RUN), 2 before (1 RUN); "
        "no longer: dependencies"
    )


def test_what_leaves_the_image() -> None:
    before = "FROM python:3.12\nRUN apt-get install -y gcc curl\nRUN pip install uwsgi\n"
    after = (
        "FROM python:3.12 AS build\nRUN apt-get install -y gcc\nRUN pip install uwsgi\n"
        "FROM python:3.12-slim\nRUN apt-get install -y curl\n"
    )
    gain = static_gain(dockerfix.Result(before, after), None)
    assert gain.leaves == (
        *("python:3.12 (now python:3.12-slim)", "packages gcc", "`pip install uwsgi`"),
    )


def test_text(project: Path) -> None:
    shown = CliRunner().invoke(main, ["graph", str(project / "Dockerfile")])
    assert shown.exit_code == 0, shown.output
    assert "3 steps, 2 of them run again after an edit of index.js (marked *)" in shown.output
    assert "*    4  RUN npm ci" in shown.output
    assert "install; reads /app/package.json, /app/package-lock.json" in shown.output


def test_json(project: Path) -> None:
    shown = CliRunner().invoke(main, ["graph", "--format", "json", str(project)])
    data = json.loads(shown.output)["files"][0]
    steps = data["before"]["stages"][0]["steps"]
    assert steps[1]["context"] == ["."]
    assert steps[2]["kinds"] == ["install"]
    assert steps[2]["runs_again"]
    assert data["gain"]["steps_again"]["before"] == 2


def test_drawing_escapes_and_is_well_formed(project: Path) -> None:
    (project / "Dockerfile").write_text(BEFORE + 'LABEL x="<script>&"\n')
    shown = CliRunner().invoke(main, ["graph", "--format", "svg", str(project)])
    root = ElementTree.fromstring(shown.output)
    assert root.tag.endswith("svg")
    assert "<script>" not in shown.output
    page = CliRunner().invoke(main, ["graph", "--format", "html", str(project)])
    assert page.output.startswith("<!doctype html>")
    assert "<svg" in page.output


def test_one_file_for_an_svg(project: Path) -> None:
    (project / "Dockerfile.other").write_text(BEFORE)
    shown = CliRunner().invoke(main, ["graph", "--format", "svg", str(project)])
    assert shown.exit_code == 2


def test_bad_file(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\nNOPE\n")
    assert CliRunner().invoke(main, ["graph", str(tmp_path)]).exit_code == 2
    assert CliRunner().invoke(main, ["graph", str(tmp_path / "none")]).exit_code == 2


def test_gain_is_explained(project: Path) -> None:
    asked = ["--diff", "--select", "order-copies", "--context", str(project)]
    shown = CliRunner().invoke(main, [*asked, "--explain", str(project / "Dockerfile")])
    assert "after an edit of index.js: 1 step runs again (0 RUN), 2 before" in shown.output
    told = CliRunner().invoke(main, [*asked, "--format", "json", str(project / "Dockerfile")])
    gain = json.loads(told.stdout)["files"][0]["gain"]
    assert gain["layers"] == {"before": 3, "after": 4}
    assert gain["work_spared"] == ["install"]
