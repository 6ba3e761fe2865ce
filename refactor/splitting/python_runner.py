"""`poetry run X` and `pipenv run X` as X: with the environment in PATH they do no more.

Sources: python-poetry.org/docs/cli ("run"), pipenv.pypa.io ("run" loads `.env`).
"""

from __future__ import annotations

from dataclasses import replace

from dockerfix.context.build_context import BuildContext
from dockerfix.splitting.plan import NotSplitError, Program
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.parse import parse_script

_RUNNERS = ("poetry", "pipenv")
#: Options of `run` itself have no place here.
_LEAST_WORDS = 3


def without_runner(
    program: Program, context: BuildContext
) -> tuple[Program, tuple[Instruction, tuple[str, ...]] | None]:
    """The program with the command that is run in the end, and where that has to be written.

    Raises NotSplitError where the entry calls an installer in another way.
    """
    words = program.entry.main
    if words[0] == "uv":
        raise NotSplitError("the entry builds when it starts", " ".join(words[:3]))
    if words[0] not in _RUNNERS:
        return program, None
    text = " ".join(words[:3])
    if words[1:2] != ("run",) or len(words) < _LEAST_WORDS or words[2].startswith("-"):
        raise NotSplitError("the entry calls an installer", text)
    if words[0] == "pipenv" and context.sends(".env"):
        raise NotSplitError("the entry calls an installer", ".env")
    if len(program.entry.calls) != 1:
        raise NotSplitError("the entry calls an installer", text)
    said = [i for i in (program.stage.last("ENTRYPOINT"), program.stage.last("CMD")) if i]
    if len(said) != 1 or _words(said[0]) != words:
        raise NotSplitError("the entry calls an installer", text)
    entry = program.entry._replace(calls=(words[2:],))
    return replace(program, entry=entry), (said[0], words[2:])


def _words(instruction: Instruction) -> tuple[str, ...] | None:
    """The words of a CMD; in shell form only where a shell does nothing with them."""
    if instruction.exec_arguments is not None:
        return instruction.exec_arguments
    script = parse_script(instruction.argument_text)
    commands = list(script.commands())
    if script.opaque or script.tail or len(commands) != 1 or len(script.items) != 1:
        return None
    plain = not commands[0].assignments and not commands[0].redirections
    return commands[0].argv if plain else None
