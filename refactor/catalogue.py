"""Which passes there are, in the order they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from dockerfix.transform import Change, Declined, Transform, Workspace


class Home(NamedTuple):
    """Where a built-in pass is, and what a file must hold for the pass to have anything to say."""

    module: str
    class_name: str
    #: One of these must occur, in any letter case; written small.
    looks_for: tuple[str, ...] = ("",)


_COPIES = ("copy", "add")
#: In the order of the pipeline: structure first, then packages, then layers.
BUILT_IN = {
    "modernise": Home("modernise", "Modernise"),
    "name-stages": Home("name_stages", "NameStages", ("from=",)),
    "workdir": Home("workdir", "Workdir", ("workdir", "cd")),
    "exec-form": Home("exec_form", "ExecForm", ("cmd", "entrypoint")),
    "order-copies": Home("order_copies", "OrderCopies", _COPIES),
    "split-stages": Home("split_stages", "SplitStages", ("run",)),
    "add-user": Home("add_user", "AddUser"),
    "chown-copies": Home("chown_copies", "ChownCopies", ("chown", "chmod", "chgrp")),
    "package-hygiene": Home("package_hygiene", "PackageHygiene", ("run",)),
    "merge-runs": Home("merge_runs", "MergeRuns", ("run",)),
    "pin-tags": Home("pin_tags", "PinTags"),
    "dockerignore": Home("dockerignore", "DockerIgnore", _COPIES),
}
#: Entry points of this group are passes of other packages; they run after the built-in ones.
ENTRY_POINT_GROUP = "dockerfix.transforms"


class UnknownPassError(ValueError):
    """A pass name that nobody knows."""

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> UnknownPassError:
        """The error for a name, with those that are known."""
        return cls(f"no pass is called {name}; there are {', '.join(known)}")


class _Deferred(Transform):
    """A built-in pass that is loaded when a file holds what it looks for.

    Loading all of them is a good part of a cold start.
    """

    def __init__(self, name: str, looks_for: tuple[str, ...]) -> None:
        self.name = name
        self._looks_for = looks_for

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Let the pass itself look at the tree, if there is anything for it."""
        text = workspace.dockerfile.folded
        if any(word in text for word in self._looks_for):
            yield from built_in(self.name).apply(workspace)


def choose_passes(
    select: tuple[str, ...] = (), ignore: tuple[str, ...] = (), plugins: tuple[Transform, ...] = ()
) -> tuple[Transform, ...]:
    """The selected passes (all when none is named) without the ignored ones, in their order.

    Raises UnknownPassError for a name that is neither built in nor among the plugins.
    """
    known = [*BUILT_IN, *(plugin.name for plugin in plugins)]
    for name in (*select, *ignore):
        if name not in known:
            raise UnknownPassError.of(name, known)
    wanted = [name for name in known if name in (select or known) and name not in ignore]
    by_name = {plugin.name: plugin for plugin in plugins}
    return tuple(by_name.get(name) or _deferred(name) for name in wanted)


@cache
def _deferred(name: str) -> Transform:
    return _Deferred(name, BUILT_IN[name].looks_for)


@cache
def built_in(name: str) -> Transform:
    """The built-in pass of that name."""
    home = BUILT_IN[name]
    module = import_module(f"dockerfix.transforms.{home.module}")
    instance = getattr(module, home.class_name)()
    if not isinstance(instance, Transform):
        raise TypeError(f"{home.class_name} is not a Transform")
    return instance


def plugin_passes() -> tuple[Transform, ...]:
    """The passes that other installed packages offer, sorted by name."""
    from importlib.metadata import entry_points

    found = entry_points(group=ENTRY_POINT_GROUP)
    return tuple(entry.load()() for entry in sorted(found, key=lambda entry: entry.name))
