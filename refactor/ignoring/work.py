"""Where in the context a file installs and builds: there its tools leave what they make."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from dockerfix.context.json_files import load_object, table
from dockerfix.effects.instructions import effects_of
from dockerfix.effects.model import Call
from dockerfix.image.copies import source_of
from dockerfix.installs.words import DIRECTORY_OPTIONS, install_words
from dockerfix.knowledge.data import table as facts
from dockerfix.run_as.needs import unwrap
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

NODE_TOOLS = frozenset(("npm", "yarn", "pnpm", "bun"))
#: Options of package managers that are followed by a folder.
_INTO = frozenset((*DIRECTORY_OPTIONS.values(), "-C", "--dir"))
_MAX_DEPTH = 4


class Work(NamedTuple):
    """What one command does."""

    #: The folder of the context that it works in; None when that is not known.
    folder: str | None
    #: The tool of an install of dependencies; "" for none.
    tool: str = ""
    #: The builds that it runs, as they are called in the table of outputs.
    builds: frozenset[str] = frozenset()

    def is_in(self, folder: str) -> bool:
        """Whether it works in a folder, or may."""
        return self.folder is None or self.folder == folder


def work_of(stages: Iterable[Stage], workspace: Workspace) -> tuple[Work, ...]:
    """The installs and builds of stages."""
    return tuple(
        work
        for stage in stages
        for instruction in stage.instructions
        if (step := effects_of(instruction, workspace).step) is not None
        for call in step.calls
        for work in _read(call, instruction, workspace)
    )


def _read(call: Call, instruction: Instruction, workspace: Workspace) -> Iterator[Work]:
    words = install_words(call.command)
    folder = _folder(call, instruction, workspace)
    given = tuple(word.value or "" for word in call.command.words)
    builds = (
        frozenset(_builds(given, folder, workspace)) if given and given[0] else frozenset[str]()
    )
    if words is not None or builds:
        yield Work(folder, words[0] if words is not None else "", builds)


def _folder(call: Call, instruction: Instruction, workspace: Workspace) -> str | None:
    if call.directory is None:
        return None
    values = [word.value for word in call.command.words]
    inner = next((following for word, following in pairwise(values) if word in _INTO), ".")
    if inner is None:
        return None
    directory = posixpath.normpath(posixpath.join(call.directory, inner))
    manifest = source_of(f"{directory}/package.json", instruction, workspace)
    return posixpath.dirname(manifest) if manifest is not None else None


def _builds(words: tuple[str, ...], folder: str | None, workspace: Workspace) -> Iterator[str]:
    """The builds that a command runs, as they are called in the table of outputs."""
    words = unwrap(words)
    name = posixpath.basename(words[0]).removesuffix("w")
    yield from (name, *(f"{name} {word}" for word in words[1:]))
    if name in NODE_TOOLS:
        script = _script_name(words)
        context = workspace.context
        path = posixpath.join(folder or "", "package.json")
        manifest = load_object(context.read(path)) if context is not None else None
        yield from _of_script(script, table(manifest or {}, "scripts"), 0)


def _script_name(words: tuple[str, ...]) -> str:
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _INTO and rest:
            rest.pop(0)
        elif word not in ("run", "run-script") and not word.startswith("-"):
            return word
    return ""


def _of_script(name: str, scripts: dict[str, object], depth: int) -> Iterator[str]:
    """The builds that a script of a package.json runs, by other scripts as well."""
    text = str(scripts.get(name, ""))
    for part in text.replace("||", "&&").replace(";", "&&").split("&&"):
        words = tuple(part.split())
        while words and "=" in words[0]:
            words = words[1:]
        if not words:
            continue
        words = unwrap(words)
        called = " ".join((posixpath.basename(words[0]), *words[1:]))
        yield from (
            command
            for command in facts("ignored", "outputs")
            if f"{called} ".startswith(f"{command} ")
        )
        if words[0] in NODE_TOOLS and depth < _MAX_DEPTH:
            yield from _of_script(_script_name(words), scripts, depth + 1)
