"""Settings of the test run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.faulty import Faulty
    from tests.registry import Server

# Building a file is quick, but the first example pays for imports: no deadline.
settings.register_profile(
    "quick", deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A shell starts what it puts in the background deaf to interrupts, and so would be every program
# that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_registry(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test asks a registry, or reads this machine's credentials, unless it says so."""
    monkeypatch.setenv("DOCKERFIX_LOCKED", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path_factory.getbasetemp() / "no-docker"))


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the registries of the tests hold; `tests.registry_images` says what that is."""
    from tests.registry_images import fill_storage

    folder = tmp_path_factory.mktemp("storage")
    fill_storage(folder)
    return folder


@pytest.fixture(scope="session")
def registry(storage: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An open registry."""
    from tests.registry import serve
    from tests.registry_images import push_images

    with serve(storage, tmp_path_factory.mktemp("registry")) as server:
        push_images(server)
        yield server


@pytest.fixture
def faulty(registry: Server) -> Iterator[Faulty]:
    """A proxy before it that does as it is told."""
    from tests.faulty import before

    with before(registry.address) as proxy:
        yield proxy
