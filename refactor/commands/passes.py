"""`dockerfix list` and `dockerfix explain`."""

from __future__ import annotations

import inspect

from dockerfix.catalogue import BUILT_IN, UnknownPassError, built_in, plugin_passes
from dockerfix.transform import Transform


def list_passes() -> str:
    """One line a pass: name, level, what it does; passes of other packages behind."""
    passes = [*map(built_in, BUILT_IN), *plugin_passes()]
    width = max(len(entry.name) for entry in passes)
    return "".join(
        f"{entry.name:{width}}  {entry.level!s:6}  {_documentation(entry).splitlines()[0]}\n"
        for entry in passes
    )


def explain_pass(name: str) -> str:
    """The documentation of a pass. Raises UnknownPassError."""
    entry = built_in(name) if name in BUILT_IN else _plugin(name)
    return f"{entry.name} ({entry.level})\n\n{_documentation(entry).rstrip()}\n"


def _plugin(name: str) -> Transform:
    plugins = {plugin.name: plugin for plugin in plugin_passes()}
    if name not in plugins:
        raise UnknownPassError.of(name, (*BUILT_IN, *plugins))
    return plugins[name]


def _documentation(entry: Transform) -> str:
    return inspect.getdoc(type(entry)) or "(not documented)"
