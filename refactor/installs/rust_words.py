"""What the words of `cargo build` and `cargo install --path` mean for a first run on stand-ins.

Source: doc.rust-lang.org/cargo/commands (cargo-build, cargo-install, cargo-clean).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.installs.install import UnknownInstallError
from dockerfix.patterns import pattern

#: Options that mean the same for stand-ins.
_PLAIN = frozenset(
    (
        *("-r", "--release", "--debug", "--locked", "--frozen", "--workspace", "--all", "--lib"),
        *("--bins", "--all-features", "--no-default-features", "-v", "-vv", "--verbose", "-q"),
        *("--quiet", "-f", "--force", "--no-track", "--keep-going"),
    )
)
#: The same, with a value.
_VALUED = frozenset(
    (
        *("--bin", "-F", "--features", "--target", "--profile", "-p", "--package", "--exclude"),
        *("-j", "--jobs", "--color", "--manifest-path", "--path", "--root", "--target-dir"),
    )
)
#: What `cargo clean` has to be told, too.
_WHERE = ("--target", "--target-dir")
_VALUE = pattern(r"[A-Za-z0-9_./+-]+")
#: A standard library is there for stand-ins.
_HOSTED = pattern(r"[a-z0-9_]+-[a-z0-9_]+-linux-\w+|wasm32-[a-z0-9-]+")


class CargoWords(NamedTuple):
    """A `cargo build` or `cargo install --path`."""

    installs: bool
    #: The folder of the project, in the terms of the directory that cargo runs in.
    folder: str
    #: Targets that are named.
    programs: tuple[str, ...]
    #: Options of the `cargo clean` that finds what is built.
    clean: tuple[str, ...]
    #: Where the output goes instead of `target`.
    target_dir: str
    #: Whether it fails without a lock.
    is_locked: bool


def read_cargo_words(words: tuple[str, ...]) -> CargoWords:
    """The meaning of the words; UnknownInstallError when one is not known to be harmless."""
    options = list(_options(words))
    given = dict(options)
    installs = words[1] == "install"
    folder = project_folder(words)
    target = given.get("--target", "")
    if target and not _HOSTED.fullmatch(target):
        raise UnknownInstallError("options that are not known", f"--target {target}")
    for name in ("--profile", "--manifest-path", "--path", *_WHERE):
        if name in given and not _VALUE.fullmatch(given[name]):
            raise UnknownInstallError("options that are not known", f"{name} {given[name]}")
    return CargoWords(
        installs,
        folder,
        tuple(value for name, value in options if name == "--bin"),
        _clean(given, installs, folder),
        given.get("--target-dir", ""),
        "--locked" in given or "--frozen" in given,
    )


def project_folder(words: tuple[str, ...]) -> str:
    """The folder of the project that the words name, from the directory that cargo runs in.

    Raises UnknownInstallError.
    """
    given = dict(_options(words))
    manifest = given.get("--manifest-path", "")
    if manifest and posixpath.basename(manifest) != "Cargo.toml":
        raise UnknownInstallError("options that are not known", manifest)
    folder = given.get("--path", "") if words[1] == "install" else posixpath.dirname(manifest)
    return posixpath.normpath(folder or ".")


def _clean(given: dict[str, str], installs: bool, folder: str) -> tuple[str, ...]:
    profile = given.get("--profile", "")
    release = installs or "-r" in given or "--release" in given
    if profile:
        options = ["--profile", profile]
    else:
        options = ["--release"] if release and "--debug" not in given else []
    for name in _WHERE:
        options += [name, given[name]] if name in given else []
    return (*options, *(("--manifest-path", f"{folder}/Cargo.toml") if folder != "." else ()))


def _options(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each option with its value."""
    rest = iter(words[2:])
    for word in rest:
        name, equals, value = word.partition("=")
        if word in _PLAIN:
            yield word, ""
        elif name in _VALUED:
            yield name, value if equals else next(rest, "")
        else:
            raise UnknownInstallError("options that are not known", word)
