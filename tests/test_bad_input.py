"""Bad input: a clear message with file and line, no traceback, and the file as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockerfix.writing import Write, WriteError, write_files
from tests.test_cli import POOR, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            b"FROM a\nRUN <<EOF\nx\n",
            "Dockerfile:2:1: unterminated heredoc: no line is just EOF",
            id="unterminated-heredoc",
        ),
        pytest.param(
            b"FROM a\n\n  RUM b\n",
            "Dockerfile:3:3: unknown instruction RUM: RUM b",
            id="unknown-instruction",
        ),
        pytest.param(
            b"RUN a\n",
            "Dockerfile:1:1: no build stage yet: only ARG may stand before FROM: RUN a",
            id="from-missing",
        ),
        pytest.param(
            b"# only this\n\n",
            "Dockerfile:1:1: no build stage: the file has no FROM instruction",
            id="comments-only",
        ),
        pytest.param(
            b"",
            "Dockerfile:1:1: no build stage: the file has no FROM instruction\n",
            id="empty-file",
        ),
        pytest.param(
            b"\x7fELF\x02\x01\x01\0\0\0",
            "Dockerfile:1:1: unknown instruction",
            id="a-program",
        ),
        pytest.param(b"\xff\xfe\n", "Dockerfile:1:1: unknown instruction", id="not-utf8"),
        pytest.param(
            b"FROM a\nRUM \x1b[31mred\n",
            "Dockerfile:2:1: unknown instruction RUM: RUM \\x1b[31mred",
            id="terminal-escapes",
        ),
        pytest.param(
            b"# note\n# escape=`\nFROM a `\n AS b\n",
            "Dockerfile:3:1: FROM takes an image, or an image, AS and a name: FROM a `",
            id="directive-after-a-comment",
        ),
    ],
)
def test_no_dockerfile(shell: Shell, content: bytes, message: str) -> None:
    path = shell.write("Dockerfile", content)
    done = shell.run("--write", "Dockerfile")
    assert done.returncode == 2
    assert done.stdout == b""
    assert f"error: {message}" in done.stderr.decode()
    assert b"\x1b" not in done.stderr
    assert path.read_bytes() == content


def test_bytes_that_are_not_utf8_stay(shell: Shell) -> None:
    path = shell.write("Dockerfile", b"FROM a\n# caf\xe9 \xff\nMAINTAINER Jos\xe9\n")
    assert shell.run("--write", "Dockerfile").returncode == 0
    assert path.read_bytes() == (
        b'FROM a\n# caf\xe9 \xff\nLABEL org.opencontainers.image.authors="Jos\xe9"\n'
    )


def test_a_byte_order_mark_and_windows_lines_stay(shell: Shell) -> None:
    path = shell.write("Dockerfile", b"\xef\xbb\xbffrom a as b\r\nRUN x\r\nRUN y\r\nUSER z")
    assert shell.run("--write", "Dockerfile", "--select", "modernise").returncode == 0
    assert path.read_bytes() == b"\xef\xbb\xbfFROM a AS b\r\nRUN x\r\nRUN y\r\nUSER z"


def test_a_directive_after_a_comment_is_a_comment(shell: Shell) -> None:
    path = shell.write("Dockerfile", b"# note\n# escape=`\nFROM a\nMAINTAINER b \\\n  c\n")
    assert shell.run("--write", "Dockerfile").returncode == 0
    assert path.read_bytes().startswith(b"# note\n# escape=`\nFROM a\nLABEL ")


def test_a_folder_without_dockerfile(shell: Shell) -> None:
    (shell.folder / "empty").mkdir()
    done = shell.run("empty")
    assert done.returncode == 2
    assert b"error: empty: no Dockerfile in this folder\n" in done.stderr


def test_a_folder_called_dockerfile(shell: Shell) -> None:
    (shell.folder / "Dockerfile").mkdir()
    done = shell.run("Dockerfile")
    assert done.returncode == 2
    assert b"no Dockerfile in this folder" in done.stderr


def test_a_link_out_of_the_tree_is_not_written_through(shell: Shell, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_text(POOR)
    (shell.folder / "Dockerfile").symlink_to(outside)
    done = shell.run("--write", "Dockerfile")
    assert done.returncode == 2
    assert b"error: Dockerfile: not written: it is a link out of" in done.stderr
    assert outside.read_text() == POOR


def test_a_link_within_the_tree_stays_a_link(shell: Shell) -> None:
    target = shell.write("docker/app", POOR)
    link = shell.folder / "Dockerfile"
    link.symlink_to("docker/app")
    assert shell.run("--write", "Dockerfile").returncode == 0
    assert link.is_symlink()
    assert "LABEL" in target.read_text()


def test_a_link_to_itself(shell: Shell) -> None:
    (shell.folder / "Dockerfile").symlink_to("Dockerfile")
    done = shell.run("Dockerfile")
    assert done.returncode == 2
    assert b"error: Dockerfile: Too many levels of symbolic links" in done.stderr


def test_a_large_file(shell: Shell) -> None:
    text = POOR + "ENV A=b\n# filler filler filler filler filler filler\n" * 180_000
    path = shell.write("Dockerfile", text)
    assert len(text) > 9_000_000
    done = shell.run("--write", "Dockerfile", "--select", "modernise")
    assert done.returncode == 0, done.stderr
    assert path.read_text().count("MAINTAINER") == 0
    assert len(path.read_text()) > 9_000_000


def writes(path: Path) -> list[Write]:
    return [Write(path, POOR.encode(), b"new")]


def test_a_file_that_cannot_be_read(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """As root, modes stop nothing: the refusal is made up."""
    from dockerfix.job import Job, Settings, run_job

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    outcome = run_job(Job("Dockerfile", Settings("review", (), (), None, None)))
    assert outcome.errors == ("Dockerfile: cannot be read: Permission denied",)


def test_a_file_that_changed_meanwhile_is_left_alone(shell: Shell) -> None:
    path = shell.write("Dockerfile", POOR + "# by somebody else\n")
    with pytest.raises(WriteError, match="it changed while dockerfix worked on it"):
        write_files(writes(path), shell.folder)
    assert path.read_text() == POOR + "# by somebody else\n"
    assert os.listdir(shell.folder) == ["Dockerfile"]


def test_a_file_that_is_gone_meanwhile_is_not_made_again(shell: Shell) -> None:
    with pytest.raises(WriteError, match="not written"):
        write_files(writes(shell.folder / "Dockerfile"), shell.folder)
    assert os.listdir(shell.folder) == []


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk(shell: Shell, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    path = shell.write("Dockerfile", POOR)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, full)
    with pytest.raises(WriteError, match="No space left on device"):
        write_files(writes(path), shell.folder)
    monkeypatch.undo()
    assert path.read_text() == POOR
    assert os.listdir(shell.folder) == ["Dockerfile"]


def test_a_read_only_file(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shell.write("Dockerfile", POOR)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(WriteError, match="the file is read-only"):
        write_files(writes(path), shell.folder)
    assert path.read_text() == POOR


def test_several_files_are_renamed_in_order(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between two renames leaves the first new and the second old, both whole."""
    first, second = shell.folder / ".dockerignore", shell.write("Dockerfile", POOR)
    real = os.replace

    def die_at_the_second(source: Path, target: Path) -> None:
        if target == second:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        write_files([Write(first, None, b".git\n"), *writes(second)], shell.folder)
    assert first.read_text() == ".git\n"
    assert second.read_text() == POOR
    assert sorted(os.listdir(shell.folder)) == [".dockerignore", "Dockerfile"]
