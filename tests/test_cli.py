"""The command line as a user meets it: streams, exit codes, files on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

POOR = "FROM alpine:3.20\nMAINTAINER me\n"
BETTER = 'FROM alpine:3.20\nLABEL org.opencontainers.image.authors="me"\n'
GOOD = 'FROM alpine:3.20\nCMD ["sh"]\n'


class Shell:
    """Runs dockerfix in a folder, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(
        self, *arguments: str, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "dockerfix", *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            env={**os.environ, **environment},
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_diff_is_the_default_and_applies(shell: Shell) -> None:
    path = shell.write("a dir/Dockerfile", POOR)
    done = shell.run()
    assert done.returncode == 0
    assert done.stdout.startswith(b"--- a/a dir/Dockerfile\t\n+++ b/a dir/Dockerfile\t\n@@")
    assert done.stderr == b"1 file would be refactored.\n"
    assert path.read_text() == POOR
    subprocess.run(["git", "init", "-q"], cwd=shell.folder, check=True)
    subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=shell.folder, check=True)
    assert path.read_text() == BETTER


def test_the_diff_applies_with_patch(shell: Shell) -> None:
    path = shell.write("Dockerfile", POOR.rstrip("\n"))
    done = shell.run("Dockerfile")
    assert b"\\ No newline at end of file" in done.stdout
    subprocess.run(["patch", "-p1", "-s"], input=done.stdout, cwd=shell.folder, check=True)
    assert path.read_text() == BETTER.rstrip("\n")


def test_write_writes_what_diff_shows(shell: Shell) -> None:
    path = shell.write("Dockerfile", POOR)
    path.chmod(0o640)
    done = shell.run("--write", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"1 file refactored.\n"
    assert path.read_text() == BETTER
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(shell.folder) == ["Dockerfile"]
    again = shell.run("--write", "Dockerfile")
    assert again.stderr == b"1 file left as it is.\n"


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [
        (["--check"], POOR, 1),
        (["--check"], GOOD, 0),
        (["--diff"], POOR, 0),
        (["--diff", "--exit-code"], POOR, 1),
        (["--diff", "--exit-code"], GOOD, 0),
        (["--write"], POOR, 0),
    ],
)
def test_exit_codes(shell: Shell, arguments: list[str], text: str, code: int) -> None:
    shell.write("Dockerfile", text)
    assert shell.run(*arguments).returncode == code


def test_check_names_the_files(shell: Shell) -> None:
    shell.write("Dockerfile", POOR)
    shell.write("b/api.Dockerfile", POOR)
    shell.write("c/Containerfile", GOOD)
    shell.write("node_modules/x/Dockerfile", POOR)
    shell.write("Dockerfile.dockerignore", "*.md\n")
    done = shell.run("--check")
    assert done.stdout == b"Dockerfile\nb/api.Dockerfile\n"
    assert done.stderr == b"2 files would be refactored, 1 file left as it is.\n"


def test_standard_input(shell: Shell) -> None:
    assert shell.run("--write", "-", stdin=POOR.encode()).stdout == BETTER.encode()
    assert b"+LABEL" in shell.run("-", stdin=POOR.encode()).stdout


def test_one_bad_file_does_not_stop_the_rest(shell: Shell) -> None:
    shell.write("a/Dockerfile", "FROM x\nRUM y\n")
    good = shell.write("b/Dockerfile", POOR)
    done = shell.run("--write", ".", "missing")
    assert done.returncode == 2
    assert good.read_text() == BETTER
    assert b"error: a/Dockerfile:2:1: unknown instruction RUM: RUM y" in done.stderr
    assert b"error: missing: No such file or directory" in done.stderr
    assert b"1 file refactored, 2 files could not be refactored." in done.stderr


def test_explain(shell: Shell) -> None:
    shell.write("Dockerfile", POOR)
    lines = shell.run("--explain").stderr.decode().splitlines()
    assert lines[0] == "Dockerfile:2: modernise (safe): `MAINTAINER` is deprecated"
    assert lines[1] == "  help: Use the label `org.opencontainers.image.authors`"


