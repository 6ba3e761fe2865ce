"""Files of the build context that the entry names: start scripts, settings that are arguments."""

from __future__ import annotations

import posixpath

from dockerfix.effects.reach import is_within
from dockerfix.image.copies import origin_of
from dockerfix.splitting.plan import Program


def entry_files(program: Program) -> tuple[str, ...]:
    """Image paths, in the program's folder, of files that CMD, ENTRYPOINT and scripts name."""
    words = [word for call in program.entry.calls for word in call]
    for keyword in ("ENTRYPOINT", "CMD"):
        instruction = program.stage.last(keyword)
        if instruction is not None:
            words += instruction.exec_arguments or instruction.argument_text.split()
    found: dict[str, None] = {}
    for word in words:
        path = posixpath.normpath(posixpath.join(program.folder, word.partition("=")[2] or word))
        if (
            is_within(path, program.folder)
            and path != program.folder
            and origin_of(path, program.stage, program.workspace) is not None
        ):
            found[path] = None
    return tuple(found)
