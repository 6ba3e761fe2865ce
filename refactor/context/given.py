"""What compose files, bake files, CI and scripts give to a build from outside the Dockerfile.

Read as text, for a name: finding one too many only means that something is left alone.
Sources: docs.docker.com/reference/compose-file/build (`args`, `additional_contexts`),
docs.docker.com/build/bake/reference (`args`, `contexts`), docs.docker.com/reference/cli/docker/
buildx/build (`--build-arg`, `--build-context`), github.com/docker/build-push-action.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache

from dockerfix.context.build_context import BuildContext
from dockerfix.context.usage.usage import repository_of
from dockerfix.patterns import pattern

_MAX_BYTES = 1024 * 1024
#: Files that say by their name that they build images.
_BUILDS = pattern(
    r"(?:docker-)?compose[\w.-]*\.ya?ml|[\w.-]*bake[\w.-]*\.(?:hcl|json)|skaffold\.ya?ml|"
    r"[Tt]iltfile|devcontainer\.json"
)
#: Files that may, among other things.
_MAY_BUILD = pattern(
    r"(?:GNU)?[Mm]akefile|[\w.-]+\.(?:mk|sh|bash)|[Jj]ustfile|[Tt]askfile\.ya?ml|package\.json|"
    r"Jenkinsfile[\w.-]*|\.gitlab-ci[\w.-]*\.ya?ml|\.?azure-pipelines[\w.-]*\.ya?ml|\.travis\.ya?ml|"
    r"\.drone\.ya?ml|bitbucket-pipelines\.ya?ml|cloudbuild[\w.-]*\.ya?ml|buildspec[\w.-]*\.ya?ml|"
    r"appveyor\.ya?ml|\.env[\w.-]*"
)
#: Folders of CI, all of whose YAML counts.
_CI_FOLDERS = (".github/workflows", ".circleci", ".gitlab", ".buildkite", ".azure", "ci", ".ci")
_SCRIPT_FOLDERS = ("", "scripts", "hack", "build", "docker", "deploy", "bin", "tools")
#: Words without which a file gives nothing.
_ARGUMENTS = ("build-arg", "build_arg", "buildArg", "BUILD_ARG")
_CONTEXTS = ("contexts", "build-context")


def giver_of_argument(context: BuildContext, name: str) -> str | None:
    """The file of the repository that gives a build argument; None when no file does."""
    given = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    for path, text, builds in _files(context):
        if (builds or any(word in text for word in _ARGUMENTS)) and given.search(text):
            return path
    return None


def giver_of_context(context: BuildContext, name: str) -> str | None:
    """The file of the repository that puts a build context in the place of an image name."""
    given = re.compile(rf"(?<![\w./-]){re.escape(name)}[\"']?\s*[=:]")
    for path, text, _ in _files(context):
        if any(word in text for word in _CONTEXTS) and given.search(text):
            return path
    return None


def _files(context: BuildContext) -> Iterator[tuple[str, str, bool]]:
    """Name, text, and whether it is about builds."""
    for place in _upwards(context):
        try:
            stamp = os.stat(place).st_mtime_ns
        except OSError:
            continue
        yield from _files_of(place, stamp)


@lru_cache(maxsize=64)
def _files_of(place: str, stamp: int) -> tuple[tuple[str, str, bool], ...]:
    """Those of one folder that may give something. `stamp` is when it changed, for the cache."""
    found: list[tuple[str, str, bool]] = []
    for name in _names(place):
        base = os.path.basename(name)
        builds = _BUILDS.fullmatch(base) is not None
        ci = name != base and base.endswith((".yml", ".yaml"))
        if builds or ci or _MAY_BUILD.fullmatch(base):
            text = _read(os.path.join(place, name))
            if builds or any(word in text for word in (*_ARGUMENTS, *_CONTEXTS)):
                found.append((name, text, builds))
    return tuple(found)


def _upwards(context: BuildContext) -> list[str]:
    """The context's folder, and those above it up to the repository's."""
    root = repository_of(context)
    places = [os.path.realpath(context.root)]
    while places[-1] != root and os.path.dirname(places[-1]) != places[-1]:
        places.append(os.path.dirname(places[-1]))
    return places if places[-1] == root else places[:1]


def _names(place: str) -> list[str]:
    found: list[str] = []
    for folder in (*_SCRIPT_FOLDERS, *_CI_FOLDERS):
        try:
            names = sorted(os.listdir(os.path.join(place, folder)))
        except OSError:
            continue
        found += [f"{folder}/{name}" if folder else name for name in names]
    return found


def _read(path: str) -> str:
    try:
        if os.path.getsize(path) > _MAX_BYTES or not os.path.isfile(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