def test_json(shell: Shell) -> None:
    shell.write("Dockerfile", POOR)
    shell.write("bad.Dockerfile", "RUM\n")
    done = shell.run("--format", "json")
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert document["version"] == 1
    first, bad = document["files"]
    assert (first["path"], first["changed"], first["errors"]) == ("Dockerfile", True, [])
    assert first["changes"][0]["pass"] == "modernise"
    assert first["changes"][0]["level"] == "safe"
    assert first["diff"].startswith("--- a/Dockerfile")
    assert bad["changed"] is False
    assert "unknown instruction RUM" in bad["errors"][0]


def test_github(shell: Shell) -> None:
    shell.write("a,b/Dockerfile", POOR)
    done = shell.run("--format", "github")
    assert done.stdout == (
        b"::warning file=a%2Cb/Dockerfile,line=2,title=dockerfix modernise::"
        b"`MAINTAINER` is deprecated. Use the label `org.opencontainers.image.authors`\n"
    )


def test_select_and_ignore(shell: Shell) -> None:
    shell.write("Dockerfile", POOR)
    assert shell.run("--ignore", "workdir,modernise").stdout == b""
    assert shell.run("--select", "workdir").stdout == b""
    assert shell.run("--select", "modernise").stdout != b""
    done = shell.run("--select", "nonsense")
    assert done.returncode == 2
    assert b"no pass is called nonsense; there are modernise" in done.stderr


def test_jobs_do_not_change_the_output(shell: Shell) -> None:
    for number in range(40):
        shell.write(f"{number}/Dockerfile", POOR if number % 3 else GOOD)
    one, two = shell.run("--jobs", "1"), shell.run("--jobs", "2")
    assert one.stdout == two.stdout
    assert one.stderr == two.stderr
    assert one.stdout.count(b"+LABEL") == 26


def test_quiet_and_verbose(shell: Shell) -> None:
    shell.write("Dockerfile", POOR)
    assert shell.run("--quiet").stderr == b""
    assert b"Dockerfile: would be refactored\n" in shell.run("--verbose").stderr


def test_colour(shell: Shell) -> None:
    shell.write("Dockerfile", POOR)
    assert b"\x1b[" not in shell.run().stdout
    assert b"\x1b[32m+LABEL" in shell.run("--color", "always").stdout
    assert b"\x1b[" not in shell.run("--color", "never").stdout


def test_version_and_help(shell: Shell) -> None:
    assert shell.run("--version").stdout.startswith(b"dockerfix ")
    text = shell.run("--help").stdout
    assert b"Usage: dockerfix [OPTIONS] [PATH]..." in text
    assert b"explain  Explain a pass" in text


def test_list_and_explain_a_pass(shell: Shell) -> None:
    assert b"modernise        safe    Write superseded" in shell.run("list").stdout
    assert b"Before:" in shell.run("explain", "modernise").stdout
    done = shell.run("explain", "nonsense")
    assert (done.returncode, b"no pass is called nonsense" in done.stderr) == (2, True)


def test_a_path_may_be_called_like_a_command(shell: Shell) -> None:
    shell.write("list", POOR)
    assert b"+LABEL" in shell.run("./list").stdout


def test_unknown_option(shell: Shell) -> None:
    assert shell.run("--nonsense").returncode == 2


def test_completion_knows_commands_and_options(shell: Shell) -> None:
    def complete(words: str, index: str) -> bytes:
        return shell.run(
            _DOCKERFIX_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=index
        ).stdout

    assert b"--level" in complete("dockerfix --le", "1")
    assert b"explain" in complete("dockerfix exp", "1")
    assert complete("dockerfix explain mer", "2") == b"plain,merge-runs\n"
    assert complete("dockerfix --select modernise,mer", "2") == b"plain,modernise,merge-runs\n"


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_for_each_shell(shell: Shell, name: str) -> None:
    done = shell.run(_DOCKERFIX_COMPLETE=f"{name}_source")
    assert done.returncode == 0
    assert b"dockerfix" in done.stdout


