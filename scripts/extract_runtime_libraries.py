#!/usr/bin/env python3
"""Write refactor/knowledge/libraries/<system>.json from Debian's and Ubuntu's package indexes.

    python scripts/extract_runtime_libraries.py [DEBIAN_MIRROR [UBUNTU_MIRROR]]

For every `-dev` package that `refactor/knowledge/libraries/names.txt` names: the packages with the
shared libraries that a program linked with it needs when it runs. These are what it depends on of
its own source package in section `libs` or `introspection`, and what its sisters depend on in the
same way; where there is none, what the other development packages it depends on give. What a
minimal image holds is not listed, so an empty list says that nothing is missing there. Left out
are packages that a release lacks, those without libraries (headers only, or not understood) and
those with more than eight.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

DEBIAN = "http://deb.debian.org/debian"
UBUNTU = "http://archive.ubuntu.com/ubuntu"
DEBIAN_RELEASES = {"bullseye": "11", "bookworm": "12", "trixie": "13"}
UBUNTU_RELEASES = {"focal": "20.04", "jammy": "22.04", "noble": "24.04"}
FOLDER = Path(__file__).parent.parent / "refactor" / "knowledge" / "libraries"
MAX_DEPTH = 6
MANY = 8


class Package(NamedTuple):
    source: str
    section: str
    required: bool
    depends: list[str]


def main() -> None:
    mirrors = dict(enumerate(sys.argv[1:]))
    names = (FOLDER / "names.txt").read_text().split()
    for release, number in DEBIAN_RELEASES.items():
        index = read_index([f"{mirrors.get(0, DEBIAN)}/dists/{release}/main"])
        write(f"debian-{number}", index, names)
    for release, number in UBUNTU_RELEASES.items():
        folder = f"{mirrors.get(1, UBUNTU)}/dists/{release}"
        write(f"ubuntu-{number}", read_index([f"{folder}/main", f"{folder}/universe"]), names)


def write(system: str, index: dict[str, Package], names: list[str]) -> None:
    base = needed(["apt", *(name for name, package in index.items() if package.required)], index)
    found = {name: libraries(name, index) for name in sorted(names) if name in index}
    known = {name: packages for name, packages in found.items() if 0 < len(packages) <= MANY}
    missing = {name: [p for p in packages if p not in base] for name, packages in known.items()}
    lines = (f"{json.dumps(name)}: {json.dumps(packages)}" for name, packages in missing.items())
    (FOLDER / f"{system}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{system}: {len(known)} packages")


def read_index(components: list[str]) -> dict[str, Package]:
    index: dict[str, Package] = {}
    for component in components:
        with urllib.request.urlopen(f"{component}/binary-amd64/Packages.xz") as answer:
            text = lzma.decompress(answer.read()).decode()
        for paragraph in text.split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
            if name := fields.get("Package"):
                source = fields.get("Source", name).split(" ")[0]
                section = fields.get("Section", "").rpartition("/")[2]
                required = fields.get("Priority") == "required" or "Essential" in fields
                depends = f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}"
                index[name] = Package(source, section, required, first_choices(depends))
    return index


def needed(names: list[str], index: dict[str, Package]) -> set[str]:
    """The packages and all they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        # Images are merged when they are made: no image holds what would do it, and perl.
        if name in index and name not in found and name != "usrmerge":
            found.add(name)
            waiting += index[name].depends
    return found


def first_choices(text: str) -> list[str]:
    entries = (entry.split("|")[0].strip() for entry in text.split(","))
    return [re.split(r"[ :(]", entry)[0] for entry in entries if entry]


def libraries(name: str, index: dict[str, Package], depth: int = 0) -> list[str]:
    """The packages with the shared libraries of a `-dev` package."""
    package = index.get(name)
    if package is None or depth > MAX_DEPTH:
        return []
    known = [(other, index[other]) for other in package.depends if other in index]
    developing = [o for o, p in known if o.endswith("-dev") or p.section == "libdevel"]
    siblings = [o for o in developing if index[o].source == package.source]
    own = [
        other
        for other, found in known
        if found.source == package.source and found.section in ("libs", "oldlibs", "introspection")
    ]
    own = [other for other in own if not other.endswith(("-dev", "-tools", "-bin"))]
    own += [library for other in siblings for library in libraries(other, index, depth + 1)]
    if not own:
        own = [library for other in developing for library in libraries(other, index, depth + 1)]
    return sorted(dict.fromkeys(own))


if __name__ == "__main__":
    main()
