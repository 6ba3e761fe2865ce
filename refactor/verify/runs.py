"""Start a container of an image, ask it, stop it, and say what it did."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
import time
from typing import Any, NamedTuple

from dockerfix.verify import http
from dockerfix.verify.engine import Engine, EngineError
from dockerfix.verify.findings import Finding
from dockerfix.verify.process import try_call

#: Seconds that a program without a port is watched.
_WATCH = 10.0
_GRACE = 10
_PAUSE = 0.3
_DENIED = re.compile(
    r"^.*(?:permission denied|EACCES|EROFS|read-only file system|operation not permitted).*$",
    re.I | re.M,
)
_NUMBERS = re.compile(r"\d+")
#: What a program may write or not without anybody noticing.
_UNIMPORTANT = re.compile(
    r"^/(?:tmp|run|proc|sys|dev|root|home|var/log|var/tmp|var/cache|nonexistent)(?:/|$)"
    r"|/__pycache__(?:/|$)|\.pyc$|/node_modules/\.(?:cache|vite)(?:/|$)"
)
#: More than a program may take longer to stop before it counts: a busy machine is slow too.
_SLOWER = 5.0
#: The exit code of a program that was killed: it did not end when it was asked to.
_KILLED = 137
#: Seconds between two questions, so that an answer with the time in it is another one.
_APART = 1.1


class Answer(NamedTuple):
    """A question and what came back."""

    question: str
    #: `200 text/html 3f2a...`, `exit 0 3f2a...`, `healthy`, or why there is no answer.
    text: str
    #: Whether the same question has the same answer twice.
    steady: bool = True
    #: The end of the log, for people.
    detail: str = ""


class Observation(NamedTuple):
    """What a container did."""

    answers: tuple[Answer, ...]
    user: str
    #: Seconds from the signal to the end.
    stop_time: float
    #: Lines of its log about writes that failed.
    denied: tuple[str, ...]
    #: Files that it made or changed.
    written: tuple[str, ...] = ()
    #: Its exit code once it was stopped, or ended by itself.
    exit_code: int = 0

    @property
    def answer(self) -> str:
        """All answers in one line."""
        return "; ".join(f"{entry.question}: {entry.text}" for entry in self.answers)


class RunOptions(NamedTuple):
    """How containers are started and asked."""

    #: Paths, URLs, or commands to run inside.
    probes: tuple[str, ...] = ()
    #: More options of `run`.
    extra: tuple[str, ...] = ()
    #: Seconds that a program gets to start.
    start_time: float = 30.0


def observe(
    engine: Engine, image: str, name: str, config: dict[str, Any], options: RunOptions
) -> Observation:
    """Start a container, ask it, stop it. Raises EngineError when the engine fails.

    `config` is that of the original image for both images: the same questions.
    """
    ports = http.ports(config, options.probes)
    publish = [word for port in ports for word in ("--publish", f"127.0.0.1::{port}")]
    try:
        # The same host name, because programs show it.
        words = ("--detach", "--name", name, "--hostname", "verify", *publish, *options.extra)
        engine.call("run", *words, image)
    except EngineError as error:
        engine.remove_container(name)
        return Observation((Answer("start", f"does not start: {error}"),), "", 0.0, ())
    try:
        container = _Container(engine, name, options)
        return container.watch(config, ports)
    finally:
        engine.remove_container(name)


class _Container(NamedTuple):
    engine: Engine
    name: str
    options: RunOptions

    def watch(self, config: dict[str, Any], ports: list[int]) -> Observation:
        answers = self.ask(config, ports)
        user, written = self.user(), self.written()
        start = time.monotonic()
        self.engine.call("stop", "--time", str(_GRACE), self.name)
        stopped = time.monotonic() - start
        denied = tuple(dict.fromkeys(_DENIED.findall(self.logs())))[:10]
        return Observation(tuple(answers), user, stopped, denied, written, self.state()[1])

    def ask(self, config: dict[str, Any], ports: list[int]) -> list[Answer]:
        answers: list[Answer] = []
        if _has_health(config):
            answers.append(self.health())
        questions = [probe for probe in self.options.probes if http.is_address(probe)]
        answers += [self.get(ports, probe) for probe in questions]
        if ports and not questions:
            answers += [self.get([port], "/") for port in ports]
        for probe in self.options.probes:
            if probe not in questions:
                answers.append(self.inside(probe))
        return answers or [self.end()]

    def state(self) -> tuple[bool, int]:
        text = self.engine.call("inspect", "--format", "{{json .State}}", self.name)
        state = json.loads(text)
        return bool(state["Running"]), int(state["ExitCode"])

    def health(self) -> Answer:
        limit = time.monotonic() + self.options.start_time * 3
        status = "unknown"
        while time.monotonic() < limit:
            text = self.engine.call("inspect", "--format", "{{json .State}}", self.name)
            state = json.loads(text)
            health = state.get("Health") or state.get("Healthcheck") or {}
            status = str(health.get("Status") or "unknown")
            if status in ("healthy", "unhealthy") or not state["Running"]:
                break
            time.sleep(_PAUSE)
        return Answer("health check", status)

    def get(self, ports: list[int], address: str) -> Answer:
        """Ask by HTTP until there is an answer; a port that speaks something else says so."""
        port, path = http.split(address, ports)
        question = f"GET {path} on port {port}"
        limit = time.monotonic() + self.options.start_time
        last = "no answer"
        while time.monotonic() < limit:
            running, code = self.state()
            if not running:
                return Answer(question, f"ended with {code}", detail=self.logs()[-500:].strip())
            try:
                place = self.engine.call("port", self.name, f"{port}/tcp").split()[0]
                first = http.get(place, path)
                time.sleep(_APART)
                second = http.get(place, path)
                return Answer(question, second.text, first.text == second.text)
            except (OSError, EngineError, IndexError) as error:
                last = f"no answer: {error}"
                time.sleep(_PAUSE)
        return Answer(question, last)

    def inside(self, command: str) -> Answer:
        limit = time.monotonic() + self.options.start_time
        words = [self.engine.program, "exec", self.name, *shlex.split(command)]
        while True:
            done = try_call(words, timeout=60)
            if done.returncode == 0:
                again = try_call(words, timeout=60)
                text = f"exit 0 {http.digest(done.stdout.encode())}"
                return Answer(command, text, done.stdout == again.stdout)
            if time.monotonic() > limit:
                text = f"fails with {done.returncode}: {done.stderr.strip()[-200:]}"
                return Answer(command, text)
            time.sleep(_PAUSE)

    def end(self) -> Answer:
        """A program without a port: it ends, or goes on."""
        limit = time.monotonic() + _WATCH
        while time.monotonic() < limit:
            running, code = self.state()
            if not running:
                text = f"exit {code} {http.digest(self.logs().encode())}"
                return Answer("to the end", text, steady=False)
            time.sleep(_PAUSE)
        return Answer("to the end", "goes on")

    def user(self) -> str:
        """Who runs process 1: as the host sees it, or for podman as the container does."""
        wish = ["user"] if self.engine.program == "podman" else ["-o", "uid,pid"]
        try:
            return self.engine.call("top", self.name, *wish).splitlines()[1].split()[0]
        except (EngineError, IndexError):
            return ""

    def written(self) -> tuple[str, ...]:
        """Files that are not as in the image; folders are named only by what is in them."""
        try:
            lines = self.engine.call("diff", self.name).splitlines()
        except EngineError:
            return ()
        paths = sorted(line[2:] for line in lines if line[:1] in "AC")
        folders = {posixpath.dirname(path) for path in paths}
        files = [path for path in paths if path not in folders]
        return tuple(path for path in files if not _UNIMPORTANT.search(path))[:200]

    def logs(self) -> str:
        done = try_call([self.engine.program, "logs", self.name], timeout=60)
        return (done.stdout + done.stderr)[-200_000:]


def _has_health(config: dict[str, Any]) -> bool:
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return bool(test[0] != "NONE")


def compare_runs(before: Observation, after: Observation) -> list[Finding]:
    """What the new container does not do as the old one did."""
    found = [
        Finding("run", f"{new.question}: {_shown(new)}, before {old.text}")
        for old, new in zip(before.answers, after.answers, strict=False)
        if _differs(old, new)
    ]
    if len(after.answers) < len(before.answers):
        found.append(Finding("run", f"{after.answer}, before {before.answer}"))
    if after.user in ("0", "root") and before.user not in ("", "0", "root"):
        found.append(Finding("user", f"it runs as root, before as {before.user}"))
    killed = after.exit_code == _KILLED and before.exit_code != _KILLED
    if killed or after.stop_time > before.stop_time + _SLOWER:
        times = f"{after.stop_time:.1f} s to stop, before {before.stop_time:.1f} s"
        found.append(Finding("stop", f"it takes {times}"))
    known = {_NUMBERS.sub("0", line) for line in before.denied}
    found += [
        Finding("writes", line.strip()[:300])
        for line in after.denied
        if _NUMBERS.sub("0", line) not in known
    ]
    lost = [path for path in before.written if path not in after.written]
    if lost and not after.written:
        found.append(Finding("writes", f"it wrote {', '.join(lost[:5])} before, and does not now"))
    return found


def _shown(answer: Answer) -> str:
    return f"{answer.text} ({answer.detail[-300:]})" if answer.detail else answer.text


def _differs(old: Answer, new: Answer) -> bool:
    if old.steady and new.steady:
        return old.text != new.text
    # What changes from one request to the next is not compared: the last word is the digest.
    return old.text.rsplit(" ", 1)[0] != new.text.rsplit(" ", 1)[0]


def works(observation: Observation) -> bool:
    """Whether all questions were answered."""
    return not any(
        entry.text.startswith(("no answer", "does not start", "ended with", "fails with"))
        or entry.text == "unhealthy"
        for entry in observation.answers
    )
