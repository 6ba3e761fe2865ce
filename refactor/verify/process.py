"""Start programs so that none of them outlives this one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: Seconds that a program gets to end by itself once it is asked to.
_PATIENCE = 15.0


class EngineError(Exception):
    """The engine is not there, or did not do what it was told; the message says which."""


class LimitError(EngineError):
    """Something took longer than it may."""


def call(command: Sequence[str], timeout: float = 300) -> str:
    """Run a program; what it wrote. Raises EngineError."""
    done = try_call(command, timeout)
    if done.returncode != 0:
        raise EngineError(f"{' '.join(command[:2])}: {done.stderr.strip()[-500:]}")
    return done.stdout


def try_call(command: Sequence[str], timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a program, whatever comes of it. Raises EngineError when it does not end or start."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise LimitError(f"{' '.join(command[:2])}: no end after {timeout:.0f} s") from error
    except OSError as error:
        raise EngineError(f"{command[0]}: {error.strerror or error}") from error


def run_logged(command: Sequence[str], log: Path, timeout: float) -> int:
    """Run a program with its output in a file; its exit code. Raises LimitError.

    Its own session: Ctrl-C reaches this program alone, which ends the other and cleans up.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise LimitError(f"no end after {timeout:.0f} s") from error
        finally:
            end(process)


@contextmanager
def streaming(command: Sequence[str]) -> Iterator[IO[bytes]]:
    """The output of a program as it comes. Raises EngineError when it fails by itself."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
            # What follows the end of an archive is read too, else the program dies of SIGPIPE.
            while process.stdout.read(1 << 20):
                pass
            if process.wait(_PATIENCE) != 0:
                raise EngineError(f"{' '.join(command[:2])}: ended with {process.returncode}")
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program and its children to end, then make them."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(_PATIENCE)
            return
        except subprocess.TimeoutExpired:
            continue
