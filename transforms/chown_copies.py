"""chown-copies: owner and mode of copied files set by COPY itself, not in a second layer."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dockerfix.effects.reach import is_within
from dockerfix.image.copies import Copied, read_copy
from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.users import has_group, has_user
from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit, end_with_gap
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Level, Transform, Workspace

#: Folders that every base image of Debian and Alpine has, and that nobody is in yet.
_THERE = frozenset(("/", "/opt", "/srv", "/home", "/usr/local/bin", "/usr/bin", "/usr/local/sbin"))
#: Folders that base images fill; below them one more level is the author's own.
_SYSTEM = ("/etc", "/usr", "/var", "/bin", "/sbin", "/lib", "/lib64", "/root", "/home", "/opt")
_OWN_BELOW = pattern(r"/(?:usr/src|opt|srv|home/[\w.-]+|var/www|usr/local/\w+)/[\w.-]+(?:/.*)?")
_OWNER = pattern(r"([A-Za-z_][\w.-]*|\d+)(?::([A-Za-z_][\w.-]*|\d+))?")
#: A folder is hardly called so; `.ssh` and `conf.d` may be ones.
_FILE_NAME = pattern(r"[^.].*\.(?!d$)[A-Za-z][A-Za-z0-9]*")
_ROOT = ("root", "0")
_MODE = pattern(r"0?[0-7]{3}")
#: Commands for system packages and users: they make nothing of the application.
_SETS_UP = frozenset(
    (
        *("apt-get", "apk", "rm", "useradd", "adduser", "groupadd", "addgroup", "usermod", "true"),
        *("dnf", "yum", "microdnf", "update-ca-certificates", "curl", "echo"),
    )
)
_ADDS_USER = pattern(r"\b(?:useradd|adduser|groupadd|addgroup)\b")


class _StaysError(Exception):
    """Why a chown or chmod stays; a fixed phrase and what is special."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _NothingCopiedError(_StaysError):
    """There is nothing to say: the files come from elsewhere, or the folder is empty."""


