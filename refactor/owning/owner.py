"""A chown whose owner COPY can set."""

from __future__ import annotations

import posixpath
import re

from dockerfix.effects.reach import is_within
from dockerfix.image.copies import Copied
from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.users import has_group, has_user
from dockerfix.owning.call import Call, StaysError, earlier
from dockerfix.owning.filled import THERE, copies_to, is_folder, made_by_workdir
from dockerfix.owning.rewrite import add_flag, change
from dockerfix.patterns import pattern
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Change

#: Folders that base images fill; below them one more level is the author's own.
_SYSTEM = ("/etc", "/usr", "/var", "/bin", "/sbin", "/lib", "/lib64", "/root", "/home", "/opt")
_OWN_BELOW = pattern(r"/(?:usr/src|opt|srv|home/[\w.-]+|var/www|usr/local/\w+)/[\w.-]+(?:/.*)?")
_OWNER = pattern(r"([A-Za-z_][\w.-]*|\d+)(?::([A-Za-z_][\w.-]*|\d+))?")
_ROOT = ("root", "0")
_ADDS_USER = pattern(r"\b(?:useradd|adduser|groupadd|addgroup)\b")


def set_owner(call: Call) -> Change:
    """Let COPY set the owner. Raises StaysError, or NothingCopiedError when no COPY is in reach."""
    match = _OWNER.fullmatch(call.value)
    if match is None or not set(call.options) <= {"-R", "--recursive", "-Rf", "-fR", "-Rv"}:
        raise StaysError("its owner or options are not plain", call.value)
    if match[1] in _ROOT and match[2] in (None, *_ROOT):
        raise StaysError("COPY gives files to root anyway", call.value)
    _check_not_stored_again(call)
    # Without a group, chown leaves the group alone, which is root's after a COPY.
    owner = call.value if match[2] else f"{call.value}:0"
    copies: dict[Instruction, None] = {}
    stays: list[str] = []
    for path in call.paths:
        found = copies_to(path, call)
        _check_place(path, found, call)
        copies.update(dict.fromkeys(entry.instruction for entry in found))
        if path in made_by_workdir(call, min(entry.instruction.start for entry in found)):
            stays.append(path)
        elif not call.recursive and any(is_folder(entry, path, call) for entry in found):
            raise StaysError("only the folder itself changes its owner", path)
    if stays and not call.recursive:
        raise StaysError("only the folder itself changes its owner", stays[0])
    for copy in copies:
        _check_copy(copy, owner, match[1], match[2], call)
    edits = [add_flag(copy, f"--chown={owner}") for copy in copies if not copy.flag("chown")]
    return change(call, edits, stays, f"--chown={owner}")


def _check_not_stored_again(call: Call) -> None:
    """Nothing is won where a later command changes all of the files a second time."""
    later = call.stage.instructions[call.stage.index_of(call.run.instruction) + 1 :]
    runs = [call.workspace.run(instruction) for instruction in later]
    commands = [c for index, c in call.run.top_commands if index > call.index]
    commands += [command for run in runs if run for _, command in run.top_commands]
    for command in commands:
        words = [word.text for word in command.words]
        if command.literal_name in ("chown", "chmod") and any("R" in w for w in words[1:2]):
            places = [posixpath.normpath(word) for word in words[2:]]
            if any(is_within(path, place) for path in call.paths for place in places):
                raise StaysError("a later step stores the files again", " ".join(words))


def _check_place(path: str, found: list[Copied], call: Call) -> None:
    """Nothing was there before, and COPY creates no folder that would get another owner."""
    stage = call.stage
    if call.workspace.dockerfile.parent(stage) is not None:
        raise StaysError("the stage it is built on may hold that path", path)
    is_own = path.count("/") >= 1 and not path.startswith(_SYSTEM) and path != "/"
    if not is_own and not _OWN_BELOW.fullmatch(path):
        raise StaysError("the base image may hold that path", path)
    image = read_image(stage.resolved_base or stage.base)
    if official_name(image.repository) is None and stage.base != "scratch":
        raise StaysError("the base image may hold that path", image.repository)
    made = made_by_workdir(call, min(entry.instruction.start for entry in found))
    if path not in made and posixpath.dirname(path) not in made | THERE:
        raise StaysError("COPY would create the folders above with that owner", path)


def _check_copy(copy: Instruction, owner: str, user: str, group: str | None, call: Call) -> None:
    if copy.flag("chown") not in (None, owner):
        raise StaysError("COPY names another owner")
    numeric = user.isdigit() and (group is None or group.isdigit())
    if not numeric and any(flag.name == "link" for flag in copy.flags):
        raise StaysError("COPY --link takes numbers only")
    if numeric:
        return
    image = read_image(call.stage.resolved_base or call.stage.base)
    name = official_name(image.repository) or ""
    runs = [i for i in earlier(call) if i.start < copy.start and i.keyword == "RUN"]
    created = " ".join(i.argument_text for i in runs if _ADDS_USER.search(i.code))
    words = set(re.split(r"[\s:=,&|;]+", created))
    if user not in words and not has_user(name, image.tag, user):
        raise StaysError("the user is not there yet when COPY runs", user)
    if group is not None and group not in words and not has_group(name, image.tag, group):
        raise StaysError("the group is not there yet when COPY runs", group)
