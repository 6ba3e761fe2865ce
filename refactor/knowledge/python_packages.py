"""Python packages that run on a slim image as they are. What is not here is not known."""

from __future__ import annotations

from dockerfix.knowledge.data import names

SELF_CONTAINED = names("packages/python", "self_contained")
