"""Artifacts for Java that hold more than what a virtual machine runs."""

from __future__ import annotations

from dockerfix.knowledge.data import names


def native_artifact(manifest: str) -> str | None:
    """A compiled artifact that a pom.xml or a script of Gradle's names."""
    return next(
        (name for name in sorted(names("packages/java", "native")) if name in manifest), None
    )
