"""What only the real system can refuse: permissions, limits, kills, and a real terminal."""

from __future__ import annotations

import os
import pty
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.test_cli import BETTER, POOR, Shell
from tests.test_fixtures import FIXTURES

NOBODY = 65534
#: Runs the command line as another user; what it may import is imported before.
AS_NOBODY = f"""
import os, sys
import dockerfix, dockerfix.cli, dockerfix.commands.refactor, dockerfix.commands.writes
import dockerfix.writing
import dockerfix.discovery, dockerfix.diff, tempfile, difflib
from dockerfix.__main__ import main
dockerfix.refactor("FROM a\\nMAINTAINER b\\n", select=("modernise",), context=sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
os.chdir(sys.argv.pop(1))
main()
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that other users can get into; pytest's own are for its user alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "Dockerfile").write_text(POOR)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def run_as_nobody(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(folder), *arguments, "--select", "modernise"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


# Permissions


def test_a_file_without_permission_to_read(public: Path) -> None:
    (public / "Dockerfile").chmod(0)
    done = run_as_nobody(public, "--write", "Dockerfile")
    assert done.returncode == 2
    assert "error: Dockerfile: cannot be read: Permission denied\n" in done.stderr
    (public / "Dockerfile").chmod(0o644)
    assert (public / "Dockerfile").read_text() == POOR


def test_a_file_without_permission_to_write(public: Path) -> None:
    (public / "Dockerfile").chmod(0o444)
    public.chmod(0o777)
    done = run_as_nobody(public, "--write", "Dockerfile")
    assert done.returncode == 2
    assert "error: Dockerfile: not written: the file is read-only\n" in done.stderr
    assert (public / "Dockerfile").read_text() == POOR
    assert os.listdir(public) == ["Dockerfile"]


def test_a_folder_without_permission_to_write(public: Path) -> None:
    (public / "Dockerfile").chmod(0o666)
    public.chmod(0o555)
    done = run_as_nobody(public, "--write", "Dockerfile")
    assert done.returncode == 2
    assert "error: Dockerfile: not written: Permission denied\n" in done.stderr
    assert (public / "Dockerfile").read_text() == POOR


def test_a_folder_without_permission_to_look_into(public: Path) -> None:
    (public / "secret").mkdir(mode=0)
    done = run_as_nobody(public, "--check", "secret")
    assert done.returncode == 2
    assert "error: secret: the folder cannot be read\n" in done.stderr


# Limits


def test_a_disk_that_takes_no_more(shell: Shell) -> None:
    """A limit on the size of files fails the write in the kernel, as a full disk does."""
    path = shell.write("Dockerfile", POOR)
    done = subprocess.run(
        [sys.executable, "-m", "dockerfix", "--write", "Dockerfile"],
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(POOR), len(POOR))),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: Dockerfile: not written: File too large\n")
    assert path.read_text() == POOR
    assert os.listdir(shell.folder) == ["Dockerfile"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", [["Dockerfile"], ["--check", "Dockerfile"], ["list"]])
def test_output_that_nobody_takes(shell: Shell, arguments: list[str]) -> None:
    shell.write("Dockerfile", POOR)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dockerfix", *arguments],
            cwd=shell.folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.endswith("error: standard output: No space left on device\n")
    assert "Traceback" not in done.stderr


def test_closed_streams(shell: Shell) -> None:
    path = shell.write("Dockerfile", POOR)
    done = subprocess.run(
        f"{sys.executable} -m dockerfix --write Dockerfile <&- >&- 2>&-",
        shell=True,
        cwd=shell.folder,
        check=False,
    )
    assert done.returncode == 0
    assert path.read_text() == BETTER


# Kills

#: Kills itself at the N-th call of a function of `os`.
KILLED = """
import os, signal, sys
count, name = int(sys.argv.pop(1)), sys.argv.pop(1)
real = getattr(os, name)
def call(*arguments, **options):
    global count
    count -= 1
    if count == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **options)
