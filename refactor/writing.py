"""Write files so that a kill at any moment leaves a correct old or a correct new state."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple


class WriteError(OSError):
    """A file was not written; it is what it was."""


class Write(NamedTuple):
    """New content for a file; `before` is what was read, None when it was not there."""

    path: Path
    before: bytes | None
    after: bytes


def write_files(writes: list[Write], tree: Path) -> None:
    """Replace several files as one change; links are followed as long as they stay in `tree`.

    All contents are on disk before the first name changes. The files are then renamed in the given
    order, so put first what is correct beside the old version of the others. Raises WriteError;
    what was not renamed yet is untouched then.
    """
    staged: list[tuple[Path, Path, Write]] = []
    path = tree
    try:
        for write in writes:
            path = write.path
            target = _target(write.path, tree)
            staged.append((_stage(target, write), target, write))
        for temporary, target, write in staged:
            path = write.path
            _check_unchanged(target, write)
            os.replace(temporary, target)
            _sync_folder(target.parent)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"{path}: not written: {error.strerror or error}") from error
    finally:
        for temporary, _, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _target(path: Path, tree: Path) -> Path:
    try:
        real = Path(os.path.realpath(path, strict=path.exists()))
        inside = real.is_relative_to(os.path.realpath(tree))
    except OSError as error:
        raise WriteError(f"{path}: not written: {error.strerror or error}") from error
    if not inside:
        raise WriteError(f"{path}: not written: it is a link out of {tree}, to {real}")
    return real


def _stage(target: Path, write: Write) -> Path:
    """Write the content beside the target, with its mode and owner."""
    if write.before is not None and not os.access(target, os.W_OK):
        raise WriteError(f"{write.path}: not written: the file is read-only")
    handle, name = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".dockerfix", dir=target.parent
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(write.after)
            file.flush()
            _copy_owner(target, name)
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return Path(name)


def _copy_owner(target: Path, name: str) -> None:
    try:
        status = target.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        return
    with contextlib.suppress(PermissionError):
        os.chown(name, status.st_uid, status.st_gid)
    os.chmod(name, stat.S_IMODE(status.st_mode))


def _check_unchanged(target: Path, write: Write) -> None:
    try:
        current = target.read_bytes()
    except FileNotFoundError:
        current = None
    if current != write.before:
        raise WriteError(f"{write.path}: not written: it changed while dockerfix worked on it")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
