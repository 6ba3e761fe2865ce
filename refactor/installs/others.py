"""The tools that are neither of Node.js nor of Python: which command is an install of whose."""

from __future__ import annotations

from dockerfix.installs.dart import read_dart
from dockerfix.installs.dotnet import read_dotnet
from dockerfix.installs.elixir import read_mix
from dockerfix.installs.go import read_go
from dockerfix.installs.install import Install, Project
from dockerfix.installs.java import MAVEN_BUILDS, maven_only_fetches, read_gradle, read_maven
from dockerfix.installs.php import read_composer
from dockerfix.installs.ruby import read_bundler

_GO_BUILDS = frozenset(("get", "build", "install", "test", "vet", "run", "generate"))


def is_install(words: tuple[str, ...]) -> bool:
    """Whether a command fetches the dependencies of the project in its directory."""
    match words:
        case ("go", "mod", "download", *rest):
            return not [word for word in rest if not word.startswith("-")]
        case ("go", "mod", "tidy" | "vendor", *_):
            return True
        case ("mix", "deps.get", *_) | ("dart" | "flutter", "pub", "get", *_):
            return True
        case ("go", action, *_):
            return action in _GO_BUILDS and not any("@" in word for word in words)
        case ("mvn" | "./mvnw", *rest):
            return not MAVEN_BUILDS.isdisjoint(rest) or maven_only_fetches(rest)
        case ("dotnet", "restore", *_):
            return True
        case ("dotnet", "publish" | "build", *rest):
            return "--no-restore" not in rest and "--no-build" not in rest
        case ("./gradlew", *_) | ("cargo", "build" | "test", *_):
            return True
        case ("cargo", "install", *rest):
            return "--path" in rest
        case ("bundle" | "bundler", *rest):
            return not rest or rest[0] == "install" or rest[0].startswith("--")
        case ("composer", "install", *_):
            return True
        case _:
            return False


def read_other_install(words: tuple[str, ...], project: Project, code: str) -> Install:
    """What it reads; `code` is the Dockerfile.

    Raises UnknownInstallError when the sources may be among that.
    """
    match words[0]:
        case "go":
            return read_go(words, project)
        case "mvn" | "./mvnw":
            return read_maven(words, project)
        case "dotnet":
            return read_dotnet(words, project)
        case "./gradlew":
            return read_gradle(project)
        case "mix":
            return read_mix(project)
        case "dart" | "flutter":
            return read_dart(project)
        case "composer":
            return read_composer(words, project)
        case _:
            return read_bundler(words, project, code)
