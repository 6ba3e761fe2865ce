"""Tags in order: which of them says more exactly than another what an image is, and which is newer.

A tag is a version and a variant: `3.9-eclipse-temurin-17` is 3.9 in the variant
`eclipse-temurin-17`. Forms seen on Docker Hub, quay.io and mcr.microsoft.com: `2023.6.20241212.0`,
`17.0.13_11-jre-jammy`, `8u432-b06-jdk`, `8.0-bookworm-slim-amd64`, `bookworm-20241202-slim`, `lts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import dropwhile
from typing import NamedTuple

from dockerfix.patterns import pattern

_VERSION = pattern(
    r"(?P<prefix>v?)(?P<numbers>\d+(?:\.\d+)*)(?:u(?P<update>\d+)(?:-b(?P<build>\d+))?)?"
    r"(?:[_+](?P<more>\d+(?:\.\d+)*))?(?P<rest>(?:[-_+.]?[A-Za-z].*|[-_+].*)?)"
)
#: What a version has that is not released yet.
_EARLY = pattern(
    r"(?:alpha|beta|rc|cr|ea|pre|preview|dev|snapshot|nightly|canary|insiders?|unstable|next)"
    r"[.\d]*|[abm]\d+",
    re.IGNORECASE,
)
#: Names that move from version to version.
_MOVING = frozenset(
    (
        *("latest", "lts", "stable", "current", "edge", "nightly", "mainline", "rolling", "main"),
        *("master", "release", "oldstable", "testing", "unstable", "sid", "devel", "production"),
        # Lines of Node.js: github.com/nodejs/Release
        *("argon", "boron", "carbon", "dubnium", "erbium", "fermium", "gallium", "hydrogen"),
        *("iron", "jod", "krypton"),
    )
)
_DATE = pattern(r"(?:19|20)\d{6}(?:\.\d+)*")
_NUMBERS = pattern(r"\.?\d+(?:\.\d+)*")
_SPLIT = pattern(r"[-_+]")
#: From so many numbers on a tag names one release.
_EXACT = 3
#: A first number from here on is a year or a day.
_CALENDAR = 1900


class Tag(NamedTuple):
    """A tag, taken apart."""

    text: str
    #: Empty for a name: `latest`, `bookworm`, `alpine`.
    version: tuple[int, ...]
    #: What stands behind the version, or all of a name that does not move: `("alpine", "slim")`.
    variant: tuple[str, ...]
    #: `v` in front of the version.
    prefix: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the tag names one release, or one day."""
        dated = any(_DATE.fullmatch(part) for part in self.variant)
        day = any(_DATE.fullmatch(str(number)) for number in self.version)
        return len(self.version) >= _EXACT or dated or day

    @property
    def is_early(self) -> bool:
        """Whether it is a version before its release."""
        return any(_EARLY.fullmatch(part) for part in self.variant)

    @property
    def is_calendar(self) -> bool:
        """Whether the version is a date."""
        return bool(self.version) and self.version[0] >= _CALENDAR


def read_tag(text: str) -> Tag:
    """Take a tag apart; no tag is `latest`."""
    text = text or "latest"
    match = _VERSION.fullmatch(text)
    if match is None:
        return Tag(text, (), tuple(dropwhile(_MOVING.__contains__, _parts(text))))
    numbers = ".".join(
        filter(None, (match[name] for name in ("numbers", "update", "build", "more")))
    )
    version = tuple(int(part) for part in numbers.split("."))
    return Tag(text, version, _parts(match["rest"].lstrip("-_+.")), match["prefix"])


def more_specific(tag: str, others: Iterable[str]) -> list[str]:
    """The tags that may name the same image more exactly, the likeliest first.

    They have the same variant, perhaps said more exactly (`alpine3.20` for `alpine`), and a version
    that begins in the same way; or a date in the place of none. Last come those that say more of
    the variant: `11.0.32-al2023-headless` for `11-headless`.
    """
    wanted = read_tag(tag)
    entries = [read_tag(other) for other in others if other != wanted.text]
    following = [entry for entry in entries if _follows(entry, wanted)]
    versions = [entry for entry in following if _says_more(entry, wanted)]
    longer = [entry for entry in following if _says_more_of_the_variant(entry, wanted)]
    dated = sorted(
        (entry for entry in entries if _is_dated(entry, wanted)), key=_rank, reverse=True
    )
    named = not wanted.version and bool(wanted.variant)
    ordered = [*dated, *_likely(versions)] if named else [*_likely(versions), *dated]
    return list(dict.fromkeys(entry.text for entry in (*ordered, *_likely(longer))))


def same_version(tag: str, others: Iterable[str], chosen: str) -> list[str]:
    """Other spellings of the version of a chosen tag, with the variant just as `tag` has it."""
    wanted, found = read_tag(tag), read_tag(chosen)
    if not found.version:
        return []
    entries = map(read_tag, others)
    return [
        entry.text
        for entry in entries
        if entry.version == found.version
        and entry.variant == wanted.variant
        and entry.prefix == found.prefix
        and entry.text not in (tag, chosen)
    ]


