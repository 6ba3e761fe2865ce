"""From a reference to what it is pinned to."""

from __future__ import annotations

import datetime

from dockerfix.lockfile import Pin
from dockerfix.registry.client import Registry
from dockerfix.registry.reference import Reference
from dockerfix.registry.tags import more_specific

#: So many tags are asked for their digest, the most exact first.
_MAX_CANDIDATES = 24


def look_up(reference: Reference, registry: Registry, today: datetime.date) -> Pin:
    """Find the most exact tag with the same digest. Raises RegistryError."""
    tagged = reference.with_tag(reference.tag or "latest")
    described = registry.describe(tagged)
    tag = tagged.tag
    for candidate in more_specific(tagged.tag, registry.tags(tagged))[:_MAX_CANDIDATES]:
        if registry.digest(tagged.with_tag(candidate)) == described.digest:
            tag = candidate
            break
    return Pin(str(tagged), tag, described.digest, described.platforms, today.isoformat())
