"""go, maven, dotnet, bundler and composer.

Sources: go.dev/ref/mod, maven.apache.org/plugins/maven-dependency-plugin (go-offline),
learn.microsoft.com "dotnet restore" and "Customize your build by folder", bundler.io, and
getcomposer.org/doc (schema, `install`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from dockerfix.installs.install import (
    Install,
    Project,
    UnknownInstallError,
    lock_or_pattern,
)
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence

_LOCAL_REPLACE = pattern(r"=>\s*(?:\./|\.\./|/|[A-Za-z]:\\)")
_POM_MODULES = pattern(r"<modules>|<packaging>\s*pom|<systemPath>|<relativePath>\s*[^<\s]")
_POM_PARENT = pattern(r"<parent>(.*?)</parent>", 16)
_GEM_LOCAL = pattern(r"^\s*gemspec\b|\bpath:?\s*(?:=>)?\s*['\"(]|eval_gemfile|:path\s*=>", 8)
_REFERENCE = pattern(r"<(?:ProjectReference|Import)\b[^>]*(?:Include|Project)=\"([^\"]+)\"")
_SOLUTION_PROJECT = pattern(r'^Project\("[^"]*"\) = "[^"]*", "([^"]+\.[a-z]+proj)"', 8)
_GO_BUILDS = frozenset(("build", "install", "test", "vet", "run", "generate"))
_MAVEN_BUILDS = frozenset(("package", "install", "verify", "compile", "test"))
_SHARED_BUILD_FILES = (
    *("Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"),
    *("NuGet.config", "nuget.config", "NuGet.Config", "global.json", "packages.lock.json"),
)


def is_install(words: tuple[str, ...]) -> bool:
    """Whether a command fetches the dependencies of the project in its directory."""
    match words:
        case ("go", "mod", "download", *rest):
            return not [word for word in rest if not word.startswith("-")]
        case ("go", action, *_):
            return action in _GO_BUILDS and not any("@" in word for word in words)
        case ("mvn" | "./mvnw", *rest):
            return not _MAVEN_BUILDS.isdisjoint(rest) or _fetches_only(rest)
        case ("dotnet", "restore", *_):
            return True
        case ("bundle" | "bundler", *rest):
            return not rest or rest[0] == "install" or rest[0].startswith("--")
        case ("composer", "install", *_):
            return True
        case _:
            return False


def read_other_install(words: tuple[str, ...], project: Project) -> Install:
    """What it reads. Raises UnknownInstallError when the sources may be among that."""
    match words[0]:
        case "go":
            return _go(words, project)
        case "mvn" | "./mvnw":
            return _maven(words, project)
        case "dotnet":
            return _dotnet(words, project)
        case "composer":
            return _composer(words, project)
        case _:
            return _bundler(words, project)


def _go(words: tuple[str, ...], project: Project) -> Install:
    text = project.read("go.mod")
    if _LOCAL_REPLACE.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "go.mod: replace")
    if project.has("go.work"):
        raise UnknownInstallError("a workspace of several modules", "go.work")
    if project.has("vendor"):
        raise UnknownInstallError("the dependencies are in the context already", "vendor")
    if "require" not in text:
        raise UnknownInstallError("there are no dependencies", "go.mod")
    evidence = Evidence(project.path("go.mod"), "no replacement by a folder")
    files = (project.path("go.mod"), lock_or_pattern(project, "go.sum"))
    fetch = "" if words[1] == "mod" else "go mod download"
    return Install("go", files, (), (), (evidence,), fetch)


def _maven(words: tuple[str, ...], project: Project) -> Install:
    text = project.read("pom.xml")
    if _POM_MODULES.search(text):
        raise UnknownInstallError("a project of several modules", "pom.xml")
    parent = _POM_PARENT.search(text)
    if (
        parent
        and "relativePath" not in parent[1]
        and project.context.exists(project.path("../pom.xml"))
    ):
        raise UnknownInstallError("a project of several modules", "pom.xml")
    fetch = "" if _fetches_only(words[1:]) else f"{words[0]} -B dependency:go-offline"
    if fetch and not {
        word for word in words[1:] if not word.startswith(("-D", "-q", "-B", "-e", "--"))
    } <= (_MAVEN_BUILDS | {"clean"}):
        raise UnknownInstallError("goals and options that are not known", " ".join(words[1:]))
    wrapper = ("mvnw",) if words[0] == "./mvnw" else ()
    files = (*project.present(*wrapper), project.path("pom.xml"))
    evidence = Evidence(project.path("pom.xml"), "a project of one module")
    return Install("maven", files, project.present(".mvn"), (), (evidence,), fetch)


def _fetches_only(words: Sequence[str]) -> bool:
    goals = [word for word in words if not word.startswith("-")]
    return bool(goals) and all(word.startswith("dependency:") for word in goals)


def _dotnet(words: tuple[str, ...], project: Project) -> Install:
    names = [word.strip("\"'").replace("\\", "/") for word in words[2:] if not word.startswith("-")]
    valued = any(word in ("-r", "--runtime", "-s", "--source", "--configfile") for word in words)
    if valued or len(names) > 1:
        raise UnknownInstallError("options that are not known", " ".join(words[2:]))
    target = names[0] if names else _only_project(project)
    projects = (
        [posixpath.join(posixpath.dirname(target), path) for path in _projects_of(target, project)]
        if target.endswith(".sln")
        else [target]
    )
    files = [project.path(target), *project.present(*_SHARED_BUILD_FILES)]
    waiting = [posixpath.normpath(path) for path in projects]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        files.append(project.path(path))
        folder = posixpath.dirname(path)
        files += project.present(*(posixpath.join(folder, name) for name in _SHARED_BUILD_FILES))
        for reference in _REFERENCE.findall(project.read(path)):
            inner = posixpath.normpath(posixpath.join(folder, reference.replace("\\", "/")))
            if not inner.endswith("proj") or inner.startswith("..") or "$" in inner:
                raise UnknownInstallError("a reference that cannot be followed", reference)
            waiting.append(inner)
    leaves = tuple(
        project.path(posixpath.join(posixpath.dirname(path), "obj")) for path in sorted(seen)
    )
    evidence = Evidence(project.path(target), "every project that it names is copied")
    return Install("dotnet", tuple(dict.fromkeys(files)), (), leaves, (evidence,))


def _only_project(project: Project) -> str:
    names = project.context.names(project.folder or ".")
    found = [name for name in names if name.endswith((".sln", "proj")) and project.has(name)]
    if len(found) != 1:
        raise UnknownInstallError("which project is restored is not known", str(len(found)))
    return found[0]


def _projects_of(target: str, project: Project) -> list[str]:
    return [path.replace("\\", "/") for path in _SOLUTION_PROJECT.findall(project.read(target))]


def _bundler(words: tuple[str, ...], project: Project) -> Install:
    text = project.read("Gemfile")
    if _GEM_LOCAL.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "Gemfile")
    if "File." in text or "require_relative" in text or "Dir[" in text:
        raise UnknownInstallError("the Gemfile reads other files", "Gemfile")
    files = (
        project.path("Gemfile"),
        lock_or_pattern(project, "Gemfile.lock"),
        *project.present(".ruby-version", ".tool-versions"),
    )
    leaves = (project.path("vendor/bundle"),) if "vendor/bundle" in " ".join(words) else ()
    evidence = Evidence(project.path("Gemfile"), "names no path of the project")
    return Install("bundler", files, project.present(".bundle"), leaves, (evidence,))


def _composer(words: tuple[str, ...], project: Project) -> Install:
    manifest = project.read_json("composer.json")
    if "--no-scripts" not in words and manifest.get("scripts"):
        raise UnknownInstallError("the install runs a script of the project", "composer.json")
    if "--no-autoloader" not in words:
        _check_autoload(words, manifest)
    repositories = manifest.get("repositories") or []
    entries = list(repositories.values()) if isinstance(repositories, dict) else repositories
    if not isinstance(entries, list):
        raise UnknownInstallError("a manifest cannot be read", "composer.json: repositories")
    if any(isinstance(entry, dict) and entry.get("type") == "path" for entry in entries):
        raise UnknownInstallError("a dependency is a folder of the project", "composer.json")
    files = (
        project.path("composer.json"),
        lock_or_pattern(project, "composer.lock"),
        *project.present("symfony.lock", "auth.json"),
    )
    evidence = Evidence(project.path("composer.json"), "no script and no class map of its own")
    return Install("composer", files, (), (project.path("vendor"),), (evidence,))


def _check_autoload(words: tuple[str, ...], manifest: dict[str, object]) -> None:
    options = ("-o", "--optimize-autoloader", "-a", "--classmap-authoritative")
    config = manifest.get("config")
    optimised = isinstance(config, dict) and (
        config.get("optimize-autoloader") or config.get("classmap-authoritative")
    )
    if optimised or any(option in words for option in options):
        raise UnknownInstallError("the install reads the project", "an optimised autoloader")
    for key in ("autoload", "autoload-dev"):
        table = manifest.get(key)
        if isinstance(table, dict) and table.get("classmap"):
            raise UnknownInstallError("the install reads the project", f"{key}: classmap")
