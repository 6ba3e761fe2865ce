"""The table of benchmarks/repositories.py counts hits, misses and wrong changes rightly."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks import repositories
from benchmarks.corpus import Options, check_file
from tests import corpus

NODE = """\
FROM node:20
WORKDIR /app
COPY . .
RUN npm install
CMD ["node", "server.js"]
"""
#: An image to develop in, whose install could be moved all the same.
DEVELOPMENT = NODE.replace('CMD ["node", "server.js"]', 'CMD ["npx", "nodemon", "server.js"]')
#: Nothing says what the unknown command reads.
UNKNOWN = NODE.replace("RUN npm", "RUN ./prepare\nRUN npm")
PYTHON = "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"

PROJECTS = {
    "one/node": ("node", "express", {"Dockerfile": NODE, "server.js": "require('http')\n"}),
    "two/development": ("node", "react", {"Dockerfile": DEVELOPMENT, "server.js": "\n"}),
    "three/unknown": ("node", "", {"Dockerfile": UNKNOWN, "server.js": "\n", "prepare": "\n"}),
    "four/python": ("python+node", "", {"Dockerfile": PYTHON, "requirements.txt": "six\n"}),
}
#: What an expert would say of order-copies; of the last nobody says anything.
EXPERTS = {"one/node": "yes", "two/development": "no", "three/unknown": "yes"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four repositories, their index and their judgements."""
    with (tmp_path / "INDEX.dev.tsv").open("w") as file:
        index = csv.writer(file, delimiter="\t")
        index.writerow(("repo", "dockerfile", "ecosystem", "framework"))
        for name, (ecosystem, framework, files) in PROJECTS.items():
            index.writerow((name, "Dockerfile", ecosystem, framework))
            _write_project(tmp_path / name.replace("/", "__"), files)
    with (tmp_path / "judgements.tsv").open("w") as file:
        table = csv.writer(file, delimiter="\t")
        table.writerow(("repository", "dockerfile", "pass", "expert", "reason"))
        for name, expert in EXPERTS.items():
            table.writerow((name, "Dockerfile", "order-copies", expert, f"so says {expert}"))
    return tmp_path


def _write_project(project: Path, files: dict[str, str]) -> None:
    project.mkdir()
    (project / ".git").mkdir()
    (project / "package.json").write_text('{"name": "app", "version": "1.0.0"}\n')
    (project / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}\n')
    for path, content in files.items():
        (project / path).write_text(content)


def _verdicts(folder: Path) -> list[repositories.Verdict]:
    entries = corpus.applications(folder)
    rows = [check_file(entry.path, Options("review", (), keep_diff=False)) for entry in entries]
    judgements = repositories.read_judgements(folder / "judgements.tsv")
    return repositories.judge(zip(entries, rows, strict=True), judgements)


def test_outcomes(folder: Path) -> None:
    outcomes = {
        item.name.split()[0]: (item.outcome, item.done)
        for item in _verdicts(folder)
        if item.pass_name == "order-copies"
    }
    assert outcomes == {
        "one/node": ("hit", True),
        "two/development": ("wrong", True),
        "three/unknown": ("miss", False),
        "four/python": ("open", False),
    }


def test_tables(folder: Path) -> None:
    lines = list(repositories.report(_verdicts(folder)))
    assert lines[2].startswith("| node | 2 | ")
    assert "| 1, 1/2 |" in lines[2]
    assert lines[3].startswith("| react/static | 1 | ")
    assert "| 1, 0/0, 1 wrong |" in lines[3]
    assert lines[4].startswith("| mixed | 1 | ")
    assert lines[5].startswith("| all | 4 | ")
    assert "| order-copies | 90 % | 2 | 1 (50 %) | 1 | 1 | 0 | 0, 0 |" in lines
    text = "\n".join(lines)
    missed = "- order-copies, three/unknown Dockerfile: so says yes. We: order stays: "
    assert missed in text[text.index("Misses:") : text.index("Wrong:")]
    wrong = "- order-copies, two/development Dockerfile: so says no."
    assert wrong in text[text.index("Wrong:") :]


def test_an_unknown_word_is_refused(folder: Path) -> None:
    path = folder / "judgements.tsv"
    path.write_text(path.read_text().replace("yes\t", "perhaps\t"))
    with pytest.raises(ValueError, match="perhaps"):
        repositories.read_judgements(path)


def test_judgements_are_whole() -> None:
    """Every judged Dockerfile is judged for every pass, with a reason."""
    judgements = repositories.read_judgements(repositories.JUDGEMENTS)
    files = {(repository, dockerfile) for repository, dockerfile, _ in judgements}
    assert set(judgements) == {(*file, name) for file in files for name in repositories.GOALS}
    assert all(judgement.reason for judgement in judgements.values())
