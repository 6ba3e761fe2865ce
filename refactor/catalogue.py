"""Which passes there are, in the order they run."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dockerfix.transform import Transform

#: Name and home, in the order of the pipeline: structure first, then packages, then layers.
#: A module is loaded when its pass is wanted.
BUILT_IN = {
    "modernise": "dockerfix.transforms.modernise:Modernise",
    "name-stages": "dockerfix.transforms.name_stages:NameStages",
    "workdir": "dockerfix.transforms.workdir:Workdir",
    "exec-form": "dockerfix.transforms.exec_form:ExecForm",
    "split-stages": "dockerfix.transforms.split_stages:SplitStages",
    "order-copies": "dockerfix.transforms.order_copies:OrderCopies",
    "add-user": "dockerfix.transforms.add_user:AddUser",
    "chown-copies": "dockerfix.transforms.chown_copies:ChownCopies",
    "package-hygiene": "dockerfix.transforms.package_hygiene:PackageHygiene",
    "merge-runs": "dockerfix.transforms.merge_runs:MergeRuns",
    "pin-tags": "dockerfix.transforms.pin_tags:PinTags",
    "dockerignore": "dockerfix.transforms.dockerignore:DockerIgnore",
}
#: Entry points of this group are passes of other packages; they run after the built-in ones.
ENTRY_POINT_GROUP = "dockerfix.transforms"


class UnknownPassError(ValueError):
    """A pass name that nobody knows."""


def choose_passes(
    select: tuple[str, ...] = (), ignore: tuple[str, ...] = (), plugins: tuple[Transform, ...] = ()
) -> tuple[Transform, ...]:
    """The selected passes (all when none is named) without the ignored ones, in their order.

    Raises UnknownPassError for a name that is neither built in nor among the plugins.
    """
    known = [*BUILT_IN, *(plugin.name for plugin in plugins)]
    for name in (*select, *ignore):
        if name not in known:
            raise UnknownPassError(f"no pass is called {name}; there are {', '.join(known)}")
    wanted = [name for name in known if name in (select or known) and name not in ignore]
    by_name = {plugin.name: plugin for plugin in plugins}
    return tuple(by_name.get(name) or built_in(name) for name in wanted)


@cache
def built_in(name: str) -> Transform:
    """The built-in pass of that name."""
    module, _, class_name = BUILT_IN[name].partition(":")
    instance = getattr(import_module(module), class_name)()
    if not isinstance(instance, Transform):
        raise TypeError(f"{BUILT_IN[name]} is not a Transform")
    return instance


def plugin_passes() -> tuple[Transform, ...]:
    """The passes that other installed packages offer, sorted by name."""
    from importlib.metadata import entry_points

    found = entry_points(group=ENTRY_POINT_GROUP)
    return tuple(entry.load()() for entry in sorted(found, key=lambda entry: entry.name))
