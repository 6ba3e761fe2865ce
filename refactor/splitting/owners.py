"""Who owns the program's files in the end."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

from dockerfix.effects.model import Call
from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.users import has_group, has_user
from dockerfix.splitting.plan import NotSplitError, Program
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction

_RECURSIVE = ("-R", "--recursive", "-Rf", "-fR", "-hR", "-Rh")


def owned_paths(call: Call) -> tuple[str, ...]:
    """The paths that a `chown -R` gives away."""
    return given_paths(call) if any(word in _RECURSIVE for word in call.words) else ()


def given_paths(call: Call) -> tuple[str, ...]:
    """The paths that a `chown` gives away, alone or with what lies below them."""
    paths = [word for word in call.words[1:] if not word.startswith("-")]
    if call.words[:1] != ("chown",) or any("$" in word for word in paths):
        return ()
    if call.directory is None and not all(path.startswith("/") for path in paths[1:]):
        return ()
    return tuple(
        posixpath.normpath(posixpath.join(call.directory or "/", path)) for path in paths[1:]
    )


def new_owner(call: Call) -> str:
    """The owner that a `chown` or `chgrp` names."""
    return next((word for word in call.words[1:] if not word.startswith("-")), "")


def keeps_no_owner(call: Call, is_brought: Callable[[str], bool]) -> bool:
    """Whether it gives a file away that a COPY from another stage brings as root's again."""
    name = posixpath.basename(call.words[0]) if call.words else ""
    if name == "chgrp" and new_owner(call) in ("0", "root"):
        return False
    if name not in ("chown", "chgrp", "setcap") or (name == "chown" and owned_paths(call)):
        return False
    return any(is_brought(path) for path in call.writes.paths)


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
            owner = new_owner(call)
    return owner


def owner_on(base: str, program: Program) -> str | None:
    """Who owns the program's folder on the image that it runs on, when that is not root.

    Root where only the image that builds has the owner, as long as root runs the program. Raises
    NotSplitError when the program runs as somebody who is not there.
    """
    owner = folder_owner(program)
    last = program.stage.last("USER")
    user = last.argument_text if last is not None else "root"
    if not exists_on(base, user, program):
        raise NotSplitError("a user that only the image has which builds", user)
    if owner is None or exists_on(base, owner, program):
        return owner
    if user.partition(":")[0] not in ("root", "0"):
        raise NotSplitError("a user that only the image has which builds", owner)
    return None


def check_owners(base: str, copies: Iterable[Instruction], program: Program) -> None:
    """Raise NotSplitError for a COPY that goes along and names an owner who is not there."""
    for copy in copies:
        owner = copy.flag("chown")
        if owner and not exists_on(base, owner, program):
            raise NotSplitError("a user that only the image has which builds", owner)


def exists_on(base: str, owner: str, program: Program) -> bool:
    """Whether `user:group` is known on an image, or made by a step, or may come from outside."""
    if base == program.base or "$" in owner:
        return True
    image = read_image(base)
    name = official_name(image.repository) or image.repository
    made = {word for _, call in program.calls("user") for word in call.words[1:]}
    user, _, group = owner.partition(":")
    has = user in made or has_user(name, image.tag, user)
    return has and (not group or group in made or has_group(name, image.tag, group))
