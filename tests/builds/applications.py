"""The applications: which there are, which images they need, which of them CI builds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dockerfix
from dockerfix.pipeline import Result
from dockerfix.syntax.parser import parse
from dockerfix.transform import Level
from tests.builds.machine import MachineError

APPS = Path(__file__).parent / "apps"

#: What CI builds: one of each kind that is quick, and those that the wrong rewrites are made of.
#: All of them, measured, are built by `python -m tests.builds`: about an hour on two cores.
CI = (
    *("go-certificates", "go-templates", "java-maven", "node-express", "node-native"),
    *("node-typescript", "python-django", "python-flask", "python-libpq", "python-locale"),
)
#: What is refactored at level risky as well: served by nginx, on musl, without a shell. The JRE for
#: musl cannot be had here, so no program in Java is among them.
RISKY = ("go-templates", "node-workspace", "react-static", "rust-axum")
#: Where an application answers, when that is not `/`.
PROBES = {"fullstack": ("/", "/api/time")}


@dataclass(frozen=True, slots=True)
class Application:
    """A folder with a program and the Dockerfile that somebody wrote for it."""

    folder: Path
    level: Level = Level.REVIEW

    @property
    def name(self) -> str:
        """The name of its folder, and the level when it is not the usual one."""
        name = self.folder.name
        return name if self.level == Level.REVIEW else f"{name}@{self.level}"

    @property
    def probes(self) -> tuple[str, ...]:
        """The paths that are asked for; the root when there are none."""
        return PROBES.get(self.folder.name, ())

    def refactor(self) -> Result:
        """What dockerfix makes of it."""
        text = (self.folder / "Dockerfile").read_text()
        return dockerfix.refactor(text, context=self.folder, level=self.level)


def applications(names: tuple[str, ...] = ()) -> list[Application]:
    """Those of these names, or all of them. Raises MachineError for a name that there is not."""
    usual = [Application(path) for path in sorted(APPS.iterdir())]
    found = {application.name: application for application in usual}
    for name in RISKY:
        application = Application(APPS / name, Level.RISKY)
        found[application.name] = application
    unknown = sorted(set(names) - set(found))
    if unknown:
        raise MachineError(f"no application is called {unknown[0]}; there are {', '.join(found)}")
    return [found[name] for name in names or found]


def images_of(*codes: str) -> list[str]:
    """The base images that Dockerfiles name in FROM, each once."""
    found: dict[str, None] = {}
    for code in codes:
        stages = parse(code).stages
        others = {"scratch", *(stage.name for stage in stages)}
        bases = (stage.resolved_base or stage.base for stage in stages)
        found.update((base, None) for base in bases if base not in others)
    return list(found)
