"""Engines without an engine: a program that records what it is asked and plays back answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

import dockerfix
from dockerfix.cli import main
from dockerfix.verify import engine as engines
from dockerfix.verify.bisect import find_culprits
from dockerfix.verify.build_log import count_steps, read_failure
from dockerfix.verify.engine import BuildError, BuildOptions, Engine, EngineError, find_engine
from dockerfix.verify.side_by_side import verify
from dockerfix.verify.verdict import Verdict, Wishes
from tests.images import Entry, file, program, tar

#: Plays docker, podman or buildah: answers lie beside it, each call goes into `calls`.
PLAYER = f"""#!{sys.executable}
import json, os, shutil, sys, time
home = os.path.dirname(os.path.abspath(__file__))
words = sys.argv[1:]
name = os.path.basename(sys.argv[0])
with open(home + "/calls", "a") as calls:
    calls.write(json.dumps([name, *words]) + "\\n")
def play(path):
    sys.stdout.flush()
    with open(home + "/" + path, "rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
side = "after" if any("after" in word for word in words) else "before"
if words[:1] == ["version"]:
    print("28.1.0")
elif words[:1] == ["--version"]:
    print(name, "version 5.4.2")
elif words[:2] == ["buildx", "version"]:
    print("github.com/docker/buildx 0.29.1")
elif "build" in words[:2]:
    if os.path.exists(home + "/slow"):
        time.sleep(60)
    play(side + ".log") if os.path.exists(home + "/" + side + ".log") else None
    sys.exit(1 if os.path.exists(home + "/" + side + ".fails") else 0)
elif words[:2] == ["image", "inspect"]:
    play(side + ".json")
elif words[:1] == ["inspect"]:
    with open(home + "/" + side + ".json") as file:
        print(json.dumps(dict(Docker=dict(config=json.load(file)[0]["Config"]))))
elif words[:1] == ["from"]:
    with open(home + "/side", "w") as file:
        file.write(side + "\\n")
elif words[:1] == ["mount"]:
    print(home)
elif words[:1] == ["create"]:
    container, image = words[words.index("--name") + 1], words[-2]
    with open(home + "/" + container, "w") as file:
        file.write("after" if image.endswith(":after") else "before")
elif words[:1] == ["export"]:
    with open(home + "/" + words[-1]) as file:
        play(file.read() + ".tar")
"""


class Fake:
    """A folder with a program that plays an engine."""

    def __init__(self, folder: Path, program: str = "docker") -> None:
        self.folder = folder
        place = folder / program
        place.write_text(PLAYER)
        place.chmod(0o755)

    def give(self, side: str, config: dict[str, object], *entries: Entry) -> None:
        inspected = [{"Config": config, "RootFS": {"Layers": ["a"]}, "Size": 1000}]
        (self.folder / f"{side}.json").write_text(json.dumps(inspected))
        (self.folder / f"{side}.tar").write_bytes(tar(*entries).getvalue())

    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    # Where logs of failed builds are kept, which outlive the run on purpose.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return Fake(folder)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    place = tmp_path / "app"
    place.mkdir()
    (place / "Dockerfile").write_text('from debian:12\nMAINTAINER me\nCMD ["/run"]\n')
    return place


def check(fake: Fake, app: Path, wishes: Wishes | None = None, **options: object) -> Verdict:
    result = dockerfix.refactor(
        (app / "Dockerfile").read_text(), context=app, select=("modernise",)
    )
    build = BuildOptions(app, **options)  # type: ignore[arg-type]
    return verify(str(app / "Dockerfile"), result, find_engine("docker"), build, wishes or Wishes())


RUN = program("run")


def test_the_same_image_is_equal_and_nothing_stays(fake: Fake, app: Path) -> None:
    label = {"org.opencontainers.image.authors": "me"}
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"], "Labels": label}, RUN)
    found = check(fake, app)
    assert (found.state, found.problems) == ("equal", [])
    assert [entry.explained_by for entry in found.configuration] == [("modernise",)]
    pairs = (pair for call in fake.calls() for pair in pairwise(call))
    made = {word for flag, word in pairs if flag in ("--tag", "--name")}
    removed = {call[-1] for call in fake.calls() if "rm" in call}
    assert made
    assert made <= removed


def test_each_format_is_what_is_printed(fake: Fake, app: Path) -> None:
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    label = {"org.opencontainers.image.authors": "me"}
    fake.give("after", {"Cmd": ["/run"], "Labels": label}, RUN)
    words = ["verify", "--select", "modernise", str(app)]
    shown = {
        form: CliRunner().invoke(main, [*words, "--format", form])
        for form in ("text", "json", "html")
    }
    assert [run.exit_code for run in shown.values()] == [0, 0, 0]
    assert "the same program" in shown["text"].stdout
    assert json.loads(shown["json"].stdout)
    assert shown["html"].stdout.startswith("<!doctype html>")


def test_a_lost_program_is_found(fake: Fake, app: Path) -> None:
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"]}, file("other"))
    found = check(fake, app)
    assert found.exit_code == 1
    assert found.findings[0].check == "entry"


def test_options_reach_the_build(fake: Fake, app: Path) -> None:
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"]}, RUN)
    check(
        fake,
        app,
        Wishes(no_cache=True),
        target="x",
        platform="linux/arm64",
        network="host",
        arguments=("A=1", "B=2"),
        secrets=("id=s",),
        ssh=("default",),
        builder="mine",
        cache_scope="scope",
        extra=("--add-host=db:10.0.0.1",),
    )
    text = " ".join(next(call for call in fake.calls() if "build" in call))
    for part in (
        *("--target x", "--platform linux/arm64", "--network host", "--build-arg A=1"),
        *("--build-arg B=2", "--secret id=s", "--ssh default", "--builder mine", "--no-cache"),
        *("BUILDKIT_CACHE_MOUNT_NS=scope", "--add-host=db:10.0.0.1"),
    ):
        assert part in text


def test_a_builder_of_its_own_goes_at_the_end(fake: Fake, app: Path) -> None:
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"]}, RUN)
    check(fake, app, Wishes(own_builder=True))
    made = next(call for call in fake.calls() if call[1:3] == ["buildx", "create"])
    removed = next(call for call in fake.calls() if call[1:3] == ["buildx", "rm"])
    assert made[-1] == removed[-1]
    assert f"--builder {made[-1]}" in " ".join(next(c for c in fake.calls() if "build" in c))


LOG = """#5 [1/3] FROM docker.io/library/debian:12
#5 CACHED

#6 [2/3] RUN echo hi
#6 CACHED

#7 [3/3] RUN false
#7 0.140 one
#7 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1
------
 > [3/3] RUN false:
0.140 one
0.141 two
------
Dockerfile:3
--------------------
   3 | >>> RUN false
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c false" did not complete
"""
LOG_OF_BUILDAH = """STEP 1/3: FROM debian:12
STEP 2/3: RUN echo hi
--> Using cache 1234
STEP 3/3: RUN false
one
Error: building at STEP "RUN false": exit status 1
"""


def test_the_step_that_failed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    found = read_failure(log)
    assert (found.step, found.line) == ("[3/3] RUN false", 3)
    assert found.output.startswith("one\ntwo\nERROR: failed")
    assert count_steps(log) == 1
    log.write_text(LOG_OF_BUILDAH)
    found = read_failure(log)
    assert found.step == "RUN false"
    assert found.output.startswith("one\nError: building")
    assert count_steps(log) == 1


@pytest.mark.parametrize(
    ("side", "state", "code"), [("before", "original broken", 3), ("after", "broken", 1)]
)
def test_a_build_that_fails_keeps_its_log(
    fake: Fake, app: Path, tmp_path: Path, side: str, state: str, code: int
) -> None:
    (fake.folder / f"{side}.log").write_text(LOG)
    (fake.folder / f"{side}.fails").touch()
    found = check(fake, app, Wishes(logs=tmp_path / "logs"))
    assert (found.state, found.exit_code) == (state, code)
    assert "at [3/3] RUN false (line 3 of the Dockerfile)\none\ntwo" in found.problems[0]
    assert Path(found.log).read_text() == LOG


def test_a_time_limit_ends_the_build(fake: Fake, app: Path) -> None:
    (fake.folder / "slow").touch()
    start = time.monotonic()
    found = check(fake, app, timeout=0.5)
    assert time.monotonic() - start < 20
    assert found.state == "original broken"
    assert "no end after" in found.problems[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_cleans_up(fake: Fake, app: Path, number: signal.Signals) -> None:
    (fake.folder / "slow").touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "dockerfix", "verify", "--select", "modernise", str(app)],
        env={**os.environ, "PATH": str(fake.folder)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while not any("build" in call for call in fake.calls()):
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"interrupted" in told
    tags = {call[call.index("--tag") + 1] for call in fake.calls() if "--tag" in call}
    assert tags <= {call[-1] for call in fake.calls() if call[1:3] == ["image", "rm"]}


def test_an_ignore_file_of_its_own(fake: Fake, app: Path) -> None:
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"]}, RUN)
    (app / "Dockerfile.dockerignore").write_text("x\n")
    with pytest.MonkeyPatch.context() as patch:
        seen: list[bool] = []
        build = Engine.build

        def note(self: Engine, place: Path, *rest: object) -> object:
            seen.append(place.with_name("Dockerfile.dockerignore").read_text() == "x\n")
            return build(self, place, *rest)  # type: ignore[arg-type]

        patch.setattr(Engine, "build", note)
        check(fake, app)
    assert seen == [True, True]


def test_no_engine_is_a_clear_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "Dockerfile").write_text("FROM node:20\n")
    result = CliRunner().invoke(main, ["verify", str(tmp_path)])
    assert result.exit_code == 2
    for part in (
        "docker is not installed",
        "podman is not",
        "buildah is not",
        "Install Docker Eng",
    ):
        assert part in result.output
    with pytest.raises(EngineError, match="Install buildah"):
        find_engine("buildah")


@pytest.mark.parametrize("name", list(engines.ENGINES))
def test_engines_say_what_they_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Fake(tmp_path, name)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_engine()
    assert found.program == name
    assert ("runs containers" in str(found)) == found.runs == (name != "buildah")


def test_buildah_does_not_run(tmp_path: Path, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Fake(tmp_path, "buildah")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = dockerfix.refactor((app / "Dockerfile").read_text(), select=("modernise",))
    with pytest.raises(EngineError, match="use docker or podman"):
        verify("x", result, find_engine(), BuildOptions(app), Wishes(run=True))


def test_podman_takes_the_ignore_file_by_name(tmp_path: Path) -> None:
    Fake(tmp_path, "podman")
    place = tmp_path / "Dockerfile"
    place.write_text("FROM x\n")
    (tmp_path / "Dockerfile.dockerignore").touch()
    engine = Engine(str(tmp_path / "podman"), "5")
    engine.build(place, "t:before", BuildOptions(tmp_path))
    words = json.loads((tmp_path / "calls").read_text())
    assert words[words.index("--ignorefile") + 1] == f"{place}.dockerignore"


def test_a_program_that_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    with pytest.raises(BuildError):
        Engine("false", "0").build(tmp_path / "Dockerfile", "t", BuildOptions(tmp_path))


def test_culprits() -> None:
    def good(*needed: str) -> tuple[str, ...]:
        return find_culprits(("a", "b", "c"), lambda names: set(needed) <= set(names))

    assert good("b") == ("b",)
    assert good("b", "c") == ("b", "c")
    assert good("x") == ()


def test_bisect_names_the_pass(fake: Fake, app: Path) -> None:
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"]}, file("other"))
    result = CliRunner().invoke(main, ["verify", "--bisect", "--select", "modernise", str(app)])
    assert result.exit_code == 1
    assert "without modernise it is the same: --ignore modernise" in result.output


@pytest.mark.parametrize("right", [True, False])
def test_only_what_is_right_is_written(fake: Fake, app: Path, right: bool) -> None:
    # buildah runs nothing: only the images are compared.
    (fake.folder / "docker").rename(fake.folder / "buildah")
    tar_player = fake.folder / "tar"
    tar_player.write_text('#!/bin/sh\nread -r side < "$3/side"\nexec /bin/cat "$3/$side.tar"\n')
    tar_player.chmod(0o755)
    (fake.folder / "sh").symlink_to("/bin/sh")
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"]}, *([RUN] if right else [file("other")]))
    before = (app / "Dockerfile").read_text()
    result = CliRunner().invoke(
        main, ["--write", "--verify", "--select", "modernise", str(app / "Dockerfile")]
    )
    written = (app / "Dockerfile").read_text() != before
    assert written == right, result.output
    assert ("verified without modernise" in result.output) != right


def test_without_an_engine_nothing_is_written(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(app))
    before = (app / "Dockerfile").read_text()
    result = CliRunner().invoke(main, ["--write", "--verify", str(app)])
    assert result.exit_code == 2
    assert "no engine to build with" in result.output
    assert (app / "Dockerfile").read_text() == before
    assert CliRunner().invoke(main, ["--diff", "--verify", str(app)]).exit_code == 2


@pytest.mark.parametrize(("form", "start"), [("json", "{"), ("html", "<!doctype html>")])
def test_forms_go_to_standard_output_alone(fake: Fake, app: Path, form: str, start: str) -> None:
    fake.give("before", {"Cmd": ["/run"]}, RUN)
    fake.give("after", {"Cmd": ["/run"]}, RUN)
    words = ["verify", "--select", "modernise", "--format", form, str(app)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert result.stdout.startswith(start)
    assert result.stderr.startswith("docker 28.1.0: ")


def test_several_files_give_the_worst_exit_code(fake: Fake, app: Path) -> None:
    (fake.folder / "before.fails").touch()
    (app / "other.Dockerfile").write_text("FROM a\nNONSENSE\n")
    (app / "third.Dockerfile").write_text("FROM a\n")
    result = CliRunner().invoke(main, ["verify", "--select", "modernise", str(app)])
    assert result.exit_code == 3
    assert "nothing to refactor" in result.stdout
    assert "unknown instruction" in result.stderr.lower() or "NONSENSE" in result.stderr


def test_what_must_not_be_asked_together(app: Path) -> None:
    assert CliRunner().invoke(main, ["verify", "--repeat", "0", str(app)]).exit_code == 2
    assert CliRunner().invoke(main, ["verify", "--engine", "lxc", str(app)]).exit_code == 2
