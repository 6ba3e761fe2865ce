"""The words of one `docker build`, `docker run` or kaniko call.

Sources: docs.docker.com/reference/cli/docker (buildx build, container run),
github.com/GoogleContainerTools/kaniko ("Additional Flags").
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator
from itertools import pairwise

from dockerfix.context.manifests.reading import Place
from dockerfix.context.usage.facts import Build, Service, Source
from dockerfix.context.usage.paths import image_name, image_names, resolve
from dockerfix.patterns import pattern

_CONTINUED = pattern(r"\\\r?\n\s*")
#: Options of `docker build` that have a value of their own.
_BUILD_VALUES = frozenset(
    (
        *("-f", "--file", "-t", "--tag", "--target", "--build-arg", "--platform", "--cache-from"),
        *("--cache-to", "--label", "--network", "--output", "-o", "--progress", "--secret"),
        *("--ssh", "--iidfile", "--builder", "--add-host", "--shm-size", "--memory", "-m"),
        *("--build-context", "--metadata-file", "--attest", "--provenance", "--sbom", "--format"),
    )
)
#: Options of `docker run` that have none.
_RUN_FLAGS = frozenset(
    (
        *("--rm", "-d", "--detach", "-i", "-t", "-it", "-ti", "--interactive", "--tty", "--init"),
        *("--privileged", "--read-only", "-P", "--publish-all", "-dit", "-itd", "-id", "-td"),
        *("--no-healthcheck", "--oom-kill-disable", "--sig-proxy", "-dt", "-di"),
    )
)


def read_build(source: Source, place: Place, text: str, folders: tuple[str, ...]) -> Build | None:
    """What a `docker build` builds that is run in one of some folders; None for no context."""
    file, target, folder = "", "", ""
    images: list[str] = []
    for name, value in _options(_words(text), _BUILD_VALUES, frozenset()):
        match name:
            case "-f" | "--file":
                file = value
            case "--target":
                target = value
            case "-t" | "--tag":
                images += [image_name(value)] if "$" not in value.rpartition("/")[2] else []
            case "":
                folder = folder or value
    if not folder or folder == "-" or file == "-" or "://" in folder:
        return None
    context, named = _where(source, folder, file, folders)
    return Build(place, context, named, "" if "$" in target else target, tuple(images))


def _where(
    source: Source, folder: str, file: str, folders: tuple[str, ...]
) -> tuple[str | None, str | None]:
    """Context and Dockerfile: of the folders, the first in which both are there."""
    found: list[tuple[str | None, str | None]] = []
    for base in folders:
        context = resolve(source, folder, base)
        named = resolve(source, file, base) if file else _default(context)
        if named is not None and os.path.isfile(named):
            return context, named
        found.append((context, named))
    there = (pair for pair in found if pair[0] is not None and os.path.isdir(pair[0]))
    return next(there, found[0] if found else (None, None))


def _default(context: str | None) -> str | None:
    if context is None:
        return None
    names = (posixpath.join(context, name) for name in ("Dockerfile", "Containerfile"))
    return next((path for path in names if os.path.isfile(path)), f"{context}/Dockerfile")


def read_executor(
    source: Source, place: Place, text: str, folders: tuple[str, ...]
) -> Build | None:
    """What kaniko builds; None where its context is not the repository's."""
    given = {**dict(map(_pair, _words(text))), **_following(_words(text))}
    folder = given.get("--context") or given.get("-c") or "."
    folder = folder.removeprefix("dir://")
    file = given.get("--dockerfile") or given.get("-f") or "Dockerfile"
    base = folders[0] if folders else str(source.root)
    context = resolve(source, folder, base) if "://" not in folder else None
    inside = resolve(source, file, context) if context else None
    beside = resolve(source, file, base) if context else None
    named = inside if inside is None or os.path.isfile(inside) else beside
    target = given.get("--target", "")
    destination = given.get("--destination") or given.get("-d") or ""
    return Build(
        place,
        context,
        named if named is not None and os.path.isfile(named) else inside,
        "" if "$" in target else target,
        image_names(destination),
    )


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _following(words: list[str]) -> dict[str, str]:
    """Options with their values as words of their own."""
    return {
        word: following
        for word, following in pairwise(words)
        if word.startswith("-") and "=" not in word and not following.startswith("-")
    }


def read_run(source: Source, place: Place, text: str) -> Service | None:
    """The container that a `docker run` starts; None where no image is named."""
    mounts: list[tuple[str, str]] = []
    ports: list[int] = []
    user = image = entrypoint = privilege = ""
    read_only = False
    rest: list[str] = []
    for name, value in _options(_words(text), frozenset(), _RUN_FLAGS):
        match name:
            case "-v" | "--volume":
                host, colon, inner = value.partition(":")
                path = (inner if colon else host).partition(":")[0]
                mounts.append((host if colon else "", posixpath.normpath(path)))
            case "--mount":
                mounts += _mount(value)
            case "-p" | "--publish":
                last = value.rpartition(":")[2].partition("/")[0]
                ports += [int(last)] if last.isdigit() else []
            case "-u" | "--user":
                user = value
            case "--entrypoint":
                entrypoint = value
            case "--read-only":
                read_only = True
            case "--privileged" | "--cap-add" | "--device":
                privilege = f"{name} {value}".strip()
            case "":
                image, rest = (image, [*rest, value]) if image else (value, rest)
    if not image:
        return None
    return Service(
        place.file,
        place.key,
        " ".join((entrypoint, *rest)).strip(),
        tuple(mounts),
        tuple(ports),
        user,
        privilege=privilege,
        image=image,
        kind="run",
        read_only=read_only,
    )


def _mount(value: str) -> Iterator[tuple[str, str]]:
    options = dict(_pair(part) for part in value.split(","))
    target = next((options[k] for k in ("target", "dst", "destination") if k in options), "")
    if target and options.get("type", "volume") != "tmpfs":
        yield (options.get("source") or options.get("src") or "", posixpath.normpath(target))


def _words(text: str) -> list[str]:
    plain = _CONTINUED.sub(" ", text).replace("\\\n", " ").replace("$(", "${").replace(")", "}")
    try:
        return shlex.split(plain)
    except ValueError:
        return plain.split()


def _options(
    words: list[str], valued: frozenset[str], flags: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Name and value of each option; "" for what is none. After that, nothing is an option of run.

    `valued` are the options with a value; where it is empty, all are but `flags`.
    """
    waiting = iter(words)
    plain = False
    for word in waiting:
        if plain or not word.startswith("-") or word == "-":
            plain = plain or bool(flags)
            yield "", word
            continue
        name, equals, value = word.partition("=")
        takes = name in valued if valued else name not in flags
        yield name, value if equals or not takes else next(waiting, "")
