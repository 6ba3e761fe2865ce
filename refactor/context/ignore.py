"""What `.dockerignore` keeps out of the build context.

Follows moby/patternmatcher, which BuildKit uses: patterns are rooted, `**` spans folders, `!`
lets a path in again, the last pattern that matches decides, and what lies in a matched folder is
matched too. As there, a pattern is looked at only where it would change something: a `!` of a
folder that was never out lets nothing in below.

The matcher of the docker SDK was tried in its place and left: it reads `[^a]` and `/**/a` in
another way than the builder does, and importing it takes longer than a whole run.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from dockerfix.patterns import pattern


class Pattern(NamedTuple):
    """One line of the file."""

    text: str
    #: A leading `!`: paths that match are let in.
    lets_in: bool
    regex: re.Pattern[str]
    line: int
    #: What a path is, or ends with, when that is all the pattern asks; "" otherwise.
    name: str
    #: Whether that is asked at any depth (`**/name`).
    is_deep: bool

    def matches(self, path: str) -> bool:
        """Whether the pattern is about this very path."""
        if not self.name:
            return self.regex.fullmatch(path) is not None
        return path == self.name or (self.is_deep and path.endswith(f"/{self.name}"))


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns of a `.dockerignore`, in order."""

    patterns: tuple[Pattern, ...]

    #: For each folder asked about: which patterns matched it, and which one decides.
    _folders: dict[str, tuple[tuple[bool, ...], Pattern | None]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def deciding(self, path: str) -> Pattern | None:
        """The pattern that decides on a path; None when none matches it."""
        return self._look(path.strip("/"))[1] if self.patterns else None

    def _look(self, path: str) -> tuple[tuple[bool, ...], Pattern | None]:
        """Which patterns match a path or hold for its folder, and the one that decides.

        The same as `MatchesUsingParentResults` of moby/patternmatcher.
        """
        if path in self._folders:
            return self._folders[path]
        folder = path.rpartition("/")[0]
        above = self._look(folder)[0] if folder else (False,) * len(self.patterns)
        matched: list[bool] = []
        decided: Pattern | None = None
        for entry, held in zip(self.patterns, above, strict=True):
            is_out = decided is not None and not decided.lets_in
            match = held or (entry.lets_in == is_out and entry.matches(path))
            matched.append(match)
            decided = entry if match else decided
        self._folders[path] = tuple(matched), decided
        return self._folders[path]

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
        found = _read_pattern(clean, lets_in, number)
        if found is not None:
            patterns.append(found)
    return IgnoreRules(tuple(patterns))


def _read_pattern(text: str, lets_in: bool, line: int) -> Pattern | None:
    """One pattern; None for one that the builder would refuse. Most need no regular expression."""
    is_deep = text.startswith("**/")
    name = text.removeprefix("**/")
    plain = not any(char in name for char in "*?[]\\")
    regex = pattern("" if plain else translate(text), re.DOTALL)
    if not plain and "[" in text:
        try:
            regex = re.compile(translate(text), re.DOTALL)
        except re.error:
            return None
    return Pattern(text, lets_in, regex, line, name if plain else "", is_deep)


def _clean(text: str) -> str:
    text = posixpath.normpath(text) if text else ""
    return text.lstrip("/") if len(text) > 1 else text


def translate(text: str) -> str:
    """A pattern as a regular expression; the grammar of Go's `filepath.Match` and `**`."""
    parts: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        if text.startswith("**", position):
            position += 2
            if text.startswith("/", position):
                position += 1
            parts.append(".*" if position >= len(text) else "(?:.*/)?")
            continue
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "\\":
            position += 1
            parts.append(re.escape(text[position : position + 1] or "\\"))
        elif char in "[]":
            parts.append(char)
        else:
            parts.append(re.escape(char) if char not in "-^" else char)
        position += 1
    return "".join(parts)
