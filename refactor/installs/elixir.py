"""Mix, as hexdocs.pm/mix says."""

from __future__ import annotations

from dockerfix.installs.install import Install, Project, UnknownInstallError, lock_or_pattern
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence

_ELIXIR_LOCAL = pattern(r"\bpath:|apps_path|in_umbrella")


def read_mix(project: Project) -> Install:
    """Mix reads the configuration, too (hexdocs.pm/mix, `Mix.Tasks.Loadconfig`)."""
    text = project.read("mix.exs")
    if _ELIXIR_LOCAL.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "mix.exs")
    if "File." in text or "Code." in text:
        raise UnknownInstallError("the install reads the project", "mix.exs")
    files = (project.path("mix.exs"), lock_or_pattern(project, "mix.lock"))
    leaves = (project.path("deps"), project.path("_build"))
    evidence = Evidence(project.path("mix.exs"), "no dependency is a folder of the project")
    return Install("mix", files, project.present("config"), leaves, (evidence,))
