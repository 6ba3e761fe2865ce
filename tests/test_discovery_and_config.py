"""Which files are found, which settings hold for them, and how they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerfix import config
from dockerfix.config import Config, ConfigError, find_config
from dockerfix.context.archives import NotPlainError, why_plain
from dockerfix.context.build_context import BuildContext
from dockerfix.discovery import find_dockerfiles, is_dockerfile_name
from dockerfix.writing import Write, WriteError, write_files
from tests.test_cli import BETTER, POOR, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def found(folder: Path, *exclude: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_dockerfiles(folder, exclude)]


# Discovery


@pytest.mark.parametrize(
    "name",
    [
        *("Dockerfile", "Dockerfile.prod", "api.Dockerfile", "api.dockerfile", "dockerfile"),
        "Containerfile.dev",
    ],
)
def test_names_of_dockerfiles(name: str) -> None:
    assert is_dockerfile_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("dockerfile.js", "Dockerfile~", "Dockerfile.bak", "Dockerfile.orig", "Dockerfile.j2"),
        *("Dockerfile.dockerignore", ".Dockerfile.swp", "MyDockerfile", "Dockerfile-old"),
    ],
)
def test_names_of_other_files(name: str) -> None:
    assert not is_dockerfile_name(name)


def test_a_search_is_sorted_and_skips_the_code_of_others(shell: Shell) -> None:
    for name in ("b", "a/x", "a", ".git", "node_modules/y", "src/vendor", ".venv/z", ".hidden"):
        shell.write(f"{name}/Dockerfile", POOR)
    shell.write("Dockerfile.b", POOR)
    shell.write("Dockerfile", POOR)
    expected = ["Dockerfile", "Dockerfile.b", ".hidden/Dockerfile", "a/Dockerfile"]
    assert found(shell.folder) == [*expected, "a/x/Dockerfile", "b/Dockerfile"]


def test_a_name_in_small_letters_counts_where_there_is_no_other(shell: Shell) -> None:
    for name in ("a/dockerfile", "b/dockerfile", "b/Dockerfile"):
        shell.write(name, POOR)
    assert found(shell.folder) == ["a/dockerfile", "b/Dockerfile"]


def test_a_search_ends_though_links_go_round(shell: Shell) -> None:
    shell.write("a/Dockerfile", POOR)
    (shell.folder / "a" / "again").symlink_to(shell.folder)
    (shell.folder / "elsewhere").symlink_to("/")
    assert found(shell.folder) == ["a/Dockerfile"]


def test_a_search_passes_by_what_is_no_file(shell: Shell) -> None:
    os.mkfifo(shell.folder / "Dockerfile")
    (shell.folder / "x.Dockerfile").mkdir()
    assert found(shell.folder) == []


@pytest.mark.parametrize("pattern", ["third", "third/", "third/*", "*/b/Dockerfile", "th*d"])
def test_exclude_patterns(shell: Shell, pattern: str) -> None:
    shell.write("keep/Dockerfile", POOR)
    shell.write("third/b/Dockerfile", POOR)
    assert found(shell.folder, pattern) == ["keep/Dockerfile"]


def test_a_broken_link_is_told_and_the_rest_done(shell: Shell) -> None:
    (shell.folder / "Dockerfile").symlink_to("nowhere")
    good = shell.write("b/Dockerfile", POOR)
    done = shell.run("--write")
    assert done.returncode == 2
    assert b"error: Dockerfile: cannot be read: No such file or directory\n" in done.stderr
    assert good.read_text() == BETTER


def test_a_folder_that_cannot_be_read(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As root, modes stop nothing: the refusal is made up."""
    from dockerfix.cli import main

    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SystemExit) as stopped:
        main([str(shell.folder)])
    assert stopped.value.code == 2
    assert f"error: {shell.folder}: the folder cannot be read\n" in capsys.readouterr().err


