"""`npm start` as the program that it starts, so that node itself is process 1.

Only a program that handles SIGTERM: as process 1 no other ends when it is told to.
npm hands a script its own environment (`npm_package_version` ...) and a PATH with
`node_modules/.bin`: a program that looks at either keeps its `npm start`.
Source: docs.npmjs.com/cli/using-npm/scripts ("Environment").
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.json_files import Json, table
from dockerfix.context.node_outputs import Outputs, command_outputs, main_file, script_outputs
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Program
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.syntax.shell.script import Command as ShellCommand
from dockerfix.transform import Evidence

_RUNNERS = ("npm", "yarn", "pnpm")
_INITS = ("tini", "dumb-init")
_NODE = ("node", "nodejs")
_QUIET = ("--silent", "-s", "--quiet", "-q")
_OF_NPM = pattern(r"\bnpm_(?:package|config|lifecycle|execpath|node_execpath)")
#: Ways to handle the signal that asks to stop.
_STOPS = pattern(
    r"\bSIGTERM\b|\benableShutdownHooks\b"
    r"|['\"](?:close-with-grace|http-graceful-shutdown|@godaddy/terminus|lightship"
    r"|fastify-graceful-shutdown)['\"]"
)
#: Options of node whose value is a word of its own.
_VALUED = frozenset(("-r", "--require", "--import", "--loader", "--experimental-loader", "-C"))


class NodeProject(NamedTuple):
    """The package that runs: its manifest and its folder in the build context."""

    manifest: Json
    #: "" for the context itself.
    folder: str
    #: Image path of that folder, and the folder of the context that lies where the program starts.
    directory: str
    root: str
    #: Path and text of the sources that may run.
    sources: tuple[tuple[str, str], ...]
    #: Names of the development dependencies, those of workspaces among them.
    development: frozenset[str] = frozenset()
    is_workspace: bool = False


class MainCommand(NamedTuple):
    """What a container runs in place of the script of a package."""

    instruction: Instruction
    words: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def main_command(program: Program, project: NodeProject) -> MainCommand | None:
    """The call of node that the entry leads to; None when anything else goes with it."""
    instruction = runner_instruction(program)
    calls = program.entry.calls
    main = calls[-1]
    if instruction is None or posixpath.basename(main[0]) not in _NODE:
        return None
    if any(posixpath.basename(call[0]) not in _RUNNERS for call in calls[:-1]):
        return None
    if not all(_is_plain(text) for text in program.entry.scripts):
        return None
    if any(_OF_NPM.search(text) for _, text in project.sources):
        return None
    stops = _stops_by_itself(program, project)
    if stops is None:
        return None
    why = main_file_evidence(program, project)
    if why is None:
        return None
    name = _script_name(calls[-2])
    said = Evidence("package.json", f"scripts.{name} is `{' '.join(main)}`")
    return MainCommand(instruction, main, (said, why, stops))


def _stops_by_itself(program: Program, project: NodeProject) -> Evidence | None:
    """Why it stops when it is told to as process 1, where the kernel does nothing of itself.

    Below npm a program without a handler dies at once; as process 1 it is killed after ten
    seconds. Source: docker-node's best practices ("Handling Kernel Signals"); measured.
    """
    entrypoint = program.stage.last("ENTRYPOINT")
    if entrypoint is not None and entrypoint is not program.entry.instruction:
        return Evidence(f"line {entrypoint.line}", "an init passes signals on")
    words = entrypoint.exec_arguments if entrypoint is not None else None
    if words and posixpath.basename(words[0]) in _INITS:
        return Evidence(f"line {program.entry.instruction.line}", "an init passes signals on")
    for path, text in project.sources:
        if _STOPS.search(text):
            return Evidence(path, "handles SIGTERM")
    return None


def _script_name(words: tuple[str, ...]) -> str:
    skipped = ("run", "run-script")
    return next(word for word in words[1:] if word[:1] != "-" and word not in skipped)


def runner_instruction(program: Program) -> Instruction | None:
    """The CMD or ENTRYPOINT that calls a script by npm, yarn or pnpm, with nothing for it."""
    stage = program.stage
    entrypoint, command = stage.last("ENTRYPOINT"), stage.last("CMD")
    if entrypoint is not None and command is not None:
        words = entrypoint.exec_arguments or ()
        is_init = words and posixpath.basename(words[0]) in _INITS
        if not is_init or any(not word.startswith("-") for word in words[1:]):
            return None
        return command if _is_runner(_words(command)) else None
    found = entrypoint or command
    return found if found is not None and _is_runner(_words(found)) else None


def _words(instruction: Instruction) -> tuple[str, ...]:
    if instruction.exec_arguments is not None:
        return instruction.exec_arguments
    script = parse_script(instruction.argument_text)
    commands = list(script.commands())
    words = commands[0].argv or () if len(commands) == 1 else ()
    return words[1:] if words[:1] == ("exec",) else words


def _is_runner(words: tuple[str, ...]) -> bool:
    """Whether it is `npm start`, `yarn run x` ... without anything for npm or the script."""
    if not words or posixpath.basename(words[0]) not in _RUNNERS:
        return False
    rest = [word for word in words[1:] if word not in _QUIET]
    if rest[:1] in (["run"], ["run-script"]):
        rest = rest[1:]
    return len(rest) == 1 and not rest[0].startswith("-")


def _is_plain(text: str) -> bool:
    """Whether a script is one command of literal words."""
    script = parse_script(text)
    if script.opaque or len(script.items) != 1 or script.tail:
        return False
    command = script.items[0].command
    return command is not None and _is_bare(command) and not script.items[0].background


def _is_bare(command: ShellCommand) -> bool:
    return command.argv is not None and not command.assignments and not command.redirections


# The file that runs


def main_file_evidence(program: Program, project: NodeProject) -> Evidence | None:
    """Why the file is there that node is called with; None when that is not known."""
    name = script_of(program.entry.main)
    if name is None:
        return None
    place = posixpath.normpath(posixpath.join(program.folder, name))
    if place != program.folder and not place.startswith(f"{program.folder}/"):
        return None
    inner = posixpath.relpath(place, program.folder)
    path = posixpath.normpath(posixpath.join(project.root, inner))
    context = program.workspace.context
    assert context is not None
    made = built_files(program, project)
    for candidate in _candidates(path, inner, project):
        if candidate in made.files:
            return Evidence(candidate, made.files[candidate])
        if context.is_file(candidate) and context.sends(candidate):
            return Evidence(candidate, "is in the build context")
    return None


def script_of(words: tuple[str, ...]) -> str | None:
    """The file that a call of node runs; None for code on the command line, or none."""
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-e", "--eval", "-p", "--print", "-", "--"):
            return None
        if option in _VALUED and rest:
            rest.pop(0)
    return rest[0] if rest else None


def _candidates(path: str, inner: str, project: NodeProject) -> Iterator[str]:
    if inner == ".":
        path = posixpath.normpath(posixpath.join(path, main_file(project.manifest)))
    yield path
    for ending in (".js", ".cjs", ".mjs")[: 1 if inner != "." else 3]:
        yield path + ending
    yield posixpath.join(path, "index.js")


def _outputs(program: Program, project: NodeProject) -> Outputs:
    """What all builds of the stage make."""
    context = program.workspace.context
    assert context is not None
    found = Outputs()
    for _, call in program.calls("build"):
        if call.directory != project.directory:
            found.unknown.append(call.text)
            continue
        made = command_outputs(context, project.folder, project.manifest, call.words)
        found.files.update(made.files)
        found.unknown += made.unknown
    return found


def built_files(program: Program, project: NodeProject) -> Outputs:
    """What the builds make; a build by `postinstall` or `prepare` is looked at as well."""
    context = program.workspace.context
    assert context is not None
    found = _outputs(program, project)
    for name in ("postinstall", "prepare"):
        if name in table(project.manifest, "scripts"):
            made = script_outputs(context, project.folder, project.manifest, name)
            found.files.update(made.files)
    return found
