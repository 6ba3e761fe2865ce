"""What system packages are for: building only, or running as well.

The tables `libraries/<system>.json` are made from Debian's and Ubuntu's package indexes by
`scripts/extract_runtime_libraries.py`. A package that no table names stays installed.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.data import names, table
from dockerfix.knowledge.recommended import debian_releases
from dockerfix.syntax.image_name import read_image

_FILE = "packages/system"
#: They compile, link, fetch sources; no program that was built needs them.
BUILD_ONLY = names(_FILE, "build_only")
#: Patterns of packages behind which an install may find other packages than before.
_CHANGES_INSTALLS = names(_FILE, "changes_installs")
#: What Ubuntu's codenames in the tags of other images mean, and the releases of ubuntu's own.
_UBUNTU = {"focal": "20.04", "jammy": "22.04", "noble": "24.04"}


def is_for_building(name: str) -> bool:
    """Whether a package is there to build with: a compiler, or headers."""
    return name in BUILD_ONLY or name.endswith("-dev")


def changes_installs(name: str) -> bool:
    """Whether the next install may find something else because this package is there."""
    return any(fnmatchcase(name, entry) for entry in _CHANGES_INSTALLS)


def runtime_packages(name: str, image: str) -> tuple[str, ...]:
    """What takes a package's place at run time on an image.

    Nothing where nothing has to; the package itself where that is not known.
    """
    family = official_name(read_image(image).repository)
    if name in table(_FILE, "held_by_image").get(family, ()):
        return ()
    alpine = "alpine" in image
    compiler = table(_FILE, "compiler_library")["alpine" if alpine else "debian"]
    if name in BUILD_ONLY or name in compiler:
        return (compiler[name],) if name in compiler else ()
    if alpine:
        library = table(_FILE, "alpine_library").get(name, name)
        return (library,) if library else ()
    return _of_systems(name, image)


def _of_systems(name: str, image: str) -> tuple[str, ...]:
    """What all the systems that an image may stand on agree on."""
    systems = _systems(image)
    if not name.endswith(("-dev", "-dev-compat", "-dev-all")) or not systems:
        return (name,)
    found = {tuple(libraries(system).get(name, (name,))) for system in systems}
    return found.pop() if len(found) == 1 else (name,)


def _systems(image: str) -> tuple[str, ...]:
    """The systems that an image may stand on, as the tables are named."""
    found = read_image(image)
    releases = debian_releases(image)
    if releases:
        return tuple(f"debian-{release}" for release in releases)
    for codename, release in _UBUNTU.items():
        if codename in found.tag:
            return (f"ubuntu-{release}",)
    if official_name(found.repository) == "ubuntu" and found.tag in _UBUNTU.values():
        return (f"ubuntu-{found.tag}",)
    return ()


@cache
def libraries(system: str) -> dict[str, list[str]]:
    """For the `-dev` packages of a system: the packages with their shared libraries."""
    path = Path(__file__).parent / "libraries" / f"{system}.json"
    content: dict[str, list[str]] = json.loads(path.read_text("utf-8"))
    return content
