"""Which folder is the repository: there, and nowhere above, files are evidence.

With git that is said. A tree that was unpacked has no `.git`: then files say it that belong to the
root of a repository, or that name the way to the folder that one is in.
"""

from __future__ import annotations

import os
import re
import tempfile
from functools import lru_cache

from dockerfix.patterns import pattern

#: More folders above than these are not looked at.
MAX_PARENTS = 6
_MAX_BYTES = 300_000
#: What lies at the root of a repository only.
_AT_ROOT = (
    *(".hg", ".jj", ".github/workflows", ".gitlab-ci.yml", ".circleci/config.yml", ".woodpecker"),
    *(".travis.yml", ".drone.yml", "bitbucket-pipelines.yml", ".buildkite", ".gitea/workflows"),
)
#: Files that tell of folders below: what is built, what is a part of a workspace.
_TELLS = pattern(
    r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml|docker-bake[\w.-]*\.(?:hcl|json)|skaffold\.ya?ml"
    r"|tiltfile|makefile|gnumakefile|justfile|taskfile\.ya?ml|jenkinsfile|cloudbuild\.ya?ml"
    r"|buildspec\.ya?ml|azure-pipelines\.ya?ml|render\.ya?ml|heroku\.yml|pnpm-workspace\.yaml"
    r"|package\.json|lerna\.json|nx\.json|rush\.json|workspace\.json|go\.work|cargo\.toml"
    r"|pyproject\.toml|pom\.xml|settings\.gradle(?:\.kts)?|[\w.-]+\.slnx?|melos\.yaml|build\.sh"
)


def repository_root(folder: str, around: str = "") -> str:
    """The repository that a folder is part of, both as absolute paths.

    That is the nearest folder upwards with `.git`. Without one it is the furthest of at most six
    folders above that is one by its files: it holds what lies at the root of repositories alone
    (`.github/workflows`, `.gitlab-ci.yml`, `.hg`), or a file of compose, of a workspace or of a
    build that names the way down. Someone's home, what is above it, the folder for temporary files
    and folders of another owner are never one. Else it is `around` (what the user named), if the
    folder lies in it, and at last the folder itself.
    """
    folder = os.path.realpath(folder)
    near = tuple(map(_changed, _upwards(folder)[: MAX_PARENTS + 2]))
    return _root(folder, os.path.realpath(around) if around else "", near)


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _root(folder: str, around: str, near: tuple[int, ...]) -> str:
    """The same; `near` is when the folders changed, for the cache."""
    git = next((place for place in _upwards(folder) if _has(place, ".git")), None)
    if git is not None:
        return git
    start = around if around and is_inside(folder, around) else folder
    found = start
    for above in _upwards(start)[1 : MAX_PARENTS + 1]:
        if not _may_be_one(above, start):
            break
        if any(_has(above, name) for name in _AT_ROOT) or _tells_of(above, start):
            found = above
    return found


def is_inside(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies in it; both absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _upwards(folder: str) -> list[str]:
    places = [folder]
    while os.path.dirname(places[-1]) != places[-1]:
        places.append(os.path.dirname(places[-1]))
    return places


def _has(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name))


def _may_be_one(folder: str, start: str) -> bool:
    home = os.path.realpath(os.path.expanduser("~"))
    if is_inside(home, folder) or is_inside(os.path.realpath(tempfile.gettempdir()), folder):
        return False
    try:
        return os.stat(folder).st_uid == os.stat(start).st_uid
    except OSError:
        return False


def _tells_of(folder: str, start: str) -> bool:
    """Whether a file of a folder names the first step of the way down, as a path or a pattern."""
    step = os.path.relpath(start, folder).split(os.sep)[0]
    # What a colon follows is a key, such as `services:`.
    names_it = re.compile(rf"(?<![\w.-])(?:{re.escape(step)}(?![\w.-]|[\"']?\s*:)|\*/)")
    try:
        names = [name for name in os.listdir(folder) if _TELLS.fullmatch(name.lower())]
    except OSError:
        return False
    return any(names_it.search(_read(os.path.join(folder, name))) for name in sorted(names))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""
