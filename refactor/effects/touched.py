"""The image paths that words and redirections of a command stand for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from dockerfix.effects.reach import EVERYTHING, NOTHING, Reach
from dockerfix.knowledge.command_effects import Use
from dockerfix.syntax.shell.script import Redirection, Word
from dockerfix.syntax.shell.words import read_word

#: Users' homes: which of them `~` is depends on the image.
_HOMES = ("/root", "/home")
#: What tools keep in one.
KEPT = tuple(
    f"/root/{name}"
    for name in (
        *(".config", ".cache", ".local", ".npm", ".npmrc", ".yarnrc", ".yarn", ".bundle", ".gem"),
        *(
            ".composer",
            ".gnupg",
            ".gitconfig",
            ".rustup",
            ".cargo",
            ".m2",
            ".nuget",
            ".gradle",
            ".mix",
            ".hex",
        ),
    )
)
_QUIET = frozenset(("/dev/null", "/dev/stdout", "/dev/stderr", "&1", "&2"))


class Touched(NamedTuple):
    """Image paths."""

    reads: Reach = NOTHING
    writes: Reach = NOTHING
    makes: tuple[str, ...] = ()

    def __or__(self, other: Touched) -> Touched:
        return Touched(
            self.reads | other.reads, self.writes | other.writes, (*self.makes, *other.makes)
        )


#: Whatever there is.
ALL = Touched(EVERYTHING, EVERYTHING)


def redirected(redirections: Iterable[Redirection], directory: str | None) -> Touched:
    """Image paths that redirections of a command read and write."""
    touched = Touched()
    for entry in redirections:
        target = entry.target.strip()
        if target in _QUIET or entry.operator.startswith("<<") or target.isdigit():
            continue
        use: Use = "reads" if entry.operator.startswith("<") else "writes"
        touched |= use_of(read_word(target, 0), use, directory)
    return touched


def use_of(word: Word, use: Use, directory: str | None) -> Touched:
    """What it means that a program does something with a word."""
    if use == "text" or word.text == "-":
        return Touched()
    if use == "at":
        _, at, path = (word.value or "@").rpartition("@")
        reach = named(path, directory) if path else EVERYTHING
        return Touched(reach if at else NOTHING)
    reach = _place(word, directory)
    if use == "makes":
        return ALL if reach.everything else Touched(makes=reach.paths)
    return Touched(
        reach if use in ("reads", "both") else NOTHING,
        reach if use in ("writes", "both") else NOTHING,
    )


def _place(word: Word, directory: str | None) -> Reach:
    """The image paths that a word stands for."""
    if word.value is None or word.has_brace:
        return EVERYTHING
    return named(word.value, directory, glob=word.has_glob)


def named(text: str, directory: str | None, glob: bool = False) -> Reach:
    """The image paths that a path means in a directory; everything when that is not known."""
    if text.startswith("~"):
        return Reach(_HOMES)
    if glob:
        text = _before_pattern(text)
    if text.startswith("/"):
        return Reach((posixpath.normpath(text),))
    if directory is None:
        return EVERYTHING
    return Reach((posixpath.normpath(posixpath.join(directory, text)),))


def _before_pattern(text: str) -> str:
    """The folder in which a pattern looks."""
    parts = text.split("/")
    first = next(index for index, part in enumerate(parts) if any(char in part for char in "*?["))
    return "/".join(parts[:first]) or ("/" if text.startswith("/") else ".")
