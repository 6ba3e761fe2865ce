"""Installs by the tools that are neither of Node.js nor of Python."""

from __future__ import annotations

from dockerfix.installs.dart import read_dart
from dockerfix.installs.dotnet import read_dotnet
from dockerfix.installs.elixir import read_mix
from dockerfix.installs.go import read_go
from dockerfix.installs.install import Install, Project
from dockerfix.installs.java import read_gradle, read_maven
from dockerfix.installs.php import read_composer
from dockerfix.installs.ruby import read_bundler


def read_other_install(words: tuple[str, ...], project: Project, code: str) -> Install:
    """What it reads; `code` is the Dockerfile.

    Raises UnknownInstallError when the sources may be among that.
    """
    match words[0]:
        case "go":
            return read_go(words, project, code)
        case "mvn" | "./mvnw":
            return read_maven(words, project)
        case "dotnet":
            return read_dotnet(words, project)
        case "./gradlew":
            return read_gradle(project, code)
        case "mix":
            return read_mix(project)
        case "dart" | "flutter":
            return read_dart(project)
        case "composer":
            return read_composer(words, project)
        case _:
            return read_bundler(words, project, code)
