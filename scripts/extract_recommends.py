#!/usr/bin/env python3
"""Write refactor/knowledge/recommends/<release>.json from Debian's own package indexes.

    python scripts/extract_recommends.py [MIRROR]

For every package that `refactor/knowledge/recommends/packages.txt` names, and in turn for those
that they recommend: the packages that `apt-get install` brings along only because the package, or
one it depends on, recommends them; null where these are more than a dozen. Choices (`a | b`) count
as their first entry. Packages that a release lacks are left out.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import urllib.request
from pathlib import Path

RELEASES = {"bullseye": "11", "bookworm": "12", "trixie": "13"}
MIRROR = "http://deb.debian.org/debian"
MANY = 12
FOLDER = Path(__file__).parent.parent / "refactor" / "knowledge" / "recommends"


def main() -> None:
    mirror = sys.argv[1] if len(sys.argv) > 1 else MIRROR
    wanted = (FOLDER / "packages.txt").read_text().split()
    for release, number in RELEASES.items():
        url = f"{mirror}/dists/{release}/main/binary-amd64/Packages.xz"
        with urllib.request.urlopen(url) as answer:
            index, base = read_index(lzma.decompress(answer.read()).decode())
        found: dict[str, list[str] | None] = {}
        waiting = [name for name in wanted if name in index]
        while waiting:
            name = waiting.pop()
            if name not in found:
                recommended = only_recommended(name, index, base)
                found[name] = recommended if len(recommended) <= MANY else None
                waiting += found[name] or []
        path = FOLDER / f"debian-{number}.json"
        lines = (f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found))
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        print(f"{path.name}: {len(found)} packages")


#: Package name -> what it depends on, what it recommends.
Index = dict[str, tuple[list[str], list[str]]]


def read_index(text: str) -> tuple[Index, set[str]]:
    """All packages, and those that a minimal image holds (priority required, and apt)."""
    index: Index = {}
    required = ["apt"]
    provided: dict[str, str] = {}
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if "Package" not in fields:
            continue
        name = fields["Package"]
        if fields.get("Priority") == "required" or fields.get("Essential") == "yes":
            required.append(name)
        depends = f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}"
        index[name] = (first_choices(depends), first_choices(fields.get("Recommends", "")))
        for other in first_choices(fields.get("Provides", "")):
            provided.setdefault(other, name)
    for name, lists in index.items():
        depends, recommends = (
            [found for other in names if (found := real(other, index, provided))] for names in lists
        )
        index[name] = (depends, recommends)
    return index, needed(required, index)


def real(name: str, index: Index, provided: dict[str, str]) -> str | None:
    return name if name in index else provided.get(name)


def first_choices(text: str) -> list[str]:
    entries = (entry.split("|")[0].strip() for entry in text.split(","))
    return [re.split(r"[ :(]", entry)[0] for entry in entries if entry]


def needed(names: list[str], index: Index) -> set[str]:
    """The packages and all they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += index[name][0]
    return found


def only_recommended(name: str, index: Index, base: set[str]) -> list[str]:
    """What a package and its dependencies recommend; what that brings along is not listed."""
    with_dependencies = needed([name], index)
    recommended = {other for found in with_dependencies - base for other in index[found][1]}
    return sorted(recommended - with_dependencies - base)


if __name__ == "__main__":
    main()
