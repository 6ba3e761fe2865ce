"""The words in which the use of an image is described."""

from __future__ import annotations

import os
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
    #: Whether people work in a container of it, rather than ship it.
    is_development: bool = False


class Service(NamedTuple):
    """A container as some file runs it."""

    #: The file, relative to the repository.
    file: str
    name: str
    #: `command` and `entrypoint`, as they are written; "" for none.
    command: str
    #: Host path and container path of what is mounted, or kept in step; a volume has its name for a
    #: path.
    mounts: tuple[tuple[str, str], ...] = ()
    #: Ports in the container that are published.
    ports: tuple[int, ...] = ()
    #: "" where the file says nothing.
    user: str = ""
    #: Command of the health check; "" for none.
    health: str = ""
    #: What it may do beyond other containers: `privileged`, a capability, a device; "" for nothing.
    privilege: str = ""
    #: Image that it is said to run; "" for none.
    image: str = ""
    #: `compose`, `kubernetes`, `nomad`, `ecs`, `platform`, `tilt`, `skaffold` or `run`.
    kind: str = "compose"
    #: Whether the file demands that it is not root (`runAsNonRoot`, a number that is not 0).
    non_root: bool = False
    #: Whether what is mounted is given to the container's group (`fsGroup`).
    gives_volumes: bool = False
    #: Whether it can write nowhere but to what is mounted.
    read_only: bool = False
    #: Container paths of what is mounted for reading alone.
    unwritten: frozenset[str] = frozenset()
    #: What holds the container in a cluster, as `Deployment/web`: files that amend it name it, too.
    workload: str = ""


class Command(NamedTuple):
    """A command that is run in a container beside its entry: by cron, by a Procfile, by compose."""

    place: Place
    text: str
    #: The service that it is run in; "" where the file does not say it.
    service: str = ""


class Findings(NamedTuple):
    """What one file says."""

    builds: tuple[Build, ...] = ()
    #: Each with the build that makes its image, where it has one.
    services: tuple[tuple[Service, Build | None], ...] = ()
    commands: tuple[Command, ...] = ()
    problem: BrokenManifestError | None = None
    #: Names of images, each with the one that stands for it when it is run.
    renamed: tuple[tuple[str, str], ...] = ()


class Source(NamedTuple):
    """A file of the repository that is evidence."""

    root: Path
    #: Relative to the repository, with forward slashes.
    path: str
    text: str
    #: What its paths are relative to, when that is not its folder; absolute.
    base: str = ""

    @property
    def folder(self) -> str:
        """The folder that its paths are relative to; absolute."""
        return self.base or os.path.join(self.root, os.path.dirname(self.path))

    def place(self, key: str) -> Place:
        """Where something is said, to show."""
        return Place(self.path, key)


Reader = Callable[[Source], Findings]
