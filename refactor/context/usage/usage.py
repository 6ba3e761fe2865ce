"""What the whole repository says about one image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Build, Command, Findings, Service
from dockerfix.context.usage.paths import image_name

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext


class Usage(NamedTuple):
    """How an image is built and run."""

    builds: tuple[Build, ...] = ()
    #: Containers that run it.
    services: tuple[Service, ...] = ()
    #: What is run beside the entry.
    commands: tuple[Command, ...] = ()
    #: Files that their own tools would refuse.
    problems: tuple[BrokenManifestError, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The stages that are built by name."""
        return tuple(dict.fromkeys(build.target for build in self.builds if build.target))


def built_services(context: BuildContext | None) -> Iterator[Service]:
    """The services of compose files that build the image of a context's Dockerfile."""
    if context is not None:
        yield from (s for s in usage_of(context).services if s.kind == "compose")


def usage_of(context: BuildContext | None) -> Usage:
    """What the repository around a context says about its image."""
    if context is None:
        return Usage()
    root = os.path.realpath(context.root)
    return _usage(repository_of(context), root, os.path.join(root, context.dockerfile))


def repository_of(context: BuildContext) -> str:
    """The folder of the repository; the context itself when it is in none."""
    root = os.path.realpath(context.repository or context.root)
    if context.repository is not None:
        return root
    folder = root
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return root
        folder = parent
    return folder


def all_findings(repository: str) -> tuple[Findings, ...]:
    """What the files of a repository say, read once."""
    from dockerfix.context.usage.repository import read_repository

    try:
        stamp = os.stat(repository).st_mtime_ns
    except OSError:
        return ()
    return read_repository(repository, stamp)


def _usage(repository: str, root: str, dockerfile: str) -> Usage:
    findings = all_findings(repository)
    return _select(findings, root, os.path.normpath(dockerfile), os.path.basename(repository))


@lru_cache(maxsize=64)
def _select(findings: tuple[Findings, ...], root: str, dockerfile: str, repository: str) -> Usage:
    builds = [b for found in findings for b in found.builds if _is_ours(b, root, dockerfile)]
    names = {name for build in builds for name in build.images if "$" not in name}
    names |= {os.path.basename(root)} | ({repository} if len(_dockerfiles(findings)) < 2 else set())
    services: list[Service] = []
    built = {
        (os.path.dirname(service.file), service.name)
        for found in findings
        for service, build in found.services
        if build is not None and _is_ours(build, root, dockerfile)
    }
    for found in findings:
        for service, build in found.services:
            if build is not None:
                is_ours = _is_ours(build, root, dockerfile)
            elif service.kind == "compose" and not service.image:
                # Another compose file of the folder goes on where the first one builds it.
                is_ours = (os.path.dirname(service.file), service.name) in built
            else:
                is_ours = _is_named(service.image, names)
            services += [service] if is_ours else []
    places = {(service.file, service.name) for service in services}
    return Usage(
        tuple(builds),
        tuple(services),
        tuple(c for found in findings for c in found.commands if _concerns(c, places)),
        tuple(found.problem for found in findings if found.problem is not None),
    )


def _is_ours(build: Build, root: str, dockerfile: str) -> bool:
    if build.context is None or os.path.realpath(build.context) != root:
        return False
    named = build.dockerfile
    return named is not None and os.path.realpath(named) == os.path.realpath(dockerfile)


def _is_named(image: str, names: set[str]) -> bool:
    name = image_name(image)
    return (
        bool(name)
        and "$" not in name
        and any(
            name == own or name.endswith(f"/{own}") or own.endswith(f"/{name}") for own in names
        )
    )


def _dockerfiles(findings: tuple[Findings, ...]) -> set[str]:
    return {b.dockerfile for found in findings for b in found.builds if b.dockerfile}


def _concerns(command: Command, places: set[tuple[str, str]]) -> bool:
    """Whether a command is run in a container of this image: cron and Procfiles may."""
    key = command.place.key.split(".")
    return key[0] != "services" or (command.place.file, key[1]) in places
