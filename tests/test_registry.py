"""Looking up images: right pins, or clear errors; never a wrong pin."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import dockerfix
from dockerfix.cli import main
from dockerfix.lockfile import Lock, LockError, Pin, parse_lock, render_lock
from dockerfix.registry.client import Registry, RegistryError
from dockerfix.registry.credentials import Credentials
from dockerfix.registry.lookup import look_up
from dockerfix.registry.reference import ReferenceError, parse_reference
from dockerfix.registry.tags import more_specific, read_tag
from tests.registry import FakeRegistry, serve

TODAY = datetime.date(2026, 11, 24)
DIGEST = "sha256:" + "a" * 64


def node() -> FakeRegistry:
    registry = FakeRegistry()
    for tag in ("18", "18.20", "18.20.4", "18.20.4-bookworm", "latest18"):
        registry.tag("node", tag, "now")
    for tag in ("18-alpine", "18.20-alpine", "18.20.4-alpine", "18.20.4-alpine3.20"):
        registry.tag("node", tag, "alpine")
    registry.tag("node", "18.20.3", "before")
    registry.tag("node", "20.1.0", "next")
    return registry


def client(registry: FakeRegistry, login: tuple[str, str] | None = None) -> Registry:
    credentials = Credentials()
    credentials._known[registry.address] = login
    return Registry(credentials, sleep=lambda _: None)


def pin(registry: FakeRegistry, image: str, login: tuple[str, str] | None = None) -> Pin:
    reference = parse_reference(f"{registry.address}/{image}")
    return look_up(reference, client(registry, login), TODAY)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("18", "18.20.4"),
        ("18.20", "18.20.4"),
        ("18-alpine", "18.20.4-alpine3.20"),
        ("18.20.4-bookworm", "18.20.4-bookworm"),
        ("20.1.0", "20.1.0"),
    ],
)
def test_the_most_exact_tag_of_the_same_image(tag: str, expected: str) -> None:
    with serve(node()) as registry:
        found = pin(registry, f"node:{tag}")
    assert found.tag == expected
    assert found.platforms == ("linux/amd64", "linux/arm64")


def test_tags_come_in_pages() -> None:
    registry = node()
    registry.page = 2
    with serve(registry):
        assert pin(registry, "node:18").tag == "18.20.4"
    assert sum("tags/list" in path for _, path, _ in registry.seen) > 3


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_authentication(kind: str) -> None:
    registry = node()
    registry.authentication = kind
    with serve(registry):
        assert pin(registry, "node:18", registry.login).tag == "18.20.4"
        with pytest.raises(RegistryError, match=r"log(ging)? in") as error:
            pin(registry, "node:18", ("user", "wrong"))
    assert "wrong" not in str(error.value)


def test_waits_as_the_registry_says() -> None:
    registry = node()
    registry.faults = [("status", 429, {"Retry_After": "2"})]
    waits: list[float] = []
    with serve(registry):
        asked = Registry(Credentials(), sleep=waits.append)
        reference = parse_reference(f"{registry.address}/node:18")
        assert look_up(reference, asked, TODAY).tag == "18.20.4"
    assert waits == [2.0]


def test_says_when_it_may_go_on() -> None:
    registry = node()
    registry.faults = [("status", 429, {"Retry_After": "3600"})]
    with serve(registry), pytest.raises(RegistryError, match="it may go on in 3600 s"):
        pin(registry, "node:18")


@pytest.mark.parametrize(
    "fault", [("status", 500, {}), ("status", 503, {}), ("cut",), ("drop",)], ids=str
)
def test_faults_that_pass(fault: tuple[object, ...]) -> None:
    registry = node()
    registry.faults = [fault]
    with serve(registry):
        assert pin(registry, "node:18").tag == "18.20.4"


def test_an_answer_with_another_digest_is_no_pin() -> None:
    registry = node()
    registry.faults = [("digest",)] * 4
    with serve(registry), pytest.raises(RegistryError, match="another digest than it says"):
        pin(registry, "node:18")


def test_what_is_not_there() -> None:
    with serve(node()) as registry, pytest.raises(RegistryError, match="there is no 99"):
        pin(registry, "node:99")


def test_nobody_answers() -> None:
    with serve(node()) as registry:
        address = registry.address
    reference = parse_reference(f"{address}/node:18")
    with pytest.raises(RegistryError, match="does not answer"):
        look_up(reference, Registry(Credentials(), sleep=lambda _: None), TODAY)


def test_credentials_do_not_go_to_another_host() -> None:
    other = node()
    registry = node()
    registry.authentication = "basic"
    with serve(other), serve(registry):
        registry.redirect = f"http://{other.address}"
        assert pin(registry, "node:18", registry.login).digest
    assert other.seen
    assert all(authorization is None for _, _, authorization in other.seen)


# Tags


@pytest.mark.parametrize(
    ("tag", "others", "expected"),
    [
        ("3.11-slim", ["3.11.9-slim", "3.11.10-slim", "3.11.10", "3.12.1-slim"], "3.11.10-slim"),
        ("latest", ["1.9.0", "1.10.0", "1.10.0-alpine"], "1.10.0"),
        ("", ["1.9.0", "1.10.0"], "1.10.0"),
        ("lts-alpine", ["22.1.0-alpine", "22.1.0"], "22.1.0-alpine"),
        ("17-jre-jammy", ["17.0.13_11-jre-jammy", "17.0.13-jre-jammy"], "17.0.13-jre-jammy"),
        ("3.9-eclipse-temurin-17", ["3.9.9-eclipse-temurin-17", "3.9.9-eclipse-temurin-21"],
         "3.9.9-eclipse-temurin-17"),
        ("8.0-bookworm-slim-amd64", ["8.0.11-bookworm-slim-amd64", "8.0.11-bookworm-slim"],
         "8.0.11-bookworm-slim-amd64"),
        ("bookworm", ["bookworm-20250520", "bookworm-20250610", "bookworm-slim"],
         "bookworm-20250610"),
        ("v2", ["v2.10.1", "2.11.0"], "v2.10.1"),
    ],
)  # fmt: skip
def test_order_of_tags(tag: str, others: list[str], expected: str) -> None:
    assert more_specific(tag, others)[0] == expected


def test_exact_tags() -> None:
    exact = {"18.20.4": True, "18.20": False, "3.11.7-slim": True, "latest": False}
    for text, expected in exact.items():
        tag = read_tag(text)
        assert tag is not None
        assert tag.is_exact is expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("node", "node"),
        ("library/node:18", "node:18"),
        ("docker.io/library/node:18", "node:18"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
        (f"ghcr.io/a/b@{DIGEST}", f"ghcr.io/a/b@{DIGEST}"),
    ],
)
def test_references(text: str, name: str) -> None:
    assert str(parse_reference(text)) == name


@pytest.mark.parametrize("text", ["Node:18", "a//b", "node:", "-x/y z", "node@sha256:abc"])
def test_no_references(text: str) -> None:
    with pytest.raises(ReferenceError):
        parse_reference(text)


# The lock, and the command


def test_the_lock_is_read_as_it_is_written() -> None:
    lock = Lock({"node:18": Pin("node:18", "18.20.4", DIGEST, ("linux/amd64",), "2026-11-24")})
    text = render_lock(lock)
    assert parse_lock(text) == lock
    assert render_lock(parse_lock(text)) == text


def test_a_merge_conflict_is_named_with_its_line() -> None:
    text = "version = 1\n[images]\n<<<<<<< HEAD\n"
    with pytest.raises(LockError, match=r"dockerfix\.lock:3: a merge conflict"):
        parse_lock(text)


def repository(folder: Path, image: str) -> Path:
    (folder / ".git").mkdir()
    (folder / "Dockerfile").write_text(f'FROM {image}\nCMD ["node"]\n')
    return folder


def test_lock_then_write(tmp_path: Path) -> None:
    registry = node()
    with serve(registry):
        folder = repository(tmp_path, f"{registry.address}/node:18")
        result = CliRunner().invoke(main, ["lock", str(folder)])
        assert result.exit_code == 0, result.output
        asked = len(registry.seen)
        result = CliRunner().invoke(main, ["lock", str(folder)])
        assert len(registry.seen) == asked, "what the lock knows is not asked again"
    result = CliRunner().invoke(main, ["--write", str(folder)])
    assert result.exit_code == 0, result.output
    expected = f"FROM {registry.address}/node:18.20.4\n"
    assert (folder / "Dockerfile").read_text().startswith(expected)


@pytest.mark.parametrize(
    ("how", "expected"), [("digest", "node:18@{digest}"), ("both", "node:18.20.4@{digest}")]
)
def test_digests(tmp_path: Path, how: str, expected: str) -> None:
    pins = {"node:18": Pin("node:18", "18.20.4", DIGEST, (), "2026-11-24")}
    (tmp_path / "dockerfix.lock").write_text(render_lock(Lock(pins)))
    result = dockerfix.refactor("FROM node:18\n", context=tmp_path, select=("pin-tags",), pin=how)
    assert result.code == f"FROM {expected.format(digest=DIGEST)}\n"


def test_a_failed_lookup_leaves_no_half_lock(tmp_path: Path) -> None:
    registry = node()
    with serve(registry):
        folder = repository(tmp_path, f"{registry.address}/node:99")
        result = CliRunner().invoke(main, ["lock", str(folder)])
    assert result.exit_code == 2
    assert "there is no 99" in result.output
    assert parse_lock((folder / "dockerfix.lock").read_text()).pins == {}