def test_standard_input_and_output_are_one_text(shell: Shell) -> None:
    done = shell.run("--write", "-", "--format", "json", stdin=POOR.encode())
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--format text only" in done.stderr


def test_settings_file(shell: Shell) -> None:
    shell.write("sub/Dockerfile", POOR)
    shell.write("pyproject.toml", '[tool.dockerfix]\nignore = ["modernise"]\n')
    assert shell.run().stdout == b""
    shell.write("sub/.dockerfix.toml", 'level = "safe"\n')
    assert b"+LABEL" in shell.run().stdout
    shell.write("sub/.dockerfix.toml", 'select = ["workdir"]\n')
    assert shell.run().stdout == b""
    assert b"+LABEL" in shell.run("--select", "modernise").stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("levle = 'safe'", "unknown key levle"),
        ("level = 'all'", "level is one of safe, review, risky, not all"),
        ("select = 'x'", "select takes a list of strings"),
        ("plugins = 1", "plugins takes true or false"),
        ("= broken", "cannot be read"),
        ("ignore = ['nonsense']", "no pass is called nonsense"),
    ],
)
def test_bad_settings(shell: Shell, content: str, message: str) -> None:
    shell.write("Dockerfile", POOR)
    shell.write(".dockerfix.toml", content)
    done = shell.run("--write")
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert (shell.folder / "Dockerfile").read_text() == POOR


def test_exclude(shell: Shell) -> None:
    shell.write("keep/Dockerfile", POOR)
    shell.write("third/party/Dockerfile", POOR)
    shell.write(".dockerfix.toml", 'exclude = ["third"]\n')
    assert shell.run("--check").stdout == b"keep/Dockerfile\n"


def test_a_pipe_closed_early_is_quiet(shell: Shell) -> None:
    for number in range(400):
        shell.write(f"{number}/Dockerfile", POOR)
    command = f"{sys.executable} -m dockerfix --jobs 1 . | head -n 1"
    done = subprocess.run(
        command, shell=True, cwd=shell.folder, capture_output=True, text=True, check=False
    )
    assert done.stdout == "--- a/0/Dockerfile\n"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_interrupt(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import dockerfix.commands.planning as r, sys\n"
        "def stop(*a, **k): raise KeyboardInterrupt\n"
        "r.run_job = stop\n"
        "from dockerfix.__main__ import main\n"
        "sys.argv = ['dockerfix', '.']\n"
        "main()\n"
    )
    shell.write("Dockerfile", POOR)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=shell.folder, capture_output=True, check=False
    )
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip() == b"Interrupted."


def test_files_that_share_an_ignore_file_make_one_diff(shell: Shell) -> None:
    text = "FROM node:22\nWORKDIR /app\nCOPY . .\nMAINTAINER me\n"
    shell.write("Dockerfile", text)
    shell.write("Dockerfile.more", text.replace("/app", "/srv"))
    ignored = shell.write(".dockerignore", "*.md\n")
    (shell.folder / ".git").mkdir()
    (shell.folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    diff = shell.run("--locked").stdout
    assert diff.count(b"+++ b/.dockerignore\n") == 1
    assert diff.count(b"+LABEL") == 2
    report = json.loads(shell.run("--locked", "--format", "json").stdout)
    assert sum(".dockerignore" in file["diff"] for file in report["files"]) == 1
    applied = shell.folder / "applied"
    applied.mkdir()
    for name in ("Dockerfile", "Dockerfile.more", ".dockerignore"):
        (applied / name).write_bytes((shell.folder / name).read_bytes())
    subprocess.run(["patch", "-s", "-p1"], input=diff, cwd=applied, check=True)
    assert shell.run("--write", "--locked", "Dockerfile", "Dockerfile.more").returncode == 0
    assert ignored.read_text() == "*.md\n.git\n" == (applied / ".dockerignore").read_text()
