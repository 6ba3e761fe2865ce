"""What should stay out of a build context, from what it really holds."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.context.git import is_kept_out_of_git
from dockerfix.context.json_files import load_object, table
from dockerfix.context.usage.usage import all_findings, repository_of
from dockerfix.discovery import is_dockerfile_name
from dockerfix.effects.reach import is_within
from dockerfix.ignoring.work import NODE_TOOLS, Work, work_of
from dockerfix.knowledge.data import names
from dockerfix.knowledge.data import table as facts
from dockerfix.patterns import pattern
from dockerfix.transform import Workspace

#: What shows that a folder is the root of a repository: `.git` is there in a clone.
_OF_REPOSITORY = (".git", ".gitignore", ".gitattributes", ".github", ".gitlab-ci.yml")
#: What an install leaves beside the sources, and what it belongs to.
_DEPENDENCIES = {
    "node_modules": NODE_TOOLS,
    ".venv": frozenset(("pip", "uv", "poetry", "pipenv")),
    "venv": frozenset(("pip", "uv", "poetry", "pipenv")),
    "env": frozenset(("pip", "uv", "poetry", "pipenv")),
}
#: Those that are there as soon as somebody works in the folder.
_EXPECTED = ("node_modules", ".venv")
_PROJECT_FILES = frozenset(
    (
        *("package.json", "pyproject.toml", "requirements.txt", "Pipfile", "Cargo.toml", "pom.xml"),
        *("build.gradle", "build.gradle.kts", "composer.json", "Gemfile", "go.mod"),
    )
)
_MANIFESTS = (
    *("requirements.txt", "pyproject.toml", "Pipfile", "composer.json", "Cargo.toml", "go.mod"),
)
_COMPOSE = pattern(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
#: What an ignore file would read in another way.
_ODD = pattern(r"[*?!#\\\[\]\s$]")
#: More folders of packages than these get one pattern for all depths.
_MAX_FOLDERS = 400


class Candidate(NamedTuple):
    """A path that should stay out, and why."""

    #: As it stands in the ignore file.
    pattern: str
    #: A path that it hides.
    path: str
    why: str
    #: Whether the running container cannot notice: nothing but history goes.
    is_history: bool = False
    #: Whether it is worth a line in a file that somebody else wrote.
    is_material: bool = True
    #: The tools or builds that make it anew; none for what nothing makes.
    made_by: frozenset[str] = frozenset()


def candidates(roots: tuple[str, ...], workspace: Workspace) -> Iterator[Candidate]:
    """What should stay out of the folders that are copied; "" is the context itself."""
    context = workspace.context
    assert context is not None
    works = work_of(workspace.dockerfile.stages, workspace)
    #: Patterns for all depths.
    deep: list[str] = []
    if "" in roots:
        yield from _history(context)
    for root in dict.fromkeys((*roots, *_places(works, roots))):
        if root.startswith("."):
            continue
        if _is_project(root, context):
            here = [work for work in works if work.is_in(root)]
            for found in _dependencies(root, {work.tool for work in here}, context):
                if not any(_covers(text, found.path) for text in deep):
                    yield found
                if "**" in found.pattern:
                    deep.append(found.pattern)
            yield from _outputs(root, {name for work in here for name in work.builds}, context)
        yield from _secrets(root, context)
        yield from _leftovers(root, context)
    if "" in roots:
        yield from _data_of_servers(context)
        yield from _descriptions(context)


def _covers(pattern: str, path: str) -> bool:
    """Whether a pattern for all depths below a folder hides a path of the same name."""
    folder, _, name = pattern.partition("**/")
    return path.startswith(folder) and posixpath.basename(path) == name


def _places(works: tuple[Work, ...], roots: tuple[str, ...]) -> Iterator[str]:
    """The folders below those that are copied in which something is installed or built."""
    for work in works:
        folder = work.folder
        if folder and any(root == "" or is_within(folder, root) for root in roots):
            yield folder


def _is_project(root: str, context: BuildContext) -> bool:
    """Whether tools work in a folder: there they leave what they make."""
    found = frozenset(context.names(root or "."))
    return root == "" or not found.isdisjoint(_PROJECT_FILES) or not found.isdisjoint(_DEPENDENCIES)


def _history(context: BuildContext) -> Iterator[Candidate]:
    for name in sorted(names("ignored", "history")):
        present = context.exists(name)
        marks = name == ".git" and any(context.exists(mark) for mark in _OF_REPOSITORY)
        expected = marks and repository_of(context) == os.path.realpath(context.root)
        if present or expected:
            why = "the repository's history; nothing in the build asks for it"
            yield Candidate(name, name, why, is_history=True)


def _dependencies(root: str, tools: set[str], context: BuildContext) -> Iterator[Candidate]:
    for name, owners in _DEPENDENCIES.items():
        path = posixpath.join(root, name)
        expected = name in _EXPECTED or context.exists(path)
        if expected and not owners.isdisjoint(tools) and is_kept_out_of_git(path, context):
            deep = name == "node_modules" and has_deep_packages(root, context)
            text = posixpath.join(root, f"**/{name}") if deep else path
            why = f"made anew by {sorted(owners & tools)[0]}; git ignores it"
            makers = owners if name == "node_modules" else frozenset[str]()
            yield Candidate(text, path, why, made_by=makers)


def has_deep_packages(root: str, context: BuildContext) -> bool:
    """Whether folders below hold packages of their own, which somebody may install."""
    seen = 0
    for name in context.names(root or "."):
        folder = posixpath.join(root, name)
        if name.startswith(".") or name == "node_modules" or not context.is_folder(folder):
            continue
        inner = [folder, *(posixpath.join(folder, n) for n in context.names(folder)[:60])]
        seen += len(inner)
        if any(context.is_file(f"{place}/package.json") for place in inner):
            return not any(context.is_folder(f"{place}/node_modules") for place in inner) or all(
                is_kept_out_of_git(f"{place}/node_modules", context) for place in inner
            )
        if seen > _MAX_FOLDERS:
            return False
    return False


def _outputs(root: str, builds: set[str], context: BuildContext) -> Iterator[Candidate]:
    for command, folders in facts("ignored", "outputs").items():
        if command not in builds:
            continue
        for name in folders:
            path = posixpath.join(root, name)
            if is_kept_out_of_git(path, context) and not _holds_keeper(path, context):
                why = f"made anew by `{command}`; git ignores it"
                yield Candidate(path, path, why, made_by=frozenset((command,)))


def _holds_keeper(path: str, context: BuildContext) -> bool:
    """Whether a folder is kept though it is empty: git holds a file in it for that."""
    return any(context.exists(f"{path}/{name}") for name in (".gitkeep", ".keep", ".gitignore"))


def _secrets(root: str, context: BuildContext) -> Iterator[Candidate]:
    present = frozenset(context.names(root or "."))
    for name in sorted(names("ignored", "secrets") & present):
        path = posixpath.join(root, name)
        if is_kept_out_of_git(path, context):
            if name.startswith(".env") and _reads_settings(root, context):
                continue
            yield Candidate(path, path, "settings of whoever builds; git ignores it")
    for name in sorted(names("ignored", "databases")):
        path = posixpath.join(root, name)
        if context.exists(path) and is_kept_out_of_git(path, context):
            yield Candidate(path, path, "a database of whoever builds; git ignores it")


def _data_of_servers(context: BuildContext) -> Iterator[Candidate]:
    """The folders into which compose lets a database write: the build may not even read them."""
    repository = repository_of(context)
    known = names("ignored", "database_folders")
    for service, build in (pair for f in all_findings(repository) for pair in f.services):
        folder = os.path.join(repository, os.path.dirname(service.file))
        for host, place in service.mounts if build is None else ():
            if place not in known or not host.startswith("."):
                continue
            path = os.path.relpath(os.path.join(folder, host), os.path.realpath(context.root))
            if path == "." or path.startswith("..") or _ODD.search(path):
                continue
            if _is_data(path, context):
                yield Candidate(path, path, f"{service.name} keeps its data there ({service.file})")


def _is_data(path: str, context: BuildContext) -> bool:
    """Whether a folder is a database's own: git may well hold migrations in one of that name."""
    if not context.exists(path) or is_kept_out_of_git(path, context):
        return True
    return any(context.is_file(f"{path}/{name}") for name in names("ignored", "database_files"))