setattr(os, name, call)
from dockerfix.__main__ import main
main()
"""


#: Both the Dockerfile and its `.dockerignore` change.
PROJECT = FIXTURES / "order-copies" / "npm-without-dockerignore" / "before"


@pytest.mark.parametrize("name", ["fsync", "replace"])
@pytest.mark.parametrize("count", range(1, 6))
def test_a_kill_leaves_old_or_new(shell: Shell, name: str, count: int) -> None:
    """Each file is whole at any moment, and the new Dockerfile never stands alone."""
    shutil.copytree(PROJECT, shell.folder, dirs_exist_ok=True)
    dockerfile = shell.folder / "Dockerfile"
    text = dockerfile.read_text()
    ignore = shell.folder / ".dockerignore"
    new = refactored(shell)
    assert ".dockerignore" in new
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(count), name, "--write", "Dockerfile"],
        cwd=shell.folder,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        assert count > 2, "nothing was killed"
    else:
        assert done.returncode == -signal.SIGKILL
    old_dockerfile = dockerfile.read_text() == text
    old_ignore = not ignore.exists()
    assert old_dockerfile or dockerfile.read_text() == new["Dockerfile"]
    assert old_ignore or ignore.read_text() == new[".dockerignore"]
    assert not old_ignore or old_dockerfile
    # What a kill leaves behind stops no later run.
    assert shell.run("--write", "Dockerfile").returncode == 0
    assert dockerfile.read_text() == new["Dockerfile"]
    assert ignore.read_text() == new[".dockerignore"]


def refactored(shell: Shell) -> dict[str, str]:
    import dockerfix

    text = (shell.folder / "Dockerfile").read_text()
    result = dockerfix.refactor(text, context=shell.folder)
    return {"Dockerfile": result.code} | {file.path: file.content for file in result.files}


# A terminal


def in_terminal(
    folder: Path, *arguments: str, act: Callable[[int, bytes], None] | None = None
) -> tuple[int, bytes]:
    """Run in a real terminal; `act` gets its descriptor and the output so far."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.pop("NO_COLOR", None)
        os.execv(sys.executable, [sys.executable, "-m", "dockerfix", *arguments])
    output = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if act is not None:
            act(terminal, output)
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            part = b""
        if not part:
            break
        output += part
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), output


def test_colour_on_a_terminal(shell: Shell) -> None:
    shell.write("Dockerfile", POOR)
    assert b"\x1b[32m+LABEL" in in_terminal(shell.folder)[1]


def test_no_colour_where_it_is_not_wanted(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.write("Dockerfile", POOR)
    code, output = in_terminal(shell.folder, "--color", "never")
    assert (code, b"\x1b" in output, b"+LABEL" in output) == (0, False, True)


def test_escapes_of_a_file_do_not_reach_the_terminal(shell: Shell) -> None:
    shell.write("Dockerfile", POOR + "# \x1b]0;title\x07 \x9b31m\n")
    _, output = in_terminal(shell.folder, "--color", "never")
    assert b"# \\x1b]0;title\\x07 \\x9b31m" in output
    assert b"\x1b" not in output


def test_progress_on_a_terminal(shell: Shell) -> None:
    for number in range(30):
        shell.write(f"{number}/Dockerfile", POOR)
    _, output = in_terminal(shell.folder, "--check")
    assert b"1 of 30 files\r" in output
    assert output.endswith(b"30 files would be refactored.\r\n")
    assert b" of 30 files" not in in_terminal(shell.folder, "--check", "--quiet")[1]
    assert b" of 30 files" not in shell.run("--check").stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_from_the_keyboard(shell: Shell, jobs: str) -> None:
    for number in range(300):
        shell.write(f"{number}/Dockerfile", POOR + "RUN apt-get update && apt-get install x\n" * 50)
    sent = []

    def interrupt(terminal: int, output: bytes) -> None:
        if b" of 300 files" in output and not sent:
            sent.append(os.write(terminal, b"\x03"))

    code, output = in_terminal(shell.folder, "--check", "--jobs", jobs, act=interrupt)
    assert code == 130
    assert output.endswith(b"Interrupted.\r\n")
    assert b"Traceback" not in output
