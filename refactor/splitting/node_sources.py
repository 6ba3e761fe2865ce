"""The program's folder in parts: dependencies, what the context holds, and what the build makes.

Where a build is known to fill one folder alone, that is all the folder holds after it; an edit of
a source then leaves the layer with the dependencies as it was.

Sources: nextjs.org/docs (`distDir` is `.next`), vite.dev/config/build-options (`outDir`),
create-react-app.dev/docs/advanced-configuration (`build`).
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import table
from dockerfix.ignoring.candidates import Candidate
from dockerfix.ignoring.needed import needed_by
from dockerfix.image.copies import read_copy
from dockerfix.installs.install import Install
from dockerfix.knowledge.node_packages import WRITES_OUTPUT_ALONE
from dockerfix.ordering.manifest_copies import CannotMoveError, keep_out
from dockerfix.patterns import pattern
from dockerfix.splitting.front_end import page_output
from dockerfix.splitting.next_standalone import OPENS_FILES
from dockerfix.splitting.node_command import NodeProject, built_files
from dockerfix.splitting.node_deps import changes
from dockerfix.splitting.node_files import output_folder
from dockerfix.splitting.node_production import yarn_generation
from dockerfix.splitting.plan import Beside, Call, Program
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Evidence, NewFile, Workspace

_IMPORT = pattern(r"(?:\brequire\(|\bimport\(|\bfrom\s*|\bimport\s+)\s*['\"`]([^'\"`]+)['\"`]")
_MOVES_OUTPUT = pattern(r"\bdistDir\b|\boutput\s*:\s*['\"`]export|\bwriteFile|\bfs\b")
_SETTINGS = {
    "next": ("next.config.js", "next.config.mjs", "next.config.ts"),
    "vite": ("vite.config.js", "vite.config.ts", "vite.config.mjs", "vite.config.mts"),
    "react-scripts": (),
}


class Parts(NamedTuple):
    """The stages, what has to stay out of the context, and why that is all."""

    beside: Beside
    files: tuple[NewFile, ...]
    evidence: Evidence


def in_parts(program: Program, project: NodeProject, install: Call, beside: Beside) -> Parts | None:
    """How the folder is put together; None where the build may leave more in it."""
    if len(list(program.calls("install"))) > 1:
        return None
    copy, output = _sources(program, project, beside.run), _output(program, project)
    if copy is None or output is None or install.install is None or _is_changed(program):
        return None
    tool = posixpath.basename(install.words[0])
    if tool == "yarn" and yarn_generation(program, project) > 1:
        # It keeps a state of its own, which `yarn run` asks for.
        return None
    path = posixpath.normpath(posixpath.join(project.folder, output))
    files = _kept_out(path, install.install, copy, program.workspace)
    if files is None:
        return None
    outputs = (f"{program.folder}/{output}",)
    evidence = Evidence("what is built", f"{output} alone is filled; the rest is in the context")
    return Parts(beside._replace(sources=copy, outputs=outputs), files, evidence)


def _kept_out(
    path: str, install: Install, copy: Instruction, workspace: Workspace
) -> tuple[NewFile, ...] | None:
    """The ignore file with the output in it; None where somebody counts on what lies there."""
    context = workspace.context
    assert context is not None
    if needed_by(Candidate(path, path, "made anew"), workspace, context):
        return None
    try:
        return keep_out([install, Install("", (), leaves=(path,))], [copy], workspace)
    except CannotMoveError:
        return None


def _sources(program: Program, project: NodeProject, run: Instruction) -> Instruction | None:
    """The one COPY that brings all of the project's folder of the context to the program's."""
    found = [copy for copy in program.copies if copy.start > run.start]
    copied = {copy: read_copy(copy, program.workspace) for copy in found}
    own = project.folder or "."
    whole = [copy for copy, entries in copied.items() if entries and entries[0].source == own]
    inside = [
        copy
        for copy, entries in copied.items()
        if entries is None or any(_is_near(e.destination, program.folder) for e in entries)
    ]
    if whole != inside or len(whole) != 1 or "$" in whole[0].code or whole[0].keyword != "COPY":
        return None
    (only,) = copied[whole[0]] or (None,)
    return whole[0] if only is not None and only.destination == program.folder else None


def _is_near(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/") or folder.startswith(f"{path}/")


def _is_changed(program: Program) -> bool:
    """Whether a step puts something beside the sources, be it an empty folder."""
    made = (path for _, call in program.calls("set-up") for path in call.makes)
    return changes(program, program.folder) or any(
        path.startswith(f"{program.folder}/") for path in made
    )


def _output(program: Program, project: NodeProject) -> str | None:
    """The one folder that the builds fill, a name in the project's own."""
    context = program.workspace.context
    assert context is not None
    made = built_files(program, project)
    if not made.unknown:
        return output_folder(made, project)
    tool = made.unknown[0]
    if made.files or len(made.unknown) != 1 or tool not in _SETTINGS:
        return None
    if not _has_plain_settings(context, project, tool):
        return None
    if tool == "next":
        opens = any(OPENS_FILES.search(text) for _, text in project.sources)
        return None if opens else ".next"
    found = page_output(context, project.folder, project.manifest)
    return found if found is not None and "/" not in found else None


def _has_plain_settings(context: BuildContext, project: NodeProject, tool: str) -> bool:
    """Whether the settings of a tool load nothing that is known to write elsewhere, or may."""
    for name in _SETTINGS[tool]:
        path = posixpath.join(project.folder, name)
        text = (context.read(path) or "") if context.sends(path) else ""
        if _MOVES_OUTPUT.search(text) or not WRITES_OUTPUT_ALONE.issuperset(_IMPORT.findall(text)):
            return False
    return not table(project.manifest, "imports")