def newest(tag: str, others: Iterable[str], kept: int) -> str | None:
    """The newest tag of the same kind whose first `kept` numbers are the same; None for none newer.

    The same kind: as many numbers where the tag names a release, the same variant, and nothing that
    is not released yet. For a dated name (`bookworm-20241202-slim`) the newest day counts.
    """
    wanted = read_tag(tag)
    entries = [read_tag(other) for other in others]
    if not wanted.version:
        days = [entry for entry in entries if _same_but_day(entry, wanted)]
    else:
        days = [entry for entry in entries if _may_follow(entry, wanted, kept)]
    best = max(days, key=_rank, default=None)
    return best.text if best is not None and _rank(best) > _rank(wanted) else None


def _may_follow(entry: Tag, wanted: Tag, kept: int) -> bool:
    alike = entry.variant == wanted.variant and entry.prefix == wanted.prefix
    same_length = len(entry.version) == len(wanted.version)
    longer = not wanted.is_exact and len(entry.version) > len(wanted.version)
    return (
        alike
        and (same_length or longer)
        and not entry.is_early
        and entry.is_calendar == wanted.is_calendar
        and entry.version[:kept] == wanted.version[:kept]
    )


def _same_but_day(entry: Tag, wanted: Tag) -> bool:
    if entry.version or len(entry.variant) != len(wanted.variant):
        return False
    pairs = list(zip(entry.variant, wanted.variant, strict=True))
    days = [bool(_DATE.fullmatch(a) and _DATE.fullmatch(b)) for a, b in pairs]
    return any(days) and all(day or a == b for day, (a, b) in zip(days, pairs, strict=True))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in _SPLIT.split(text) if part)


def _follows(entry: Tag, wanted: Tag) -> bool:
    """Whether an entry's version begins with the wanted one, if any."""
    if not entry.version or (entry.prefix != wanted.prefix and wanted.version):
        return False
    if entry.is_early and not wanted.is_early:
        return False
    return entry.version[: len(wanted.version)] == wanted.version


def _says_more(entry: Tag, wanted: Tag) -> bool:
    if not _fits(entry.variant, wanted.variant):
        return False
    return len(entry.version) > len(wanted.version) or entry.variant != wanted.variant


def _says_more_of_the_variant(entry: Tag, wanted: Tag) -> bool:
    """Whether the wanted variant is there with something between, and the whole says more."""
    rest = iter(entry.variant)
    kept = all(any(_fits_part(part, base) for part in rest) for base in wanted.variant)
    longer = len(entry.variant) > len(wanted.variant)
    return kept and longer and (entry.is_exact or len(entry.version) > len(wanted.version))


def _fits(variant: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a variant is the wanted one, perhaps with its own version: `alpine3.20`."""
    if len(variant) != len(wanted):
        return False
    return all(_fits_part(part, base) for part, base in zip(variant, wanted, strict=True))


def _fits_part(part: str, base: str) -> bool:
    if part == base or (_EARLY.fullmatch(part) and _EARLY.fullmatch(base)):
        return True
    rest = part.removeprefix(base)
    # `jdk17` says more than `jdk`, `alpine3.20` more than `alpine3`; `jdk17` is not `jdk1`.
    follows = rest.startswith(".") == base[-1:].isdigit()
    return rest != part and follows and _NUMBERS.fullmatch(rest) is not None


def _is_dated(entry: Tag, wanted: Tag) -> bool:
    """`bookworm-20250520-slim` for `bookworm-slim`; `noble-20250404` for `24.04` or `latest`."""
    rest = tuple(part for part in entry.variant if not _DATE.fullmatch(part))
    if entry.version or len(rest) + 1 != len(entry.variant):
        return False
    if not wanted.version and wanted.variant:
        return rest == wanted.variant
    # The release's name in front stands for the version.
    return rest[1:] == wanted.variant


def _likely(entries: Iterable[Tag]) -> Iterator[Tag]:
    """Newest first; but the newest of each major, then of each minor version, before the others.

    `lts` and `stable` are the newest of some major or minor version.
    """
    ordered = sorted(entries, key=_order, reverse=True)
    seen: set[str] = set()
    for length in (1, 2, 99):
        heads: dict[tuple[int, ...], tuple[int, ...]] = {}
        for entry in ordered:
            newest_version = heads.setdefault(entry.version[:length], entry.version)
            if entry.version == newest_version and entry.text not in seen:
                seen.add(entry.text)
                yield entry


def _order(entry: Tag) -> tuple[bool, tuple[int, ...], tuple[tuple[int, str], ...]]:
    # Days last: `latest` is more often a release.
    return (not entry.is_calendar, *_rank(entry))


def _rank(entry: Tag) -> tuple[tuple[int, ...], tuple[tuple[int, str], ...]]:
    return entry.version, tuple(key for part in entry.variant for key in _natural(part))


def _natural(part: str) -> list[tuple[int, str]]:
    """`alpine3.9` before `alpine3.20`."""
    found = re.findall(r"\d+|\D+", part)
    return [(int(item), "") if item.isdigit() else (-1, item) for item in found]
