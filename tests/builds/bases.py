"""Base images made on this machine, under the names that Dockerfiles use."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.builds import toolchains
from tests.builds.machine import STATE, MachineError, run

_FOLDER = Path(__file__).parent / "bases"


@dataclass(frozen=True, slots=True)
class Base:
    """One image: its names, of which the first tells whether it is there, and how it is made."""

    names: tuple[str, ...]
    #: In the folder `bases`, without its suffix.
    file: str
    #: Fills the build context.
    fill: Callable[[Path], None] = toolchains.nothing
    #: First names of the bases that this one needs.
    needs: tuple[str, ...] = ()
    #: Build arguments.
    arguments: tuple[tuple[str, str], ...] = ()
    #: The version of the tool chain, as build argument VERSION.
    version: Callable[[], str] | None = None


_DEPS = "buildpack-deps:bookworm"
_SLIM = "debian:bookworm-slim"

BASES = (
    Base(("debian:bookworm", "debian:12"), "debian", toolchains.debian),
    Base((_SLIM, "debian:12-slim"), "debian-slim", needs=("debian:bookworm",)),
    Base((_DEPS,), "buildpack-deps", needs=(_SLIM,)),
    Base(
        *(("node:20", "node:20-bookworm"), "node", toolchains.node, (_DEPS,)),
        arguments=(("BASE", _DEPS),),
        version=lambda: toolchains.NODE,
    ),
    Base(
        *(("node:20-slim", "node:20-bookworm-slim"), "node", toolchains.node, (_SLIM,)),
        arguments=(("BASE", _SLIM),),
        version=lambda: toolchains.NODE,
    ),
    Base(
        *(("python:3.11", "python:3.11-bookworm"), "python", toolchains.python, (_DEPS,)),
        arguments=(("BASE", _DEPS),),
        version=toolchains.python_version,
    ),
    Base(
        *(("python:3.11-slim", "python:3.11-slim-bookworm"), "python", toolchains.python, (_SLIM,)),
        arguments=(("BASE", _SLIM),),
        version=toolchains.python_version,
    ),
    Base(
        ("golang:1.24", "golang:1.24-bookworm"),
        "golang",
        toolchains.go,
        (_DEPS,),
        version=lambda: toolchains.GO,
    ),
    Base(("eclipse-temurin:17-jdk",), "temurin", needs=(_SLIM,), arguments=(("KIND", "jdk"),)),
    Base(("eclipse-temurin:17-jre",), "temurin", needs=(_SLIM,), arguments=(("KIND", "jre"),)),
    Base(
        ("maven:3.9.9-eclipse-temurin-17",),
        "maven",
        toolchains.maven,
        ("eclipse-temurin:17-jdk",),
    ),
    Base(("gradle:8.10-jdk17",), "gradle", needs=(_SLIM, "eclipse-temurin:17-jdk")),
    Base(
        *(("rust:1-bookworm",), "rust", toolchains.rust, (_DEPS,)),
        version=toolchains.rust_version,
    ),
    Base(("alpine:3.20",), "alpine", needs=(_SLIM,)),
    Base(
        *(("node:20-alpine",), "node-alpine", toolchains.node_musl, ("alpine:3.20",)),
        version=lambda: toolchains.NODE_MUSL,
    ),
    Base(("php:8.2-cli",), "php", needs=(_SLIM,)),
    Base(("gcr.io/distroless/cc-debian12",), "distroless-cc", needs=(_SLIM,)),
    Base(("nginx:stable-alpine",), "nginx", needs=(_SLIM,)),
)


def make_bases(names: Iterable[str], tell: Callable[[str], None]) -> None:
    """Make those images that are not there, and what they need. Raises MachineError."""
    by_name = {name: base for base in BASES for name in base.names}
    for name in names:
        if _is_there(name):
            continue
        if name not in by_name:
            raise MachineError(f"{name} is no base image of tests/builds/bases.py")
        base = by_name[name]
        make_bases(base.needs, tell)
        start = time.monotonic()
        _make_patiently(base, tell)
        tell(f"made {base.names[0]} in {time.monotonic() - start:.0f} s")


def _is_there(name: str) -> bool:
    command = ["docker", "image", "inspect", name]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _make_patiently(base: Base, tell: Callable[[str], None]) -> None:
    """Try twice: a base is made of many downloads."""
    try:
        _make(base)
    except MachineError as error:
        tell(f"{base.names[0]} once more: {error}")
        _make(base)


def _make(base: Base) -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    context = Path(tempfile.mkdtemp(prefix="base-", dir=STATE))
    try:
        base.fill(context)
        command = ["docker", "build", "--file", str(_FOLDER / f"{base.file}.Dockerfile")]
        for name in base.names:
            command += ["--tag", name]
        version = (("VERSION", base.version()),) if base.version else ()
        for key, value in (*base.arguments, *version):
            command += ["--build-arg", f"{key}={value}"]
        run(*command, str(context), timeout=1800)
    finally:
        shutil.rmtree(context, ignore_errors=True)
