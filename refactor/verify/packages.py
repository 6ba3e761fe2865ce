"""The packages of an image, read from its files: dpkg, apk, rpm, npm and pip."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.verify.tree import Tree

#: By manager: each package and its versions; npm may install a package more than once.
#: What the package managers of Node.js are made of is no package of the program.
_TOOLS = re.compile(r"(?:^|/)node_modules/(?:npm|corepack|yarn|pnpm)/node_modules/")
Packages = dict[str, dict[str, str]]
MANAGERS = ("dpkg", "apk", "rpm", "pip", "npm")
_DISTRIBUTION = re.compile(
    r"(?:^|/)(?:site|dist)-packages/([^/]+?)-([^/-]+)\.(?:dist|egg)-info(?:/|$)"
)
_LISTS_OF_DPKG = "var/lib/dpkg/info/"
_APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")


class PackageChange(NamedTuple):
    """A package that is not the same in both images; a version is empty where it is missing."""

    manager: str
    name: str
    before: str
    after: str


def read_packages(tree: Tree) -> Packages:
    """All packages that an image's own lists and folders name."""
    return {
        "dpkg": dict(_dpkg(tree)),
        "apk": dict(_apk(tree)),
        "rpm": dict(tree.rpm),
        "pip": dict(_pip(tree)),
        "npm": _npm(tree),
    }


def compare_packages(before: Packages, after: Packages) -> list[PackageChange]:
    """What came, went, or has another version, by manager and name."""
    found: list[PackageChange] = []
    for manager in MANAGERS:
        old, new = before.get(manager, {}), after.get(manager, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                found.append(PackageChange(manager, name, old.get(name, ""), new.get(name, "")))
    return found


def owners(tree: Tree) -> dict[str, str]:
    """Which package of dpkg or apk a file belongs to, by path."""
    found: dict[str, str] = {}
    for path, text in tree.texts.items():
        if path.startswith(_LISTS_OF_DPKG) and path.endswith(".list"):
            package = posixpath.basename(path).removesuffix(".list").partition(":")[0]
            for line in text.splitlines():
                found[line.lstrip("/")] = package
        elif path in _APK:
            found.update(_apk_files(text))
    return found


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    for block in text.split("\n\n"):
        pairs = (line.partition(":") for line in block.splitlines() if not line.startswith(" "))
        yield {name: value.strip() for name, _, value in pairs}


def _dpkg(tree: Tree) -> Iterator[tuple[str, str]]:
    for path, text in tree.texts.items():
        if path == "var/lib/dpkg/status" or (
            path.startswith("var/lib/dpkg/status.d/") and not path.endswith(".md5sums")
        ):
            for entry in _paragraphs(text):
                # A package that was removed keeps its paragraph, with another status.
                if "Package" in entry and entry.get("Status", "installed").endswith("installed"):
                    yield entry["Package"], entry.get("Version", "")


def _apk(tree: Tree) -> Iterator[tuple[str, str]]:
    for path in _APK:
        for entry in _paragraphs(tree.texts.get(path, "")):
            if "P" in entry:
                yield entry["P"], entry.get("V", "")


def _apk_files(text: str) -> Iterator[tuple[str, str]]:
    for block in text.split("\n\n"):
        package = folder = ""
        for line in block.splitlines():
            if line.startswith("P:"):
                package = line[2:]
            elif line.startswith("F:"):
                folder = line[2:]
            elif line.startswith("R:"):
                yield f"{folder}/{line[2:]}".lstrip("/"), package


def _pip(tree: Tree) -> Iterator[tuple[str, str]]:
    for path in (*tree.folders, *tree.nodes):
        if "-info" not in path:
            continue
        match = _DISTRIBUTION.search(path)
        if match:
            yield re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]


def _npm(tree: Tree) -> dict[str, str]:
    versions: dict[str, set[str]] = {}
    for folder, package in tree.npm.items():
        parent = posixpath.dirname(folder)
        if posixpath.basename(parent).startswith("@"):
            parent = posixpath.dirname(parent)
        own = _TOOLS.search(folder) is not None
        if package.name and posixpath.basename(parent) == "node_modules" and not own:
            versions.setdefault(package.name, set()).add(package.version)
    return {name: ", ".join(sorted(found)) for name, found in versions.items()}