def _reads_settings(root: str, context: BuildContext) -> bool:
    """Whether what is built reads `.env` by itself: then hiding it may change the program."""
    known = names("ignored", "reads_settings")
    manifest = load_object(context.read(posixpath.join(root, "package.json")))
    found = {n for kind in ("dependencies", "devDependencies") for n in table(manifest or {}, kind)}
    if not known.isdisjoint(found):
        return True
    texts = (context.read(posixpath.join(root, name)) or "" for name in _MANIFESTS)
    return any(name in text for text in texts for name in known)


def _leftovers(root: str, context: BuildContext) -> Iterator[Candidate]:
    present = frozenset(context.names(root or "."))
    for name in sorted(names("ignored", "leftovers", "editors") & present):
        path = posixpath.join(root, name)
        material = context.is_folder(path) and name not in names("ignored", "editors")
        yield Candidate(path, path, "a leftover of a tool", is_material=material)
    if "__pycache__" in present and is_kept_out_of_git(f"{root}/__pycache__".lstrip("/"), context):
        text = posixpath.join(root, "**/__pycache__")
        yield Candidate(text, posixpath.join(root, "__pycache__"), "a cache of Python's")


def _descriptions(context: BuildContext) -> Iterator[Candidate]:
    """The files that describe the build: a change of theirs changes nothing in the image."""
    present = context.names(".")
    for name in present:
        if is_dockerfile_name(name) or _COMPOSE.fullmatch(name.lower()):
            why = "describes the build; a change of it is none of the program's"
            yield Candidate(name, name, why, is_material=False)
