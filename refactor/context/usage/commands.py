"""`docker build` and `docker run` in scripts, Makefiles and CI; Procfiles and crontabs.

Sources: docs.docker.com/reference/cli/docker (buildx build, container run), crontab(5),
devcenter.heroku.com/articles/procfile.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator

from dockerfix.context.manifests.reading import Place
from dockerfix.context.usage.facts import Build, Command, Findings, Service, Source
from dockerfix.context.usage.paths import image_name, resolve
from dockerfix.patterns import pattern

#: A program that builds or runs, up to the end of the command.
_CALL = pattern(
    r"\b(docker|podman|nerdctl|buildah)\s+(?:image\s+|container\s+|--\S+\s+)*"
    r"(build|bud|buildx\s+build|run)\b((?:\\\r?\n|[^\n;&|#)`])*)"
)
_CONTINUED = pattern(r"\\\r?\n\s*")
_TARGET = pattern(r"--target(?:=|\s+)(\S+)")
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
_PROCFILE_LINE = pattern(r"^([\w-]+):\s+(\S.*)$", 8)
_CRON_LINE = pattern(r"^\s*(?:@\w+|(?:[\d*/,-]+\s+){5})\s*(\S.*)$", 8)


def read_script(source: Source) -> Findings:
    """The `docker build` and `docker run` commands of any text."""
    builds: list[Build] = []
    services: list[tuple[Service, Build | None]] = []
    text = source.text.replace('"', "\n") if source.path.endswith(".json") else source.text
    for match in _CALL.finditer(text):
        words = _words(match[3])
        line = source.text.count("\n", 0, match.start()) + 1
        place = Place(source.path, f"line {line}")
        if match[2] == "run":
            service = _run(source, place, words)
            services += [(service, None)] if service is not None else []
        else:
            build = _build(source, place, words)
            builds += [build] if build is not None else []
    return Findings(tuple(builds), tuple(services))


def read_procfile(source: Source) -> Findings:
    """The processes of a Procfile."""
    found = _PROCFILE_LINE.finditer(source.text)
    return Findings(commands=tuple(Command(Place(source.path, m[1]), m[2]) for m in found))


def read_crontab(source: Source) -> Findings:
    """The commands of a crontab."""
    found = _CRON_LINE.finditer(source.text)
    return Findings(commands=tuple(Command(Place(source.path, "cron"), m[1]) for m in found))


def _words(text: str) -> list[str]:
    plain = _CONTINUED.sub(" ", text).replace("\\\n", " ").replace("$(", "${").replace(")", "}")
    try:
        return shlex.split(plain)
    except ValueError:
        return plain.split()


def _build(source: Source, place: Place, words: list[str]) -> Build | None:
    file, target, folder = "", "", ""
    images: list[str] = []
    for name, value in _options(words, _BUILD_VALUES, frozenset()):
        match name:
            case "-f" | "--file":
                file = value
            case "--target":
                target = value
            case "-t" | "--tag":
                images += [image_name(value)] if "$" not in value.rpartition("/")[2] else []
            case "":
                folder = folder or value
    if not folder or folder == "-" or "://" in folder:
        return None
    context = _from_root(source, folder)
    default = posixpath.join(context, "Dockerfile") if context else None
    named = _from_root(source, file) if file else default
    return Build(place, context, named, target, tuple(images))


def _from_root(source: Source, path: str) -> str | None:
    """Scripts are run from their folder or from the repository: the one where the path is."""
    near, far = resolve(source, path), resolve(source, path, str(source.root))
    if near is None or far is None or near == far:
        return near
    return far if os.path.exists(far) and not os.path.exists(near) else near


def _run(source: Source, place: Place, words: list[str]) -> Service | None:
    mounts: list[tuple[str, str]] = []
    ports: list[int] = []
    user = image = entrypoint = privilege = ""
    rest: list[str] = []
    for name, value in _options(words, frozenset(), _RUN_FLAGS):
        match name:
            case "-v" | "--volume":
                host, colon, inner = value.partition(":")
                path = (inner if colon else host).partition(":")[0]
                mounts.append((host if colon else "", posixpath.normpath(path)))
            case "-p" | "--publish":
                last = value.rpartition(":")[2].partition("/")[0]
                ports += [int(last)] if last.isdigit() else []
            case "-u" | "--user":
                user = value
            case "--entrypoint":
                entrypoint = value
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
    )


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
