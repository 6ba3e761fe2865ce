"""go, as go.dev/ref/mod says."""

from __future__ import annotations

from itertools import pairwise

from dockerfix.installs.install import Install, Project, UnknownInstallError, above, lock_or_pattern
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence

#: The version of go.mod from which on a folder `vendor` is what a build reads unless it is told.
_VENDOR_SINCE = 14
_OLD_VERSION = pattern(r"^go\s+1\.(\d+)\s*$", 8)
_LOCAL_REPLACE = pattern(r"=>\s*(?:\./|\.\./|/|[A-Za-z]:\\)")


def read_go(words: tuple[str, ...], project: Project, code: str) -> Install:
    """What a download reads; UnknownInstallError when the sources may be among it."""
    text = project.read("go.mod")
    if _LOCAL_REPLACE.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "go.mod: replace")
    if any(project.context.sends(path) for path in above(project.folder, "", "go.work")):
        raise UnknownInstallError("a workspace of several modules", "go.work")
    if "-mod=vendor" in words or ("-mod", "vendor") in pairwise(words):
        raise UnknownInstallError("the dependencies are in the context already", "-mod=vendor")
    if project.has("vendor") and ("GOFLAGS" in code or _builds_from_vendor(text)):
        raise UnknownInstallError("the dependencies are in the context already", "vendor")
    if "require" not in text:
        raise UnknownInstallError("there are no dependencies", "go.mod")
    evidence = Evidence(project.path("go.mod"), "no replacement by a folder")
    files = (project.path("go.mod"), lock_or_pattern(project, "go.sum"))
    fetch = "" if words[1:3] == ("mod", "download") else "go mod download"
    return Install("go", files, (), (), (evidence,), False, fetch, ("go mod", "go get", "vendor"))


def _builds_from_vendor(manifest: str) -> bool:
    version = _OLD_VERSION.search(manifest)
    return version is None or int(version[1]) >= _VENDOR_SINCE
