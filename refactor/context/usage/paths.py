"""Paths, names and variables in the files that build an image."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from dockerfix.context.usage.facts import Source
from dockerfix.patterns import pattern

_DEFAULT = pattern(r"\$\{(\w+):?-([^}]*)\}")
_DOT_ENV = pattern(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*([\w./:@-]*)[ \t]*(?:#.*)?$", 8)
#: `$V`, `${V}`, and with what stands for it when it is set or not; nothing but plain characters.
_NAMED = pattern(r"(?<!\$)\$(?:\{(\w+)(?:(:?[-?+])([\w./:@, -]*))?\}|(\w+))")
_MAX_BYTES = 300_000


def read_dot_env(source: Source) -> dict[str, str]:
    """The plain values of the `.env` beside a file; none when there is no such file."""
    text = _read(os.path.join(source.folder, ".env")) or ""
    found = {match[1]: match[2] for match in _DOT_ENV.finditer(text)}
    # A value may name another variable in front of it: those are left out, and so is what they do.
    return {name: value for name, value in found.items() if value}


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """A text with its variables and their defaults put in; what is not known stays as it is.

    Source: docs.docker.com/reference/compose-file/interpolation.
    """
    for _ in range(3):
        found = _NAMED.sub(lambda match: _value(match, variables), text)
        if found == text:
            break
        text = found
    return text


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    known = variables.get(match[1] or match[4])
    match (match[2] or "")[-1:]:
        case "-":
            return known if known is not None else match[3]
        case "+":
            return match[3] if known is not None else ""
        case _:
            return known if known is not None else match[0]


def read_beside(source: Source, path: str) -> Source | None:
    """Another file that a file names, inside the repository; None when it is not there."""
    place = resolve(source, path)
    root = os.path.realpath(source.root)
    if place is None or os.path.commonpath((root, os.path.realpath(place))) != root:
        return None
    text = _read(place)
    relative = os.path.relpath(os.path.realpath(place), root)
    return None if text is None else Source(source.root, relative, text)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError:
        return None
    return text if len(text) <= _MAX_BYTES else None


def resolve(source: Source, path: str, base: str | None = None) -> str | None:
    """An absolute path for one that a file names; defaults put in; None: a variable decides.

    `base` is what it is relative to: by default what the file's paths are relative to.
    """
    path = _DEFAULT.sub(lambda match: match[2], path)
    if any(mark in path for mark in ("$", "{{", "<<", "\0")):
        return None
    return os.path.normpath(os.path.join(base or source.folder, os.path.expanduser(path)))


def image_name(image: str) -> str:
    """An image's name without registry host, tag and digest: `ghcr.io/a/b:1` is `a/b`."""
    name = _DEFAULT.sub(lambda match: match[2], image).partition("@")[0]
    head, slash, last = name.rpartition("/")
    host, inner, rest = f"{head}{slash}{last.partition(':')[0]}".partition("/")
    return rest if inner and ("." in host or ":" in host or "$" in host) else f"{host}{inner}{rest}"


def image_names(images: object) -> tuple[str, ...]:
    """The names of images that no variable decides, each once."""
    texts = [images] if isinstance(images, str) else images if isinstance(images, list) else []
    names = (image_name(text) for text in texts if isinstance(text, str) and text)
    return tuple(dict.fromkeys(name for name in names if name and "$" not in name))
