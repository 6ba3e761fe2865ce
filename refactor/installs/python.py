"""pip, uv, poetry, pipenv and conda.

Sources: pip's "Requirements File Format", python-poetry.org/docs/cli, docs.astral.sh/uv
("Using uv in Docker", `uv sync`), pipenv.pypa.io.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.context.git import is_kept_out_of_git
from dockerfix.installs.install import (
    Install,
    Project,
    UnknownInstallError,
    lock_or_pattern,
)
from dockerfix.installs.words import environment_of
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence

_REQUIREMENT_OPTION = pattern(
    r"(-r|--requirement|-c|--constraint|-e|--editable|-f|--find-links)(?:\s*=?\s*|\s+)(.+)"
)
_LOCAL = pattern(r"(?:\.{0,2}/|\.{1,2}$|~|file:)|.*\.(?:whl|zip|tar\.gz|tgz)$|.*@\s*(?:file:|\.|/)")
_PATH_KEY = pattern(r"^\s*path\s*=|[{,]\s*path\s*=|develop\s*=\s*true", 8)
_LOCAL_OPTIONS = ("-e", "--editable", "-f", "--find-links", "-t", "--target", "--root")
_MAX_DEPTH = 10


def _conda(words: tuple[str, ...], project: Project) -> Install:
    path = posixpath.normpath(environment_of(words))
    for line in project.read(path).splitlines():
        entry = line.strip().removeprefix("-").strip()
        if entry.startswith(("-e", "-r", "-c", "file:", ".", "/", "--")) or "file://" in entry:
            raise UnknownInstallError("the install reads the project", entry)
    evidence = Evidence(project.path(path), "names no path of the project")
    return Install("conda", (project.path(path),), evidence=(evidence,))


def read_python_install(words: tuple[str, ...], project: Project, code: str) -> Install:
    """What it reads; `code` is the Dockerfile. Raises UnknownInstallError."""
    if words[1] == "env":
        return _conda(words, project)
    if words[0] == "pip" or words[1] == "pip":
        return _pip(words, project)
    if words[0] == "poetry":
        return _poetry(words, project, code)
    if words[0] == "pipenv":
        return _pipenv(words, project, code)
    return _uv(words, project)


def _pip(words: tuple[str, ...], project: Project) -> Install:
    files = tuple(dict.fromkeys(_requirement_files(words[1:], project)))
    return Install(
        "pip",
        files,
        evidence=tuple(Evidence(path, "names no path of the project") for path in files[:1]),
    )


def _requirement_files(words: tuple[str, ...], project: Project) -> Iterator[str]:
    waiting = list(words)
    skip = ("pip", "install")
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-r", "--requirement", "-c", "--constraint") and waiting:
            yield from _requirements(waiting.pop(0), project, 0)
        elif equals and name in ("--requirement", "--constraint"):
            yield from _requirements(value, project, 0)
        elif word.startswith(("-r", "-c")) and not word.startswith("--"):
            yield from _requirements(word[2:], project, 0)
        elif word in _LOCAL_OPTIONS or _is_local(word, skip):
            raise UnknownInstallError("the install reads the project", word)


def _is_local(word: str, skip: tuple[str, ...]) -> bool:
    return not word.startswith("-") and word not in skip and _LOCAL.match(word) is not None


def _requirements(path: str, project: Project, depth: int) -> Iterator[str]:
    """A requirements file and those that it includes."""
    if "://" in path or path.startswith("/") or depth > _MAX_DEPTH:
        raise UnknownInstallError("a manifest is not in the build context", path)
    yield project.path(path)
    for line in project.read(path).replace("\\\n", " ").splitlines():
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        match = _REQUIREMENT_OPTION.match(text)
        if match and match[1] in ("-r", "--requirement", "-c", "--constraint"):
            inner = posixpath.join(posixpath.dirname(path), match[2].strip())
            yield from _requirements(posixpath.normpath(inner), project, depth + 1)
        elif _names_path(text, match[2] if match else None):
            raise UnknownInstallError("the install reads the project", text)


def _names_path(text: str, option: str | None) -> bool:
    """Whether a line of a requirements file, or the value of its option, is no address."""
    if option is not None:
        return "://" not in option
    return not text.startswith("-") and "://" not in text and _LOCAL.match(text) is not None


def _poetry(words: tuple[str, ...], project: Project, code: str) -> Install:
    text = project.read("pyproject.toml")
    if "--only-root" in words or "--directory" in words or "-C" in words:
        raise UnknownInstallError("the install reads the project")
    if _PATH_KEY.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "path")
    files = (
        project.path("pyproject.toml"),
        lock_or_pattern(project, "poetry.lock"),
        *project.present("poetry.toml"),
    )
    inside = "IN_PROJECT" in code or "in-project" in code or project.has("poetry.toml")
    leaves = (project.path(".venv"),) if inside or _may_hold(".venv", project) else ()
    evidence = Evidence(project.path("pyproject.toml"), "no dependency is a folder of the project")
    packaged = "package-mode = false" not in text and "--no-root" not in words
    fetch = " ".join((*words, "--no-root")) if packaged else ""
    return Install("poetry", files, (), leaves, (evidence,), False, fetch, ("poetry install",))


def _may_hold(name: str, project: Project) -> bool:
    """Whether the context of a build may hold what git does not show.

    Both tools use the environment `.venv` where there is one.
    """
    path = project.path(name)
    return project.context.exists(path) or is_kept_out_of_git(path, project.context)


def _pipenv(words: tuple[str, ...], project: Project, code: str) -> Install:
    options = [word for word in words[2:] if not word.startswith("-")]
    if options or "-e" in words or "-r" in words:
        raise UnknownInstallError("the install reads the project", " ".join(words[2:4]))
    text = project.read("Pipfile")
    if _PATH_KEY.search(text) or "editable" in text:
        raise UnknownInstallError("a dependency is a folder of the project", "Pipfile")
    files = (project.path("Pipfile"), lock_or_pattern(project, "Pipfile.lock"))
    inside = "PIPENV_VENV_IN_PROJECT" in code or _may_hold(".venv", project)
    leaves = (project.path(".venv"),) if inside else ()
    evidence = Evidence(project.path("Pipfile"), "names no path of the project")
    return Install("pipenv", files, (), leaves, (evidence,))


def _uv(words: tuple[str, ...], project: Project) -> Install:
    text = project.read("pyproject.toml")
    if "[tool.uv.workspace]" in text or _PATH_KEY.search(text) or "workspace = true" in text:
        raise UnknownInstallError("a dependency is a folder of the project", "uv")
    folder = project.folder
    while folder:
        folder = posixpath.dirname(folder)
        above = project.context.read(posixpath.join(folder, "pyproject.toml")) or ""
        if "[tool.uv.workspace]" in above:
            raise UnknownInstallError("a package of a workspace", folder or "pyproject.toml")
    if "--project" in words or "--directory" in words:
        raise UnknownInstallError("the install reads the project")
    files = (
        project.path("pyproject.toml"),
        lock_or_pattern(project, "uv.lock"),
        *project.present(".python-version", "uv.toml"),
    )
    evidence = Evidence(project.path("pyproject.toml"), "no dependency is a folder of the project")
    return Install(
        "uv",
        files,
        (),
        (project.path(".venv"),),
        (evidence,),
        False,
        _uv_fetch(words, project, text),
        ("uv sync",),
    )


def _uv_fetch(words: tuple[str, ...], project: Project, text: str) -> str:
    """The command that installs the dependencies only; "" where the command does just that."""
    packaged = "[build-system]" in text or "package = true" in text
    apart = "--no-install-project" in words or "--no-install-workspace" in words
    if not packaged or "package = false" in text or apart:
        return ""
    if not project.has("uv.lock"):
        raise UnknownInstallError("the install reads the project", "there is no uv.lock")
    if "dynamic" in text and "--frozen" not in words:
        # To compare the lock with what is dynamic, uv builds the project.
        raise UnknownInstallError("the install reads the project", "pyproject.toml: dynamic")
    return " ".join((*words, "--no-install-project"))
