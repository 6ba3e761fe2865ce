"""What fills a path of the image before a chown."""

from __future__ import annotations

import posixpath

from dockerfix.effects.reach import is_within
from dockerfix.image.copies import Copied, read_copy
from dockerfix.owning.call import SETS_UP, Call, NothingCopiedError, StaysError, earlier
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction

#: Folders that every base image of Debian and Alpine has, and that nobody is in yet.
THERE = frozenset(("/", "/opt", "/srv", "/home", "/usr/local/bin", "/usr/bin", "/usr/local/sbin"))
#: A folder is hardly called so; `.ssh` and `conf.d` may be ones.
FILE_NAME = pattern(r"[^.].*\.(?!d$)[A-Za-z][A-Za-z0-9]*")


def copies_to(path: str, call: Call) -> list[Copied]:
    """The COPYs that fill a path, once it is shown that nothing else does."""
    found: list[Copied] = []
    for instruction in earlier(call):
        if instruction.keyword in ("COPY", "ADD"):
            found += _read_destination(instruction, path, call)
        elif instruction.keyword == "RUN":
            _check_step(instruction, path, bool(found), call)
        elif instruction.keyword == "VOLUME":
            raise StaysError("a volume is declared before it")
        elif instruction.keyword == "USER" and call.workspace.state(call.run.instruction).user:
            continue
    if not found:
        raise NothingCopiedError("no COPY fills that path", path)
    return found


def _read_destination(instruction: Instruction, path: str, call: Call) -> list[Copied]:
    if instruction.keyword == "ADD" or instruction.nested:
        raise StaysError("an ADD stands before it")
    copies = read_copy(instruction, call.workspace)
    if instruction.flag("from") is not None:
        copies = _from_stage(instruction, call)
    if copies is None:
        raise StaysError("where a COPY goes is not known")
    inside = [entry for entry in copies if is_within(_target(entry, call), path)]
    if len(inside) not in (0, len(copies)):
        raise StaysError("a COPY brings more than that path", path)
    if not inside and any(is_within(path, _target(entry, call)) for entry in copies):
        raise StaysError("a COPY brings more than that path", path)
    return inside


def _from_stage(instruction: Instruction, call: Call) -> tuple[Copied, ...] | None:
    words = instruction.arguments
    workdir = call.workspace.state(instruction).workdir
    if any("$" in word for word in words) or (workdir is None and not words[-1].startswith("/")):
        return None
    target = posixpath.normpath(posixpath.join(workdir or "/", words[-1]))
    into = words[-1].endswith("/") or len(words) > 2 or target == workdir
    return tuple(Copied(instruction, source.strip("/"), target, into) for source in words[:-1])


def _target(entry: Copied, call: Call) -> str:
    """The path that a source comes to lie at, the folder for the content of a folder."""
    if not entry.into_folder or is_folder(entry, entry.destination, call):
        return entry.destination
    return posixpath.join(entry.destination, posixpath.basename(entry.source))


def is_folder(entry: Copied, path: str, call: Call) -> bool:
    """Whether the source is a folder, or may be one."""
    context = call.workspace.context
    if entry.instruction.flag("from") is not None or context is None:
        return not FILE_NAME.fullmatch(posixpath.basename(entry.source))
    return entry.source == "." or context.is_folder(entry.source)


def _check_step(instruction: Instruction, path: str, is_filled: bool, call: Call) -> None:
    """Another step must neither write below the path nor depend on who owns it."""
    state = call.workspace.state(instruction)
    if path in instruction.code or (
        posixpath.basename(path) in instruction.code.split()
        and not _only_sets_up(instruction, call)
    ):
        raise StaysError("another step works on that path", f"line {instruction.line}")
    if state.workdir is None or not is_within(state.workdir, path):
        if not is_filled or _only_sets_up(instruction, call):
            return
        raise StaysError("a step between may work on that path", f"line {instruction.line}")
    if not _only_sets_up(instruction, call):
        raise StaysError("a step between may work on that path", f"line {instruction.line}")


def _only_sets_up(instruction: Instruction, call: Call) -> bool:
    """System packages and users: nothing of the application."""
    run = call.workspace.run(instruction)
    names = {command.literal_name for command in run.script.commands()} if run else {None}
    return names <= SETS_UP


def made_by_workdir(call: Call, before: int) -> set[str]:
    """Folders that WORKDIR instructions made before an offset, those above them too."""
    made: set[str] = set()
    for instruction in earlier(call):
        if instruction.keyword == "WORKDIR" and instruction.start < before:
            index = call.stage.index_of(instruction)
            path = call.workspace.state(call.stage.instructions[index + 1]).workdir
            while path and path != "/":
                made.add(path)
                path = posixpath.dirname(path)
    return made
