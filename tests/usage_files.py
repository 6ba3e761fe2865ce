"""A repository whose files say how an image is used, laid out for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dockerfix.context.build_context import BuildContext
from dockerfix.context.usage.usage import Usage, usage_of

Lay = Callable[[dict[str, str]], Path]


def lay_out(root: Path, files: dict[str, str]) -> Path:
    for name, text in {".git/HEAD": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def usage(root: Path, context: str = ".", dockerfile: str = "Dockerfile") -> Usage:
    return usage_of(BuildContext(root / context, dockerfile))
