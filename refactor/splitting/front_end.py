"""A page that is built beside the program: a stage of its own, built at the same time.

Sources: vite.dev/config/build-options (`outDir`), create-react-app.dev/docs/advanced-configuration
(`build`, BUILD_PATH), cli.vuejs.org/config (`outputDir`).
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import Json, load_object, table
from dockerfix.context.sources import read_sources
from dockerfix.effects.instructions import effects_of
from dockerfix.effects.model import Call, Step
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import read_copy
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Plan, Program
from dockerfix.syntax.edits import Edit, blank_above, cut, head_of, with_comments
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.parser import keywords_of
from dockerfix.transform import Evidence

_TOOLS = ("npm", "yarn", "pnpm")
#: Packages of the system that bring Node.js.
NODE_PACKAGES = frozenset(("nodejs", "npm", "yarn", "yarnpkg"))
_NODE_PROGRAMS = frozenset(("node", "npm", "npx", "yarn", "pnpm", "corepack"))
#: They build without Node.js; Maven, Gradle, MSBuild and build.rs may well call npm.
_OTHER_BUILDERS = frozenset(("go", "python", "python3"))
#: What builds a page, where it puts it, and the setting that moves that.
_BUILDERS = {
    "vite": ("dist", "outDir"),
    "react-scripts": ("build", "BUILD_PATH"),
    "vue-cli-service": ("dist", "outputDir"),
}
_SETTINGS = (
    *("vite.config.js", "vite.config.ts", "vite.config.mjs", "vite.config.mts", "vue.config.js"),
    *(".env", ".env.production"),
)
_LEAVES = pattern(r"['\"`]((?:\.\./)+[^'\"`]*)['\"`]")
_ROOT = pattern(r"\broot\s*:")
_SOURCE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte", ".json")
_PROGRAMS = (".go", ".py", ".js", ".ts", ".mjs", ".java", ".kt", ".rb", ".rs", ".php")
_EMBED = pattern(r"(?m)^//go:embed\s+(.+)$")
_STAGE = "frontend"


class FrontEnd(NamedTuple):
    """A page and the steps that build it."""

    #: Image path of its folder, and of what is built.
    folder: str
    output: str
    #: Its folder in the build context.
    source: str
    steps: tuple[Step, ...]
    evidence: Evidence


def find_front_end(program: Program) -> FrontEnd | None:
    """The page that a file builds beside its program; None where there is none, or it is more."""
    context = program.workspace.context
    built = {call.directory for _, call in program.calls("build")}
    folders = {
        call.directory
        for _, call in program.calls("install")
        if posixpath.basename(call.words[0]) in _TOOLS
        and call.directory in built - {program.folder}
    }
    folder = folders.pop() if len(folders) == 1 else None
    if context is None or folder is None or folder == "/" or is_within(program.folder, folder):
        return None
    steps = tuple(s for s in program.steps if any(c.directory == folder for c in _work(s)))
    install = next((c.install for s in steps for c in s.calls if c.install is not None), None)
    if install is None or not all(_is_its_own(step, folder) for step in steps):
        return None
    manifest = load_object(context.read(install.files[0])) or {}
    output = page_output(context, install.folder, manifest)
    if output is None or not any(c.kind == "build" for s in steps for c in s.calls):
        return None
    if _reads_elsewhere(context, install.folder) or _is_used(program, folder, steps):
        return None
    if any(_may_matter(program, step, steps[-1]) for step in program.steps if step not in steps):
        return None
    evidence = Evidence(install.files[0], f"scripts.build makes {output}")
    target = posixpath.join(folder, output)
    return FrontEnd(folder, target, install.folder, steps, evidence)


def _work(step: Step) -> Iterator[Call]:
    return (call for call in step.calls if call.words[:1] != ("cd",))


def _is_its_own(step: Step, folder: str) -> bool:
    """Whether a step does nothing but install and build the page."""
    calls = [call for call in step.calls if call.words[:1] != ("cd",)]
    return all(
        call.directory == folder
        and call.kind in ("install", "build", "clean")
        and posixpath.basename(call.words[0]) in _TOOLS
        for call in calls
    )


def page_output(context: BuildContext, folder: str, manifest: Json) -> str | None:
    """The folder that the build fills, relative to the page's own."""
    words = str(table(manifest, "scripts").get("build", "")).split()
    if words[:2] == ["ng", "build"]:
        return None if "--output-path" in " ".join(words) else _angular_output(context, folder)
    names = [name for name in _BUILDERS if name in words]
    if len(names) != 1 or "--outDir" in words or "--dest" in words:
        return None
    output, setting = _BUILDERS[names[0]]
    named = pattern(rf"\b{setting}\s*[:=]\s*['\"]?([^'\",\s]+)")
    for name in _SETTINGS:
        text = context.read(posixpath.join(folder, name)) or ""
        if _ROOT.search(text):
            return None
        match = named.search(text)
        if match is None and setting in text:
            return None
        output = match[1] if match else output
    output = posixpath.normpath(output)
    return None if output.startswith(("/", "..", "$")) or output == "." else output


