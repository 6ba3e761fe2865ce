"""What reads a file of the repository: told by its name, loaded when there is such a file."""

from __future__ import annotations

import posixpath
import re
from importlib import import_module
from typing import NamedTuple

from dockerfix.context.usage.facts import Reader
from dockerfix.patterns import pattern

_COMPOSE = pattern(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml|[\w-]+\.compose\.ya?ml")
_SKAFFOLD = pattern(r"skaffold[\w.-]*\.ya?ml")
_APP = pattern(r"app\.ya?ml|deploy\.template\.ya?ml")
_SCRIPT = pattern(
    r"(?:gnu)?makefile|[\w.-]+\.(?:sh|mk|bash)|\.?justfile|package\.json|readme\.md|taskfile"
)
_CI = pattern(
    r"\.gitlab-ci[\w.-]*|\.travis|\.?azure-pipelines?[\w.-]*|bitbucket-pipelines|cloudbuild[\w.-]*"
    r"|buildspec[\w.-]*|\.drone|\.woodpecker|\.cirrus|\.?appveyor|\.vela"
)
#: Folders whose YAML is CI.
_CI_FOLDERS = pattern(
    r"(?:^|/)(?:\.(?:github|gitea|forgejo)/(?:workflows|actions)|\.circleci|\.gitlab|\.buildkite"
    r"|\.woodpecker|\.drone|\.azure(?:-pipelines|devops)?|\.semaphore|\.ci)(?:/|$)"
)
_BY_NAME = {
    "procfile": "lines.read_procfile",
    "render.yaml": "platforms.read_render",
    "render.yml": "platforms.read_render",
    "heroku.yml": "platforms.read_heroku",
    "railway.json": "platforms.read_railway",
    "railway.toml": "platforms.read_railway",
    "captain-definition": "platforms.read_captain",
    "dockerrun.aws.json": "platforms.read_beanstalk",
    "devcontainer.json": "devcontainer.read_devcontainer",
    ".devcontainer.json": "devcontainer.read_devcontainer",
    "kustomization.yaml": "kustomize.read_kustomization",
    "kustomization.yml": "kustomize.read_kustomization",
    "tiltfile": "tilt.read_tiltfile",
}
_BY_PATTERN: tuple[tuple[re.Pattern[str], str], ...] = (
    (pattern(r"docker-bake[\w.-]*\.(?:hcl|json)"), "bake.read_bake"),
    (pattern(r"fly(?:\.[\w-]+)*\.toml"), "platforms.read_fly"),
    (pattern(r"[\w.-]*task[_.-]?def(?:inition)?s?[\w.-]*\.json"), "ecs.read_task_definition"),
    (pattern(r"[\w.-]+\.nomad(?:\.hcl)?"), "nomad.read_nomad"),
    (pattern(r"jenkinsfile[\w.-]*|[\w.-]+\.jenkinsfile"), "jenkins.read_jenkinsfile"),
    (pattern(r"crontab(?:\.\w+)?|[\w-]+\.cron|cronjobs?"), "lines.read_crontab"),
)
#: One of these is in every name that a pattern fits.
_HINTS = ("bake", "fly", "task", ".nomad", "jenkins", "cron")
_SCRIPTS, _MANIFESTS = "scripts.read_script", "kubernetes.read_kubernetes"
_DOCKER = ("docker ", "podman ", "buildah ", "nerdctl ", "img ", "kaniko")
#: A manifest without one of these says nothing about a container.
_CONTAINERS = pattern(r"^\s*(?:-\s+)?(?:(?:init)?[cC]ontainers|[sS]ecurityContext)\s*:", 8)


class FileKind(NamedTuple):
    """What a file is, as far as its name says it."""

    #: Module and function of its reader.
    reader: str
    #: Whether the name alone says so; of others, only so many are read.
    is_named: bool = True

    def load(self) -> Reader:
        """The reader."""
        module, _, name = self.reader.partition(".")
        found: Reader = getattr(import_module(f"dockerfix.context.usage.{module}"), name)
        return found

    @property
    def is_script(self) -> bool:
        """Whether its lines are commands that people or CI run."""
        return self.reader in (_SCRIPTS, "ci.read_ci", "jenkins.read_jenkinsfile")

    def is_worth_reading(self, text: str) -> bool:
        """Whether a text can hold a fact."""
        if self.reader == _SCRIPTS:
            return any(word in text for word in _DOCKER)
        return self.reader != _MANIFESTS or bool(_CONTAINERS.search(text))

    def can_be_broken(self, path: str) -> bool:
        """Whether what cannot be read is broken, rather than in words that are not known."""
        bake = self.reader == "bake.read_bake" and path.endswith(".json")
        return bake or self.reader == "compose.read_compose"


def kind_of(path: str) -> FileKind | None:
    """What a file of the repository is; None for one that says nothing about images."""
    folder, _, name = path.rpartition("/")
    lower = name.lower()
    if lower in _BY_NAME:
        return FileKind(_BY_NAME[lower])
    if lower.endswith((".yml", ".yaml")):
        return _kind_of_yaml(folder, lower)
    if any(hint in lower for hint in _HINTS):
        for regex, reader in _BY_PATTERN:
            if regex.fullmatch(lower):
                return FileKind(reader)
    return FileKind(_SCRIPTS, is_named=False) if _SCRIPT.fullmatch(lower) else None


def is_compose(name: str) -> bool:
    """Whether the name of a file is one of a compose file."""
    return _COMPOSE.fullmatch(name.lower()) is not None


def _kind_of_yaml(folder: str, name: str) -> FileKind:
    if _COMPOSE.fullmatch(name):
        return FileKind("compose.read_compose")
    if _SKAFFOLD.fullmatch(name):
        return FileKind("skaffold.read_skaffold")
    if _CI_FOLDERS.search(folder) or name.startswith("action."):
        return FileKind("ci.read_ci")
    if _CI.fullmatch(posixpath.splitext(name)[0]) or name.startswith("taskfile"):
        return FileKind("ci.read_ci", is_named=False)
    if _APP.fullmatch(name):
        return FileKind("platforms.read_app_spec", is_named=False)
    return FileKind(_MANIFESTS, is_named=False)
