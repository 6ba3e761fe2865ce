"""What the whole repository says about one image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError, Place
from dockerfix.context.repository_root import repository_root
from dockerfix.context.usage.facts import Build, Command, Findings, Service
from dockerfix.context.usage.paths import image_name
from dockerfix.knowledge.base_images import is_official

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext


class Usage(NamedTuple):
    """How an image is built and run."""

    builds: tuple[Build, ...] = ()
    #: Containers that run it.
    services: tuple[Service, ...] = ()
    #: What is run beside the entry.
    commands: tuple[Command, ...] = ()
    #: Paths at which a service mounts the whole context into an image that some unknown build
    #: made; each with where that is said.
    mounted: tuple[tuple[str, str], ...] = ()
    #: Files that their own tools would refuse.
    problems: tuple[BrokenManifestError, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The stages that are built by name."""
        return tuple(dict.fromkeys(build.target for build in self.builds if build.target))

    def development_of(self, stage: str | None) -> Place | None:
        """Who makes a container to work in of a stage, or of the last one; None for nobody."""
        return next(
            (b.place for b in self.builds if b.is_development and b.target in ("", stage)), None
        )


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
    if context.repository is not None:
        return os.path.realpath(context.repository)
    return repository_root(os.path.realpath(context.root))


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
    return _select(findings, root, os.path.normpath(dockerfile), repository)


@lru_cache(maxsize=64)
def _select(findings: tuple[Findings, ...], root: str, dockerfile: str, repository: str) -> Usage:
    builds = [b for found in findings for b in found.builds if _is_ours(b, root, dockerfile)]
    ours = _Ours(
        root, dockerfile, _image_names(findings, builds, root, os.path.basename(repository)), {}
    )
    services = [pair for found in findings for pair in found.services]
    # What amends a service of another file is looked at when all those are known.
    first = [pair for pair in services if ours.runs(*pair)]
    ours.known.update((key, True) for service, _ in first for key in _keys(service))
    chosen = tuple(
        service
        for service, build in services
        if ours.runs(service, build) or (build is None and ours.amends(service))
    )
    places = {(service.file, service.name) for service in chosen}
    return Usage(
        tuple(dict.fromkeys(builds)),
        chosen,
        tuple(c for found in findings for c in found.commands if _concerns(c, places)),
        tuple(_mounted(findings, root, repository)),
        tuple(found.problem for found in findings if found.problem is not None),
    )


class _Ours(NamedTuple):
    """Which containers run the image of a Dockerfile."""

    root: str
    dockerfile: str
    names: frozenset[str]
    #: Services and workloads that are known to run it.
    known: dict[tuple[str, ...], bool]

    def runs(self, service: Service, build: Build | None) -> bool:
        """Whether a container is said to run it: by its build, or by the image's name."""
        if build is not None:
            return _is_ours(build, self.root, self.dockerfile)
        return bool(service.image) and _is_named(service.image, self.names)

    def amends(self, service: Service) -> bool:
        """Whether a file goes on about a container that another one describes."""
        return not service.image and any(key in self.known for key in _keys(service, alone=True))


def _keys(service: Service, *, alone: bool = False) -> Iterator[tuple[str, ...]]:
    """What a container is called, for files that say more about it.

    `alone`: as one that amends says it; its container may have no name, and then all are meant.
    """
    if service.kind == "compose":
        yield (os.path.dirname(service.file), service.name)
    elif service.kind == "kubernetes" and service.workload:
        if not alone or service.name:
            yield (service.workload, service.name.partition(" ")[0])
        if not alone or not service.name:
            yield (service.workload,)


def _image_names(
    findings: tuple[Findings, ...], builds: list[Build], root: str, repository: str
) -> frozenset[str]:
    """The names that the image goes by."""
    names = {name for build in builds for name in build.images if "$" not in name}
    names |= {os.path.basename(root)} | ({repository} if len(_dockerfiles(findings)) < 2 else set())
    renamed = [pair for found in findings for pair in found.renamed]
    names |= {image_name(old) for old, new in renamed if _is_named(new, frozenset(names))}
    return frozenset(names)


def _mounted(
    findings: tuple[Findings, ...], root: str, repository: str
) -> Iterator[tuple[str, str]]:
    for service, build in (pair for found in findings for pair in found.services):
        if build is not None or not service.image or is_official(service.image):
            continue
        folder = os.path.join(repository, os.path.dirname(service.file))
        for host, path in service.mounts:
            if host and os.path.normpath(os.path.join(folder, host)) == root:
                yield path, f"{service.file}: {service.name}"


def _is_ours(build: Build, root: str, dockerfile: str) -> bool:
    if build.context is None or os.path.realpath(build.context) != root:
        return False
    named = build.dockerfile
    return named is not None and os.path.realpath(named) == os.path.realpath(dockerfile)


def _is_named(image: str, names: frozenset[str]) -> bool:
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
    return not command.service or (command.place.file, command.service) in places
