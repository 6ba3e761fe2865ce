"""`dockerfix list` and `dockerfix explain`."""

from __future__ import annotations

import inspect

from dockerfix.catalogue import BUILT_IN, choose_passes, plugin_passes
from dockerfix.transform import Transform


def list_passes() -> str:
    """One line a pass: name, level, what it does; passes of other packages behind."""
    passes = choose_passes(plugins=plugin_passes())
    width = max(len(entry.name) for entry in passes)
    return "".join(
        f"{entry.name:{width}}  {entry.level!s:6}  {_documentation(entry).splitlines()[0]}\n"
        for entry in passes
    )


def explain_pass(name: str) -> str:
    """The documentation of a pass. Raises UnknownPassError."""
    plugins = () if name in BUILT_IN else plugin_passes()
    (entry,) = choose_passes(select=(name,), plugins=plugins)
    return f"{entry.name} ({entry.level})\n\n{_documentation(entry).rstrip()}\n"


def _documentation(entry: Transform) -> str:
    return inspect.getdoc(type(entry)) or "(not documented)"
