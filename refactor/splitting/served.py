"""Front ends that a server of files hands out, such as `serve`: the files and the server are all.

Sources: github.com/vercel/serve (`serve [folder]`, `-s`, `-l`, `-c`; reads `serve.json` in the
folder it serves), github.com/http-party/http-server.
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from dockerfix.context.json_files import load_object, table
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import origin_of
from dockerfix.knowledge.runtime_images import slim_sibling
from dockerfix.splitting.missing_programs import missing_programs
from dockerfix.splitting.node_base import build_tools
from dockerfix.splitting.node_command import runner_instruction
from dockerfix.splitting.node_files import checked_files
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.splitting.steps import tool_names
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.transform import Evidence

_SERVERS = frozenset(("serve", "http-server"))
#: Options whose value is a word of its own; a setting or a key may lie in another folder.
_VALUED = frozenset(("-l", "--listen", "-p", "--port", "-a", "-d", "-c-1", "-t", "-T"))
_NAMES_FILE = frozenset(("-c", "--config", "--ssl-cert", "--ssl-key", "--ssl-pass", "-C", "-K"))


class _Server(NamedTuple):
    #: The call of the server, npx left out.
    words: tuple[str, ...]
    #: The image path that it serves.
    folder: str


def plan_served(program: Program) -> Plan | None:
    """How it is split; None when the entry is no server of files, or a dependency of the project.

    Raises NotSplitError.
    """
    server = _server(program)
    if server is None or not any(program.calls("build")):
        return None
    name = server.words[0]
    tools = {name for _, call in program.calls("tool") for name in tool_names(call)}
    by_npx = program.entry.main[0] == "npx"
    if name not in tools and not by_npx:
        return None
    if _is_dependency(program, name):
        return None
    if server.folder == program.folder or not is_within(server.folder, program.folder):
        return None
    if any(checked_files(program)):
        raise NotSplitError("a health check reads files of the program")
    main = _main(program, server, name in tools)
    base = _base(program)
    return Plan(
        base,
        ((server.folder, server.folder),),
        "all dependencies, the sources and what builds them",
        (Evidence(f"line {program.entry.instruction.line}", f"`{name}` serves {server.folder}"),),
        main=main,
        tools=frozenset((name,)),
        unneeded=build_tools(program),
    )


def _server(program: Program) -> _Server | None:
    words = program.entry.main
    if words[0] == "npx":
        words = tuple(word for word in words[1:] if word not in ("-y", "--yes"))
    name = posixpath.basename(words[0]) if words else ""
    if name not in _SERVERS or any(word in _NAMES_FILE for word in words):
        return None
    folders: list[str] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _VALUED and rest:
            rest.pop(0)
        elif not word.startswith("-"):
            folders.append(word)
    if len(folders) != 1 or "$" in folders[0]:
        return None
    folder = posixpath.normpath(posixpath.join(program.folder, folders[0]))
    return _Server((name, *words[1:]), folder)


def _is_dependency(program: Program, name: str) -> bool:
    """Whether the project brings the server itself."""
    context = program.workspace.context
    path = origin_of(f"{program.folder}/package.json", program.stage, program.workspace)
    manifest = (load_object(context.read(path)) if context and path else None) or {}
    return any(name in table(manifest, kind) for kind in ("dependencies", "devDependencies"))


def _main(
    program: Program, server: _Server, is_installed: bool
) -> tuple[Instruction, tuple[str, ...]] | None:
    """The call of the server in place of a script of the package.json that stays behind."""
    calls = [call for call in program.entry.calls if posixpath.basename(call[0]) != "echo"]
    if len(calls) == 1:
        return None
    instruction = runner_instruction(program)
    scripts = [parse_script(text) for text in program.entry.scripts]
    plain = all(s.items and len(s.items) == 1 and not s.uses_variables for s in scripts)
    if instruction is None or not plain or not is_installed:
        raise NotSplitError("the server needs the package that stays behind")
    return instruction, server.words


def _base(program: Program) -> str:
    slim = slim_sibling(program.base) if "$" not in program.base else None
    return slim if slim and not missing_programs(program) else program.base
