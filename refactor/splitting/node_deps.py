"""Production dependencies in a stage of their own, beside the build: no edit of a source runs it.

Sources: pnpm.io/docker and docs.docker.com/guides/nodejs (one base; on it a stage that installs
production dependencies, and one that builds), docs.npmjs.com (npm-ci, npm-prune),
classic.yarnpkg.com/docs/cli/install, yarnpkg.com/cli/workspaces/focus, pnpm.io/cli/install. Both
ways were built and compared file by file, on packages whose development dependencies bring other
versions of the same packages: npm leaves the same files, yarn the same but for its record of the
install, pnpm the same packages without the dangling links that its prune leaves.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockerfix.context.json_files import table
from dockerfix.context.node_lock import (
    why_npm_lock_differs,
    why_pnpm_lock_differs,
    why_yarn_lock_differs,
)
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import source_of
from dockerfix.knowledge.command_effects import Kind
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import is_manifest, option_place
from dockerfix.splitting.node_base import dependencies
from dockerfix.splitting.node_command import NodeProject
from dockerfix.splitting.node_production import (
    focus_command,
    production_option,
    yarn_generation,
)
from dockerfix.splitting.plan import Beside, Call, Program, Step, written
from dockerfix.splitting.runtime_stage import MOVES
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Evidence

WHY = Evidence(
    "package.json and its lock",
    "no script runs at install and no step changes node_modules: it can be filled beside the build",
)
#: Scripts of the project that an install runs; some call what only a full install brings.
#: npm's are in docs.npmjs.com/cli/using-npm/scripts; pnpm has one more (pnpm.io/scripts).
_SCRIPTS = (
    *("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare"),
    *("postprepare", "dependencies", "pnpm:devPreinstall"),
)
#: What they make lies in node_modules, and a program among the development dependencies makes it
#: (prisma.io/docs: `prisma generate` writes to node_modules/.prisma; zenstack.dev: .zenstack).
_GENERATES = frozenset(("prisma", "@prisma/client", "zenstack", "@zenstackhq/runtime"))
#: Options with which an install follows the lock or fails.
_FROZEN = frozenset(("ci", "clean-install", "--frozen-lockfile", "--immutable"))
#: Options that bring development dependencies back.
_INCLUDES = ("--include", "--also", "--dev", "-D", "--production=false", "--prod=false")
#: What npm's settings say of it.
_SETTINGS = pattern(r"(?m)^\s*(?:include|omit|also|only|production|dev)\b")
#: Steps that may put something among the dependencies.
_WRITES: tuple[Kind, ...] = ("fetch", "configure", "set-up", "clean", "unknown")
#: COPY sets owners anew, and a folder that is there is not made.
_HARMLESS = (("chown",), ("mkdir",), ("cd",))
_LOCKS = {
    "npm": (("npm-shrinkwrap.json", "package-lock.json"), why_npm_lock_differs),
    "yarn": (("yarn.lock",), why_yarn_lock_differs),
    "pnpm": (("pnpm-lock.yaml",), why_pnpm_lock_differs),
}


def install_beside(program: Program, project: NodeProject, step: Step, call: Call) -> Beside | None:
    """The install of production dependencies alone, on what stands in front of the whole install.

    None where it may leave another tree than taking development dependencies away afterwards, or
    where the stages cannot part there.
    """
    if project.is_workspace or project.directory != program.folder:
        return None
    if call.install is None or not _may_part(program, step, call):
        return None
    scripts, modules = table(project.manifest, "scripts"), f"{project.directory}/node_modules"
    if any(name in scripts for name in _SCRIPTS) or changes(program, modules):
        return None
    if not _GENERATES.isdisjoint((*project.development, *dependencies(project))):
        return None
    if any(word.startswith(_INCLUDES) for word in call.words) or _has_settings(program, project):
        return None
    if not _follows_lock(program, project, step, call):
        return None
    line = _line(program, project, step, call)
    again = tuple(_declared_again(program, step.instruction))
    return Beside(step.instruction, line, (modules,), again=again) if line else None


def _may_part(program: Program, step: Step, call: Call) -> bool:
    """Whether all that stands in front of the install is what the install needs."""
    run = step.instruction
    if step.run.script.items[0].command is not call.command or run.inner_comments:
        return False
    before = program.stage.instructions[1 : program.stage.index_of(run)]
    # Not every engine hands a shell on to stages on top of the one that sets it.
    if any(entry.keyword == "SHELL" for entry in before):
        return False
    return all(_is_needed(entry, step, program) for entry in before if _brings(entry))


def _declared_again(program: Program, run: Instruction) -> Iterator[Instruction]:
    """The ARGs in front of a RUN that steps behind it may use.

    BuildKit hands them on to the stages on top, podman did not before 2025 (buildah's issue 5762).
    One that no instruction names may be read from the environment.
    """
    instructions = program.stage.instructions
    place = program.stage.index_of(run)
    for argument in instructions[1:place]:
        name = argument.arguments[0].partition("=")[0] if argument.keyword == "ARG" else ""
        if not name or name == "DEBIAN_FRONTEND":
            continue
        mentions = pattern(rf"\$\{{?{re.escape(name)}\b")
        uses = [i for i in instructions if i is not argument and mentions.search(i.code)]
        above = instructions[:place]
        if not uses or any(
            i.keyword == "RUN" or (i not in above and i.keyword not in MOVES) for i in uses
        ):
            yield argument


def _brings(entry: Instruction) -> bool:
    return entry.keyword in ("COPY", "ADD") and entry.flag("from") is None


def _is_needed(copy: Instruction, step: Step, program: Program) -> bool:
    return copy.keyword == "COPY" and is_manifest(copy, step, program)


def changes(program: Program, place: str) -> bool:
    """Whether a step that neither installs nor builds changes something in a folder, or may."""
    calls = [call for _, call in program.calls(*_WRITES) if call.words[:1] not in _HARMLESS]
    reaches = [written(call) for call in calls]
    return any(found.everything for found in reaches) or any(
        is_within(path, place) or is_within(place, path)
        for found in reaches
        for path in found.paths
    )


def _has_settings(program: Program, project: NodeProject) -> bool:
    """Whether settings of npm's decide which dependencies are installed."""
    context = program.workspace.context
    assert context is not None
    settings = context.read(posixpath.join(project.folder, ".npmrc")) or ""
    return bool(_SETTINGS.search(settings))


def _follows_lock(program: Program, project: NodeProject, step: Step, call: Call) -> bool:
    """Whether the install takes what a lock says, so that another one takes the same."""
    context = program.workspace.context
    assert context is not None
    if not _FROZEN.isdisjoint(call.words):
        return True
    names, why_it_differs = _LOCKS[posixpath.basename(call.words[0])]
    places = (f"{project.directory}/{name}" for name in names)
    locks = (source_of(place, step.instruction, program.workspace) for place in places)
    lock = next((path for path in locks if path), None)
    manifest = posixpath.join(project.folder, "package.json")
    texts = (context.read(manifest) or "", (context.read(lock) if lock else None) or "")
    return lock is not None and why_it_differs(*texts) is None


def _line(program: Program, project: NodeProject, step: Step, call: Call) -> str:
    """The RUN of the stage beside, written as the install is; "" where none is known."""
    tool = posixpath.basename(call.words[0])
    if tool == "yarn" and yarn_generation(program, project) > 1:
        command = "" if call.command.assignments else focus_command(program, project)
        return f"{_code(program, step, 0, call.command.start)}{command}" if command else ""
    mounts = [flag.value or "" for flag in step.instruction.flags]
    if tool == "yarn" and any(_is_shared_cache(mount) for mount in mounts):
        return ""
    at, option = option_place(call), production_option(program, step, call)
    before = _code(program, step, 0, at)
    return f"{before}{option}{_code(program, step, at, call.command.end)}"


def _is_shared_cache(mount: str) -> bool:
    """Whether two installs may write to a cache at once, which yarn 1 does not stand."""
    parts = mount.split(",")
    return "type=cache" in parts and {"sharing=locked", "sharing=private"}.isdisjoint(parts)


def _code(program: Program, step: Step, begin: int, end: int) -> str:
    """A part of a RUN's script as it is written; from its beginning on with all before that."""
    run = step.instruction
    first = run.span(run.argument_start + begin, run.argument_start + begin)[0]
    last = run.span(run.argument_start + end, run.argument_start + end)[0]
    return program.workspace.dockerfile.code[first if begin else run.start : last]
