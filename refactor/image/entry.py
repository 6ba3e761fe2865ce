"""What a container of a stage runs: its entry, resolved through npm scripts and wrappers."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile
from typing import NamedTuple

from dockerfix.context.json_files import load_object, table
from dockerfix.image.copies import lineage, origin_of
from dockerfix.patterns import pattern
from dockerfix.reasons import ReasonError
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.syntax.shell.script import Command
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.words import unquote
from dockerfix.transform import Workspace

_PACKAGE_RUNNERS = ("npm", "yarn", "pnpm")
#: Options with which they run the script of another folder or package.
_ELSEWHERE = frozenset(
    ("--prefix", "--cwd", "--dir", "-C", "--filter", "-F", "--workspace", "-w", "--recursive", "-r")
)
#: The program that the first line of a script names, `env` left out.
_INTERPRETER = pattern(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(?:\S*/)?([\w.-]+)")
_SHELLS = ("sh", "bash", "ash", "dash")
#: Scripts that fetch a build tool and run it: what counts is what it is asked for.
_BUILD_WRAPPERS = ("mvnw", "gradlew")
_ARGUMENT = pattern(r"\$\{?[@*0-9]")
#: In a wrapper: the call that it is given.
_ARGUMENTS = ('"$@"', "$@", "$*", '"$*"')
_MAX_DEPTH = 5


class UnknownEntryError(ReasonError):
    """Why it is not known what runs: fixed words, and what is special about this case."""


class Entry(NamedTuple):
    """What runs when a container starts."""

    #: Every program call that is known, the last one being the one that stays.
    calls: tuple[tuple[str, ...], ...]
    #: The text of all scripts on the way.
    scripts: tuple[str, ...]
    #: The instruction that says so.
    instruction: Instruction

    @property
    def main(self) -> tuple[str, ...]:
        """The call that stays: the service itself."""
        return self.calls[-1]


def read_entry(stage: Stage, workspace: Workspace) -> Entry:
    """What a container of a stage runs. Raises UnknownEntryError."""
    entrypoint, command = _find(stage, workspace)
    instruction = entrypoint or command
    if instruction is None:
        raise UnknownEntryError("no CMD or ENTRYPOINT in the file")
    directory = _final_directory(stage, workspace)
    reader = _Reader(workspace, stage, directory)
    words = _words(entrypoint)
    if words is None:
        reader.read_shell(entrypoint.argument_text if entrypoint else "", 0)
    else:
        rest = _words(command)
        if rest is None and not words:
            reader.read_shell(command.argument_text if command else "", 0)
        elif rest is None and _ignores_arguments(words):
            reader.read_call(words, 0)
        elif rest is None:
            raise UnknownEntryError("an ENTRYPOINT with a CMD in shell form")
        else:
            reader.read_call((*words, *rest), 0)
    if not reader.calls:
        raise UnknownEntryError("the entry runs nothing that is known")
    return Entry(tuple(reader.calls), tuple(reader.scripts), instruction)


def _ignores_arguments(words: tuple[str, ...]) -> bool:
    """Whether it is a script for a shell in which no argument is named."""
    shell = posixpath.basename(words[0]) in _SHELLS if words else False
    return shell and words[1:2] == ("-c",) and not _ARGUMENT.search(" ".join(words[2:3]))


def _find(stage: Stage, workspace: Workspace) -> tuple[Instruction | None, Instruction | None]:
    """The instructions that count; an ENTRYPOINT of a stage hides the CMD of those below it."""
    entrypoint = command = None
    for entry in lineage(workspace.dockerfile, stage):
        own_entrypoint, own_command = entry.last("ENTRYPOINT"), entry.last("CMD")
        if own_entrypoint is not None:
            entrypoint, command = own_entrypoint, None
        command = own_command or command
    return entrypoint, command


def _words(instruction: Instruction | None) -> tuple[str, ...] | None:
    if instruction is None:
        return ()
    return instruction.exec_arguments


def _final_directory(stage: Stage, workspace: Workspace) -> str | None:
    last = stage.instructions[-1]
    if last.keyword == "WORKDIR":
        path = unquote(last.argument_text)
        before = workspace.state(last).workdir or ""
        return posixpath.normpath(posixpath.join(before, path)) if "$" not in path else None
    return workspace.state(last).workdir


@dataclass
class _Reader:
    workspace: Workspace
    stage: Stage
    directory: str | None

    def __post_init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.scripts: list[str] = []

    def read_call(self, words: tuple[str, ...], depth: int) -> None:
        """A program with its arguments."""
        if depth > _MAX_DEPTH or not words:
            raise UnknownEntryError("the entry cannot be followed", " ".join(words))
        name = posixpath.basename(words[0])
        if name in ("exec", "env", "cross-env", "tini", "dumb-init") and len(words) > 1:
            rest = tuple(dropwhile(lambda w: w.startswith("-") or "=" in w, words[1:]))
            self.read_call(rest, depth + 1)
        elif name in _SHELLS:
            self._read_shell_call(words, depth)
        elif name in _PACKAGE_RUNNERS or (name == "bun" and self._names_script(words)):
            self.calls.append(words)
            self._read_package_script(words, depth)
        elif name in _BUILD_WRAPPERS:
            self.calls.append(words)
        else:
            self._read_program(words, depth)

    def _read_program(self, words: tuple[str, ...], depth: int) -> None:
        """A program, or a script that its first line gives to an interpreter."""
        text = self._script(words[0]) if "/" in words[0] or "." in words[0] else None
        interpreter = _INTERPRETER.match(text or "")
        if interpreter is None:
            if "entry" in words[0] or words[0].endswith(".sh"):
                reason = (
                    "that is not in the build context"
                    if text is None
                    else "without a first line `#!`"
                )
                raise UnknownEntryError(f"a script {reason}", words[0])
            self.calls.append(words)
        elif interpreter[1] in _SHELLS:
            self._read_wrapper(text or "", words, depth)
        else:
            self.calls.append((interpreter[1], *words))

    def read_shell(self, text: str, depth: int) -> None:
        """A script, element by element."""
        script = parse_script(text)
        if script.opaque:
            raise UnknownEntryError("the entry cannot be read as a shell script")
        self.scripts.append(text)
        for command in script.commands():
            words = _known_words(command)
            if words:
                self.read_call(words, depth + 1)

    def _read_shell_call(self, words: tuple[str, ...], depth: int) -> None:
        if len(words) > 2 and words[1].startswith("-") and words[1].endswith("c"):
            self.read_shell(words[2], depth + 1)
            return
        rest = [word for word in words[1:] if not word.startswith("-")]
        if not rest:
            raise UnknownEntryError("a shell alone, for whoever works in it", " ".join(words))
        text = self._script(rest[0])
        if text is None:
            raise UnknownEntryError("a script that is not in the build context", " ".join(words))
        self._read_wrapper(text, tuple(rest), depth)

    def _read_wrapper(self, text: str, words: tuple[str, ...], depth: int) -> None:
        """A script of the author; `exec "$@"` in it runs its arguments."""
        self.scripts.append(text)
        script = parse_script(text)
        if script.opaque:
            raise UnknownEntryError("a script that cannot be read", words[0])
        for command in script.commands():
            known = _known_words(command)
            if known[:1] == ("exec",):
                known = known[1:]
            if known and known[0] not in _ARGUMENTS:
                self.calls.append(known)
        if '"$@"' in text and len(words) > 1:
            self.read_call(words[1:], depth + 1)

    def _read_package_script(self, words: tuple[str, ...], depth: int) -> None:
        rest = [word for word in words[1:] if not word.startswith("-")]
        # npm takes its options anywhere, the others in front of what they call.
        anywhere = words[0] == "npm" or not rest
        own = words[1:] if anywhere else words[1 : words.index(rest[0], 1)]
        options = {word.partition("=")[0] for word in own}
        if rest[:1] in (["workspace"], ["workspaces"]) or not options.isdisjoint(_ELSEWHERE):
            raise UnknownEntryError("a script of another package", " ".join(words[:4]))
        if rest[:1] == ["run"] or rest[:1] == ["run-script"]:
            rest = rest[1:]
        if not rest:
            raise UnknownEntryError("a script that is not named", " ".join(words))
        scripts = self._package_scripts()
        for name in (f"pre{rest[0]}", rest[0], f"post{rest[0]}"):
            if name in scripts:
                self.read_shell(scripts[name], depth + 1)
            elif name == rest[0]:
                raise UnknownEntryError("a script that package.json does not have", name)

    def _names_script(self, words: tuple[str, ...]) -> bool:
        """Whether Bun runs a script of package.json, and not a file (bun.sh/docs/cli/run)."""
        rest = [word for word in words[1:] if not word.startswith("-")]
        rest = rest[1:] if rest[:1] == ["run"] else rest
        manifest = load_object(self._script("package.json")) or {}
        return bool(rest) and rest[0] in table(manifest, "scripts")

    def _package_scripts(self) -> dict[str, str]:
        manifest = load_object(self._script("package.json"))
        if manifest is None:
            raise UnknownEntryError("package.json is not in the build context")
        return {name: str(value) for name, value in table(manifest, "scripts").items()}

    def _script(self, path: str) -> str | None:
        """The text of a file of the context that lies at an image path."""
        context = self.workspace.context
        if context is None or (self.directory is None and not path.startswith("/")):
            return None
        place = posixpath.normpath(posixpath.join(self.directory or "/", path))
        source = origin_of(place, self.stage, self.workspace)
        return context.read(source) if source is not None else None


def _known_words(command: Command) -> tuple[str, ...]:
    """The words of a command; those that a variable decides as they are written."""
    return tuple(word.value if word.value is not None else word.text for word in command.words)


def all_words(entry: Entry) -> Iterator[str]:
    """Every word of every call."""
    for call in entry.calls:
        yield from call