def _angular_output(context: BuildContext, folder: str) -> str | None:
    from dockerfix.context.manifests.javascript_config import read_output
    from dockerfix.context.manifests.package_json import read_package_json
    from dockerfix.context.manifests.reading import BrokenManifestError, CannotTellError

    try:
        package = read_package_json(context, folder)
        output = read_output(context, package) if package is not None else None
    except (BrokenManifestError, CannotTellError):
        return None
    if output is None or output.tool != "@angular/cli":
        return None
    # Whatever builds the pages, the folder above `browser` holds all that it makes.
    path = posixpath.relpath(output.folder, folder or ".").removesuffix("/browser")
    return None if path.startswith("..") or path == "." else path


def _reads_elsewhere(context: BuildContext, folder: str) -> bool:
    """Whether a source of the page names a file outside of its folder."""
    for path, text in read_sources(
        context, folder, lambda name: name.endswith(_SOURCE), "node_modules".__eq__
    ):
        for name in _LEAVES.findall(text):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            if not is_within(target, folder):
                return True
    return False


def _is_used(program: Program, folder: str, steps: tuple[Step, ...]) -> bool:
    """Whether another step, or another user, works in the page's folder."""
    last = program.stage.index_of(steps[-1].instruction)
    if any(i.keyword in ("USER", "SHELL") for i in program.stage.instructions[:last]):
        return True
    others = (step for step in program.steps if step not in steps)
    return any(
        call.kind == "set-up" and not call.writes.everything and call.writes.holds(folder)
        for step in others
        for call in step.calls
        if call.words[:1] != ("cd",) and any(is_within(p, folder) for p in call.writes.paths)
    )


def _may_matter(program: Program, step: Step, last: Step) -> bool:
    """Whether a step before the page's changes the system in a way of its own: `ln -s nodejs`."""
    if step.instruction.start > last.instruction.start:
        return False
    others = [call for call in step.calls if call.kind in ("set-up", "fetch", "user", "unknown")]
    return any(
        call.writes.everything or any(not is_within(p, program.folder) for p in call.writes.paths)
        for call in others
    )


def without_front_end(program: Program, front: FrontEnd) -> Program:
    """The program as if the page were there already."""
    aside_steps = {*front.steps, *_node_steps(program, front)}
    steps = tuple(step for step in program.steps if step not in aside_steps)
    aside = (copy for copy in program.copies if _is_for_page_alone(program, copy, front))
    return replace(program, steps=steps, aside=frozenset(aside)) if steps else program


# The stage


