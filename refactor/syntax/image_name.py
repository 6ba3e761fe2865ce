"""References to images: repository, tag and digest."""

from __future__ import annotations

from typing import NamedTuple


class ImageName(NamedTuple):
    """An image reference in its parts, as the user wrote them; empty where a part is missing."""

    repository: str
    tag: str
    digest: str

    @property
    def last(self) -> str:
        """The last part of the repository: `node` in `docker.io/library/node`."""
        return self.repository.rpartition("/")[2]


def read_image(text: str) -> ImageName:
    """Split an image reference into repository, tag and digest (a port is no tag)."""
    name, _, digest = text.partition("@")
    head, slash, tail = name.rpartition("/")
    last, _, tag = tail.partition(":")
    return ImageName(head + slash + last, tag, digest)
