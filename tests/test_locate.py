"""The build context is found where the COPY sources are."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dockerfix.cli import main
from dockerfix.context.locate import find_context


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in (".git/HEAD", "package.json", "src/index.js", "docker/entry.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def dockerfile(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(text)
    return folder / "Dockerfile"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM node\nCOPY package.json ./\nCOPY src ./src\n", "."),
        ("FROM node\nCOPY entry.sh /\n", "docker"),
        ("FROM node\nCOPY docker/entry.sh /\nCOPY target/app.jar /\n", "."),
        ("FROM node\nCOPY . .\n", "docker"),
        ("FROM node\nCOPY --from=build package.json ./\n", "docker"),
        ("FROM node\nCOPY package*.json ./\n", "."),
        ("FROM node\nRUN true\n", "docker"),
    ],
)
def test_where_the_sources_are(repository: Path, text: str, expected: str) -> None:
    path = dockerfile(repository / "docker", text)
    assert find_context(path).resolve() == (repository / expected).resolve()


def test_nothing_above_the_repository(repository: Path) -> None:
    inner = repository / "inner"
    (inner / ".git").mkdir(parents=True)
    path = dockerfile(inner, "FROM node\nCOPY package.json ./\n")
    assert find_context(path) == inner


def test_the_ignore_file_is_written_to_the_context(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "package.json").write_text('{"dependencies": {"a": "1"}}')
    (repository / "package-lock.json").write_text("{}")
    text = "FROM node:22\nWORKDIR /app\nCOPY src src\nCOPY package.json .\nCOPY . .\nRUN npm ci\n"
    path = dockerfile(repository / "docker", text)
    (repository.parent / "elsewhere").mkdir(exist_ok=True)
    monkeypatch.chdir(repository.parent / "elsewhere")
    result = CliRunner().invoke(main, ["--write", "--select", "order-copies", str(path)])
    assert result.exit_code == 0, result.output
    assert (repository / ".dockerignore").read_text() == "node_modules\n"
    assert "COPY package.json" in path.read_text()
