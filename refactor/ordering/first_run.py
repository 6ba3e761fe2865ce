"""A first run of a build on stand-ins for the sources, by which its dependencies are compiled."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.effects.instructions import effects_of
from dockerfix.effects.reach import Reach, is_within
from dockerfix.image.copies import instructions_before, read_copy, source_of
from dockerfix.installs.install import Install
from dockerfix.knowledge.base_images import official_name
from dockerfix.ordering.crossing import meets_any
from dockerfix.ordering.manifest_copies import CannotMoveError
from dockerfix.ordering.steps import Pass
from dockerfix.patterns import pattern
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Workspace

#: Variables by which cargo works in other places.
_PLACES = pattern(r"CARGO_(?:HOME|TARGET_DIR|BUILD_\w+)")


def first_run(entry: Pass) -> tuple[str, ...]:
    """The commands: make the stand-ins, run as it is written, remove all that came of them.

    Raises CannotMoveError where the run is no plain command.
    """
    install, command = entry.install, entry.run.script.items[entry.index].command
    line = entry.run.instruction.line
    if install is None or command is None or not command.words:
        raise CannotMoveError("the build is no plain command", line)
    if any(_PLACES.fullmatch(assigned.name) for assigned in command.assignments):
        raise CannotMoveError("a variable in front of the build", line)
    spans = [(part.start, part.end) for part in command.assignments]
    spans += [(part.start, part.end) for part in command.words]
    spans += [(part.start, part.end) for part in command.redirections]
    text = " ".join(entry.run.script.text[start:end] for start, end in sorted(spans))
    clean, *rest = install.clean
    program = command.words[0].text
    return (*install.make, text, f"{program}{clean.removeprefix(install.tool)}", *rest)


def check_first_run(
    install: Install, movers: list[Instruction], run: Instruction, workspace: Workspace
) -> None:
    """Nothing but the COPYs that move may bring what the stand-ins stand for, and the user that
    runs the build has to be able to make them.

    Raises CannotMoveError.
    """
    places = Reach(tuple(_made(install)))
    for earlier in instructions_before(workspace.dockerfile, run):
        if earlier not in movers and _meets(earlier, places, workspace):
            raise CannotMoveError("sources are there before", run.line, earlier.argument_text)
    for path in install.stand_ins:
        if source_of(install.place(path), run, workspace) != path:
            raise CannotMoveError("a source lies elsewhere in the image", run.line, path)
    given = all(copy.flag("chown") is not None for copy in movers)
    if not given and _makes_folders(install) and not _is_root(run, workspace):
        raise CannotMoveError("the user may not write where a COPY makes folders", run.line)


def _made(install: Install) -> Iterator[str]:
    """What is made for the stand-ins, in the image: they, and folders that no manifest is in."""
    manifests = [posixpath.dirname(install.place(path)) for path in install.files]
    for path in install.stand_ins:
        place = install.place(path)
        yield place
        folder = posixpath.dirname(place)
        if not any(is_within(other, folder) for other in manifests):
            yield folder


def _meets(earlier: Instruction, places: Reach, workspace: Workspace) -> bool:
    """Whether an instruction puts something there; what a RUN does that is not known does not."""
    if earlier.keyword in ("COPY", "ADD") and earlier.flag("from") is None:
        copied = read_copy(earlier, workspace)
        return copied is None or meets_any(places, copied, workspace.context)
    writes = effects_of(earlier, workspace).writes
    if earlier.keyword in ("COPY", "ADD"):
        return writes.meets(places)
    return any(is_within(path, place) for path in writes.paths for place in places.paths)


def _makes_folders(install: Install) -> bool:
    """Whether a COPY makes folders in which stand-ins are made."""
    folders = {posixpath.dirname(path) for path in install.files}
    return any(
        posixpath.dirname(path) == folder or posixpath.dirname(posixpath.dirname(path)) == folder
        for folder in folders - {install.folder}
        for path in install.stand_ins
    )


def _is_root(run: Instruction, workspace: Workspace) -> bool:
    user = workspace.state(run).user
    if user is not None:
        return user.partition(":")[0] in ("root", "0")
    stage = workspace.dockerfile.stage_of(run)
    base = stage.lineage[0].resolved_base if stage is not None else None
    return base is not None and official_name(read_image(base).repository) is not None
