"""How long both builds take: cold, again, after an edit of a source, after one of a manifest."""

from __future__ import annotations

import secrets
import shutil
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dockerfix.verify.engine import Build, BuildOptions, Engine
from dockerfix.verify.scope import Scope

COLD, AGAIN, SOURCE, MANIFEST = "cold", "nothing changed", "source edit", "manifest edit"
SCENARIOS = (COLD, AGAIN, SOURCE, MANIFEST)
#: Files whose edit is what a developer does all day.
_SOURCES = frozenset(
    (
        *(".py", ".js", ".mjs", ".ts", ".jsx", ".tsx", ".go", ".java", ".kt", ".cs", ".rs"),
        *(".rb", ".php", ".vue", ".svelte"),
    )
)
#: Manifests that mean the same with empty lines at their end.
_MANIFESTS = (
    *("package.json", "requirements.txt", "pyproject.toml", "go.mod", "pom.xml", "build.gradle"),
    *("build.gradle.kts", "Cargo.toml", "Gemfile", "composer.json", "Pipfile"),
)
_NOT_EDITED = frozenset(("node_modules", ".git", ".venv", "vendor", "test", "tests", "__tests__"))
_EMPTY_LINES = 500


class Timing(NamedTuple):
    """The builds of one kind."""

    seconds: tuple[float, ...]
    #: Steps that ran, and did not come from the cache, in the last of them.
    steps: int

    @property
    def median(self) -> float:
        """Half of the builds took longer."""
        return statistics.median(self.seconds)


@dataclass(slots=True)
class Bench:
    """Both builds of one file, which take turns so that noise hits both."""

    engine: Engine
    scope: Scope
    options: BuildOptions
    #: By side: the Dockerfile.
    places: dict[str, Path]
    found: dict[str, dict[str, list[Build]]] = field(default_factory=dict)

    def note(self, side: str, scenario: str, build: Build) -> None:
        """Keep what a build took."""
        self.found.setdefault(side, {}).setdefault(scenario, []).append(build)

    def run(self, repeat: int, scenarios: tuple[str, ...] = SCENARIOS) -> None:
        """Build; the cold builds of the first round are noted already. Raises BuildError."""
        edited = {SOURCE: _source(self.options.context), MANIFEST: _manifest(self.options.context)}
        for number in range(repeat):
            for scenario in scenarios:
                if scenario == COLD and number == 0:
                    continue
                path = edited.get(scenario)
                if scenario not in edited or path is not None:
                    self._build_both(scenario, number, path)

    def _build_both(self, scenario: str, number: int, edited: Path | None) -> None:
        sides = sorted(self.places, reverse=bool(number % 2))
        for side in sides:
            options = self.options
            if edited is not None:
                # An edit for each: steps that both files share would be built for the first alone.
                _edit(edited)
            if scenario == COLD and options.cache_scope:
                options = options._replace(cache_scope=f"{options.cache_scope}-{number}")
            place = self.places[side]
            log = place.with_name("measure.log")
            tag = self.scope.image(f"{side}-again")
            cold = scenario == COLD
            self.note(side, scenario, self.engine.build(place, tag, options, cold, log))

    def timings(self, side: str) -> dict[str, Timing]:
        """What was measured of one side, by kind."""
        return {
            scenario: Timing(tuple(build.seconds for build in builds), builds[-1].steps)
            for scenario, builds in self.found.get(side, {}).items()
        }


def copy_context(context: Path, place: Path) -> None:
    """A copy whose files may be edited; sockets and other devices are left out."""
    shutil.copytree(context, place, symlinks=True, ignore=_devices)


def _devices(folder: str, names: list[str]) -> list[str]:
    paths = ((name, Path(folder, name)) for name in names)
    return [
        name
        for name, path in paths
        if not path.is_symlink() and not path.is_file() and not path.is_dir()
    ]


def _edit(path: Path) -> None:
    """Another number of empty lines each time: the engine may hold the build of an earlier edit."""
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * (1 + secrets.randbelow(_EMPTY_LINES)))


def _source(context: Path) -> Path | None:
    """A source of the program, the one nearest to the root."""
    return next((path for path in _candidates(context) if path.suffix in _SOURCES), None)


def _manifest(context: Path) -> Path | None:
    return next((path for path in _candidates(context) if path.name in _MANIFESTS), None)


def _candidates(context: Path) -> Iterator[Path]:
    """Files that a developer edits and the build sees, those near the root first."""
    from dockerfix.context.build_context import BuildContext

    sent = BuildContext(context)
    found = [
        path
        for path in context.rglob("*")
        if _NOT_EDITED.isdisjoint(path.relative_to(context).parts)
        and path.is_file()
        and not path.is_symlink()
        and ".config." not in path.name
        and not path.name.startswith(".")
    ]
    for path in sorted(found, key=lambda path: (len(path.parts), path)):
        if sent.sends(path.relative_to(context).as_posix()):
            yield path
