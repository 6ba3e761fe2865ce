"""Where the installs of a Python program put packages, and how they come into an environment.

Sources: docs.python.org/3/library/venv.html, python-poetry.org/docs/configuration
(virtualenvs.create, virtualenvs.in-project; an active environment wins), docs.astral.sh/uv
(UV_PROJECT_ENVIRONMENT, `uv pip install --system`), pipenv.pypa.io (`--system`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.splitting.plan import Call, NotSplitError, Program, Step
from dockerfix.splitting.python_packages import named_packages
from dockerfix.syntax.edits import Edit, head_of
from dockerfix.syntax.instruction import Instruction

_PATH = "/opt/venv"
_INSTALLERS = frozenset(
    (
        *("pip", "setuptools", "wheel", "poetry", "poetry-core", "pipenv", "uv", "virtualenv"),
        *("pip-tools", "poetry-plugin-export"),
    )
)
_ELSEWHERE = ("--user", "--target", "-t", "--prefix", "--root")
_ELSEWHERE_VARIABLES = (
    "PIP_TARGET",
    "PIP_USER",
    "PIP_PREFIX",
    "PYTHONUSERBASE",
    "UV_SYSTEM_PYTHON",
)


class Environment(NamedTuple):
    """A virtual environment."""

    #: Image path.
    path: str
    #: Edits that make it and that lead the installs there; none where it is made already.
    edits: tuple[Edit, ...] = ()
    added: tuple[str, ...] = ()
    #: Instructions for the stage that runs.
    lines: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the installs went to the image's own Python before."""
        return bool(self.lines)


def python_calls(program: Program) -> tuple[tuple[Step, Call], ...]:
    """The commands that install Python packages."""
    calls = program.calls("install", "tool")
    return tuple((step, call) for step, call in calls if installer_of(call) is not None)


def installer_of(call: Call) -> str | None:
    """`pip`, `uv`, `poetry` or `pipenv`; None for a command that installs no Python packages."""
    name = posixpath.basename(call.words[0]) if call.words else ""
    if name.startswith("python") and call.words[1:3] == ("-m", "pip"):
        return "pip"
    if re.fullmatch(r"pip[0-9.]*", name):
        return "pip"
    return name if name in ("uv", "poetry", "pipenv") else None


def is_for_installing(call: Call) -> bool:
    """Whether a command only brings installers: `pip install poetry`."""
    if call.kind != "tool" or installer_of(call) != "pip":
        return False
    return all(package.name in _INSTALLERS for package in named_packages(call))


def read_environment(program: Program, runner: str) -> Environment:
    """Where the packages are; `runner` is what the entry calls. Raises NotSplitError.

    What `poetry run` and `pipenv run` look for, and install into, is the active environment.
    """
    calls = python_calls(program)
    for step, call in calls:
        if any(option in call.words for option in _ELSEWHERE):
            raise NotSplitError("pip installs to a place of its own", call.text)
        if program.workspace.state(step.instruction).user not in (None, "root", "0"):
            raise NotSplitError("packages are installed by another user than root")
    if any(name in program.variables for name in _ELSEWHERE_VARIABLES):
        raise NotSplitError("pip installs to a place of its own", "ENV")
    existing = _existing(program) or _of_project(program, calls)
    return Environment(existing) if existing is not None else _new(program, calls, runner)


def _existing(program: Program) -> str | None:
    """The environment that a step makes and that PATH leads to."""
    made = list(_made(program))
    if not made:
        return None
    if len(made) > 1 or made[0] is None:
        raise NotSplitError("which environment runs is not known")
    if not _leads_to(program, made[0]):
        raise NotSplitError("PATH does not lead to the environment", made[0])
    return made[0]


def _made(program: Program) -> Iterator[str | None]:
    for _, call in program.calls("set-up"):
        if makes_environment(call):
            yield made_environment(call, program)


def makes_environment(call: Call) -> bool:
    """Whether a command makes a virtual environment."""
    heads = (call.words[:1] == ("virtualenv",), call.words[:2] == ("uv", "venv"))
    return call.words[1:3] == ("-m", "venv") or any(heads)


def made_environment(call: Call, program: Program) -> str | None:
    """The image path of the environment that a command makes; None when that is not known."""
    start = 3 if call.words[1:3] == ("-m", "venv") else 2 if call.words[0] == "uv" else 1
    paths = [word for word in call.words[start:] if not word.startswith("-")]
    path = substitute(paths[0], program) if len(paths) == 1 else None
    return posixpath.normpath(posixpath.join(call.directory or "/", path)) if path else None


def substitute(text: str, program: Program) -> str | None:
    """A text with the values of ENV put in; None when another variable is in it."""
    values = program.variables
    found = re.sub(
        r"\$\{?(\w+)\}?", lambda m: values.get(m[1], m[0]).strip("\"'"), text.strip("\"'")
    )
    return None if "$" in found else found


