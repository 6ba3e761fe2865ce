"""What gems need of the image that they run on. What is not here is not known."""

from __future__ import annotations

from fnmatch import fnmatchcase

from dockerfix.knowledge.data import table
from dockerfix.knowledge.system_packages import runtime_packages

_FILE = "packages/ruby"


def libraries_for(gem: str, image: str) -> tuple[str, ...] | None:
    """The system packages that a gem needs on a slim image; None when that is not known."""
    headers = table(_FILE, "needs_library").get(gem)
    if headers is None:
        known = any(fnmatchcase(gem, entry) for entry in table(_FILE, "self_contained"))
        return () if known else None
    found = tuple(library for header in headers for library in runtime_packages(header, image))
    return None if any(library in headers for library in found) else found