class ChownCopies(Transform):
    """Let COPY set owner and mode: a `chown -R` afterwards stores every file twice.

    Before:
        FROM node:22
        WORKDIR /app
        COPY package.json server.js ./
        RUN chown -R node:node /app
        USER node

    After:
        FROM node:22
        WORKDIR /app
        COPY --chown=node:node package.json server.js ./
        RUN chown node:node /app
        USER node
    """

    name = "chown-copies"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Look at each chown and chmod of the stages that are shipped."""
        if not workspace.mentions("chown") and not workspace.mentions("chmod"):
            return
        for stage in workspace.shipped_stages:
            for instruction in stage.instructions:
                if instruction.keyword == "RUN":
                    yield from _look(instruction, stage, workspace)


@dataclass(frozen=True)
class _Call:
    """A chown or chmod in the top-level list of a RUN."""

    run: RunScript
    index: int
    command: Command
    stage: Stage
    workspace: Workspace
    options: tuple[str, ...]
    #: Owner or mode.
    value: str
    paths: tuple[str, ...]

    @property
    def recursive(self) -> bool:
        return any(option in ("-R", "--recursive", "-Rf", "-fR", "-Rv") for option in self.options)


def _look(
    instruction: Instruction, stage: Stage, workspace: Workspace
) -> Iterator[Change | Declined]:
    run = workspace.run(instruction)
    if run is None:
        return
    for index, command in run.top_commands:
        if command.literal_name not in ("chown", "chmod"):
            continue
        try:
            call = _read(run, index, command, stage, workspace)
            yield _chown(call) if command.literal_name == "chown" else _chmod(call)
        except _NothingCopiedError:
            continue
        except _StaysError as error:
            yield Declined(error.reason, instruction.line, error.detail)


def _read(
    run: RunScript, index: int, command: Command, stage: Stage, workspace: Workspace
) -> _Call:
    argv = command.argv
    if argv is None:
        raise _StaysError("a variable or pattern in its words")
    options = tuple(word for word in argv[1:] if word.startswith("-"))
    words = [word for word in argv[1:] if not word.startswith("-")]
    workdir = workspace.state(run.instruction).workdir
    if len(words) < 2 or not run.script.is_and_list or command.redirections:
        raise _StaysError("it is not a plain command of an and-list")
    if any(c.literal_name in ("cd", "pushd") for _, c in run.top_commands):
        raise _StaysError("it is not a plain command of an and-list")
    if workdir is None and not all(word.startswith("/") for word in words[1:]):
        raise _StaysError("its path is not known")
    paths = tuple(posixpath.normpath(posixpath.join(workdir or "/", word)) for word in words[1:])
    before = run.script.text[: command.start]
    if any(_is_named(path, word, before) for path, word in zip(paths, words[1:], strict=True)):
        raise _StaysError("another step works on that path", "in the same RUN")
    earlier = [c for i, c in run.top_commands if i < index]
    may_work_there = command.literal_name == "chown" or any(workdir == path for path in paths)
    if may_work_there and not all(_leaves_alone(c, paths) for c in earlier):
        raise _StaysError("a command before it may work on that path", "in the same RUN")
    return _Call(run, index, command, stage, workspace, options, words[0], paths)


def _is_named(path: str, word: str, text: str) -> bool:
    """Whether a script names a path, in full or as the command does."""
    return path in text or (not word.startswith("/") and word != "." and word in text.split())


def _leaves_alone(command: Command, paths: tuple[str, ...]) -> bool:
    """Whether a command makes nothing below the paths."""
    if command.literal_name in _SETS_UP:
        return True
    words = [word for word in (command.argv or ())[1:] if word.startswith("/")]
    places = [posixpath.normpath(word) for word in words]
    is_plain = command.literal_name in ("mkdir", "chown", "chmod") and bool(places)
    return is_plain and not any(is_within(p, path) for p in places for path in paths)


# chown


def _chown(call: _Call) -> Change:
    match = _OWNER.fullmatch(call.value)
    if match is None or not set(call.options) <= {"-R", "--recursive", "-Rf", "-fR", "-Rv"}:
        raise _StaysError("its owner or options are not plain", call.value)
    if match[1] in _ROOT and match[2] in (None, *_ROOT):
        raise _StaysError("COPY gives files to root anyway", call.value)
    _check_not_stored_again(call)
    # Without a group, chown leaves the group alone, which is root's after a COPY.
    owner = call.value if match[2] else f"{call.value}:0"
    copies: dict[Instruction, None] = {}
    stays: list[str] = []
    for path in call.paths:
        found = _copies_to(path, call)
        _check_place(path, found, call)
        copies.update(dict.fromkeys(entry.instruction for entry in found))
        if path in _made_by_workdir(call, min(entry.instruction.start for entry in found)):
            stays.append(path)
        elif not call.recursive and any(_is_folder(entry, path, call) for entry in found):
            raise _StaysError("only the folder itself changes its owner", path)
    if stays and not call.recursive:
        raise _StaysError("only the folder itself changes its owner", stays[0])
    for copy in copies:
        _check_copy(copy, owner, match[1], match[2], call)
    edits = [_add_flag(copy, f"--chown={owner}") for copy in copies if not copy.flag("chown")]
    return _change(call, edits, stays, f"--chown={owner}")


def _check_not_stored_again(call: _Call) -> None:
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
                raise _StaysError("a later step stores the files again", " ".join(words))


def _copies_to(path: str, call: _Call) -> list[Copied]:
    """The COPYs that fill a path, once it is shown that nothing else does."""
    found: list[Copied] = []
    for instruction in _before(call):
        if instruction.keyword in ("COPY", "ADD"):
            found += _read_destination(instruction, path, call)
        elif instruction.keyword == "RUN":
            _check_step(instruction, path, bool(found), call)
        elif instruction.keyword == "VOLUME":
            raise _StaysError("a volume is declared before it")
        elif instruction.keyword == "USER" and call.workspace.state(call.run.instruction).user:
            continue
    if not found:
        raise _NothingCopiedError("no COPY fills that path", path)
    return found


def _read_destination(instruction: Instruction, path: str, call: _Call) -> list[Copied]:
    if instruction.keyword == "ADD" or instruction.nested:
        raise _StaysError("an ADD stands before it")
    copies = read_copy(instruction, call.workspace)
    if instruction.flag("from") is not None:
        copies = _from_stage(instruction, call)
    if copies is None:
        raise _StaysError("where a COPY goes is not known")
    inside = [entry for entry in copies if is_within(_target(entry, call), path)]
    if len(inside) not in (0, len(copies)):
        raise _StaysError("a COPY brings more than that path", path)
    if not inside and any(is_within(path, _target(entry, call)) for entry in copies):
        raise _StaysError("a COPY brings more than that path", path)
    return inside


def _from_stage(instruction: Instruction, call: _Call) -> tuple[Copied, ...] | None:
    words = instruction.arguments
    workdir = call.workspace.state(instruction).workdir
    if any("$" in word for word in words) or (workdir is None and not words[-1].startswith("/")):
        return None
    target = posixpath.normpath(posixpath.join(workdir or "/", words[-1]))
    into = words[-1].endswith("/") or len(words) > 2 or target == workdir
    return tuple(Copied(instruction, source.strip("/"), target, into) for source in words[:-1])


def _target(entry: Copied, call: _Call) -> str:
    """The path that a source comes to lie at, the folder for the content of a folder."""
    if not entry.into_folder or _is_folder(entry, entry.destination, call):
        return entry.destination
    return posixpath.join(entry.destination, posixpath.basename(entry.source))


def _is_folder(entry: Copied, path: str, call: _Call) -> bool:
    """Whether the source is a folder, or may be one."""
    context = call.workspace.context
    if entry.instruction.flag("from") is not None or context is None:
        return not _FILE_NAME.fullmatch(posixpath.basename(entry.source))
    return entry.source == "." or context.is_folder(entry.source)


def _check_step(instruction: Instruction, path: str, is_filled: bool, call: _Call) -> None:
    """Another step must neither write below the path nor depend on who owns it."""
    state = call.workspace.state(instruction)
    if path in instruction.code or (
        posixpath.basename(path) in instruction.code.split()
        and not _only_sets_up(instruction, call)
    ):
        raise _StaysError("another step works on that path", f"line {instruction.line}")
    if state.workdir is None or not is_within(state.workdir, path):
        if not is_filled or _only_sets_up(instruction, call):
            return
        raise _StaysError("a step between may work on that path", f"line {instruction.line}")
    if not _only_sets_up(instruction, call):
        raise _StaysError("a step between may work on that path", f"line {instruction.line}")


def _only_sets_up(instruction: Instruction, call: _Call) -> bool:
    """System packages and users: nothing of the application."""
    run = call.workspace.run(instruction)
    names = {command.literal_name for command in run.script.commands()} if run else {None}
    return names <= _SETS_UP


def _check_place(path: str, found: list[Copied], call: _Call) -> None:
    """Nothing was there before, and COPY creates no folder that would get another owner."""
    stage = call.stage
    if call.workspace.dockerfile.parent(stage) is not None:
        raise _StaysError("the stage it is built on may hold that path", path)
    is_own = path.count("/") >= 1 and not path.startswith(_SYSTEM) and path != "/"
    if not is_own and not _OWN_BELOW.fullmatch(path):
        raise _StaysError("the base image may hold that path", path)
    image = read_image(stage.resolved_base or stage.base)
    if official_name(image.repository) is None and stage.base != "scratch":
        raise _StaysError("the base image may hold that path", image.repository)
    made = _made_by_workdir(call, min(entry.instruction.start for entry in found))
    if path not in made and posixpath.dirname(path) not in made | _THERE:
        raise _StaysError("COPY would create the folders above with that owner", path)


def _made_by_workdir(call: _Call, before: int) -> set[str]:
    """Folders that WORKDIR instructions made before an offset, those above them too."""
    made: set[str] = set()
    for instruction in _before(call):
        if instruction.keyword == "WORKDIR" and instruction.start < before:
            index = call.stage.index_of(instruction)
            path = call.workspace.state(call.stage.instructions[index + 1]).workdir
            while path and path != "/":
                made.add(path)
                path = posixpath.dirname(path)
    return made


def _check_copy(copy: Instruction, owner: str, user: str, group: str | None, call: _Call) -> None:
    if copy.flag("chown") not in (None, owner):
        raise _StaysError("COPY names another owner")
    numeric = user.isdigit() and (group is None or group.isdigit())
    if not numeric and any(flag.name == "link" for flag in copy.flags):
        raise _StaysError("COPY --link takes numbers only")
    if numeric:
        return
    image = read_image(call.stage.resolved_base or call.stage.base)
    name = official_name(image.repository) or ""
    earlier = [i for i in _before(call) if i.start < copy.start and i.keyword == "RUN"]
    created = " ".join(i.argument_text for i in earlier if _ADDS_USER.search(i.code))
    words = set(re.split(r"[\s:=,&|;]+", created))
    if user not in words and not has_user(name, image.tag, user):
        raise _StaysError("the user is not there yet when COPY runs", user)
    if group is not None and group not in words and not has_group(name, image.tag, group):
        raise _StaysError("the group is not there yet when COPY runs", group)


# chmod


def _chmod(call: _Call) -> Change:
    """Of single files whose COPY brings nothing else."""
    if call.options:
        raise _StaysError("chmod has options")
    found: dict[Instruction, set[str]] = {}
    for path in call.paths:
        copy, targets = _copy_of_file(path, call)
        found[copy] = targets
    if set().union(*found.values()) != set(call.paths):
        raise _StaysError("a COPY brings more than that path")
    mode = _mode(call)
    made = _made_by_workdir(call, min(copy.start for copy in found)) | _THERE
    for path in call.paths:
        if posixpath.dirname(path) not in made:
            raise _StaysError("COPY would create the folders above with that mode", path)
    if any(copy.flag("chmod") not in (None, mode) for copy in found):
        raise _StaysError("COPY names another mode")
    edits = [_add_flag(copy, f"--chmod={mode}") for copy in found if not copy.flag("chmod")]
    return _change(call, edits, [], f"--chmod={mode}")


def _copy_of_file(path: str, call: _Call) -> tuple[Instruction, set[str]]:
    for instruction in reversed(_before(call)):
        if instruction.keyword == "ADD":
            raise _StaysError("an ADD stands before it")
        if instruction.keyword == "RUN" and posixpath.basename(path) in instruction.code:
            raise _StaysError("another step works on that path", f"line {instruction.line}")
        if instruction.keyword != "COPY":
            continue
        copies = read_copy(instruction, call.workspace)
        if copies is None:
            raise _StaysError("where a COPY goes is not known")
        targets = {_file_target(entry, call) for entry in copies}
        if path in targets:
            return instruction, {target for target in targets if target}
        if any(is_within(path, entry.destination) for entry in copies):
            raise _StaysError("a COPY brings more than that path", path)
    raise _NothingCopiedError("no COPY fills that path", path)


def _file_target(entry: Copied, call: _Call) -> str:
    context = call.workspace.context
    if any(char in entry.source for char in "*?[") or entry.source == ".":
        return ""
    if context is None and not _FILE_NAME.fullmatch(posixpath.basename(entry.source)):
        return ""
    if context is not None and not context.is_file(entry.source):
        return ""
    name = posixpath.basename(entry.source)
    return posixpath.join(entry.destination, name) if entry.into_folder else entry.destination


def _mode(call: _Call) -> str:
    if _MODE.fullmatch(call.value):
        return call.value.removeprefix("0") if len(call.value) == 4 else call.value
    context = call.workspace.context
    if call.value in ("+x", "a+x") and context is not None:
        sources = [posixpath.basename(path) for path in call.paths]
        modes = {context.mode(found) for name in sources for found in _sources(name, call)}
        # What git checks out, with the usual umask.
        if modes and modes <= {0o644, 0o755}:
            return "755"
    raise _StaysError("the resulting mode is not known", call.value)


def _sources(name: str, call: _Call) -> Iterator[str]:
    for instruction in _before(call):
        if instruction.keyword == "COPY":
            for entry in read_copy(instruction, call.workspace) or ():
                renamed = posixpath.basename(entry.destination) == name
                if posixpath.basename(entry.source) == name or renamed:
                    yield entry.source


# Both


def _before(call: _Call) -> tuple[Instruction, ...]:
    instructions = call.stage.instructions
    return instructions[: call.stage.index_of(call.run.instruction)]


def _add_flag(copy: Instruction, text: str) -> Edit:
    start = copy.flags[0].start if copy.flags else copy.argument_span[0]
    return Edit(start, start, f"{text} ")


def _change(call: _Call, edits: list[Edit], stays: list[str], flag: str) -> Change:
    instruction = call.run.instruction
    name = call.command.literal_name
    removed: tuple[str, ...] = ()
    if stays:
        recursive = next(word for word in call.command.words if word.text in call.options)
        edits.append(call.run.replace(recursive.start, recursive.end + 1, ""))
        help_text = f"Use `{flag}`, and change the folder alone afterwards"
    elif len(call.run.script.items) == 1:
        if call.workspace.dockerfile.comments_of(instruction) or instruction.inner_comments:
            raise _StaysError("a comment belongs to it")
        end = end_with_gap(call.workspace.dockerfile, instruction)
        edits.append(Edit(instruction.start, end, ""))
        removed = ("RUN",)
        help_text = f"Use `{flag}` instead"
    else:
        edit = call.run.remove_item(call.index)
        if edit is None:
            raise _StaysError("a comment belongs to it")
        edits.append(edit)
        help_text = f"Use `{flag}` instead"
    return Change(
        f"`{name}` after `COPY` stores the files a second time",
        help_text,
        tuple(edits),
        instruction.line,
        Level.SAFE,
        removed=removed,
    )
