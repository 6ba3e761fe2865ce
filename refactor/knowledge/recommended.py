"""What `apt-get install` brings along only because a package recommends it.

The tables `recommends/debian-*.json` are made from Debian's package indexes by
`scripts/extract_recommends.py`. Ubuntu's are not among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.data import names, table
from dockerfix.patterns import pattern
from dockerfix.syntax.image_name import read_image

_OFFICIAL = "images/official"
_RELEASES: dict[str, str] = table(_OFFICIAL, "debian_codenames")
_OTHER_RELEASES = pattern(
    r"wheezy|jessie|stretch|buster|forky|sid|alpine|noble|jammy|focal|bionic|xenial|oracle|nano"
    r"|windows"
)
_HARMLESS = names("packages/recommended", "harmless")
_DOCUMENTATION = pattern(r".*-(?:doc|docs|doc-html|l10n|examples)")
_HELD_BY_IMAGE: dict[str, list[str]] = table("packages/recommended", "held_by_image")
_OF_PROTOCOL: dict[str, list[str]] = table("packages/recommended", "of_protocol")


def debian_releases(image: str) -> tuple[str, ...]:
    """The Debian releases that an image may stand on, as numbers; nothing when not known."""
    found = read_image(image)
    name = official_name(found.repository)
    family = table(_OFFICIAL, "families").get(name, {})
    if "debian_index" not in family or _OTHER_RELEASES.search(found.tag):
        return ()
    for codename, number in _RELEASES.items():
        if codename in found.tag or (name == "debian" and found.tag.split(".")[0] == number):
            return (number,)
    if name == "debian" and found.tag not in ("", "latest", "stable", "stable-slim"):
        return ()
    return tuple(_RELEASES.values())


def missed_without_recommends(
    packages: tuple[str, ...], releases: tuple[str, ...], mentions: Callable[[str], bool]
) -> tuple[str, ...] | None:
    """Which packages would be missed, sorted; None when not known, or when they are many.

    `mentions` says whether the Dockerfile holds a text: what belongs to a protocol counts where
    the protocol's name occurs.
    """
    missed: set[str] = set()
    for release in releases:
        table = _table(release)
        waiting = list(packages)
        while waiting:
            name = waiting.pop()
            recommended = table.get(name)
            if recommended is None:
                return None
            fresh = {
                other
                for other in recommended
                if other not in missed
                and other not in packages
                and not _is_harmless(other, mentions)
            }
            missed |= fresh
            waiting += fresh
    if not all(name in _table(release) for release in releases for name in missed):
        return None
    return tuple(sorted(missed))


def is_held(package: str, image: str) -> bool:
    """Whether a Debian image holds a package that others recommend, as it comes."""
    found = read_image(image)
    family = official_name(found.repository)
    if "slim" in found.tag or "$" in found.tag:
        return False
    return family in _HELD_BY_IMAGE.get(package, ())


def _is_harmless(package: str, mentions: Callable[[str], bool]) -> bool:
    protocols = _OF_PROTOCOL.get(package)
    if protocols is not None:
        return not any(mentions(name) for name in protocols)
    return package in _HARMLESS or _DOCUMENTATION.fullmatch(package) is not None


@cache
def _table(release: str) -> dict[str, list[str] | None]:
    path = Path(__file__).parent / "recommends" / f"debian-{release}.json"
    table: dict[str, list[str] | None] = json.loads(path.read_text("utf-8"))
    return table
