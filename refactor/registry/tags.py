"""Tags in order: which of them says more exactly than another what an image is."""

from __future__ import annotations

from dataclasses import dataclass

from dockerfix.patterns import pattern

_VERSION = pattern(r"(v?)(\d+(?:\.\d+)*)(?:[-_+](.*))?")
#: Names that move from version to version.
_MOVING = frozenset(
    ("latest", "lts", "stable", "current", "edge", "nightly", "mainline", "rolling", "main")
)
#: From so many numbers on a tag names one release.
_EXACT = 3


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, taken apart: `3.9-eclipse-temurin-17` is 3.9 in the variant `eclipse-temurin-17`."""

    text: str
    #: Empty for a name that moves.
    version: tuple[int, ...]
    #: What stands behind the version, its separator left out.
    variant: str
    #: `v` in front of the version.
    prefix: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the tag names one release."""
        return len(self.version) >= _EXACT


def read_tag(text: str) -> Tag | None:
    """Take a tag apart; None for a name such as `bookworm`, which has an order of its own."""
    match = _VERSION.fullmatch(text or "latest")
    if match is not None:
        version = tuple(int(part) for part in match[2].split("."))
        return Tag(text, version, match[3] or "", match[1])
    name, _, variant = (text or "latest").partition("-")
    return Tag(text or "latest", (), variant) if name in _MOVING else None


def more_specific(tag: str, others: list[str]) -> list[str]:
    """The tags that may name the same image more exactly, the most exact and newest first."""
    wanted = read_tag(tag)
    if wanted is None:
        dated = [other for other in others if _is_dated(other, tag)]
        return sorted(dated, reverse=True)
    found = [entry for other in others if (entry := read_tag(other)) is not None]
    fitting = [entry for entry in found if _fits(entry, wanted)]
    fitting.sort(key=_rank, reverse=True)
    return [entry.text for entry in fitting]


def _is_dated(text: str, name: str) -> bool:
    """`bookworm-20250520` for `bookworm`."""
    return text.startswith(f"{name}-") and text[len(name) + 1 :].isdigit()


def _fits(entry: Tag, wanted: Tag) -> bool:
    """Whether a tag has the same variant, and a version that begins in the same way."""
    length = len(wanted.version)
    if entry.version[:length] != wanted.version or not entry.version:
        return False
    if entry.prefix != wanted.prefix and wanted.version:
        return False
    if entry.variant == wanted.variant:
        return len(entry.version) > length
    # `-alpine` may become `-alpine3.20`: the same variant, said more exactly.
    rest = entry.variant.removeprefix(wanted.variant)
    same = bool(wanted.variant) and rest != entry.variant and rest[:1].isdigit()
    return same and not any(char.isalpha() for char in rest)


def _rank(entry: Tag) -> tuple[int, tuple[int, ...], int, str]:
    return (len(entry.version), entry.version, len(entry.variant), entry.variant)
