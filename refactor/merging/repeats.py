"""Clean-ups in the middle of a layer, and updates of an index that is still there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerfix.effects.reach import Reach
from dockerfix.knowledge.command_effects import command_facts
from dockerfix.knowledge.package_managers import CONDA, Manager
from dockerfix.merging.steps import Step, calls_of, is_clean_up
from dockerfix.packages import read_package_command
from dockerfix.transform import Workspace

if TYPE_CHECKING:
    from dockerfix.effects.model import Call

#: Those that fetch an index by an update of its own; the others look for news by themselves.
_MANAGERS = ("apt", "apk")


def add_repeats(
    steps: Sequence[Step],
    united: Sequence[Step],
    may_go: Callable[[Step, list[Step]], bool],
    workspace: Workspace,
) -> list[Step]:
    """Add the steps that are done again further down, or were done and still hold.

    `steps` are those of scripts that are going to be one and-list, `united` the ones that go
    already; `may_go` says whether the source can do without a step, given those that go. Returns
    the steps that go: `united`, the clean-ups that the same clean-up in a later script makes
    needless, and the updates behind which nothing has changed since the same update before.
    """
    layer = _Layer(steps, list(united), workspace)
    for is_needless in (layer.is_cleaned_later, layer.is_fresh):
        for index, step in enumerate(steps):
            if step not in layer.gone and is_needless(index) and may_go(step, layer.gone):
                layer.gone.append(step)
    return layer.gone


@dataclass(frozen=True)
class _Layer:
    """The steps of a layer, and those that go."""

    steps: Sequence[Step]
    gone: list[Step]
    workspace: Workspace

    def is_cleaned_later(self, index: int) -> bool:
        """Whether the layer ends up the same, and nothing misses the clean-up until a later one."""
        step = self.steps[index]
        manager = self._cleaned(index)
        if manager is None:
            return False
        for end in range(index + 1, len(self.steps)):
            later = self.steps[end]
            # Two clean-ups of one script are two because their author wants them so.
            if later not in self.gone and later.text == step.text and later.run is not step.run:
                return self._ignore_index(self.steps[index + 1 : end], manager)
        return False

    def is_fresh(self, index: int) -> bool:
        """Whether the same update was done before, and what it left is there and still right."""
        step = self.steps[index]
        if step.package is None or step.action != "update":
            return False
        manager = step.package.manager
        if manager.name not in _MANAGERS:
            return False
        for before in reversed(self.steps[:index]):
            if is_clean_up(before, manager):
                if before not in self.gone:
                    return False
            elif before.text == step.text:
                if before not in self.gone:
                    return before.run is not step.run
            elif not self._keeps_sources(before, manager):
                return False
        return False

    def _cleaned(self, index: int) -> Manager | None:
        """The manager that a clean-up is for, one that has filled its index before.

        A clean-up before the first update may be there for what the image below has left; conda
        fetches its index with each install.
        """
        own = self.steps[index].package
        if own is not None and own.action == "clean" and own.manager is CONDA:
            return own.manager
        for before in self.steps[:index]:
            package = before.package
            if package is not None and before.action == "update":
                manager = package.manager
                if manager.name in _MANAGERS and is_clean_up(self.steps[index], manager):
                    return manager
        return None

    def _ignore_index(self, between: Sequence[Step], manager: Manager) -> bool:
        """Whether steps do the same with an old index there as with none."""
        updated = manager.name not in _MANAGERS
        for step in between:
            if is_clean_up(step, manager):
                continue
            if step.package is None:
                if not self._ignores_index(step, manager):
                    return False
                updated = updated or self._sets_up_source(step, manager)
                continue
            if step.package.manager is not manager:
                return False
            if step.action != "update" and not (step.action == "install" and updated):
                return False
            updated = True
        return True

    def _ignores_index(self, step: Step, manager: Manager) -> bool:
        """Whether no command of a step reads what the manager keeps in the image."""
        calls = calls_of(step, self.workspace)
        index = Reach(manager.caches)
        return calls is not None and not any(
            _manages(call) or call.words[0] in manager.index_readers or call.reads.meets(index)
            for call in calls
        )

    def _sets_up_source(self, step: Step, manager: Manager) -> bool:
        """Whether a fetched script runs, which fills the index where an install needs it."""
        index = Reach(manager.caches)
        calls = calls_of(step, self.workspace) or ()
        return any(call.kind == "tool" and call.writes.meets(index) for call in calls)

    def _keeps_sources(self, step: Step, manager: Manager) -> bool:
        """Whether a step changes neither repositories nor keys."""
        if step.package is None:
            calls = calls_of(step, self.workspace)
            places = Reach((*command_facts().package_settings, *manager.caches))
            return calls is not None and not any(
                _manages(call) or call.writes.meets(places) for call in calls
            )
        # Only where updates meet: it reads tables of its own.
        from dockerfix.knowledge.system_packages import changes_installs

        package = step.package
        return (
            package.manager is manager
            and step.action == "install"
            and package.is_plain
            and not any(
                "/" in word.text or changes_installs(word.text) for word in package.packages
            )
        )


def _manages(call: Call) -> bool:
    """Whether a command asks something of a package manager."""
    return read_package_command(call.command) is not None
