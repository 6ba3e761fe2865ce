"""A chmod whose mode COPY can set."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.effects.reach import is_within
from dockerfix.image.copies import Copied, read_copy
from dockerfix.owning.call import Call, NothingCopiedError, StaysError, earlier
from dockerfix.owning.filled import FILE_NAME, THERE, made_by_workdir
from dockerfix.owning.rewrite import add_flag, change
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Change

_MODE = pattern(r"0?[0-7]{3}")


def set_mode(call: Call) -> Change:
    """Of single files whose COPY brings nothing else."""
    if call.options:
        raise StaysError("chmod has options")
    found: dict[Instruction, set[str]] = {}
    for path in call.paths:
        copy, targets = _copy_of_file(path, call)
        found[copy] = targets
    if set().union(*found.values()) != set(call.paths):
        raise StaysError("a COPY brings more than that path")
    mode = _mode(call)
    made = made_by_workdir(call, min(copy.start for copy in found)) | THERE
    for path in call.paths:
        if posixpath.dirname(path) not in made:
            raise StaysError("COPY would create the folders above with that mode", path)
    if any(copy.flag("chmod") not in (None, mode) for copy in found):
        raise StaysError("COPY names another mode")
    edits = [add_flag(copy, f"--chmod={mode}") for copy in found if not copy.flag("chmod")]
    return change(call, edits, [], f"--chmod={mode}")


def _copy_of_file(path: str, call: Call) -> tuple[Instruction, set[str]]:
    for instruction in reversed(earlier(call)):
        if instruction.keyword == "ADD":
            raise StaysError("an ADD stands before it")
        if instruction.keyword == "RUN" and posixpath.basename(path) in instruction.code:
            raise StaysError("another step works on that path", f"line {instruction.line}")
        if instruction.keyword != "COPY":
            continue
        copies = read_copy(instruction, call.workspace)
        if copies is None:
            raise StaysError("where a COPY goes is not known")
        targets = {_file_target(entry, call) for entry in copies}
        if path in targets:
            return instruction, {target for target in targets if target}
        if any(is_within(path, entry.destination) for entry in copies):
            raise StaysError("a COPY brings more than that path", path)
    raise NothingCopiedError("no COPY fills that path", path)


def _file_target(entry: Copied, call: Call) -> str:
    context = call.workspace.context
    if any(char in entry.source for char in "*?[") or entry.source == ".":
        return ""
    if context is None and not FILE_NAME.fullmatch(posixpath.basename(entry.source)):
        return ""
    if context is not None and not context.is_file(entry.source):
        return ""
    name = posixpath.basename(entry.source)
    return posixpath.join(entry.destination, name) if entry.into_folder else entry.destination


def _mode(call: Call) -> str:
    if _MODE.fullmatch(call.value):
        return call.value.removeprefix("0") if len(call.value) == 4 else call.value
    context = call.workspace.context
    if call.value in ("+x", "a+x") and context is not None:
        sources = [posixpath.basename(path) for path in call.paths]
        modes = {context.mode(found) for name in sources for found in _sources(name, call)}
        # What git checks out, with the usual umask.
        if modes and modes <= {0o644, 0o755}:
            return "755"
    raise StaysError("the resulting mode is not known", call.value)


def _sources(name: str, call: Call) -> Iterator[str]:
    for instruction in earlier(call):
        if instruction.keyword == "COPY":
            for entry in read_copy(instruction, call.workspace) or ():
                renamed = posixpath.basename(entry.destination) == name
                if posixpath.basename(entry.source) == name or renamed:
                    yield entry.source
