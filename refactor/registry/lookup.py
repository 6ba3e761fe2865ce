"""From a reference to what it is pinned to."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from dockerfix.registry.answers import NotFoundError, RegistryError
from dockerfix.registry.client import Registry
from dockerfix.registry.lockfile import Pin
from dockerfix.registry.reference import Reference
from dockerfix.registry.tags import more_specific, newest, read_tag, same_version

#: So many tags are asked for their digest, the likeliest first.
_MAX_CANDIDATES = 40
_MAX_ALSO = 2
#: By how far an update may go: so many numbers of the version stay.
SPANS = {"patch": 2, "minor": 1, "major": 0}
#: Where two numbers are the release: https://wiki.ubuntu.com/Releases
_RELEASES_OF_TWO = frozenset(("library/ubuntu",))


def look_up(
    reference: Reference, registry: Registry, today: datetime.date, known: Pin | None = None
) -> Pin:
    """Find the most exact tag with the same digest; `known` again, when that is still so.

    One request when `known` holds. Raises RegistryError.
    """
    tagged = reference.with_tag(reference.tag or "latest")
    digest = registry.digest(tagged)
    if known is not None and known.digest == digest:
        return known
    tags = [] if read_tag(tagged.tag).is_exact else _tags(tagged, registry)
    candidates = more_specific(tagged.tag, tags)[:_MAX_CANDIDATES]
    tag = next(_same(candidates, digest, tagged, registry), tagged.tag)
    spellings = same_version(tagged.tag, tags, tag)[:_MAX_ALSO]
    also = tuple(_same(spellings, digest, tagged, registry))
    # What HEAD said is taken for true when the bytes say it too.
    manifest = registry.manifest(tagged.with_tag(tag))
    if manifest.digest != digest:
        raise RegistryError(f"{tagged}: {tag} has another digest than the registry said")
    return Pin(str(tagged), tag, digest, manifest.platforms, today.isoformat(), also)


def move(reference: Reference, registry: Registry, today: datetime.date, span: str) -> Pin:
    """Find the newest tag of the same kind that `span` (patch, minor, major) allows.

    A reference with a digest keeps the form of its tag, and gets the digest of today. Raises
    RegistryError.
    """
    tagged = reference.with_tag(reference.tag or "latest")
    kept = _kept(tagged, span)
    tags = _tags(tagged, registry)
    if reference.digest:
        length = len(read_tag(tagged.tag).version)
        tags = [tag for tag in tags if len(read_tag(tag).version) == length]
    tag = newest(tagged.tag, tags, kept) or tagged.tag
    if not reference.digest and not read_tag(tag).is_exact:
        exact = look_up(tagged.with_tag(tag), registry, today)
        return Pin(str(reference), exact.tag, exact.digest, exact.platforms, exact.date)
    manifest = registry.manifest(tagged.with_tag(tag))
    return Pin(str(reference), tag, manifest.digest, manifest.platforms, today.isoformat())


def _kept(reference: Reference, span: str) -> int:
    version = read_tag(reference.tag).version
    if span != "major" and reference.path in _RELEASES_OF_TWO:
        return min(2, len(version))
    return min(SPANS[span], len(version))


def _tags(reference: Reference, registry: Registry) -> list[str]:
    try:
        return registry.tags(reference)
    except NotFoundError:
        # Some registries answer for images and list nothing.
        return []


def _same(
    tags: Iterable[str], digest: str, reference: Reference, registry: Registry
) -> Iterator[str]:
    for tag in tags:
        try:
            if registry.digest(reference.with_tag(tag)) == digest:
                yield tag
        except NotFoundError:
            # Listed a moment ago, removed since.
            continue