def with_front_end(program: Program, plan: Plan, front: FrontEnd) -> Plan:
    """The plan with a stage for the page in front of the others."""
    dockerfile, style = program.workspace.dockerfile, program.workspace.style
    text, removed = _stage_text(program, front)
    gone = list(removed)
    head = head_of(dockerfile, program.stage.start)
    edits = [Edit(head, head, text + style.newline)]
    copy = f"{style.keyword('COPY')} --from={_STAGE} {front.output} {front.output}"
    is_embedded = _is_embedded(program, front)
    if is_embedded:
        last = front.steps[-1].instruction
        edits.append(Edit(head_of(dockerfile, last), last.end, copy + style.newline))
        gone = [instruction for instruction in gone if instruction is not last]
    edits += cut(dockerfile, gone)
    return replace(
        plan,
        copies=tuple(_without_sources(program, plan, front)),
        edits=(*plan.edits, *edits),
        added=(*plan.added, *(("COPY",) if is_embedded else ()), *keywords_of(text)),
        gone=tuple(removed),
        after=(*plan.after, *(() if is_embedded else (copy,))),
        evidence=(*plan.evidence, front.evidence),
        unneeded=plan.unneeded | NODE_PACKAGES,
    )


def _without_sources(program: Program, plan: Plan, front: FrontEnd) -> Iterator[tuple[str, str]]:
    """The COPYs, that of the page's folder left out where the program names the output alone."""
    context = program.workspace.context
    assert context is not None
    for source, target in plan.copies:
        if source != front.folder or _names_more(context, front):
            yield source, target


def _names_more(context: BuildContext, front: FrontEnd) -> bool:
    """Whether a source of the program names anything of the page but its output."""
    name = posixpath.basename(front.source)
    output = f"{name}/{posixpath.relpath(front.output, front.folder)}"
    mentions = pattern(rf"\b{re.escape(name)}(/[\w.-]+)*")
    skipped = {"node_modules", "vendor", name}
    for _, text in read_sources(
        context, "", lambda name: name.endswith(_PROGRAMS), skipped.__contains__
    ):
        if any(not is_within(match[0], output) for match in mentions.finditer(text)):
            return True
    return False


def _is_embedded(program: Program, front: FrontEnd) -> bool:
    """Whether the program's own build takes the page in."""
    context = program.workspace.context
    assert context is not None
    output = posixpath.join(front.source, posixpath.relpath(front.output, front.folder))
    for path, text in read_sources(
        context, "", lambda name: name.endswith(".go"), {"node_modules", "vendor"}.__contains__
    ):
        for names in _EMBED.findall(text):
            for name in names.split():
                place = posixpath.join(posixpath.dirname(path), name.removeprefix("all:"))
                if is_within(output, posixpath.normpath(place).split("*")[0].rstrip("/")):
                    return True
    return False


def _stage_text(program: Program, front: FrontEnd) -> tuple[str, list[Instruction]]:
    """The stage of the page, and the instructions that leave the stage of the program."""
    stage, style = program.stage, program.workspace.style
    own = [step.instruction for step in front.steps]
    parts = [f"{style.keyword('FROM')} {stage.base} {style.keyword('AS')} {_STAGE}{style.newline}"]
    tools = [step.instruction for step in _node_steps(program, front)]
    part = stage.instructions[1 : stage.index_of(own[-1]) + 1]
    brought = {i: _brings(program, i, front) if i.keyword in ("COPY", "ADD") else "" for i in part}
    gone = [
        i
        for i in part
        if i in own
        or i in tools
        or (brought[i] == "alone" and _is_for_page_alone(program, i, front))
    ]
    gone += _idle_folders(program, front, gone)
    gone += _idle_updates(program, gone)
    for instruction in part:
        keyword, inside = instruction.keyword, brought[instruction]
        if inside == "among others":
            source = front.source or "."
            line = f"{style.keyword('COPY')} {source} {front.folder}{style.newline}"
            parts += [line] if line not in parts else []
        elif instruction in gone:
            parts.append(_set_off(program, instruction, first=len(parts) == 1))
        elif (
            keyword in ("ARG", "ENV", "WORKDIR")
            or (keyword == "COPY" and instruction.flag("from") is not None)
            or inside
            or (keyword == "RUN" and _brings_tools(program, instruction))
        ):
            parts.append(instruction.code.rstrip("\r\n") + style.newline)
    return "".join(parts), gone


