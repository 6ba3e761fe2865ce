"""COPY instructions that go behind steps, and where what a build fetches goes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockerfix.ordering.first_run import first_run
from dockerfix.ordering.steps import Pass
from dockerfix.ordering.wrappers import makes_executable, only_makes_executable
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Workspace

#: Build arguments by which a download may be steered: proxies, registries, credentials, settings.
_STEERS = pattern(
    r"proxy|token|auth|secret|registr|mirror|index|url|key|user|pass|cert|host|flags|opts|option"
    r"|\bGO(?!OS\b|ARCH\b)|npm|yarn|pip|poetry|\buv|maven|mvn|gradle|composer|nuget|node_",
    re.I,
)
#: Build arguments that say what is built, not how.
_SAYS_WHAT = pattern(
    r"(?:\w+_)?(?:VERSION|COMMIT|SHA|REVISION|REF|BRANCH|DATE|BUILD_ID|NUMBER)", re.I
)


@dataclass(frozen=True)
class Moved:
    """COPY instructions that go behind steps, and the COPY lines that take their place."""

    movers: tuple[Instruction, ...]
    lines: tuple[str, ...]
    passes: tuple[Pass, ...]

    @property
    def last(self) -> Pass:
        """The step behind which the COPYs go."""
        return self.passes[-1]

    @property
    def fetch(self) -> tuple[str, ...]:
        """The commands that are put in front of a step which goes on to build."""
        install = self.last.install
        if install is None or not install.fetch:
            return ()
        return first_run(self.last) if install.make else (install.fetch,)

    @property
    def divides(self) -> bool:
        """Whether a first run has to stay behind other work in its RUN."""
        install = self.last.install
        return bool(install and install.make) and works_before(self.last)


def works_before(entry: Pass) -> bool:
    """Whether a RUN does more than change directory before it fetches: it may bring the tool."""
    items = entry.run.script.items[: entry.index]
    return any(
        (item.command is None or item.command.literal_name != "cd") and not makes_executable(item)
        for item in items
    )


def may_fetch_above(moved: Moved, workspace: Workspace) -> bool:
    """Whether nothing between the first COPY and the RUN changes where and how the RUN fetches.

    A COPY that stays may bring what the fetch reads.
    """
    if moved.divides:
        return False
    first, run = moved.movers[0], moved.last.run.instruction
    used = " ".join(moved.fetch)
    stage = workspace.dockerfile.stage_of(first)
    assert stage is not None
    between = stage.instructions[stage.index_of(first) + 1 : stage.index_of(run)]
    return all(
        entry.keyword in ("LABEL", "EXPOSE")
        or entry in moved.movers
        or only_makes_executable(entry, workspace)
        or (entry.keyword == "ARG" and not _steers(entry, used, moved))
        for entry in between
    )


def _steers(argument: Instruction, used: str, moved: Moved) -> bool:
    """Whether a build argument may change what commands do."""
    names = [word.partition("=")[0] for word in argument.arguments]
    if moved.last.install is not None and moved.last.install.make:
        # What is compiled may ask for any variable.
        harmless = all(_SAYS_WHAT.fullmatch(name) for name in names)
    else:
        harmless = not _STEERS.search(argument.argument_text)
    return not harmless or any(name in used for name in names)
