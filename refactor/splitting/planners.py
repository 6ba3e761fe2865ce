"""Who plans how a program is split, and what speaks against any split."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from dockerfix.context.usage.usage import usage_of
from dockerfix.effects.reach import is_within
from dockerfix.knowledge.base_images import is_workplace
from dockerfix.patterns import pattern
from dockerfix.splitting.front_end import (
    NODE_PACKAGES,
    find_front_end,
    with_front_end,
    without_front_end,
)
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.transform import Level

#: Who knows how programs of a kind are split, in this order; the first that recognises one decides.
#: A planner is asked, and loaded, only where the file holds one of the words of its kind.
_PLANNERS = {
    "go": ("go",),
    "java": ("java", "jdk", "jre", "mvn", "maven", "gradle", "temurin", "corretto"),
    "dotnet": ("dotnet",),
    "rust": ("cargo", "rust"),
    "served": ("serve",),
    "bun": ("bun",),
    "node": ("node", "npm", "yarn", "pnpm"),
    "python": ("python", "pip", "poetry", "uv", "conda"),
    "ruby": ("ruby", "bundle", "gem", "rails"),
    "php": ("php", "composer"),
    "compiled": ("gcc", "g++", "cc", "clang", "make"),
}
_NODE = frozenset(("node", "nodejs", "npm", "npx", "yarn", "pnpm"))
#: Around the words of a list, as YAML writes it.
_PUNCTUATION = pattern(r"[\[\],\"']")
_SCRIPTS = frozenset(("dev", "start:dev", "serve:dev"))
_DEVELOPMENT = _SCRIPTS | {"nodemon", "--reload", "watch", "ts-node-dev", "air", "reflex"}
#: In names of files and stages.
_FOR_DEVELOPMENT = pattern(r"(?i)(?:^|[.\-_/])(?:dev|devel|development|tests?|ci)(?:$|[.\-_])")


def _check_usage(program: Program) -> None:
    """Files of the repository may run the image in another way, with what a split leaves behind."""
    usage = usage_of(program.workspace.context)
    workplace = usage.development_of(program.stage.name)
    if workplace is not None:
        raise NotSplitError("a development image", str(workplace))
    for path, where in usage.mounted:
        if is_within(path, program.folder):
            raise NotSplitError("the host's files are mounted over the program", where)
    for service in usage.services:
        where = f"{service.file}: {service.name}"
        who = "compose" if service.kind == "compose" else "a file of the repository"
        if service.command and not _is_entry(service.command, program):
            raise NotSplitError(f"{who} runs another command", where)
        for host, path in service.mounts:
            if is_within(path, program.folder) and host.startswith((".", "/", "~", "$")):
                raise NotSplitError("the host's files are mounted over the program", where)


def _is_entry(command: str, program: Program) -> bool:
    """Whether a command is the one that the image runs anyway."""
    words = _PUNCTUATION.sub(" ", command).split()
    entry = program.entry
    return words in [list(entry.main), list(entry.calls[0])] and len(entry.calls) <= 2


def plan_program(program: Program) -> Plan | None:
    """How a program is split; None when it is of no kind that is known. Raises NotSplitError."""
    _check_usage(program)
    if program.workspace.level >= Level.RISKY:
        found = _planner("static_site")(program)
        if found is not None:
            return found
    _check_production(program)
    front = find_front_end(program)
    if front is None:
        return _alone(program)
    try:
        plan = _planned(without_front_end(program, front))
    except NotSplitError as error:
        try:
            return _alone(program)
        except NotSplitError:
            raise error from None
    return with_front_end(program, plan, front) if plan is not None else _alone(program)


def _alone(program: Program) -> Plan | None:
    """The plan of a file without a page of its own kind. Raises NotSplitError."""
    plan = _planned(program)
    if plan is not None and not plan.lines:
        _check_beside(program, plan)
    return plan


def _check_beside(program: Program, plan: Plan) -> None:
    """What is built in a folder beside the program's may be served by it, and would be gone."""
    for _, call in program.calls("build"):
        folder = call.directory
        if folder is None or posixpath.basename(call.words[0]) not in _NODE:
            continue
        places = (program.folder, *(source for source, _ in plan.copies))
        if not any(is_within(folder, place) for place in places):
            raise NotSplitError("a folder beside the program is built as well", folder)


def _check_production(program: Program) -> None:
    """An image to work with holds what a split leaves behind."""
    context = program.workspace.context
    if context is not None and _FOR_DEVELOPMENT.search(context.dockerfile):
        raise NotSplitError("a development image", context.dockerfile)
    if program.stage.name and _FOR_DEVELOPMENT.fullmatch(program.stage.name):
        raise NotSplitError("a development image", program.stage.name)
    if is_workplace(program.base):
        raise NotSplitError("a development image", program.base)
    runs_node = posixpath.basename(program.entry.main[0]) == "node"
    for call in program.entry.calls:
        found = _DEVELOPMENT.intersection(call)
        # Names lie: a script `dev` that is plain node is no development server.
        if found and not (runs_node and found <= _SCRIPTS):
            raise NotSplitError("a development image", " ".join(call[:3]))


def _planned(program: Program) -> Plan | None:
    code = program.workspace.dockerfile.code.lower()
    wanted = (kind for kind, words in _PLANNERS.items() if any(word in code for word in words))
    plan = next(filter(None, (_planner(kind)(program) for kind in wanted)), None)
    if plan is None or any(posixpath.basename(call[0]) in _NODE for call in program.entry.calls):
        return plan
    if not plan.calls_none:
        return plan
    return replace(plan, unneeded=plan.unneeded | NODE_PACKAGES)


def _planner(kind: str) -> Callable[[Program], Plan | None]:
    module = import_module(f"dockerfix.splitting.{kind}")
    planner: Callable[[Program], Plan | None] = getattr(module, f"plan_{kind}")
    return planner
