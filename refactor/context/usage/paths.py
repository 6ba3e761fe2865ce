"""Paths and names in the files that build an image."""

from __future__ import annotations

import os

from dockerfix.context.usage.facts import Source
from dockerfix.patterns import pattern

_VARIABLE = pattern(r"\$\{(\w+):?-([^}]*)\}")


def resolve(source: Source, path: str, base: str | None = None) -> str | None:
    """An absolute path for one that a file names; defaults put in; None: a variable decides.

    `base` is what it is relative to: by default the folder of the file.
    """
    path = _VARIABLE.sub(lambda match: match[2], path)
    if "$" in path or "{{" in path or "<<" in path:
        return None
    folder = base or os.path.join(source.root, os.path.dirname(source.path))
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))


def image_name(image: str) -> str:
    """An image's name without registry host, tag and digest: `ghcr.io/a/b:1` is `a/b`."""
    name = _VARIABLE.sub(lambda match: match[2], image).partition("@")[0]
    head, slash, last = name.rpartition("/")
    host, inner, rest = f"{head}{slash}{last.partition(':')[0]}".partition("/")
    return rest if inner and ("." in host or ":" in host or "$" in host) else f"{host}{inner}{rest}"
