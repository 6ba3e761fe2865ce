"""New patterns for the `.dockerignore` of a build context."""

from __future__ import annotations

from collections.abc import Sequence

from dockerfix.context.build_context import BuildContext
from dockerfix.transform import NewFile


def add_patterns(patterns: Sequence[str], context: BuildContext) -> NewFile:
    """The ignore file that counts for this Dockerfile, with patterns at its end."""
    path = context.ignore_path or ".dockerignore"
    text = context.read(path) or "" if context.ignore_path else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    return NewFile(path, text + "".join(pattern + newline for pattern in patterns))
