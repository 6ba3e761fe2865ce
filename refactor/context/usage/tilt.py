"""Tiltfiles, as far as their calls are literal. Source: docs.tilt.dev/api (docker_build, sync).

Starlark is written as Python is, and read as such; nothing is run.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping

from dockerfix.context.usage.facts import Build, Findings, Service, Source
from dockerfix.context.usage.paths import image_names, resolve

_BUILDS = ("docker_build", "docker_build_with_restart")
_POSITIONS = ("ref", "context")


def read_tiltfile(source: Source) -> Findings:
    """The images that Tilt builds; what it keeps in step with the sources counts as mounted."""
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Findings()
    names = dict(_names(tree))
    builds: list[Build] = []
    services: list[tuple[Service, Build | None]] = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _name(call) not in _BUILDS:
            continue
        given = _arguments(call)
        build = _build(source, call.lineno, given, names)
        builds.append(build)
        mounts = tuple(_synced(given.get("live_update"), names))
        if mounts:
            where = f"line {call.lineno}"
            services.append((Service(source.path, where, "", mounts, kind="tilt"), build))
    return Findings(tuple(builds), tuple(services))


def _names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that the file sets once to a text."""
    seen: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            seen[node.id] = seen.get(node.id, 0) + 1
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            text = value.value if isinstance(value, ast.Constant) else None
            if isinstance(target, ast.Name) and seen.get(target.id) == 1 and isinstance(text, str):
                yield target.id, text


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _arguments(call: ast.Call) -> dict[str, ast.expr]:
    found = dict(zip(_POSITIONS, call.args, strict=False))
    return found | {word.arg: word.value for word in call.keywords if word.arg}


def _text(node: ast.expr | None, names: Mapping[str, str]) -> str | None:
    """The text of a literal, or of names and literals added to each other; None: it is computed."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _text(left, names), _text(right, names)
            return None if first is None or second is None else first + second
        case _:
            return None


def _build(
    source: Source, line: int, given: Mapping[str, ast.expr], names: Mapping[str, str]
) -> Build:
    folder = _text(given.get("context"), names)
    context = resolve(source, folder) if folder is not None else None
    if "dockerfile_contents" in given:
        dockerfile = None
    elif "dockerfile" in given:
        file = _text(given["dockerfile"], names)
        dockerfile = resolve(source, file) if file is not None else None
    else:
        dockerfile = os.path.join(context, "Dockerfile") if context is not None else None
    target = _text(given.get("target"), names) or ""
    images = image_names(_text(given.get("ref"), names))
    return Build(source.place(f"line {line}"), context, dockerfile, target, images)


def _synced(node: ast.expr | None, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for call in ast.walk(node) if node is not None else ():
        if isinstance(call, ast.Call) and _name(call) == "sync" and len(call.args) == 2:
            host, inner = (_text(argument, names) for argument in call.args)
            if inner is not None:
                host = host if host is not None and host.startswith((".", "/")) else f"./{host}"
                yield host, inner