def _leads_to(program: Program, path: str) -> bool:
    """Whether PATH begins with an environment, or the entry names it."""
    written = program.variables.get("PATH", "").strip("\"'").partition(":")[0]
    first = substitute(written, program) or ""
    by_path = posixpath.normpath(first or "/") == posixpath.join(path, "bin")
    return by_path or program.entry.main[0].startswith(f"{path}/bin/")


def _of_project(program: Program, calls: tuple[tuple[Step, Call], ...]) -> str | None:
    """The environment that uv and poetry make in the project."""
    for _, call in calls:
        installer = installer_of(call)
        inside = installer == "uv" and call.words[:2] == ("uv", "sync")
        inside = inside or (installer == "poetry" and _is_in_project(program))
        if not inside:
            continue
        if call.directory is None:
            raise NotSplitError("which environment runs is not known")
        written = (
            program.variables.get("UV_PROJECT_ENVIRONMENT", ".venv")
            if call.words[0] == "uv"
            else ".venv"
        )
        path = substitute(written, program)
        if path is None:
            raise NotSplitError("which environment runs is not known", written)
        found = posixpath.normpath(posixpath.join(call.directory, path))
        if found.startswith("/usr"):
            raise NotSplitError("uv installs into the image's own Python")
        if not _leads_to(program, found):
            raise NotSplitError("PATH does not lead to the environment", found)
        return found
    return None


def _is_in_project(program: Program) -> bool:
    if program.variables.get("POETRY_VIRTUALENVS_IN_PROJECT", "").lower() in ("1", "true"):
        return True
    return any(
        "virtualenvs.in-project" in call.words and "true" in call.words
        for _, call in program.calls("configure")
    )


def _creates_none(program: Program) -> bool:
    """Whether poetry is told to use the Python that it finds."""
    if program.variables.get("POETRY_VIRTUALENVS_CREATE", "").lower() in ("0", "false"):
        return True
    return any(
        "virtualenvs.create" in call.words and "false" in call.words
        for _, call in program.calls("configure")
    )


# A new one


def _new(program: Program, calls: tuple[tuple[Step, Call], ...], runner: str) -> Environment:
    tools = {installer_of(call) for _, call in calls}
    if "poetry" in tools and runner != "poetry" and not _creates_none(program):
        raise NotSplitError("where poetry installs is not known")
    for _, call in calls:
        into_system = runner == "pipenv" or "--system" in call.words
        if installer_of(call) == "pipenv" and not into_system:
            raise NotSplitError("where pipenv installs is not known")
        if posixpath.isabs(call.words[0]):
            raise NotSplitError("pip is named with its place", call.words[0])
    path = program.variables.get("PATH")
    if path is not None and not re.search(r"\$\{?PATH\b", path):
        raise NotSplitError("the environment's path is set already")
    first = _first(calls)
    names = "" if tools == {"pip"} else f"VIRTUAL_ENV={_PATH} "
    style = program.workspace.style
    variable = f'{style.keyword("ENV")} {names}PATH="{_PATH}/bin:$PATH"'
    lines = (f"{style.keyword('RUN')} python -m venv {_PATH}", variable)
    head = head_of(program.workspace.dockerfile, _place(program, first))
    text = "".join(line + style.newline for line in lines)
    edits = [Edit(head, head, text), *_without_system(calls)]
    return Environment(_PATH, tuple(edits), ("RUN", "ENV"), (variable,))


def _first(calls: tuple[tuple[Step, Call], ...]) -> Step:
    """The step before which the environment has to be there.

    What only brings other installers than pip stays in the image's own Python.
    """
    others = any(installer_of(call) != "pip" for _, call in calls)
    for step, _ in calls:
        mine = [call for other, call in calls if other is step]
        if not others or not all(is_for_installing(call) for call in mine):
            return step
    return calls[0][0]


def _place(program: Program, first: Step) -> Instruction:
    """In front of the COPY instructions that belong to a step."""
    place = first.instruction
    before = program.stage.instructions[: program.stage.index_of(place)]
    installs = [step.instruction for step, _ in python_calls(program)]
    for instruction in reversed(before):
        if instruction.keyword in ("COPY", "ADD"):
            place = instruction
        elif instruction.keyword == "FROM" or instruction in installs:
            break
    return place


def _without_system(calls: tuple[tuple[Step, Call], ...]) -> Iterator[Edit]:
    """uv takes the environment only where it is not told to look for the system's Python."""
    for step, call in calls:
        if installer_of(call) == "uv":
            for before, word in zip(call.command.words, call.command.words[1:], strict=False):
                if word.text == "--system":
                    yield step.run.replace(before.end, word.end, "")
