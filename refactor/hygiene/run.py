"""A RUN that calls package managers, and what the rules ask about the rest of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from dockerfix.hygiene.package_index import IndexUse, trace_index_use
from dockerfix.knowledge.package_managers import APK, Manager
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Level, Workspace

#: What a rule gives.
Found = Iterator[Change | Declined]


@dataclass
class Surroundings:
    """What the rules ask about the rest of the file, found out once."""

    workspace: Workspace
    _uses: dict[str, IndexUse] = field(default_factory=dict)

    def index_use(self, manager: Manager) -> IndexUse:
        """Where the manager's index is fetched and used."""
        if manager.name not in self._uses:
            self._uses[manager.name] = trace_index_use(self.workspace, manager)
        return self._uses[manager.name]

    @cached_property
    def leaves_apk_cache(self) -> bool:
        """Whether any step of the shipped stages lets apk fill its cache, or may do so."""
        return self._fill_apk_cache(self.workspace.shipped_stages)

    @cached_property
    def leaves_apk_cache_anywhere(self) -> bool:
        """Whether a step of any stage does."""
        return self._fill_apk_cache(self.workspace.dockerfile.stages)

    def _fill_apk_cache(self, stages: Iterable[Stage]) -> bool:
        runs = (i for stage in stages for i in stage.instructions if i.keyword == "RUN")
        return any(_fills_apk_cache(run, self.workspace) for run in runs)


@dataclass(frozen=True)
class PackageRun:
    """A RUN that can be read, with the package commands of its top-level list."""

    surroundings: Surroundings
    run: RunScript
    commands: tuple[tuple[int, PackageCommand], ...]
    shipped: bool
    #: The next instruction, when that is a RUN that can be read too.
    following: RunScript | None = None

    @property
    def workspace(self) -> Workspace:
        """The build that the RUN belongs to."""
        return self.surroundings.workspace

    @property
    def instruction(self) -> Instruction:
        """The RUN itself."""
        return self.run.instruction

    def change(self, message: str, help_text: str, *edits: Edit, removed: str = "") -> Change:
        """A safe change at the RUN's line; `removed` is the keyword of an instruction that goes."""
        return Change(
            message,
            help_text,
            edits,
            self.instruction.line,
            Level.SAFE,
            removed=(removed,) if removed else (),
        )

    def declined(self, reason: str, detail: str = "") -> Declined:
        """Why the RUN stays as it is."""
        return Declined(reason, self.instruction.line, detail)

    def mounts_cache(self, manager: Manager) -> bool:
        """Whether a mount covers the manager's cache: it wants to be filled, and is not shipped."""
        targets = [
            part.partition("=")[2].rstrip("/")
            for flag in self.instruction.flags
            if flag.name == "mount" and flag.value
            for part in flag.value.split(",")
            if part.partition("=")[0] in ("target", "dst", "destination")
        ]
        return any(
            f"{cache}/".startswith(f"{target}/")
            or f"{target}/".startswith(f"{cache}/")
            or "$" in target
            for target in targets
            for cache in manager.caches
        )


def read_run(
    instruction: Instruction, surroundings: Surroundings, shipped: bool
) -> PackageRun | None:
    """Read an instruction; None when it is no RUN, or none that can be read."""
    if instruction.keyword != "RUN":
        return None
    run = surroundings.workspace.run(instruction)
    if run is None:
        return None
    found = ((index, read_package_command(command)) for index, command in run.top_commands)
    commands = tuple((index, package) for index, package in found if package is not None)
    return PackageRun(surroundings, run, commands, shipped)


def is_too_old(run: PackageRun, manager: Manager) -> bool:
    """Whether the image of the shipped stages has a manager that lacks the newer options."""
    root = run.workspace.shipped_stages[0]
    image = read_image(root.resolved_base or root.base)
    return any(image.last == name and image.tag.startswith(tag) for name, tag in manager.too_old)


def _fills_apk_cache(instruction: Instruction, workspace: Workspace) -> bool:
    if "apk" not in instruction.code:
        return False
    run = workspace.run(instruction)
    if run is None:
        return True
    packages = (read_package_command(command) for command in run.script.commands())
    return any(
        package.manager is APK
        and package.action in ("install", "update", "upgrade")
        and not package.has_option("--no-cache")
        for package in packages
        if package is not None
    )
