"""Programs in Python: a virtual environment that is made in one stage and copied to the other.

Sources: docs.python.org/3/library/venv.html, docs.docker.com ("Multi-stage builds").
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.sources import read_sources
from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.python_packages import SELF_CONTAINED
from dockerfix.knowledge.runtime_images import slim_sibling
from dockerfix.knowledge.system_packages import is_for_building
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import dependency_stage, needs_programs
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step
from dockerfix.syntax.edits import Edit, head_of
from dockerfix.syntax.tree import Instruction
from dockerfix.syntax.values import read_image
from dockerfix.transform import Evidence

_ENVIRONMENT = "/opt/venv"
_NAME = pattern(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_CALLS = pattern(
    r"\bimport subprocess\b|\bfrom subprocess\b|\bos\.(?:system|popen|exec|spawn)|ctypes"
)
#: Programs of the image, and of packages that people start.
_OF_ENVIRONMENT = frozenset(
    (
        *("python", "python3", "gunicorn", "uvicorn", "hypercorn", "daphne", "waitress-serve"),
        *("flask", "celery", "alembic", "django-admin", "fastapi", "uwsgi", "manage.py"),
    )
)
_OPTIONS = ("--user", "--target", "-t", "--prefix", "--root", "--editable", "-e")
_NOT_RUN = frozenset(("node_modules", "tests", "venv"))


def plan_python(program: Program) -> Plan | None:
    """How it is split; None when pip installs nothing. Raises NotSplitError."""
    calls = list(_pip_calls(program))
    installs = [(step, call) for step, call in calls if call.kind == "install"]
    if not installs:
        return None
    others = [call for _, call in program.calls("install", "tool") if not _is_pip(call)]
    if others:
        raise NotSplitError("another installer than pip", others[0].words[0])
    if official_name(read_image(program.base).repository) != "python":
        raise NotSplitError("no image of Python's", program.base)
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    if any(program.calls("build")):
        raise NotSplitError("a step runs the program while it is built")
    if "PATH" in program.variables or program.entry.main[0].startswith("/usr/local"):
        raise NotSplitError("the environment's path is set already")
    if any(option in call.words for _, call in calls for option in _OPTIONS):
        raise NotSplitError("pip installs to a place of its own")
    base, evidence = _base(program, calls, context)
    if base == program.base and not any(_build_packages(program)):
        return None
    step, call = installs[-1]
    return dependency_stage(
        program,
        (step, call),
        base,
        _ENVIRONMENT,
        "",
        "pip's leftovers, compilers and headers",
        evidence,
        (_make_environment(program, calls[0][0]),),
        ("RUN", "ENV"),
        (f'ENV PATH="{_ENVIRONMENT}/bin:$PATH"',),
    )


def _pip_calls(program: Program) -> Iterator[tuple[Step, Call]]:
    return ((step, call) for step, call in program.calls("install", "tool") if _is_pip(call))


def _is_pip(call: Call) -> bool:
    name = posixpath.basename(call.words[0])
    by_module = name.startswith("python") and call.words[1:3] == ("-m", "pip")
    return by_module or re.fullmatch(r"pip[0-9.]*", name) is not None


def _build_packages(program: Program) -> Iterator[str]:
    for _, call in program.calls("packages"):
        yield from (word for word in call.words if is_for_building(word))


def _base(
    program: Program, calls: list[tuple[Step, Call]], context: BuildContext
) -> tuple[str, tuple[Evidence, ...]]:
    slim = slim_sibling(program.base)
    if slim is None:
        raise NotSplitError("the slim image of the release is not known", program.base)
    if slim == program.base:
        return slim, (Evidence(program.base, "the image stays the same"),)
    names = sorted({name for _, call in calls for name in _requirements(call, context)})
    unknown = [name for name in names if name not in SELF_CONTAINED]
    if unknown:
        raise NotSplitError("packages that may need libraries of the full image", unknown[0])
    if needs_programs(program, _OF_ENVIRONMENT) or any(
        _CALLS.search(text) for text in _sources(context)
    ):
        raise NotSplitError("the program calls others, which the slim image may lack")
    fact = f"{len(names)} packages, all of which bring along what they need"
    return slim, (Evidence("requirements", fact),)


def _requirements(call: Call, context: BuildContext) -> Iterator[str]:
    """The names of what pip installs, as the index has them."""
    files = call.install.files if call.install else ()
    if call.kind == "install" and not files:
        raise NotSplitError("what the install reads is not known")
    for path in files:
        for line in (context.read(path) or "").splitlines():
            match = _NAME.match(line.split("#")[0])
            if match:
                yield _normal(match[1])
    takes_value = False
    for word in call.words[call.words.index("install") + 1 :]:
        if not word.startswith("-") and not takes_value:
            match = _NAME.match(word)
            yield _normal(match[1] if match else word)
        takes_value = word in ("-r", "-c", "-i", "--requirement", "--constraint", "--index-url")


def _normal(name: str) -> str:
    """PEP 503's normal form."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _sources(context: BuildContext) -> Iterator[str]:
    found = read_sources(context, "", _is_source, _NOT_RUN.__contains__)
    return (text for _, text in found)


def _is_source(name: str) -> bool:
    return name.endswith(".py")


def _start(instruction: Instruction) -> int:
    return instruction.start


def _make_environment(program: Program, first: Step) -> Edit:
    style = program.workspace.style
    copies = [copy for copy in program.copies if copy.start < first.instruction.start]
    head = head_of(program.workspace.dockerfile, min([first.instruction, *copies], key=_start))
    lines = (
        f"{style.keyword('RUN')} python -m venv {_ENVIRONMENT}",
        f'{style.keyword("ENV")} PATH="{_ENVIRONMENT}/bin:$PATH"',
    )
    return Edit(head, head, "".join(line + style.newline for line in lines))