def test_a_file_named_twice_is_written_once(shell: Shell) -> None:
    path = shell.write("Dockerfile", POOR)
    (shell.folder / "link.Dockerfile").symlink_to("Dockerfile")
    done = shell.run("--write", "./Dockerfile", "Dockerfile", ".")
    assert (done.returncode, done.stderr) == (0, b"1 file refactored.\n")
    assert path.read_text() == BETTER
    assert (shell.folder / "link.Dockerfile").is_symlink()


def test_no_file_name_reaches_the_terminal_raw(shell: Shell) -> None:
    shell.write("a\x1b[31m/Dockerfile", "FROM a\nRUM \x1b]0;b\x07\n")
    done = shell.run("--verbose", "--explain")
    assert done.returncode == 2
    assert b"\\x1b[31m/Dockerfile:2:1: unknown instruction" in done.stderr
    assert b"\x1b" not in done.stderr
    assert b"\x07" not in done.stderr


# Settings


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    """Settings are read once per run; each test is a run."""
    config._find.cache_clear()
    yield
    config._find.cache_clear()


def test_the_nearest_settings_hold(shell: Shell) -> None:
    shell.write("pyproject.toml", "[tool.dockerfix]\nlevel = 'safe'\n")
    shell.write("a/pyproject.toml", "[project]\nname = 'x'\n")
    shell.write("a/b/.dockerfix.toml", "target = 'prod'\n")
    (shell.folder / "a/b/c").mkdir()
    assert find_config(shell.folder).level == "safe"
    assert find_config(shell.folder / "a").level == "safe", "a file without our table says nothing"
    assert find_config(shell.folder / "a/b/c") == Config(target="prod"), "settings are not mixed"


def test_our_own_file_wins_in_one_folder(shell: Shell) -> None:
    shell.write("pyproject.toml", "[tool.dockerfix]\nlevel = 'safe'\n")
    shell.write(".dockerfix.toml", "level = 'risky'\n")
    assert find_config(shell.folder).level == "risky"


@pytest.mark.parametrize(
    "content",
    [
        "[tool]\ndockerfix = {level = 'safe'}\n",
        "tool.dockerfix.level = 'safe'\n",
        "[tool . dockerfix]\nlevel = 'safe'\n",
    ],
)
def test_every_way_to_write_a_table(shell: Shell, content: str) -> None:
    shell.write("pyproject.toml", content)
    assert find_config(shell.folder).level == "safe"


def test_all_keys(shell: Shell) -> None:
    shell.write(
        ".dockerfix.toml",
        "level='safe'\nselect=['a','b']\nignore=[]\ncontext='..'\ntarget='t'\n"
        "exclude=['x/*']\nplugins=true\n",
    )
    assert find_config(shell.folder) == Config(
        level="safe",
        select=("a", "b"),
        context=str(shell.folder / ".."),
        target="t",
        exclude=("x/*",),
        plugins=True,
    )


def test_a_broken_file_of_others_is_not_our_business(shell: Shell) -> None:
    shell.write("pyproject.toml", "[project\n")
    assert find_config(shell.folder).level is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"level = 1\n", "level takes a string"),
        (b"exclude = [1]\n", "exclude takes a list of strings"),
        (b"target = '\xff'\n", "cannot be read"),
        (b"level = 'safe'\nlevel = 'safe'\n", "cannot be read"),
    ],
)
def test_an_error_names_the_file(shell: Shell, content: bytes, message: str) -> None:
    path = shell.write(".dockerfix.toml", content)
    with pytest.raises(ConfigError, match=message) as error:
        find_config(shell.folder)
    assert str(error.value).startswith(f"{path}: ")


def test_the_context_counts_from_the_settings_file(shell: Shell) -> None:
    shell.write(".dockerfix.toml", "context = 'app'\n")
    shell.write("app/rootfs", "plain\n")
    shell.write("docker/Dockerfile", "FROM a\nADD rootfs /\n")
    only = ("--select", "modernise")
    assert b"+COPY rootfs" in shell.run(*only, "docker").stdout
    (shell.folder / "other").mkdir()
    assert shell.run(*only, "--context", "other", "docker").stdout == b"", "the command line wins"
    done = shell.run("--context", "nowhere", "docker")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"error: docker: the build context nowhere is not a folder\n" in done.stderr


