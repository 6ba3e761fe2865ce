"""dart and flutter, which share pub."""

from __future__ import annotations

from dockerfix.installs.install import Install, Project, UnknownInstallError, lock_or_pattern
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence

_DART_LOCAL = pattern(r"^\s*(?:path|workspace|resolution)\s*:", 8)


def read_dart(project: Project) -> Install:
    """What `pub get` reads; UnknownInstallError when the sources may be among it."""
    text = project.read("pubspec.yaml")
    if _DART_LOCAL.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "pubspec.yaml")
    files = (project.path("pubspec.yaml"), lock_or_pattern(project, "pubspec.lock"))
    evidence = Evidence(project.path("pubspec.yaml"), "no dependency is a folder of the project")
    return Install("dart", files, (), (project.path(".dart_tool"),), (evidence,))
