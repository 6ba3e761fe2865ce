"""What Go modules count on in the image that they run in."""

from __future__ import annotations

from collections.abc import Iterable

from dockerfix.knowledge.data import names


def unknown_modules(modules: Iterable[str]) -> tuple[str, ...]:
    """Those that are not known to work in an image without anything in it."""
    known = names("packages/go", "at_home_anywhere")
    return tuple(module for module in modules if _without_major(module) not in known)


def _without_major(module: str) -> str:
    head, _, tail = module.rpartition("/")
    return head if head and tail[:1] == "v" and tail[1:].isdigit() else module
