"""Which ports a service listens on, as far as the file and its surroundings say."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.patterns import pattern
from dockerfix.run_as.account import StaysError, image_port
from dockerfix.state import known_variables
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.substitution import substitute
from dockerfix.transform import Workspace

#: Ports below it are root's, unless the engine's settings say otherwise.
FIRST_FREE_PORT = 1024
_REASON = "a port below 1024"
_OPTIONS = ("--port", "-p", "--bind", "-b", "--server.port", "--listen", "--http-port", "-l")
_LOW = pattern(r"(?:^|[\s:=])(?:0\.0\.0\.0:|:)?([1-9]\d{0,2})$")
_NAMES_PLACE = pattern(r"(?i)port|bind|listen|addr|host|url|serve")
_ENV_PORT = pattern(r"PORTS?[= ][\"']?(\d+)|://[^:/\s]*:(\d+)(?![\w@])")
_ENV_URL = pattern(r"ASPNETCORE_URLS|ASPNETCORE_HTTP_PORTS|Kestrel__")
_DOT_ENV = pattern(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*[\"']?([^\"'\s#]*)", 8)


def check_ports(words: tuple[str, ...], workspace: Workspace) -> None:
    """Raises StaysError for a port that only root may bind, and for one that is not known."""
    for stage in workspace.shipped_stages:
        for instruction in stage.instructions:
            _check_instruction(instruction, stage, workspace)
    _check_words(words)
    _check_image(workspace)


def _check_words(words: tuple[str, ...]) -> None:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        match = _LOW.search(_place(word, following))
        if match and int(match[1]) < FIRST_FREE_PORT:
            raise StaysError(_REASON, match[1])


def _place(word: str, following: str) -> str:
    """Where a word of a call says that it listens; "" where it is about something else."""
    if word in _OPTIONS:
        return following
    name, equals, value = word.partition("=")
    if equals and ":" not in value:
        # A number behind `--concurrency=` or `--workers=` is no port.
        return value if _NAMES_PLACE.search(name) or name in _OPTIONS else ""
    return (value or word) if ":" in word else ""


def _check_instruction(instruction: Instruction, stage: Stage, workspace: Workspace) -> None:
    if instruction.keyword == "EXPOSE":
        for port in instruction.arguments:
            for number in _numbers(port, instruction, stage, workspace):
                if number < FIRST_FREE_PORT:
                    raise StaysError(_REASON, f"EXPOSE {port}")
    elif instruction.keyword == "ENV":
        found = _ENV_PORT.findall(instruction.code)
        if any(int(first or second) < FIRST_FREE_PORT for first, second in found):
            raise StaysError(_REASON, f"line {instruction.line}")


def _numbers(
    port: str, instruction: Instruction, stage: Stage, workspace: Workspace
) -> Iterator[int]:
    """The numbers of a port of EXPOSE; variables from the file, else from an `.env`."""
    text: str | None = port
    if "$" in port:
        scope = known_variables(stage, instruction)
        text = substitute(port, scope, instruction.escape)
        if not text:
            text = substitute(port, dict(_dot_env(workspace)), instruction.escape)
    plain = (text or "").strip("\"'").partition("/")[0]
    # `8080:8080` is no port of EXPOSE's, but builders take it.
    for part in plain.replace(":", "-").split("-"):
        if not part.isdigit():
            raise StaysError("a port is given from outside", port)
        yield int(part)


def _dot_env(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """The variables of the context's `.env`, from which compose builds."""
    text = workspace.context.read(".env") if workspace.context is not None else None
    for match in _DOT_ENV.finditer(text or ""):
        yield match[1], match[2]


def _check_image(workspace: Workspace) -> None:
    root = workspace.shipped_stages[0]
    port = image_port(root.resolved_base or root.base)
    if port is None or port >= FIRST_FREE_PORT:
        return
    set_anew = any(
        _ENV_URL.search(instruction.code)
        for stage in workspace.shipped_stages
        for instruction in stage.instructions
        if instruction.keyword in ("ENV", "CMD", "ENTRYPOINT")
    )
    if not set_anew:
        name = posixpath.basename(root.base)
        raise StaysError(_REASON, f"{port}, as {name} says")
