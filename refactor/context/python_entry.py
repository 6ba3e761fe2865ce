"""Which Python module or file a command starts.

Sources: docs.python.org ("Command line and environment"), flask.palletsprojects.com ("Application
discovery"), uvicorn.org, docs.gunicorn.org, docs.celeryq.dev (`-A`), docs.djangoproject.com
(manage.py).
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext


class EntryModule(NamedTuple):
    """The Python that an entry starts."""

    #: Dotted name; "" when a file is named.
    module: str
    #: File as it is written; "" when a module is named.
    file: str
    #: The object in it that is served: `app` in `main:app`.
    attribute: str = ""


def entry_module(words: tuple[str, ...]) -> EntryModule | None:
    """The module or file that a command starts; None for other commands, and when not plain."""
    program, rest = posixpath.basename(words[0]), words[1:]
    if program in ("poetry", "uv", "pipenv", "hatch") and rest[:1] == ("run",):
        return entry_module(rest[1:]) if len(rest) > 1 else None
    if program.startswith("python"):
        return _of_python(rest)
    match program:
        case "flask":
            return _target(_option(rest, "--app", "-A") or "app")
        case "celery":
            return _target(_option(rest, "-A", "--app") or "")
        case "fastapi":
            files = [word for word in rest[1:] if word.endswith(".py")]
            return EntryModule("", files[0] if files else "main.py", "app")
        case "gunicorn" | "uvicorn" | "hypercorn" | "daphne" | "waitress-serve" | "granian":
            return _target(next((w for w in rest if ":" in w and _is_target(w)), ""))
        case "streamlit":
            return EntryModule("", rest[1]) if len(rest) > 1 and rest[0] == "run" else None
        case _:
            return EntryModule("", words[0]) if words[0].endswith(".py") else None


def module_file(context: BuildContext, folder: str, module: str) -> str | None:
    """The file of a module in a folder of the context, or in its `src`; None when there is none."""
    inner = module.replace(".", "/")
    for root in (folder, posixpath.join(folder, "src")):
        for name in (f"{inner}.py", f"{inner}/__main__.py", f"{inner}/__init__.py"):
            path = posixpath.normpath(posixpath.join(root, name))
            if context.is_file(path) and context.sends(path):
                return path
    return None


def _of_python(words: tuple[str, ...]) -> EntryModule | None:
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c"):
        rest = rest[2:] if rest[0] in ("-W", "-X") else rest[1:]
    if not rest or rest[0] == "-c":
        return None
    if rest[0] != "-m":
        return EntryModule("", rest[0])
    if len(rest) < 2:
        return None
    known = entry_module(tuple(rest[1:]))
    return known or EntryModule(rest[1], "")


def _option(words: tuple[str, ...], *names: str) -> str | None:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in names:
            return following
        if word.partition("=")[0] in names:
            return word.partition("=")[2]
    return None


def _is_target(word: str) -> bool:
    module, _, attribute = word.partition(":")
    plain = all(part.isidentifier() for part in module.split("."))
    return plain and attribute.partition("(")[0].replace(".", "").isidentifier()


def _target(word: str) -> EntryModule | None:
    module, _, attribute = word.partition(":")
    if module.endswith(".py"):
        return EntryModule("", module, attribute)
    if not module or not all(part.isidentifier() for part in module.split(".")):
        return None
    return EntryModule(module, "", attribute)
