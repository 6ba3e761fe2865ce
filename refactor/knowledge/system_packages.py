"""What system packages are for: building only, or running as well.

A package that the tables do not name stays installed.
"""

from __future__ import annotations

from dockerfix.knowledge.data import names, table

#: They compile, link, fetch sources; no program that was built needs them.
BUILD_ONLY = names("packages/system", "build_only")
#: A `-dev` package and what a program that was linked with it needs.
RUNTIME_LIBRARY: dict[str, str] = table("packages/system", "runtime_library")
#: Those of the table whose Debian package has another name in each release.
ONLY_ALPINE = names("packages/system", "only_alpine")


def runtime_package(name: str, alpine: bool) -> str | None:
    """What takes a package's place at run time; None when nothing has to."""
    if name in BUILD_ONLY:
        return None
    if name in ONLY_ALPINE and not alpine:
        return name
    return RUNTIME_LIBRARY.get(name, name)
