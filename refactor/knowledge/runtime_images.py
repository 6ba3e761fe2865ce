"""For a base image that builds: the one of the same release that only runs.

Sources: the tag lists of docker-library/official-images (node, python: `-slim`; golang, rust: the
Debian release their tags stand on), dotnet/dotnet-docker.
"""

from __future__ import annotations

from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.data import table
from dockerfix.patterns import pattern
from dockerfix.syntax.image_name import read_image

_OFFICIAL = "images/official"
#: Those that the slim tags of Python and Ruby name.
_SLIM_RELEASES = ("jessie", "stretch", "buster", "bullseye", "bookworm", "trixie")
_RELEASES = ("buster", "bullseye", "bookworm", "trixie")
_VERSION = pattern(r"v?(\d+)(?:\.(\d+))?(?:\.\d+)?(?:-.*)?")
_ALPINE = pattern(r"alpine(\d+\.\d+)?")
_UV_TAG = pattern(r"(?:[\d.]+-)?python(3\.\d+)-(alpine|bookworm|trixie|bullseye)(-slim)?")
_NODE_ON_DEBIAN = pattern(
    r"(?P<version>|\d+(?:\.\d+){0,2}|lts|current)-?(?:(?:buster|bullseye|bookworm|trixie)-)?slim"
)
_TEMURIN_JRE = pattern(r"(?P<version>\d[\w.]*-jre)(?:-(?:focal|jammy|noble))?")
_DOTNET_SDK = pattern(r"(mcr\.microsoft\.com/dotnet/(?:core/|nightly/)?)sdk")
_DOTNET_TAG = pattern(
    r"(\d+\.\d+)(?:\.\d+)?(-alpine[\d.]*|-jammy|-noble|-bookworm-slim|-bullseye-slim)?"
)


def slim_sibling(image: str) -> str | None:
    """The `-slim` image of the same release; the image itself where it is small; None: unknown."""
    found = read_image(image)
    family = table(_OFFICIAL, "families").get(official_name(found.repository), {})
    if "slim" not in family:
        return None
    tag = found.tag
    if "alpine" in tag or "slim" in tag:
        return image
    if "@" in image:
        return None
    if "windows" in tag or "nano" in tag or "onbuild" in tag:
        return None
    name = image.partition(":")[0]
    if tag in ("", "latest"):
        return f"{name}:slim"
    if official_name(found.repository) != "node":
        # `3.12-slim-bookworm`, where node has `20-bookworm-slim`.
        version, dash, release = tag.rpartition("-")
        if release in _SLIM_RELEASES:
            return f"{name}:{version}{dash}slim-{release}"
        if release.isalpha():
            return None
    return f"{name}:{tag}-slim"


def musl_sibling(image: str) -> str | None:
    """The Alpine image of the same version; None where there is none, or it is not known.

    Sources: the tag lists of docker-library/official-images (node, eclipse-temurin).
    """
    found = read_image(image)
    pattern_of = {"node": _NODE_ON_DEBIAN, "eclipse-temurin": _TEMURIN_JRE}
    rule = pattern_of.get(official_name(found.repository) or "")
    match = rule.fullmatch(found.tag) if rule is not None and "@" not in image else None
    if match is None:
        return None
    name = image.rpartition(":")[0]
    return f"{name}:{match['version']}-alpine" if match["version"] else f"{name}:alpine"


def image_without_shell(system: str) -> str | None:
    """The image with glibc, OpenSSL, the compiler's libraries and certificates, and no shell.

    Source: GoogleContainerTools/distroless (`cc-debian12`).
    """
    return "gcr.io/distroless/cc-debian12" if system == "debian:bookworm-slim" else None


def system_of(image: str) -> str | None:
    """The plain image of the distribution release that golang or rust stands on."""
    found = read_image(image)
    name = official_name(found.repository)
    if name not in ("golang", "rust"):
        return None
    alpine = _ALPINE.search(found.tag)
    if alpine:
        return f"alpine:{alpine[1]}" if alpine[1] else "alpine:3"
    for release in _RELEASES:
        if release in found.tag:
            return f"debian:{release}-slim"
    plain = _plain_release(found.tag, table(_OFFICIAL, "debian_release_of")[name])
    return f"debian:{plain}-slim" if plain else None


def _plain_release(tag: str, spans: list[tuple[list[int], list[int], str]]) -> str | None:
    match = _VERSION.fullmatch(tag)
    if match is None or match[2] is None:
        # The newest version: its system is the newest, and older programs run on it.
        return "trixie" if tag in ("", "latest", "1") else None
    version = [int(match[1]), int(match[2])]
    return next((release for first, last, release in spans if first <= version <= last), None)


def dotnet_runtime(image: str, is_web: bool) -> str | None:
    """The runtime image of the same version, with ASP.NET where it is needed."""
    found = read_image(image)
    match, tag = _DOTNET_SDK.fullmatch(found.repository), _DOTNET_TAG.fullmatch(found.tag)
    if match is None or tag is None or "@" in image:
        return None
    return f"{match[1]}{'aspnet' if is_web else 'runtime'}:{_without_patch(found.tag)}"


def dotnet_major(image: str) -> int | None:
    """The major version of an image of .NET's; None when the tag does not say it."""
    tag = read_image(image).tag
    return int(tag.partition(".")[0]) if tag.partition(".")[0].isdigit() else None


def _without_patch(tag: str) -> str:
    """The SDK's patch version (8.0.100) is not the runtime's (8.0.0)."""
    version, dash, system = tag.partition("-")
    return ".".join(version.split(".")[:2]) + dash + system


def uv_runtime(image: str) -> str | None:
    """The image of Python's that an image of uv's is made of; None for any other image.

    Source: docs.astral.sh/uv ("Available images").
    """
    found = read_image(image)
    match = _UV_TAG.fullmatch(found.tag)
    if found.repository != "ghcr.io/astral-sh/uv" or match is None or "@" in image:
        return None
    release = f"-{match[2]}" if match[2] else ""
    if match[2] == "alpine" or not match[3]:
        return f"python:{match[1]}{release}"
    return f"python:{match[1]}{match[3]}{release}"
