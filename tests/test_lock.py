"""Pinning as a user does it: `lock`, `--diff`, `--write`, `--update`, at a real registry."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import dockerfix
from dockerfix.cli import main
from dockerfix.registry.lockfile import Lock, LockError, Pin, parse_lock, render_lock
from tests import faulty as faults
from tests.faulty import Faulty
from tests.registry import Server, fill
from tests.registry_images import MANY

DIGEST = "sha256:" + "a" * 64


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("DOCKERFIX_LOCKED")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def pin_only(action: str, *arguments: str | Path, code: int = 0) -> Result:
    return run(action, "--select", "pin-tags", *arguments, code=code)


def repository(folder: Path, text: str) -> Path:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(text)
    return folder


def lines(folder: Path) -> list[str]:
    return (folder / "Dockerfile").read_text().splitlines()


# The file


def test_the_lock_is_read_as_it_is_written() -> None:
    entry = Pin("node:18", "18.20.4", DIGEST, ("linux/amd64",), "2026-11-24", ("18.20.4-x",))
    text = render_lock(Lock({"node:18": entry, "a:1": Pin("a:1", "1", DIGEST, (), "2026-11-24")}))
    assert render_lock(parse_lock(text)) == text
    assert [line[:6] for line in text.splitlines()[-2:]] == ['"a:1" ', '"node:']


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> theirs", "||||||| base"])
def test_a_merge_conflict_is_named_with_its_line(tmp_path: Path, mark: str) -> None:
    folder = repository(tmp_path, "FROM node:18\n")
    (folder / "dockerfix.lock").write_text(f"version = 1\n[images]\n{mark}\n")
    with pytest.raises(LockError, match=r"dockerfix\.lock:3: a merge conflict"):
        parse_lock(f"version = 1\n[images]\n{mark}\n")
    for command in (("lock",), ("--diff",), ("--write",), ("--update",)):
        result = run(*command, folder, code=2)
        assert "dockerfix.lock:3: a merge conflict" in result.output
    assert lines(folder) == ["FROM node:18"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('"node:18" = { tag = "18.1.0", digest = "sha256:1", date = "2026-11-24" }', "no digest"),
        (f'"node:18" = {{ tag = "a b", digest = "{DIGEST}", date = "2026-11-24" }}', "no tag"),
        (f'"node:18" = {{ tag = "18.1.0", digest = "{DIGEST}", date = "today" }}', "no date"),
        (f'"node:18" = {{ tag = "1", digest = "{DIGEST}", date = "2026-11-24", x = 1 }}', "key x"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(entry: str, message: str) -> None:
    with pytest.raises(LockError, match=rf"dockerfix\.lock:4: .*{message}"):
        parse_lock(f"version = 1\n\n[images]\n{entry}\n")


# The command


def test_lock_then_write_offline(registry: Server, faulty: Faulty, tmp_path: Path) -> None:
    text = f"FROM {faulty.address}/node:18-alpine AS a\nFROM {faulty.address}/team/tool:2\n"
    folder = repository(tmp_path, text)
    run("lock", folder)
    asked = len(faulty.seen)
    run("lock", folder)
    assert len(faulty.seen) == asked, "what the lock knows is not asked again"
    pin_only("--write", "--locked", folder)
    assert len(faulty.seen) == asked
    assert lines(folder) == [
        f"FROM {faulty.address}/node:18.20.2-alpine3.20 AS a",
        f"FROM {faulty.address}/team/tool:2.0.1",
    ]
    pin_only("--check", folder)
    assert len(faulty.seen) == asked, "what is pinned needs no look-up"


def test_the_lock_lies_at_the_root_of_each_repository(registry: Server, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        repository(tmp_path / name, "FROM scratch\n")
        (tmp_path / name / "deep" / "Dockerfile").write_text(f"FROM {registry.address}/node:18\n")
    run("lock", tmp_path / "one" / "deep", tmp_path / "two")
    for name in ("one", "two"):
        lock = parse_lock((tmp_path / name / "dockerfix.lock").read_text())
        assert list(lock.pins) == [f"{registry.address}/node:18"]


def test_a_failed_look_up_leaves_the_rest(registry: Server, tmp_path: Path) -> None:
    address = registry.address
    folder = repository(tmp_path, f"FROM {address}/node:99 AS a\nFROM {address}/node:18\n")
    result = run("lock", folder, code=2)
    assert f"error: {address}/node:99: {address}/node: there is no 99" in result.output
    assert list(parse_lock((folder / "dockerfix.lock").read_text()).pins) == [f"{address}/node:18"]


@pytest.mark.parametrize(
    "fault",
    [faults.drop, faults.truncate, faults.wrong_digest, faults.portal, faults.status(500)],
    ids=str,
)
def test_no_half_written_lock(faulty: Faulty, tmp_path: Path, fault: faults.Fault) -> None:
    folder = repository(tmp_path, f"FROM {faulty.address}/node:18\n")
    run("lock", folder)
    before = (folder / "dockerfix.lock").read_bytes()
    (folder / "Dockerfile").write_text(f"FROM {faulty.address}/debian:bookworm\n")
    faulty.always = lambda request: fault if "manifests" in request.path else None
    run("lock", "--refresh", folder, code=2)
    assert (folder / "dockerfix.lock").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [
        ".git", "Dockerfile", "dockerfix.lock",
    ]  # fmt: skip


def test_a_kill_leaves_the_lock_whole(faulty: Faulty, tmp_path: Path) -> None:
    text = "".join(f"FROM {faulty.address}/many/app0:{n} AS s{n}\n" for n in range(10))
    folder = repository(tmp_path, text)
    (folder / "dockerfix.lock").write_text(render_lock(Lock()))
    before = (folder / "dockerfix.lock").read_bytes()
    faulty.always = lambda _: faults.delay(0.05)
    for seconds in (0.6, 0.9, 1.2):
        command = [sys.executable, "-m", "dockerfix", "lock", str(folder)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.kill()
        process.wait()
        found = (folder / "dockerfix.lock").read_bytes()
        assert found == before or len(parse_lock(found.decode()).pins) == 10


def test_a_refresh_follows_a_tag_that_moved(storage: Path, faulty: Faulty, tmp_path: Path) -> None:
    fill(storage, "rolling", {"1": "a", "1.0.0": "a", "2": "b", "2.0.0": "b"})
    folder = repository(
        tmp_path, f"FROM {faulty.address}/rolling:1 AS a\nFROM {faulty.address}/rolling:2\n"
    )
    run("lock", folder)
    before = (folder / "dockerfix.lock").read_text().splitlines()
    fill(storage, "rolling", {"1": "c", "1.0.1": "c"})
    run("lock", "--refresh", folder)
    after = (folder / "dockerfix.lock").read_text().splitlines()
    assert [new for new in after if new not in before] == [
        line for line in after if '/rolling:1" = { tag = "1.0.1"' in line
    ]


# Looking up what the lock lacks


def test_diff_and_write_look_up_without_a_lock(faulty: Faulty, tmp_path: Path) -> None:
    folder = repository(tmp_path, f"FROM {faulty.address}/node:18\n")
    shown = pin_only("--diff", folder).output
    assert f"+FROM {faulty.address}/node:18.20.2\n" in shown
    asked = len(faulty.seen)
    pin_only("--write", folder)
    assert len(faulty.seen) == asked, "answers are kept between runs"
    assert lines(folder) == [f"FROM {faulty.address}/node:18.20.2"]
    assert not (folder / "dockerfix.lock").exists(), "a lock is made by `dockerfix lock`"


def test_write_adds_to_the_lock_and_diff_shows_that(
    registry: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:18\n")
    run("lock", folder)
    (folder / "Dockerfile").write_text(f"FROM {registry.address}/node:20\n")
    monkeypatch.chdir(folder)
    shown = pin_only("--diff").stdout
    before = (folder / "dockerfix.lock").read_text()
    pin_only("--write")
    after = (folder / "dockerfix.lock").read_text()
    assert set(parse_lock(after).pins) == {f"{registry.address}/node:{n}" for n in (18, 20)}
    (folder / "dockerfix.lock").write_text(before)
    (folder / "Dockerfile").write_text(f"FROM {registry.address}/node:20\n")
    subprocess.run(["patch", "-p1", "-s"], input=shown.encode(), check=True, cwd=folder)
    assert (folder / "dockerfix.lock").read_text() == after
    assert lines(folder) == [f"FROM {registry.address}/node:20.12.2"]


def test_a_file_that_is_not_there_stops_no_other(registry: Server, tmp_path: Path) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:18\n")
    (folder / "broken.Dockerfile").write_text("FROM a b c d\n")
    run("lock", folder, folder / "nothing", code=2)
    (folder / "Dockerfile").write_text(f"FROM {registry.address}/node:20\n")
    pin_only("--write", folder, folder / "nothing", code=2)
    assert lines(folder) == [f"FROM {registry.address}/node:20.12.2"]


def test_several_files_at_once(registry: Server, tmp_path: Path) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:20\n")
    (folder / "a.Dockerfile").write_text(f"FROM {registry.address}/debian:bookworm-slim\n")
    (folder / "b.Dockerfile").write_text("FROM scratch\n")
    shown = pin_only("--diff", folder).output
    assert "node:20.12.2" in shown
    assert "bookworm-20250630-slim" in shown
    assert "b.Dockerfile" not in shown


@pytest.mark.parametrize("action", ["--diff", "--write", "--check"])
def test_without_network_and_lock_it_declines(
    registry: Server, tmp_path: Path, action: str
) -> None:
    with faults.before(registry.address) as proxy:
        address = proxy.address
    folder = repository(tmp_path, f"FROM {address}/node:18 AS a\nFROM {address}/node:20\n")
    result = pin_only(action, "--explain", folder)
    assert f"2 images not looked up: {address} cannot be reached" in result.output
    assert "not pinned: its registry did not say what it is" in result.output
    assert lines(folder)[1] == f"FROM {address}/node:20"


def test_a_host_that_is_down_is_left_in_peace_for_a_while(registry: Server, tmp_path: Path) -> None:
    with faults.before(registry.address) as proxy:
        proxy.always = lambda _: faults.drop
        folder = repository(tmp_path, f"FROM {proxy.address}/node:18\n")
        pin_only("--diff", folder)
        asked = len(proxy.seen)
        assert asked > 1
        pin_only("--diff", folder)
        assert len(proxy.seen) == asked
        run("lock", folder, code=2)
        assert len(proxy.seen) > asked, "`lock` always asks"


def test_a_silent_registry_does_not_hang(
    faulty: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerfix.commands.pinning.SILENCE", 0.5)
    faulty.always = lambda _: faults.delay(3)
    folder = repository(tmp_path, f"FROM {faulty.address}/node:18\n")
    started = time.monotonic()
    result = pin_only("--diff", folder)
    assert time.monotonic() - started < 2.5
    assert "1 image not looked up" in result.output


def test_locked_asks_nobody(
    faulty: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository(tmp_path, f"FROM {faulty.address}/node:18\n")
    monkeypatch.chdir(folder)
    result = pin_only("--diff", "--locked", "--explain")
    assert "not pinned: no dockerfix.lock" in result.output
    monkeypatch.setenv("DOCKERFIX_LOCKED", "1")
    pin_only("--diff")
    monkeypatch.delenv("DOCKERFIX_LOCKED")
    (tmp_path / "other").mkdir()
    other = repository(tmp_path / "other", f"FROM {faulty.address}/node:18\n")
    (other / ".dockerfix.toml").write_text("locked = true\n")
    monkeypatch.chdir(tmp_path)
    pin_only("--diff", other)
    assert faulty.seen == []


def test_a_mirror_in_the_settings(faulty: Faulty, tmp_path: Path) -> None:
    folder = repository(tmp_path, "FROM r.example/node:18\n")
    mirrors = f'[mirrors]\n"r.example" = ["{faulty.address}"]\n'
    (folder / ".dockerfix.toml").write_text(mirrors)
    assert "+FROM r.example/node:18.20.2" in pin_only("--diff", folder).output


@pytest.mark.parametrize(
    ("how", "expected"),
    [("tag", "18.20.2@?"), ("digest", "18@sha256:.{64}"), ("both", "18.20.2@sha256:.{64}")],
)
def test_how_pins_are_written(registry: Server, tmp_path: Path, how: str, expected: str) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:18\n")
    pin_only("--write", "--pin", how, folder)
    assert re.fullmatch(rf"FROM {registry.address}/node:{expected}", lines(folder)[0])
    pin_only("--check", "--pin", how, folder)


def test_an_exact_tag_gets_its_digest(registry: Server, tmp_path: Path) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:18.3.1\n")
    pin_only("--check", folder)
    pin_only("--write", "--pin", "both", folder)
    assert lines(folder)[0].startswith(f"FROM {registry.address}/node:18.3.1@sha256:")


def test_the_library_asks_nobody(faulty: Faulty, tmp_path: Path) -> None:
    text = f"FROM {faulty.address}/node:18\n"
    assert dockerfix.refactor(text, context=tmp_path, select=("pin-tags",)).code == text
    assert faulty.seen == []


# Updates


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--update",), "18.20.2"),
        (("--update", "patch"), "18.3.2"),
        (("--update=minor",), "18.20.2"),
        (("--update", "major"), "21.3.2"),
    ],
)
def test_update(registry: Server, tmp_path: Path, options: tuple[str, ...], expected: str) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:18.3.0\n")
    name = f"{registry.address}/node"
    result = pin_only("--write", *options, folder)
    assert lines(folder) == [f"FROM {name}:{expected}"]
    assert f"Move from {name}:18.3.0 to {name}:{expected}" in result.output
    pin_only("--check", *options, folder)


def test_an_update_keeps_digests(registry: Server, tmp_path: Path) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:18.3.0@{DIGEST}\n")
    pin_only("--write", "--update", folder)
    first = lines(folder)[0]
    assert re.fullmatch(rf"FROM {registry.address}/node:18\.20\.2@sha256:.{{64}}", first)
    assert DIGEST not in first
    pin_only("--check", "--update", folder)


def test_an_update_leaves_what_has_no_tag(registry: Server, tmp_path: Path) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node@{DIGEST}\n")
    result = pin_only("--check", "--update", "--explain", folder)
    assert "not updated: no tag says what it follows" in result.output


def test_an_update_goes_into_the_lock(registry: Server, tmp_path: Path) -> None:
    folder = repository(tmp_path, f"FROM {registry.address}/node:18.3.0\n")
    run("lock", folder)
    pin_only("--write", "--update", folder)
    lock = parse_lock((folder / "dockerfix.lock").read_text())
    assert f"{registry.address}/node:18.20.2" in lock.pins


def test_update_and_locked_are_a_contradiction(tmp_path: Path) -> None:
    assert "--locked refuses" in run("--update", "--locked", tmp_path, code=2).output


# Many


def test_many_references_within_the_limit(faulty: Faulty, tmp_path: Path) -> None:
    """300 references: requests, and time, within what the registry allows."""
    (tmp_path / ".git").mkdir()
    for number in range(MANY):
        folder = tmp_path / f"app{number}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(
            "".join(
                f"FROM {faulty.address}/many/app{number}:{major} AS s{major}\n"
                for major in range(10)
            )
        )
    faulty.rate = 150
    count = {}
    for name, arguments in {
        "create": ("lock",),
        "refresh": ("lock", "--refresh"),
        "locked": ("--check", "--locked", "--select", "pin-tags"),
    }.items():
        faulty.seen.clear()
        faulty.refused = 0
        started = time.monotonic()
        run(*arguments, tmp_path, code=int(name == "locked"))
        count[name] = len(faulty.seen) - faulty.refused
        spent = time.monotonic() - started
        print(f"{name}: {count[name]} requests, {faulty.refused} refused, {spent:.1f} s")
    lock = parse_lock((tmp_path / "dockerfix.lock").read_text())
    assert len(lock.pins) == 10 * MANY
    assert all(re.fullmatch(r"\d\.1\.4", pin.tag) for pin in lock.pins.values())
    # A tag list for each repository; HEAD of the tag and of its exact name, and GET of that.
    assert count == {"create": MANY + 10 * MANY * 3, "refresh": 10 * MANY, "locked": 0}
