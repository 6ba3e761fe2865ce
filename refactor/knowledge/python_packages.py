"""What Python packages need of the image that they run on. What is not here is not known."""

from __future__ import annotations

import re

from dockerfix.knowledge.data import names, table
from dockerfix.knowledge.system_packages import runtime_packages

_FILE = "packages/python"
#: The newest version of Python that the tables know.
_NEWEST = (3, 14)


def is_self_contained(name: str, extras: tuple[str, ...] = ()) -> bool:
    """Whether a package runs on a slim image as it is, with these extras."""
    known = names(_FILE, "plain_extras") if extras else ()
    return name in names(_FILE, "self_contained") and all(f"{name}[{e}]" in known for e in extras)


def is_known(name: str, extras: tuple[str, ...]) -> bool:
    """Whether it is known what a package is linked with."""
    return name in table(_FILE, "needs_library") or is_self_contained(name, extras)


def libraries_for(name: str, extras: tuple[str, ...], image: str) -> tuple[str, ...] | None:
    """The system packages that a package needs on a slim image; None when that is not known."""
    headers = table(_FILE, "needs_library").get(name)
    if headers is None or (name == "psycopg" and "binary" in extras):
        return () if is_self_contained(name, extras) or name == "psycopg" else None
    found = tuple(library for header in headers for library in runtime_packages(header, image))
    return None if any(library in headers for library in found) else found


def compiles_when_it_runs(name: str) -> bool:
    """Whether a package calls a compiler while the program runs."""
    return name in names(_FILE, "compiles_when_it_runs")


def embeds_python(name: str) -> bool:
    """Whether a package is a program that holds a Python, which looks for no environment."""
    return name in names(_FILE, "embeds_python")


def distributions_of(module: str) -> tuple[str, ...]:
    """The packages, as PyPI compares their names, that may bring a module that is imported."""
    same = module.lower().replace("_", "-")
    return (same, *table(_FILE, "imports").get(module, ()))


def is_development_tool(name: str) -> bool:
    """Whether a package tests, checks or formats sources, and has no part in what runs."""
    return name in names(_FILE, "development_tools") or name.startswith(
        tuple(names(_FILE, "development_prefixes"))
    )


def is_loaded_when_present(name: str) -> bool:
    """Whether packages look for this one without saying that they need it."""
    return name in names(_FILE, "loaded_when_present")


def has_wheel(name: str, version: str, python: tuple[int, int]) -> bool:
    """Whether a release has a wheel, or is linked with nothing that the slim image lacks."""
    first = table(_FILE, "first_wheel").get(name, {}).get(f"{python[0]}.{python[1]}")
    return first is None or _numbers(version) >= _numbers(first)


def python_version(tag: str) -> tuple[int, int] | None:
    """The version in a tag of Python's image; the newest where none is said."""
    match = re.match(r"(\d+)\.(\d+)", tag)
    if match:
        return int(match[1]), int(match[2])
    return _NEWEST if re.match(r"(?:3(?:-|$)|slim|latest|bookworm|trixie|alpine|$)", tag) else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
