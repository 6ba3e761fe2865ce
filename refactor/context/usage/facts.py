"""The words in which the use of an image is described."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError, Place


class Build(NamedTuple):
    """How an image is built, as some file says."""

    place: Place
    #: Absolute; None where a variable decides.
    context: str | None
    #: Absolute; None where a variable decides.
    dockerfile: str | None
    #: Stage that is built; "" for the last one.
    target: str = ""
    #: Names that the image gets, tags left out.
    images: tuple[str, ...] = ()


class Service(NamedTuple):
    """A container as some file runs it."""

    #: The file, relative to the repository.
    file: str
    name: str
    #: `command` and `entrypoint`, as they are written; "" for none.
    command: str
    #: Host path and container path of what is mounted; a volume has its name for a path.
    mounts: tuple[tuple[str, str], ...]
    #: Ports in the container that are published.
    ports: tuple[int, ...]
    #: "" where the file says nothing.
    user: str = ""
    #: Command of the health check; "" for none.
    health: str = ""
    #: What it may do beyond other containers: `privileged`, a capability, a device; "" for nothing.
    privilege: str = ""
    #: Image that it is said to run; "" for none.
    image: str = ""
    #: `compose`, `kubernetes` or `run`.
    kind: str = "compose"
    #: Whether the file demands that it is not root (`runAsNonRoot`, a number that is not 0).
    non_root: bool = False
    #: Whether what is mounted is given to the container's group (`fsGroup`).
    gives_volumes: bool = False


class Command(NamedTuple):
    """A command that is run in a container beside its entry: by cron, by a Procfile, by compose."""

    place: Place
    text: str


class Findings(NamedTuple):
    """What one file says."""

    builds: tuple[Build, ...] = ()
    #: Each with the build that makes its image, where it has one.
    services: tuple[tuple[Service, Build | None], ...] = ()
    commands: tuple[Command, ...] = ()
    problem: BrokenManifestError | None = None


class Source(NamedTuple):
    """A file of the repository that is evidence."""

    root: Path
    #: Relative to the repository, with forward slashes.
    path: str
    text: str


Reader = Callable[[Source], Findings]
