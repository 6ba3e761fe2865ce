"""Which passes there are, in the order they run."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dockerfix.transform import Transform

#: In the order of the pipeline: structure first, then packages, then layers. Loaded when used.
BUILT_IN = (
    "dockerfix.transforms.modernise:Modernise",
    "dockerfix.transforms.name_stages:NameStages",
    "dockerfix.transforms.workdir:Workdir",
    "dockerfix.transforms.exec_form:ExecForm",
    "dockerfix.transforms.chown_copies:ChownCopies",
    "dockerfix.transforms.package_hygiene:PackageHygiene",
    "dockerfix.transforms.merge_runs:MergeRuns",
)
#: Entry points of this group are passes of other packages.
ENTRY_POINT_GROUP = "dockerfix.transforms"


class UnknownPassError(ValueError):
    """A pass name that nobody knows."""


@cache
def built_in_passes() -> tuple[Transform, ...]:
    """The passes of this package."""
    return tuple(_load(path) for path in BUILT_IN)


def plugin_passes() -> tuple[Transform, ...]:
    """The passes that other installed packages offer, sorted by name."""
    from importlib.metadata import entry_points

    found = entry_points(group=ENTRY_POINT_GROUP)
    return tuple(entry.load()() for entry in sorted(found, key=lambda entry: entry.name))


def choose_passes(
    passes: tuple[Transform, ...], select: tuple[str, ...], ignore: tuple[str, ...]
) -> tuple[Transform, ...]:
    """Keep the selected passes (all when none is named) without the ignored ones.

    Raises UnknownPassError for a name that is not among them.
    """
    known = {entry.name for entry in passes}
    for name in (*select, *ignore):
        if name not in known:
            raise UnknownPassError(
                f"no pass is called {name}; there are {', '.join(sorted(known))}"
            )
    wanted = set(select or known) - set(ignore)
    return tuple(entry for entry in passes if entry.name in wanted)


def _load(path: str) -> Transform:
    module, _, name = path.partition(":")
    factory = getattr(import_module(module), name)
    instance = factory()
    if not isinstance(instance, Transform):
        raise TypeError(f"{path} is not a Transform")
    return instance
