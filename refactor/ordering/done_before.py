"""Whether what an install would do is done already."""

from __future__ import annotations

import posixpath

from dockerfix.effects.instructions import effects_of
from dockerfix.effects.reach import touches
from dockerfix.image.copies import instructions_before
from dockerfix.installs.install import Install
from dockerfix.ordering.wrappers import CHMOD
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.transform import Workspace

#: Options of installs that leave something out which a later install adds.
_PRODUCTION = frozenset(
    ("--omit=dev", "--production", "--prod", "-P", "--no-dev", "--only=production", "--only=prod")
)
#: Where what tools download lies in their images.
_DOWNLOADS = {"go": ("/go/pkg", "/root/go"), "maven": ("/root/.m2", "/usr/share/maven")}


def installed_before(install: Install, run: RunScript, workspace: Workspace) -> bool:
    """Whether the same was installed before, so that the install only looks whether it is there."""
    for earlier in instructions_before(workspace.dockerfile, run.instruction):
        step = effects_of(earlier, workspace).step if earlier.keyword == "RUN" else None
        for call in step.calls if step is not None else ():
            known = call.install
            if known is None or known.tool != install.tool or known.folder != install.folder:
                continue
            if not _PRODUCTION & set(call.words):
                return True
    return False


def fetched_before(install: Install, run: RunScript, index: int, workspace: Workspace) -> bool:
    """Whether the dependencies are there already, or a cache mount keeps them."""
    if _keeps_in_mount(install, run.instruction, workspace):
        return True
    before = run.script.text[: run.script.items[index].start]
    steps = tuple(instructions_before(workspace.dockerfile, run.instruction))
    runs = (step.code for step in steps if step.keyword == "RUN")
    texts = [CHMOD.sub("", text) for text in (before, *runs)]
    brought = [step for step in steps if step.keyword == "COPY" and step.flag("from") is not None]
    if install.make:
        there = any(_brings_results(install, step, workspace) for step in brought)
    else:
        there = any(_brings_downloads(install, step, workspace) for step in brought)
    return there or any(text in code for text in install.fetched_by for code in texts)


def _brings_results(install: Install, copy: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY from elsewhere brings what the install leaves."""
    writes = effects_of(copy, workspace).writes
    return any(writes.holds(install.place(path)) for path in install.leaves)


def _brings_downloads(install: Install, copy: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY from elsewhere may bring what the tool would download."""
    places = (*_DOWNLOADS.get(install.tool, ()), posixpath.join(install.directory, "vendor"))
    writes = effects_of(copy, workspace).writes
    return install.tool in _DOWNLOADS and any(writes.holds(place) for place in places)


def _keeps_in_mount(install: Install, instruction: Instruction, workspace: Workspace) -> bool:
    """Whether a cache mount keeps what the install leaves: for a compiler, what it compiled."""
    mounts = [flag.value or "" for flag in instruction.flags if flag.name == "mount"]
    if not install.make or (mounts and workspace.mentions("TARGET_DIR")):
        return bool(mounts)
    places = [install.place(path) for path in install.leaves]
    options = [part.partition("=") for mount in mounts for part in mount.split(",")]
    targets = [value for key, _, value in options if key in ("target", "dst", "destination")]
    return any(
        "$" in target or touches(posixpath.join(install.directory, target), place)
        for target in targets
        for place in places
    )