def _idle_folders(
    program: Program, front: FrontEnd, gone: list[Instruction]
) -> Iterator[Instruction]:
    """Each WORKDIR for the page alone: another one follows before anything else is done."""
    kept = [i for i in program.stage.instructions if i not in gone]
    for instruction, following in itertools.pairwise(kept):
        if instruction.keyword == following.keyword == "WORKDIR":
            folder = effects_of(instruction, program.workspace).after.workdir
            if folder == front.folder and following.argument_text.startswith("/"):
                yield instruction


def _idle_updates(program: Program, gone: list[Instruction]) -> list[Instruction]:
    """Each RUN that brings the index of packages up to date for those of the page alone."""
    steps = [step for step in program.steps if step.instruction not in gone]
    actions = {step.instruction: set(_package_actions(step)) for step in steps}
    if any("install" in found or "upgrade" in found for found in actions.values()):
        return []
    return [
        step.instruction
        for step in steps
        if actions[step.instruction] == {"update"} and len(step.calls) == 1
    ]


def _package_actions(step: Step) -> Iterator[str]:
    for call in step.calls:
        package = read_package_command(call.command) if call.kind == "packages" else None
        if package is not None and package.action:
            yield package.action


def _set_off(program: Program, instruction: Instruction, first: bool) -> str:
    """An instruction with its comments, set off as it was."""
    dockerfile, newline = program.workspace.dockerfile, program.workspace.style.newline
    gap = newline if not first and blank_above(dockerfile, instruction) else ""
    return gap + with_comments(dockerfile, instruction, newline)


def _brings(program: Program, copy: Instruction, front: FrontEnd) -> str:
    copied = read_copy(copy, program.workspace) or ()
    inner = [is_within(c.destination, front.folder) for c in copied]
    if inner and all(inner):
        return "alone"
    covers = (
        is_within(front.folder, c.destination)
        and (c.source == "." or is_within(front.source, c.source))
        for c in copied
    )
    return "among others" if any(covers) else ""


def _is_for_page_alone(program: Program, copy: Instruction, front: FrontEnd) -> bool:
    """Whether a COPY brings files of the page that a later one brings again, or that none needs."""
    if _brings(program, copy, front) != "alone":
        return False
    later = [c for c in program.copies if c.start > copy.start]
    if any(_brings(program, other, front) == "among others" for other in later):
        return True
    context = program.workspace.context
    return context is not None and not _names_more(context, front)


def _brings_tools(program: Program, instruction: Instruction) -> bool:
    step = next((s for s in program.steps if s.instruction is instruction), None)
    return step is not None and step.has("packages", "tool", "configure")


def _node_steps(program: Program, front: FrontEnd) -> tuple[Step, ...]:
    """Steps that bring and set up Node.js, where the page alone needs it."""
    found = tuple(s for s in program.steps if s not in front.steps and _is_of_node(s))
    others = [s for s in program.steps if s not in front.steps and s not in found]
    if any(_may_call_node(call) for step in others for call in step.calls):
        return ()
    return found


def _may_call_node(call: Call) -> bool:
    name = posixpath.basename(call.words[0]) if call.words else ""
    if call.words[:2] == ("go", "generate"):
        return True
    return name in _NODE_PROGRAMS or (call.kind == "build" and name not in _OTHER_BUILDERS)


def _is_of_node(step: Step) -> bool:
    """Whether a step does nothing but install Node.js and its tools, and set them up."""
    names = {
        word.text
        for call in step.calls
        if (package := read_package_command(call.command)) is not None
        and package.action == "install"
        for word in package.packages
    }
    if not names:
        return all(
            call.kind == "configure" and call.words[0] in ("npm", "yarn", "pnpm")
            for call in step.calls
        )
    only = all(call.kind in ("packages", "tool", "clean") for call in step.calls)
    return only and names <= NODE_PACKAGES | {"pnpm", "corepack"}
