"""What one command is for and what it touches."""

from __future__ import annotations

from dockerfix.effects.kinds import command_kind, find_rule, only_asks
from dockerfix.effects.model import Call
from dockerfix.effects.operands import Operands
from dockerfix.effects.package_commands import touched_by_package
from dockerfix.effects.reach import Reach
from dockerfix.effects.touched import ALL, KEPT, Touched, redirected
from dockerfix.installs.install import Install, UnknownInstallError
from dockerfix.installs.read import read_install
from dockerfix.installs.words import install_words
from dockerfix.knowledge.command_effects import command_facts
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.state import known_variables
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.script import Command, Word
from dockerfix.syntax.substitution import substitute
from dockerfix.transform import Workspace

#: A path whose variables the shell puts in as Docker would; no blank in what they hold.
_PATH_WITH_VARIABLES = pattern(r'"?(?:[\w./:-]|\$\w+|\$\{\w+\})+"?')
_PLAIN = pattern(r"[\w./:-]+")


def read_call(
    written: Command, directory: str | None, instruction: Instruction, workspace: Workspace
) -> Call:
    """What a command of a RUN does that runs in an image directory; never raises."""
    command = _with_known_words(written, instruction, workspace)
    words = tuple(word.value or word.text for word in written.words)
    call = Call(command_kind(command), written, words, directory=directory)
    touched = redirected(command.redirections, directory)
    found = install_words(written)
    if found is not None:
        call = _read_install(call, found, touched, instruction, workspace)
        if call.kind == "install":
            return call
    touched |= _touched(command, directory)
    return call._replace(reads=touched.reads, writes=touched.writes, makes=touched.makes)


def _with_known_words(command: Command, instruction: Instruction, workspace: Workspace) -> Command:
    """The command with the variables put in that ENV and ARG give, for the paths it names."""
    stage = workspace.dockerfile.stage_of(instruction)
    if stage is None or all(word.value is not None for word in command.words):
        return command
    run = workspace.run(instruction)
    scope = {
        name: value
        for name, value in known_variables(stage, instruction).items()
        if run is None or name not in run.script.assigned
    }
    return command._replace(words=tuple(_known_word(word, scope) for word in command.words))


def _known_word(word: Word, scope: dict[str, str | None]) -> Word:
    if word.value is not None or not _PATH_WITH_VARIABLES.fullmatch(word.text):
        return word
    value = substitute(word.text, scope)
    plain = value is not None and _PLAIN.fullmatch(value)
    return word._replace(value=value) if plain else word


def _touched(command: Command, directory: str | None) -> Touched:
    if not command.words or only_asks(command):
        return Touched()
    if command.literal_name == "cd":
        return Touched()
    package = read_package_command(command)
    rule = find_rule(command)
    if package is not None and not (rule is not None and rule.kind == "configure"):
        return touched_by_package(package, directory)
    return ALL if rule is None else Operands(rule, directory, command).touched()


def _read_install(
    call: Call,
    words: tuple[str, ...],
    touched: Touched,
    instruction: Instruction,
    workspace: Workspace,
) -> Call:
    try:
        install = read_install(words, call.directory, instruction, workspace)
    except UnknownInstallError as error:
        return call._replace(problem=error)
    reads, writes = _installed(install)
    return call._replace(
        install=install, reads=touched.reads | reads, writes=touched.writes | writes
    )


def _installed(install: Install) -> tuple[Reach, Reach]:
    """What an install touches in the image."""
    read = (*install.files, *install.folders)
    reads = Reach(tuple(install.place(path.rstrip("*")) for path in read))
    facts = command_facts()
    return reads, Reach((*map(install.place, install.leaves), *facts.system, *KEPT))
