"""Who owns the program's files in the end."""

from __future__ import annotations

import posixpath

from dockerfix.effects.model import Call
from dockerfix.splitting.plan import Program


def owned_paths(call: Call) -> tuple[str, ...]:
    """The paths that a `chown -R` gives away."""
    paths = [word for word in call.words[1:] if not word.startswith("-")]
    recursive = any(word in ("-R", "--recursive", "-Rf", "-hR", "-Rh") for word in call.words)
    if call.words[:1] != ("chown",) or not recursive or any("$" in word for word in paths):
        return ()
    if call.directory is None and not all(path.startswith("/") for path in paths[1:]):
        return ()
    return tuple(
        posixpath.normpath(posixpath.join(call.directory or "/", path)) for path in paths[1:]
    )


def owned_path(call: Call) -> str | None:
    """The single path that a `chown -R` gives away."""
    paths = owned_paths(call)
    return paths[0] if len(paths) == 1 else None


def folder_owner(program: Program) -> str | None:
    """Who owns the program's folder in the end, when that is not root."""
    owner: str | None = None
    user: str | None = None
    for instruction in program.stage.instructions:
        if instruction.keyword == "USER":
            user = instruction.argument_text
        elif instruction.keyword in ("COPY", "ADD") and instruction.flag("chown"):
            owner = instruction.flag("chown")
        elif instruction.keyword == "RUN" and user not in (None, "root", "0"):
            owner = owner or user
    for _, call in program.calls("set-up"):
        if program.folder in owned_paths(call):
            owner = next(word for word in call.words[1:] if not word.startswith("-"))
    return owner
