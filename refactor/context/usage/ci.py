"""CI: what builds an image, in the words of each system.

Sources: docs.github.com/actions (workflow syntax, matrix), docs.gitlab.com/ee/ci/yaml,
learn.microsoft.com/azure/devops/pipelines (Docker@2), circleci.com/docs/configuration-reference,
docs.aws.amazon.com/codebuild (buildspec), cloud.google.com/build/docs (cloudbuild.yaml),
docs.drone.io, woodpecker-ci.org/docs, support.atlassian.com/bitbucket-cloud, docs.travis-ci.com.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError, Place
from dockerfix.context.usage.ci_variables import jobs_of
from dockerfix.context.usage.facts import Build, Findings, Service, Source
from dockerfix.context.usage.paths import image_names, resolve
from dockerfix.context.usage.scripts import Shell, commands_of, plain
from dockerfix.context.yaml_files import entries, load_yaml, mapping, scalar
from dockerfix.knowledge.data import table
from dockerfix.patterns import pattern

#: Words without which a file builds nothing.
_WORTH = pattern(
    r"\b(?:docker|podman|buildah|nerdctl|img)\s|kaniko|docker|buildah|Dockerfile|build-push", 2
)
#: Keys whose texts are commands.
_SCRIPTS = frozenset(
    (
        *("script", "before_script", "after_script", "commands", "command", "run", "bash", "sh"),
        *(
            "pwsh",
            "powershell",
            "cmds",
            "cmd",
            "install",
            "before_install",
            "deploy",
            "after_success",
        ),
        *("inlineScript", "entrypoint", "before_deploy"),
    )
)
_FOLDERS = ("working-directory", "working_directory", "workingDirectory", "dir")
_DEFAULT_CONTEXT = pattern(r"\{\{\s*defaultContext\s*\}\}:?")
_MAX_PARTS = 20_000


def read_ci(source: Source) -> Findings:
    """The builds and containers of a CI file; what is no YAML is read as text."""
    if not _WORTH.search(source.text):
        return Findings()
    root = str(source.root)
    try:
        documents = load_yaml(source.path, source.text)
    except BrokenManifestError:
        found = list(commands_of(source, source.text, Shell((root,))))
        return _findings(found)
    inside = source._replace(base=root)
    return _findings(
        [
            entry
            for document in documents
            for job in jobs_of(document)
            for entry in _Reader(inside, set()).read(job, "", root)
        ]
    )


def _findings(found: list[Build | Service]) -> Findings:
    unique = dict.fromkeys(found)
    return Findings(
        tuple(entry for entry in unique if isinstance(entry, Build)),
        tuple((entry, None) for entry in unique if isinstance(entry, Service)),
    )


class _Reader(NamedTuple):
    """Goes through the parts of a file, each once however many aliases there are."""

    source: Source
    seen: set[tuple[int, str | None]]

    def read(self, node: object, key: str, folder: str | None) -> Iterator[Build | Service]:
        """What a part builds and runs; `folder` is where its commands are run, None: unknown."""
        if not isinstance(node, dict | list) or (id(node), folder) in self.seen:
            return
        self.seen.add((id(node), folder))
        if isinstance(node, list):
            for entry in node:
                yield from self.read(entry, key, folder)
        elif len(self.seen) < _MAX_PARTS:
            yield from self._of_table(mapping(node), key, folder)

    def _of_table(
        self, data: Mapping[str, Any], key: str, folder: str | None
    ) -> Iterator[Build | Service]:
        folder = _folder(self.source, data, folder)
        yield from _step(self.source, data, key)
        for name, value in data.items():
            inner = f"{key}.{name}" if key else str(name)
            if name in _SCRIPTS and (text := _script(value)):
                place = self.source.place(inner)
                yield from commands_of(self.source, text, _shell(folder), place)
            yield from _orb(self.source, str(name), value, inner)
            yield from self.read(value, inner, folder)


def _shell(folder: str | None) -> Shell:
    return Shell((folder,) if folder is not None else (), persists=True)


def _folder(source: Source, data: Mapping[str, Any], folder: str | None) -> str | None:
    """Where the commands of a step are run; None where a variable decides."""
    written = scalar(mapping(data, "defaults", "run"), "working-directory")
    # What a job of CircleCI names is a folder of the machine, which the repository is put into.
    own = [] if "steps" in data else [t for name in _FOLDERS if (t := scalar(data, name))]
    written = own[0] if own and not own[0].startswith("~") else written
    if written is None:
        return folder
    return resolve(source, plain(written, source))


def _script(value: object) -> str:
    """The commands of a text, or of a list, one below the other."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    return "\n".join(entry for entry in value if isinstance(entry, str))


