"""Start a container of an image and see what it does."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from dockerfix.verify.engine import Engine, EngineError

#: Seconds that a program gets to start.
START_TIME = 30.0
_DENIED = re.compile(r"^.*(?:permission denied|EACCES|read-only file system).*$", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a container did."""

    #: How it answered: `200 3f2a...`, `exit 0 3f2a...`, or why it did not.
    answer: str
    user: str
    #: Seconds from the signal to the end.
    stop_time: float
    #: Lines of its log about writes that failed.
    denied: tuple[str, ...]


def observe(engine: Engine, image: str, probe: str | None, port: int | None) -> Observation:
    """Start a container, ask it, stop it. Raises EngineError when the engine fails."""
    publish = ["--publish", f"127.0.0.1::{port}"] if port else []
    try:
        container = engine.call("run", "--detach", *publish, image).strip()
    except EngineError as error:
        return Observation(f"does not start: {error}", "", 0.0, ())
    try:
        if probe is not None and not probe.startswith(("http://", "/")):
            answer = _ask_inside(engine, container, probe)
        elif port:
            answer = _ask_port(engine, container, port, probe or "/")
        else:
            answer = _wait_for_end(engine, container)
        user = _user(engine, container)
        start = time.monotonic()
        engine.call("stop", "--time", "10", container)
        stopped = time.monotonic() - start
        logs = _logs(engine, container)
        return Observation(answer, user, stopped, tuple(_DENIED.findall(logs)[:5]))
    finally:
        engine.remove("rm", "--force", "--volumes", container)


def _state(engine: Engine, container: str) -> tuple[bool, int]:
    state = json.loads(engine.call("inspect", "--format", "{{json .State}}", container))
    return bool(state["Running"]), int(state["ExitCode"])


def _ask_port(engine: Engine, container: str, port: int, path: str) -> str:
    end = time.monotonic() + START_TIME
    last = "no answer"
    while time.monotonic() < end:
        running, code = _state(engine, container)
        if not running:
            return f"ended with {code}: {_logs(engine, container)[-300:].strip()}"
        try:
            told = engine.call("port", container, str(port)).split()[0]
            with urllib.request.urlopen(f"http://{told}{path}", timeout=5) as answer:
                return f"{answer.status} {_digest(answer.read(1 << 20))}"
        except urllib.error.HTTPError as error:
            return f"{error.code}"
        except (OSError, EngineError, IndexError) as error:
            last = f"no answer: {error}"
            time.sleep(0.3)
    return last


def _ask_inside(engine: Engine, container: str, command: str) -> str:
    end = time.monotonic() + START_TIME
    last = ""
    while time.monotonic() < end:
        try:
            told = engine.call("exec", container, *shlex.split(command))
            return f"exit 0 {_digest(told.encode())}"
        except EngineError as error:
            last = str(error)
            time.sleep(0.5)
    return f"failed: {last}"


def _wait_for_end(engine: Engine, container: str) -> str:
    """A program without a port: it ends, or goes on."""
    end = time.monotonic() + START_TIME / 3
    while time.monotonic() < end:
        running, code = _state(engine, container)
        if not running:
            return f"exit {code} {_digest(_logs(engine, container).encode())}"
        time.sleep(0.3)
    return "goes on"


def _user(engine: Engine, container: str) -> str:
    """Who runs process 1, as the host sees it."""
    try:
        lines = engine.call("top", container, "-o", "uid,pid").splitlines()
        return lines[1].split()[0]
    except (EngineError, IndexError):
        return ""


def _logs(engine: Engine, container: str) -> str:
    done = subprocess.run(
        [engine.program, "logs", container],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stdout


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:12]