# Writing


def test_a_new_file_has_the_usual_mode(shell: Shell) -> None:
    path = shell.folder / ".dockerignore"
    mask = os.umask(0o027)
    try:
        write_files([Write(path, None, b".git\n")], shell.folder)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_came_meanwhile_is_not_replaced(shell: Shell) -> None:
    path = shell.write(".dockerignore", "mine\n")
    with pytest.raises(WriteError, match="it changed while dockerfix worked on it"):
        write_files([Write(path, None, b".git\n")], shell.folder)
    assert path.read_text() == "mine\n"
    assert os.listdir(shell.folder) == [".dockerignore"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_owner_stays(shell: Shell) -> None:
    path = shell.write("Dockerfile", POOR)
    os.chown(path, 1234, 2345)
    path.chmod(0o604)
    write_files([Write(path, POOR.encode(), b"new\n")], shell.folder)
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1234, 2345, 0o604)


def test_an_owner_that_cannot_be_kept(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = shell.write("Dockerfile", POOR)
    monkeypatch.setattr(os, "chown", refuse)
    write_files([Write(path, POOR.encode(), b"new\n")], shell.folder)
    assert path.read_text() == "new\n"


def test_a_link_to_a_new_file_outside_is_refused(shell: Shell, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    (shell.folder / ".dockerignore").symlink_to(outside)
    with pytest.raises(WriteError, match="it is a link out of"):
        write_files([Write(shell.folder / ".dockerignore", None, b"x")], shell.folder)
    assert not outside.exists()


def test_a_folder_that_is_a_link_outside_is_refused(shell: Shell, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-folder"
    outside.mkdir()
    (outside / "Dockerfile").write_text(POOR)
    (shell.folder / "sub").symlink_to(outside)
    done = shell.run("--write", "sub/Dockerfile")
    assert done.returncode == 2
    assert b"not written: it is a link out of" in done.stderr
    assert (outside / "Dockerfile").read_text() == POOR


def test_nothing_is_written_when_one_of_several_cannot_be(shell: Shell) -> None:
    first = shell.write("Dockerfile", POOR)
    second = Write(shell.folder / "missing" / ".dockerignore", None, b"x")
    with pytest.raises(WriteError, match=r"missing/\.dockerignore: not written: No such file"):
        write_files([Write(first, POOR.encode(), b"new"), second], shell.folder)
    assert first.read_text() == POOR
    assert os.listdir(shell.folder) == ["Dockerfile"]


def test_the_message_names_the_file_that_failed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = shell.write("a", "a"), shell.write("b", "b")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WriteError, match="a: not written: No space left"):
        write_files([Write(first, b"a", b"1"), Write(second, b"b", b"2")], shell.folder)


def test_a_kill_while_the_content_is_written(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shell.write("Dockerfile", POOR)

    def die(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        write_files([Write(path, POOR.encode(), b"new")], shell.folder)
    assert path.read_text() == POOR
    assert os.listdir(shell.folder) == ["Dockerfile"]


def test_a_hidden_leftover_is_never_taken_for_a_dockerfile() -> None:
    assert not is_dockerfile_name(".Dockerfile.abc123.dockerfix")


# Sources of ADD that no fixture can hold


def test_a_pipe_in_the_context_is_not_read(shell: Shell) -> None:
    os.mkfifo(shell.folder / "pipe")
    with pytest.raises(NotPlainError, match="the source cannot be read"):
        why_plain("pipe", BuildContext(shell.folder))


def test_a_pattern_with_very_many_matches(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerfix.context.archives._MAX_MATCHES", 3)
    for number in range(3):
        shell.write(f"d/{number}", "x")
    with pytest.raises(NotPlainError, match="too many files match the pattern"):
        why_plain("d/*", BuildContext(shell.folder))