def _step(source: Source, data: Mapping[str, Any], key: str) -> Iterator[Build | Service]:
    """What a step builds that names a program made for it, rather than a command."""
    action = (scalar(data, "uses") or "").partition("@")[0]
    if words := table("ci_builds", "github_actions").get(action):
        job = ".".join(key.split(".")[:2])
        place = source.place(f"{job}: {scalar(data, 'uses')}")
        yield from _named(source, place, mapping(data, "with"), _Words(**words))
    task = (scalar(data, "task") or "").partition("@")[0].lower()
    if task == "docker":
        yield from _azure(source, source.place(f"{key}: {scalar(data, 'task')}"), data)
    image = (scalar(data, "image") or "").partition(":")[0]
    if words := table("ci_builds", "plugins").get(image):
        options = {**data, **mapping(data, "settings")}
        yield from _named(source, source.place(f"{key}: {image}"), options, _Words(**words))
    name = scalar(data, "name") or ""
    if "args" in data and ("builders/docker" in name or "kaniko" in name or name == "docker"):
        yield from _cloud_build(source, source.place(f"{key}: {name}"), name, data)


class _Words(NamedTuple):
    """The names of the options that say what is built."""

    context: list[str]
    file: list[str]
    target: list[str]
    images: list[str]
    #: Options that name the folder of the Dockerfile, where that is not the repository.
    folder: list[str] = []  # noqa: RUF012 - a fact of the table, never changed


def _named(
    source: Source, place: Place, options: Mapping[str, Any], words: _Words
) -> Iterator[Build]:
    written = _option(options, words.context) or "."
    folder = plain(_DEFAULT_CONTEXT.sub("./", written), source)
    context = resolve(source, folder) if "://" not in folder else None
    file = _option(options, words.file)
    base = _option(options, words.folder) if words.folder else None
    if file is None:
        dockerfile = resolve(source, "Dockerfile", resolve(source, base) if base else context)
    else:
        named = plain(file.split()[0], source)
        dockerfile = resolve(source, posixpath.join(base or "", named))
    target = _option(options, words.target) or ""
    images = image_names(
        plain(_option(options, words.images) or "", source).replace(",", " ").split()
    )
    found = dockerfile if context is not None or file is not None else None
    yield Build(place, context, found, "" if "$" in target else target, images)


def _option(options: Mapping[str, Any], names: list[str]) -> str | None:
    return next((text for name in names if (text := scalar(options, name))), None)


def _azure(source: Source, place: Place, data: Mapping[str, Any]) -> Iterator[Build]:
    options = {key.lower(): value for key, value in mapping(data, "inputs").items()}
    command = scalar(options, "command") or "buildAndPush"
    if not command.lower().startswith("build"):
        return
    # A pattern means the first file that it fits, which nobody can tell from here.
    file = plain(scalar(options, "dockerfile") or "**/Dockerfile", source)
    found = resolve(source, file) if "*" not in file else None
    folder = plain(scalar(options, "buildcontext") or "**", source)
    context = resolve(source, folder) if "*" not in folder else None
    if found is not None and folder == "**":
        context = os.path.dirname(found)
    yield Build(place, context, found, "", image_names(scalar(options, "repository")))


def _orb(source: Source, name: str, value: object, key: str) -> Iterator[Build]:
    words = table("ci_builds", "circleci_orbs").get(name)
    if words is not None and isinstance(value, dict):
        yield from _named(source, source.place(key), mapping(value), _Words(**words))


def _cloud_build(
    source: Source, place: Place, name: str, data: Mapping[str, Any]
) -> Iterator[Build | Service]:
    words = [word for word in entries(data, "args") if isinstance(word, str)]
    program = "/kaniko/executor" if "kaniko" in name else scalar(data, "entrypoint") or "docker"
    if posixpath.basename(program) in ("bash", "sh"):
        text = "\n".join(word for word in words if not word.startswith("-"))
    else:
        text = f"{program} {shlex.join(words)}"
    folder = resolve(source, scalar(data, "dir") or ".")
    yield from commands_of(source, text, _shell(folder), place)
