"""dotnet, as learn.microsoft.com says ("dotnet restore", "Customize your build by folder")."""

from __future__ import annotations

import posixpath

from dockerfix.installs.install import Install, Project, UnknownInstallError, above
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence

_REFERENCE = pattern(r"<(?:ProjectReference|Import)\b[^>]*(?:Include|Project)=\"([^\"]+)\"")
_SOLUTION_PROJECT = pattern(r'^Project\("[^"]*"\) = "[^"]*", "([^"]+\.[a-z]+proj)"', 8)
#: How the files end of which `dotnet` takes one.
TARGETS = (".sln", ".slnx", "proj")
_SOLUTIONS = (".sln", ".slnx")
_PROJECT_OF_XML = pattern(r"<Project\b[^>]*\bPath=\"([^\"]+\.[a-z]+proj)\"")
SHARED_BUILD_FILES = (
    *("Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"),
    *("NuGet.config", "nuget.config", "NuGet.Config", "global.json", "packages.lock.json"),
)
#: Options of `dotnet publish` and `build` that change nothing about a restore, with a value.
_VALUED = frozenset(("-c", "--configuration", "-o", "--output", "-v", "--verbosity"))
#: For which system: says nothing about what is read. `-f` is no such option of a restore.
_SYSTEMS = frozenset(("-r", "--runtime", "-a", "--arch", "--os"))
#: They change what is restored: for which system, which framework, with which properties.
_RESTORES = ("-r", "--runtime", "-a", "--arch", "--os", "-f", "--framework", "-p:", "/p:")


def read_dotnet(words: tuple[str, ...], project: Project) -> Install:
    """What a restore reads; UnknownInstallError when the sources may be among it."""
    options, names = _words(words)
    if len(names) > 1:
        raise UnknownInstallError("options that are not known", " ".join(words[2:]))
    target = _target(names[0] if names else "", project)
    projects = (
        [posixpath.join(posixpath.dirname(target), path) for path in _projects_of(target, project)]
        if target.endswith(_SOLUTIONS)
        else [target]
    )
    files, seen = _files(target, projects, project)
    leaves = tuple(
        project.path(posixpath.join(posixpath.dirname(path), "obj")) for path in sorted(seen)
    )
    evidence = Evidence(project.path(target), "every project that it names is copied")
    fetch = ""
    if words[1] != "restore":
        if any(option.startswith(_RESTORES) for option in options):
            raise UnknownInstallError("options that are not known", " ".join(options))
        fetch = " ".join(("dotnet restore", *names))
    return Install("dotnet", files, (), leaves, (evidence,), True, fetch, ("dotnet restore",))


def _words(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Options, and the projects that are named."""
    options: list[str] = []
    names: list[str] = []
    waits = False
    for word in words[2:]:
        if waits:
            waits = False
        elif word.startswith(("-", "/p:")):
            options.append(word)
            waits = word in _VALUED or word in _SYSTEMS
            if word in ("-s", "--source", "--configfile", "-f") or (
                word in _SYSTEMS and words[1] != "restore"
            ):
                raise UnknownInstallError("options that are not known", word)
        else:
            names.append(word.strip("\"'").replace("\\", "/"))
    return options, names


def _target(name: str, project: Project) -> str:
    """The project or solution that a word names; a folder means the only one in it."""
    if name.endswith(TARGETS):
        return posixpath.normpath(name)
    folder = posixpath.normpath(name or ".")
    names = project.context.names(project.path(folder))
    inner = [posixpath.normpath(posixpath.join(folder, entry)) for entry in names]
    found = [path for path in inner if path.endswith(TARGETS) and project.has(path)]
    if len(found) != 1:
        what = "several projects lie there" if found else "no project lies there"
        raise UnknownInstallError("which project is restored is not known", f"{folder}: {what}")
    return found[0]


def _files(target: str, projects: list[str], project: Project) -> tuple[tuple[str, ...], set[str]]:
    """What a restore reads, and the projects among it."""
    files = [project.path(target), *_shared(target, project)]
    waiting = [posixpath.normpath(path) for path in projects]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        files += [project.path(path), *_shared(path, project)]
        folder = posixpath.dirname(path)
        for reference in _REFERENCE.findall(project.read(path)):
            inner = posixpath.normpath(posixpath.join(folder, reference.replace("\\", "/")))
            outside = project.path(inner).startswith("..")
            if not inner.endswith("proj") or outside or "$" in inner:
                raise UnknownInstallError("a reference that cannot be followed", reference)
            waiting.append(inner)
    return tuple(dict.fromkeys(files)), seen


def _shared(path: str, project: Project) -> tuple[str, ...]:
    """Files in the folders above a project that its restore reads, too."""
    folder = posixpath.dirname(project.path(path))
    return tuple(
        f for f in above(folder, project.top, *SHARED_BUILD_FILES) if project.context.sends(f)
    )


def _projects_of(target: str, project: Project) -> list[str]:
    named = _PROJECT_OF_XML if target.endswith(".slnx") else _SOLUTION_PROJECT
    return [path.replace("\\", "/") for path in named.findall(project.read(target))]
