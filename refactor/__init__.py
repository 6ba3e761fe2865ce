"""dockerfix: refactor Dockerfiles and show the diff.

>>> import dockerfix
>>> result = dockerfix.refactor("from alpine\\nmaintainer me\\n")
>>> print(result.code, end="")
from alpine
label org.opencontainers.image.authors="me"
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockerfix._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockerfix.context.build_context import BuildContext
    from dockerfix.pipeline import DockerfileSyntaxError, RefactoringError, Result
    from dockerfix.registry.lockfile import Lock, Pin
    from dockerfix.syntax.edits import Edit
    from dockerfix.syntax.instruction import Instruction
    from dockerfix.syntax.parser import parse
    from dockerfix.syntax.stage import Stage
    from dockerfix.syntax.tree import Dockerfile
    from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

__all__ = [
    "Change",
    "Declined",
    "Dockerfile",
    "DockerfileSyntaxError",
    "Edit",
    "Evidence",
    "Instruction",
    "Level",
    "RefactoringError",
    "Result",
    "Stage",
    "Transform",
    "Workspace",
    "__version__",
    "parse",
    "refactor",
    "refactor_path",
]

_HOMES = {
    "parse": "dockerfix.syntax.parser",
    "Edit": "dockerfix.syntax.edits",
    "Dockerfile": "dockerfix.syntax.tree",
    "Instruction": "dockerfix.syntax.instruction",
    "Stage": "dockerfix.syntax.stage",
    **dict.fromkeys(
        ("Change", "Declined", "Evidence", "Level", "Transform", "Workspace"),
        "dockerfix.transform",
    ),
    **dict.fromkeys(("DockerfileSyntaxError", "RefactoringError", "Result"), "dockerfix.pipeline"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names load when they are used
    if name not in _HOMES:
        raise AttributeError(f"module 'dockerfix' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def refactor(
    text: str,
    *,
    context: str | Path | None = None,
    name: str = "Dockerfile",
    target: str | None = None,
    level: str | Level = "review",
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    plugins: tuple[Transform, ...] = (),
    pin: str = "tag",
    repository: str | Path | None = None,
    pins: tuple[Pin, ...] = (),
    moves: tuple[Pin, ...] | None = None,
    made: Mapping[str, str] | None = None,
) -> Result:
    """Refactor a Dockerfile's text. Asks no registry.

    `context` is the build context's folder, `name` the Dockerfile's path in it, `repository` the
    folder whose files say how the image is built and run (by default the repository that the
    context is part of, as `dockerfix.context.repository_root` finds it), `target` the stage that is
    built (the last one if not given), `level` the most that a change may mean (`safe`,
    `review`, `risky`), `select` and `ignore` name passes, `plugins` are passes to run after the
    built-in ones, `pin` is how images are pinned (`tag`, `digest`, `both`) that a `dockerfix.lock`
    in the context's repository names, or one of `pins`. With `moves`, images become what they name
    instead. `made` are files of the context that other changes make: path and content.

    Raises DockerfileSyntaxError for a file that does not parse, UnknownPassError (a ValueError)
    for a pass that nobody knows, LockError (a ValueError) for a lock file that cannot be read.
    """
    from dockerfix import pipeline
    from dockerfix.catalogue import choose_passes
    from dockerfix.syntax.parser import parse
    from dockerfix.transform import Level, Workspace

    lock = _lock_for(Path(context)) if context is not None else None
    if pins:
        from dockerfix.registry.lockfile import Lock

        lock = (lock or Lock()).add(pins)
    workspace = Workspace(
        dockerfile=parse(""),
        context=_build_context(context, name, repository, made) if context is not None else None,
        target=target,
        level=Level[level.upper()] if isinstance(level, str) else level,
        lock=lock,
        pin=pin,
        moves=_by_reference(moves),
    )
    return pipeline.refactor(text, choose_passes(select, ignore, plugins), workspace)


def _build_context(
    context: str | Path,
    name: str,
    repository: str | Path | None,
    made: Mapping[str, str] | None,
) -> BuildContext:
    from dockerfix.context.build_context import BuildContext

    around = Path(repository) if repository is not None else None
    return BuildContext(Path(context), name, made or {}, around)


def _by_reference(moves: tuple[Pin, ...] | None) -> dict[str, Pin] | None:
    if not moves:
        return None if moves is None else {}
    from dockerfix.registry.lockfile import moves_by_reference

    return moves_by_reference(moves)


def _lock_for(folder: Path) -> Lock | None:
    """The lock of the repository that a folder belongs to."""
    path = find_lock(os.path.abspath(folder))
    if path is None:
        return None
    from dockerfix.registry.lockfile import read_lock

    return read_lock(Path(path))


def find_lock(folder: str) -> str | None:
    """The nearest lock file upwards, within the repository."""
    path = os.path.join(folder, "dockerfix.lock")
    if os.path.isfile(path):
        return path
    parent = os.path.dirname(folder)
    if parent == folder or os.path.exists(os.path.join(folder, ".git")):
        return None
    return find_lock(parent)


def refactor_path(
    path: str | Path,
    *,
    context: str | Path | None = None,
    target: str | None = None,
    level: str | Level = "review",
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
) -> Result:
    """Refactor a Dockerfile on disk, without writing; the context is its folder if not given.

    Raises OSError when it cannot be read, and what `refactor` raises.
    """
    text = Path(path).read_bytes().decode("utf-8", "surrogateescape")
    folder = Path(context) if context is not None else Path(path).parent
    return refactor(
        text,
        context=folder,
        name=Path(path).name,
        target=target,
        level=level,
        select=select,
        ignore=ignore,
    )
