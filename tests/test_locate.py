"""The build context is found where the COPY sources are."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dockerfix.cli import main
from dockerfix.context.locate import find_context, locate_context
from dockerfix.context.repository_root import repository_root


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
        ('FROM node\nCOPY ["package.json", "src", "./"]\n', "."),
        ('FROM node\nCOPY --chown=node ["entry.sh", "/"]\n', "docker"),
        ('FROM node\nCOPY ["package.json"\n', "docker"),
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


def test_a_command_that_cannot_build_does_not_count(repository: Path) -> None:
    (repository / "docker" / "Makefile").write_text("build:\n\tdocker build -t shop .\n")
    path = dockerfile(repository / "docker", "FROM node\nCOPY package.json ./\nCOPY src ./src\n")
    located = locate_context(path)
    assert located.folder.resolve() == repository.resolve()
    assert "docker/Makefile" in located.doubt
    shown = CliRunner().invoke(main, ["--diff", "--explain", "--locked", str(path)]).output
    assert "Dockerfile:1: note: the build context is not certain" in shown


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


# A tree without .git

BUILT_AS_ROOT = "services: {a: {build: ../services/api, user: '0'}}"


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of folders that no git knows, in the home of somebody who is elsewhere now."""
    home = tmp_path / "home"
    (home / "work/shop/services/api").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return home / "work/shop"


def write(root: Path, name: str, text: str = "") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("compose.yaml", "services: {api: {build: ./services/api}}"),
        (".github/workflows/ci.yml", ""),
        (".gitlab-ci.yml", ""),
        (".hg/store", ""),
        ("package.json", '{"workspaces": ["services/*"]}'),
        ("pnpm-workspace.yaml", "packages: ['*/api']"),
        ("go.work", "use ./services/api"),
        ("Makefile", "image:\n\tdocker build services/api\n"),
        ("Shop.sln", 'Project("{x}") = "Api", "services\\Api.csproj", "{y}"'),
    ],
)
def test_a_file_that_names_the_way_down_is_of_the_repository(
    unpacked: Path, name: str, text: str
) -> None:
    write(unpacked, name, text)
    assert repository_root(str(unpacked / "services/api")) == str(unpacked)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("compose.yaml", "services: {other: {build: ./elsewhere}}"),
        ("package.json", '{"name": "microservices-x"}'),
        ("README.md", "see services/api"),
        (".gitignore", "services"),
    ],
)
def test_a_file_that_does_not_is_of_another(unpacked: Path, name: str, text: str) -> None:
    write(unpacked, name, text)
    assert repository_root(str(unpacked / "services/api")) == str(unpacked / "services/api")


def test_the_furthest_of_several_counts(unpacked: Path) -> None:
    write(unpacked, "services/compose.yaml", "services: {api: {build: api}}")
    assert repository_root(str(unpacked / "services/api")) == str(unpacked / "services")
    write(unpacked, "Makefile", "all:\n\tdocker build services/api\n")
    assert repository_root(str(unpacked / "services/api")) == str(unpacked)


def test_what_was_named_counts_where_nothing_says_more(unpacked: Path) -> None:
    api = str(unpacked / "services/api")
    assert repository_root(api, str(unpacked)) == str(unpacked)
    assert repository_root(api, str(unpacked.parent.parent.parent / "elsewhere")) == api


def test_git_knows_best(unpacked: Path) -> None:
    write(unpacked, "services/.git/HEAD")
    write(unpacked, "Makefile", "all:\n\tdocker build services/api\n")
    api = str(unpacked / "services/api")
    assert repository_root(api, str(unpacked)) == str(unpacked / "services")


def test_neither_home_nor_what_is_above_is_a_repository(unpacked: Path) -> None:
    home = unpacked.parent.parent
    write(home, "compose.yaml", "services: {a: {build: work}}")
    write(home.parent, "compose.yaml", "services: {a: {build: home}}")
    assert repository_root(str(unpacked)) == str(unpacked)


def test_not_too_far_up(unpacked: Path) -> None:
    deep = unpacked / "a/b/c/d/e/f/g"
    deep.mkdir(parents=True)
    write(unpacked, "Makefile", "docker build a")
    assert repository_root(str(deep)) == str(deep)
    assert repository_root(str(deep.parent)) == str(unpacked)


def test_evidence_above_a_folder_counts_without_git(unpacked: Path) -> None:
    text = "services: {api: {build: services/api, user: root}}\n"
    write(unpacked, "compose.yaml", text)
    write(unpacked, "services/api/index.js")
    path = dockerfile(unpacked / "services/api", "FROM node:22\nWORKDIR /app\nCOPY . .\n")
    path.write_text(path.read_text() + 'CMD ["node", "index.js"]\n')
    told = CliRunner().invoke(main, ["--explain", "--select", "add-user", str(path.parent)])
    assert "it is run as root on purpose" in told.output


def test_a_repository_that_is_given(unpacked: Path) -> None:
    write(
        unpacked, "deploy/prod.compose.yaml", "services: {a: {build: ../services/api, user: '0'}}"
    )
    write(unpacked, "services/api/index.js")
    text = 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["node", "index.js"]\n'
    path = dockerfile(unpacked / "services/api", text)
    words = ["--explain", "--select", "add-user", str(path)]
    assert "on purpose" not in CliRunner().invoke(main, words).output
    given = [*words, "--repository", str(unpacked)]
    assert "on purpose" in CliRunner().invoke(main, given).output
    wrong = CliRunner().invoke(main, [*words, "--repository", str(path)])
    assert wrong.exit_code == 2
    assert "is not a folder" in wrong.output


def test_the_folder_that_is_given_is_the_repository(unpacked: Path) -> None:
    write(
        unpacked, "deploy/prod.compose.yaml", "services: {a: {build: ../services/api, user: '0'}}"
    )
    write(unpacked, "services/api/index.js")
    text = 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["node", "index.js"]\n'
    dockerfile(unpacked / "services/api", text)
    words = ["--explain", "--select", "add-user", str(unpacked)]
    assert "on purpose" in CliRunner().invoke(main, words).output


@pytest.mark.parametrize("absolute", [True, False])
def test_a_folder_is_written_as_the_dockerfile_is(
    repository: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    """Two spellings of one folder would show its .dockerignore twice."""
    (repository / "compose.yml").write_text("services: {a: {build: {context: docker}}}\n")
    path = dockerfile(repository / "docker", "FROM node\nCOPY entry.sh /\n")
    link = repository / "link"
    link.symlink_to(repository)
    monkeypatch.chdir(link)
    given = link / "docker/Dockerfile" if absolute else path.relative_to(repository)
    assert str(locate_context(given).folder) == str(given.parent)
