"""Bundler, as bundler.io says."""

from __future__ import annotations

from dockerfix.installs.install import Install, Project, UnknownInstallError, lock_or_pattern
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence

_GEM_LOCAL = pattern(r"^\s*gemspec\b|\bpath:?\s*(?:=>)?\s*['\"(]|eval_gemfile|:path\s*=>", 8)


def read_bundler(words: tuple[str, ...], project: Project, code: str) -> Install:
    """What Bundler reads; `code` is the Dockerfile.

    Raises UnknownInstallError when the sources may be among it.
    """
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
    settings = project.read(".bundle/config") if project.has(".bundle/config") else ""
    inside = any("vendor/bundle" in text for text in (" ".join(words), code, settings))
    leaves = (project.path("vendor/bundle"),) if inside else ()
    evidence = Evidence(project.path("Gemfile"), "names no path of the project")
    return Install("bundler", files, project.present(".bundle"), leaves, (evidence,))
