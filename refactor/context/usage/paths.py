"""Paths and names in the files that build an image."""

from __future__ import annotations

import os

from dockerfix.context.usage.facts import Source
from dockerfix.patterns import pattern

_VARIABLE = pattern(r"\$\{(\w+):?-([^}]*)\}")
_DOT_ENV = pattern(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*([\w./:@-]*)[ \t]*(?:#.*)?$", 8)
_MAX_BYTES = 100_000


def read_dot_env(source: Source) -> dict[str, str]:
    """The plain values of the `.env` beside a file; none when there is no such file."""
    path = os.path.join(source.root, os.path.dirname(source.path), ".env")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_MAX_BYTES)
    except OSError:
        return {}
    found = {match[1]: match[2] for match in _DOT_ENV.finditer(text)}
    # A value may name another variable in front of it: those are left out, and so is what they do.
    return {name: value for name, value in found.items() if value}


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
