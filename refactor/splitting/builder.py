"""A stage that only gathers dependencies; the sources go straight to the stage that runs."""

from __future__ import annotations

import posixpath
from collections.abc import Container

from dockerfix.effects.reach import is_within
from dockerfix.image.copies import read_copy
from dockerfix.knowledge.shell_commands import BUILT_IN, RESERVED
from dockerfix.ordering.manifest_copies import CannotMoveError, keep_out, manifest_lines
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step
from dockerfix.syntax.edits import Edit, head_of
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Evidence

#: In every image with a shell, or the shell itself.
IN_EVERY_IMAGE = BUILT_IN | RESERVED | {"sh", "mkdir", "cat", "date", "sleep", "ls", "env", "id"}
#: Programs that the full images hold and the slim ones lack.
_NOT_IN_SLIM = pattern(
    r"\b(?:curl|wget|git|hg|svn|ssh|scp|rsync|ps|top|pkill|killall|unzip|gcc|g\+\+|make|file"
    r"|convert|mogrify|magick|openssl|nc|ping|dig|nslookup|vim|nano|less)\b"
)


def needs_programs(program: Program, known: Container[str]) -> bool:
    """Whether a health check or the entry calls what a slim image may lack.

    `known` are the programs that come with the slim image or with the dependencies.
    """
    texts = [i.code for i in program.stage.instructions if i.keyword == "HEALTHCHECK"]
    if any(_NOT_IN_SLIM.search(text) for text in (*texts, *program.entry.scripts)):
        return True
    names = (posixpath.basename(call[0]) for call in program.entry.calls)
    return any(name not in known and name not in IN_EVERY_IMAGE for name in names)


def dependency_stage(
    program: Program,
    install: tuple[Step, Call],
    base: str,
    result: str,
    option: str,
    gain: str,
    evidence: tuple[Evidence, ...],
    extra_edits: tuple[Edit, ...] = (),
    extra_added: tuple[str, ...] = (),
    extra: tuple[str, ...] = (),
) -> Plan:
    """Manifests and the install in one stage; its result and the sources in the other.

    Raises NotSplitError when the install reads more than manifests.
    """
    step, call = install
    if call.install is None:
        raise NotSplitError("what the install reads is not known", " ".join(call.words[:2]))
    workspace = program.workspace
    movers = [copy for copy in program.copies if not is_manifest(copy, step, program)]
    stayers = [copy for copy in program.copies if copy not in movers]
    before = [copy for copy in movers if copy.start < step.instruction.start]
    try:
        installs = [c.install for _, c in program.calls("install") if c.install is not None]
        lines = manifest_lines(installs, before, stayers, workspace) if before else []
        files = keep_out(installs, movers, workspace) if movers else ()
    except CannotMoveError as error:
        raise NotSplitError(error.reason, error.detail) from error
    edits = list(extra_edits)
    if lines:
        head = head_of(workspace.dockerfile, before[0])
        text = "".join(line + workspace.style.newline for line in lines)
        edits.append(Edit(head, head, text))
    if option:
        edits.append(step.run.insert(option_place(call), option))
    _check_targets(movers, program)
    return Plan(
        base,
        ((result, result),),
        gain,
        evidence,
        tuple(edits),
        (*extra_added, *("COPY",) * len(lines)),
        extra,
        tuple(movers),
        files=files,
    )


def option_place(call: Call) -> int:
    """Where in the script of its RUN an option is put into an install."""
    words = call.command.words[1:] or call.command.words
    plain = (word.end for word in words if not word.text.startswith("-"))
    return next(plain, words[-1].end)


def is_manifest(copy: Instruction, step: Step, program: Program) -> bool:
    """Whether a COPY brings only what the installs read."""
    installs = [call.install for _, call in program.calls("install") if call.install]
    files = {path for install in installs for path in install.files}
    folders = [path for install in installs for path in install.folders]
    context = program.workspace.context
    assert context is not None
    sources = [
        path
        for copied in read_copy(copy, program.workspace) or ()
        for path in context.find(copied.source)
    ]
    return bool(sources) and all(
        path in files
        or f"{path}*" in files
        or _matches(path, files)
        or any(is_within(path, folder) for folder in folders)
        for path in sources
    )


def _matches(path: str, files: set[str]) -> bool:
    return any(name.endswith("*") and path.startswith(name[:-1]) for name in files)


def _check_targets(movers: list[Instruction], program: Program) -> None:
    """A COPY that is done in another stage must mean the same there."""
    for copy in movers:
        target = copy.arguments[-1]
        directory = program.workspace.state(copy).workdir
        if "$" in copy.code:
            raise NotSplitError("a variable in a COPY", f"line {copy.line}")
        if not target.startswith("/") and directory != program.folder:
            raise NotSplitError("a COPY into another directory", f"line {copy.line}")
        path = posixpath.normpath(posixpath.join(directory or "/", target))
        if not is_within(path, program.folder) and not target.startswith("/"):
            raise NotSplitError("a COPY into another directory", f"line {copy.line}")
