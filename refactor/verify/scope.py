"""The names of all that one verification makes, and its removal, whatever ends it."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from dockerfix.verify.engine import Engine
from dockerfix.verify.process import call


@dataclass(slots=True)
class Scope:
    """Images and containers with names of their own; nothing else is ever removed."""

    engine: Engine
    name: str = field(default_factory=lambda: f"dockerfix-verify-{uuid.uuid4().hex[:12]}")
    images: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    builders: list[str] = field(default_factory=list)

    def image(self, side: str) -> str:
        """The name for an image, noted before it is made."""
        tag = f"{self.name}:{side}"
        if tag not in self.images:
            self.images.append(tag)
        return tag

    def container(self) -> str:
        """The name for the next container."""
        self.containers.append(f"{self.name}-{len(self.containers)}")
        return self.containers[-1]

    def builder(self) -> str:
        """Make a builder of buildx with a cache of its own. Raises EngineError."""
        self.builders.append(self.name)
        make = ["docker", "buildx", "create", "--driver", "docker-container", "--bootstrap"]
        call([*make, "--name", self.name])
        return self.name

    def close(self) -> None:
        """Take everything away."""
        for name in self.containers:
            self.engine.remove_container(name)
        for name in self.images:
            # podman and buildah say where an image without a registry lives.
            self.engine.remove_image(name)
        for name in self.builders:
            self.engine.remove("buildx", "rm", "--force", name)


@contextmanager
def open_scope(engine: Engine) -> Iterator[Scope]:
    """A scope that is closed at the end, on errors, on Ctrl-C and when asked to end."""
    scope = Scope(engine)
    with _ending_by_interrupt():
        try:
            yield scope
        finally:
            with _undisturbed():
                scope.close()


@contextmanager
def _ending_by_interrupt() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for Ctrl-C, so that they clean up too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nobody interrupt the removal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
