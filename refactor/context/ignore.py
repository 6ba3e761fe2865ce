"""What `.dockerignore` keeps out of the build context.

Follows moby/patternmatcher, which BuildKit uses: patterns are rooted, `**` spans folders, `!`
lets a path in again, the last pattern that matches decides, and what lies in a matched folder is
matched too.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the file."""

    text: str
    #: A leading `!`: paths that match are let in.
    lets_in: bool
    regex: re.Pattern[str]
    line: int


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns of a `.dockerignore`, in order."""

    patterns: tuple[Pattern, ...]

    def deciding(self, path: str) -> Pattern | None:
        """The pattern that decides on a path; None when none matches it."""
        parts = path.strip("/").split("/")
        paths = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
        return next(
            (
                pattern
                for pattern in reversed(self.patterns)
                if any(pattern.regex.fullmatch(path) for path in paths)
            ),
            None,
        )

    def ignores(self, path: str) -> bool:
        """Whether a path relative to the context is kept out."""
        pattern = self.deciding(path)
        return pattern is not None and not pattern.lets_in


def parse_ignore_file(text: str) -> IgnoreRules:
    """Read a `.dockerignore`; a pattern that the builder would refuse is left out."""
    patterns: list[Pattern] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        body = line.strip()
        lets_in = body.startswith("!")
        clean = _clean(body[1:].strip() if lets_in else body)
        if not clean:
            continue
        try:
            regex = re.compile(translate(clean), re.DOTALL)
        except re.error:
            continue
        patterns.append(Pattern(clean, lets_in, regex, number))
    return IgnoreRules(tuple(patterns))


def _clean(pattern: str) -> str:
    pattern = posixpath.normpath(pattern) if pattern else ""
    return pattern.lstrip("/") if len(pattern) > 1 else pattern


def translate(pattern: str) -> str:
    """A pattern as a regular expression; the grammar of Go's `filepath.Match` and `**`."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if pattern.startswith("**", position):
            position += 2
            if pattern.startswith("/", position):
                position += 1
            parts.append(".*" if position >= len(pattern) else "(?:.*/)?")
            continue
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "\\":
            position += 1
            parts.append(re.escape(pattern[position : position + 1] or "\\"))
        elif char in "[]":
            parts.append(char)
        else:
            parts.append(re.escape(char) if char not in "-^" else char)
        position += 1
    return "".join(parts)
