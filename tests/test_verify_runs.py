"""What containers do, without containers: a scripted engine, and a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from subprocess import CompletedProcess
from typing import Any

import pytest

from dockerfix.verify import http, runs
from dockerfix.verify.engine import EngineError
from dockerfix.verify.runs import Answer, Observation, RunOptions, compare_runs, observe, works

COUNTER = count()


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = {"/": b"hello", "/time": f"{next(COUNTER)}".encode()}.get(self.path)
        self.send_response(302 if self.path == "/go" else 200 if body else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        if self.path == "/go":
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    found = HTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found.server_port
    found.shutdown()


class Scripted:
    """An engine with one container."""

    program = "docker"

    def __init__(self, port: int = 0, **state: Any) -> None:  # noqa: ANN401
        self.port = port
        self.state = {"Running": True, "ExitCode": 0, **state}
        self.removed: list[str] = []
        self.calls: list[tuple[str, ...]] = []

    def call(self, *words: str, timeout: float = 0) -> str:
        self.calls.append(words)
        match words[0]:
            case "inspect":
                return json.dumps(self.state)
            case "port":
                return f"127.0.0.1:{self.port}\n"
            case "top":
                return "UID PID\n1000 7\n"
            case "diff":
                return "C /app\nA /app/db.sqlite3\nC /tmp\nA /tmp/x\nA /app/__pycache__\n"
            case "run" if self.state.get("refused"):
                raise EngineError("docker run: no such file")
        return ""

    def remove_container(self, name: str) -> None:
        self.removed.append(name)


def ask(engine: Scripted, config: dict[str, Any] | None = None, *probes: str) -> Observation:
    options = RunOptions(probes, ("--env=A=1",), start_time=0.5)
    return observe(engine, "image", "name", config or {}, options)  # type: ignore[arg-type]


WEB = {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}


@pytest.fixture(autouse=True)
def no_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs._Container, "logs", lambda _: "x\nopen /data: Permission denied\n")
    monkeypatch.setattr(runs, "_WATCH", 0.3)
    monkeypatch.setattr(runs, "_APART", 0.01)


def test_asks_the_exposed_port(server: int) -> None:
    engine = Scripted(server)
    found = ask(engine, WEB)
    assert [answer.question for answer in found.answers] == ["GET / on port 80"]
    assert found.answers[0].text.startswith("200 text/plain;charset=utf-8 ")
    assert found.answers[0].steady
    assert (found.user, found.written) == ("1000", ("/app/db.sqlite3",))
    assert found.denied == ("open /data: Permission denied",)
    assert engine.removed == ["name"]
    assert "--env=A=1" in engine.calls[0]
    assert "127.0.0.1::80" in engine.calls[0]
    assert not any("53" in word for word in engine.calls[0])
    assert works(found)


def test_an_answer_that_changes_is_not_compared_by_content(server: int) -> None:
    one, two = ask(Scripted(server), WEB, "/time"), ask(Scripted(server), WEB, "/time")
    assert not one.answers[0].steady
    assert one.answers[0].text != two.answers[0].text
    assert compare_runs(one, two) == []


def test_does_not_follow_where_an_answer_points(server: int) -> None:
    assert " /elsewhere " in ask(Scripted(server), WEB, "/go").answers[0].text


def test_a_probe_may_name_a_port(server: int) -> None:
    found = ask(Scripted(server), {}, "http://localhost:8080/?a=1")
    assert found.answers[0].question == "GET /?a=1 on port 8080"


def test_a_command_is_asked_inside(server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def call(words: list[str], timeout: float) -> CompletedProcess[str]:
        called.append(words)
        return CompletedProcess(words, 0, "1.2\n", "")

    monkeypatch.setattr(runs, "try_call", call)
    found = ask(Scripted(server), WEB, "/", "cat '/a version'")
    assert [answer.question for answer in found.answers] == ["GET / on port 80", "cat '/a version'"]
    assert found.answers[1].text.startswith("exit 0 ")
    assert found.answers[1].steady
    assert called == [["docker", "exec", "name", "cat", "/a version"]] * 2


def test_a_health_check_is_waited_for() -> None:
    config = {"Healthcheck": {"Test": ["CMD", "true"]}}
    found = ask(Scripted(Health={"Status": "unhealthy"}), config)
    assert found.answers == (Answer("health check", "unhealthy"),)
    assert not works(found)
    assert works(ask(Scripted(Health={"Status": "healthy"}), config))


def test_a_program_that_ends() -> None:
    found = ask(Scripted(Running=False, ExitCode=3))
    assert found.answers[0].text.startswith("exit 3 ")
    assert ask(Scripted()).answers[0].text == "goes on"


def test_a_server_that_ends() -> None:
    found = ask(Scripted(Running=False, ExitCode=1), WEB)
    assert found.answers[0].text == "ended with 1"
    assert "Permission denied" in found.answers[0].detail
    assert not works(found)


def test_a_container_that_does_not_start() -> None:
    engine = Scripted(refused=True)
    found = ask(engine, WEB)
    assert found.answers[0].text.startswith("does not start: docker run: no such file")
    assert engine.removed == ["name"]


def test_nobody_listens() -> None:
    assert ask(Scripted(1), WEB).answers[0].text.startswith("no answer: ")


def seen(**changes: Any) -> Observation:  # noqa: ANN401
    given: dict[str, Any] = {
        "answers": (Answer("GET /", "200 - abc"),),
        "user": "1000",
        "stop_time": 0.5,
        "denied": (),
    }
    return Observation(**{**given, **changes})


@pytest.mark.parametrize(
    ("before", "after", "check"),
    [
        ({}, {"answers": (Answer("GET /", "500 - abc"),)}, "run"),
        ({}, {"answers": (Answer("GET /", "200 - xyz"),)}, "run"),
        (
            {"answers": (Answer("a", "x"), Answer("b", "y"))},
            {"answers": (Answer("a", "x"),)},
            "run",
        ),
        ({}, {"user": "0"}, "user"),
        ({}, {"stop_time": 10.4}, "stop"),
        ({"stop_time": 9.0}, {"stop_time": 10.4, "exit_code": 137}, "stop"),
        ({}, {"denied": ("12:00 EACCES /app/x",)}, "writes"),
        ({"written": ("/app/db",)}, {}, "writes"),
    ],
)
def test_what_is_not_the_same(before: dict[str, Any], after: dict[str, Any], check: str) -> None:
    assert [finding.check for finding in compare_runs(seen(**before), seen(**after))] == [check]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"user": "0"}, {"user": "1000"}),
        ({"stop_time": 10.4}, {}),
        ({}, {"stop_time": 4.0}),
        ({"stop_time": 10.1, "exit_code": 137}, {"stop_time": 10.4, "exit_code": 137}),
        ({"denied": ("12:00 EACCES /x",)}, {"denied": ("13:11 EACCES /x",)}),
        ({}, {"written": ("/app/log",)}),
    ],
)
def test_what_is_the_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert compare_runs(seen(**before), seen(**after)) == []


def test_what_is_an_address() -> None:
    words = ["/health", "http://localhost/", "/bin/check --all", "curl -f x"]
    assert [http.is_address(word) for word in words] == [True, True, False, False]
