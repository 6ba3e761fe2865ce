"""What is known of the base images that most files stand on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dockerfix.knowledge.data import names, table
from dockerfix.patterns import pattern
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Dockerfile

#: Where Docker's official images are served from: Docker Hub under its names, and its mirrors at
#: Amazon (gallery.ecr.aws/docker) and Google (cloud.google.com/artifact-registry, "cached images").
_HUBS = pattern(
    r"(?:(?:docker\.io|index\.docker\.io|registry-1\.docker\.io|mirror\.gcr\.io)/)?"
    r"(?:library/|(?:amd64|arm32v[567]|arm64v8|i386|ppc64le|s390x|riscv64)/)?([a-z0-9-]+)"
    r"|public\.ecr\.aws/docker/library/([a-z0-9-]+)"
)

#: Images of other publishers whose entrypoint runs any command.
#: Sources: dotnet/dotnet-docker (src/*/Dockerfile), microsoft/openjdk-docker, adoptium,
#: ContinuumIO/docker-images and conda-forge/miniforge-images (`tini --` or none),
#: NVIDIA's nvidia_entrypoint.sh (a banner, then `exec "$@"`), oven-sh/bun (as node's does; what
#: is no program is handed to bun), astral-sh/uv (its Debian
#: and Alpine images), rust-cross; phusion/passenger is left out (an init).
_PLAIN_OTHERS = pattern(
    r"mcr\.microsoft\.com/dotnet/(?:nightly/)?(?:sdk|aspnet|runtime|runtime-deps|monitor-base)"
    r"|mcr\.microsoft\.com/dotnet/core/(?:sdk|aspnet|runtime|runtime-deps)"
    r"|mcr\.microsoft\.com/(?:openjdk/jdk|playwright(?:/python|/java|/dotnet)?)"
    r"|(?:docker\.io/)?(?:adoptopenjdk/openjdk(?:8|11|16)|azul/zulu-openjdk(?:-alpine|-debian)?)"
    r"|(?:docker\.io/)?(?:continuumio/(?:mini|ana)conda3?|condaforge/mini(?:forge|mamba)3?)"
    r"|(?:docker\.io/|nvcr\.io/)?nvidia/cuda"
    r"|quay\.io/centos/centos|registry\.fedoraproject\.org/fedora"
    r"|(?:docker\.io/)?oven/bun"
)


#: They set no WORKDIR (dotnet/dotnet-docker, src/sdk).
_DOTNET = pattern(r"mcr\.microsoft\.com/dotnet/(?:nightly/|core/)?sdk|microsoft/dotnet")


def official_name(repository: str) -> str | None:
    """The name of a Docker official image; None for any other image."""
    match = _HUBS.fullmatch(repository)
    return (match[1] or match[2]) if match else None


def is_official(image: str) -> bool:
    """Whether an image is one of Docker's official images that are known here."""
    return official_name(read_image(image).repository) in table("images/official", "families")


def runs_arguments(repository: str) -> bool:
    """Whether the image's entrypoint runs any command it is given, as `sh -c` would."""
    name = official_name(repository)
    if name is not None:
        family = table("images/official", "families").get(name, {})
        return "runs_arguments" in family
    return bool(_PLAIN_OTHERS.fullmatch(repository))


def is_workplace(image: str) -> bool:
    """Whether an image is one to work, test or build in, and not to serve from."""
    name = read_image(image).repository.removeprefix("docker.io/")
    return begins_with_any(name, names("images/workplaces", "workplaces"))


def begins_with_any(name: str, known: Iterable[str]) -> bool:
    """Whether a repository is among the known ones; one that ends in /, - or _ is a beginning."""
    return any(name == k or (k.endswith(("/", "-", "_")) and name.startswith(k)) for k in known)


def image_workdir(repository: str) -> str | None:
    """The directory in which an image leaves its users; None when it is not known."""
    if _DOTNET.fullmatch(repository):
        return "/"
    others = table("images/official", "workdirs_of_others")
    found = _family(repository).get("workdir") or others.get(repository.removeprefix("docker.io/"))
    return str(found) if found else None


def image_variables(repository: str) -> dict[str, str]:
    """What an official image's ENV sets, as far as paths are written with it."""
    return dict(_family(repository).get("variables", {}))


def _family(repository: str) -> dict[str, Any]:
    name = official_name(repository)
    family: dict[str, Any] = table("images/official", "families").get(name, {}) if name else {}
    return family


def base_repository(dockerfile: Dockerfile, stage: Stage) -> str | None:
    """The repository of the image a stage stands on, at the root of its parents.

    None when a build argument decides it: its default is not what everybody builds with.
    """
    parent = dockerfile.parent(stage)
    while parent is not None:
        stage, parent = parent, dockerfile.parent(parent)
    repository = read_image(stage.base).repository
    return None if "$" in repository else repository
