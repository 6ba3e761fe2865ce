"""cargo: dependencies are compiled for stand-ins of the sources, before these are copied.

What is compiled of a package depends on its manifest, the lock and the options, not on its sources
(doc.rust-lang.org/cargo/reference: "Cargo Targets", "Features"). What is left of the stand-ins is
removed by `cargo clean --package`, so that nothing of them counts as up to date: cargo compares
times, and COPY keeps those of the sources.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from dockerfix.context.manifests.cargo import CargoManifest, read_cargo
from dockerfix.context.manifests.cargo_config import (
    CARGO_CONFIGS,
    TOOLCHAIN_FILES,
    check_cargo_config,
)
from dockerfix.context.manifests.cargo_project import read_cargo_lock, read_project
from dockerfix.context.manifests.cargo_targets import read_targets
from dockerfix.context.manifests.reading import BrokenManifestError, CannotTellError
from dockerfix.installs.install import (
    Install,
    Project,
    UnknownInstallError,
    above,
    lock_or_pattern,
)
from dockerfix.installs.rust_toolchain import check_cargo_version, check_toolchain_file
from dockerfix.installs.rust_words import CargoWords, read_cargo_words
from dockerfix.installs.stand_ins import StandIns, make_and_clean
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence, Level

#: More packages than these: nobody would write their stand-ins by hand.
_MOST_PACKAGES = 8
_MOST_STAND_INS = 12
#: They speak against a crate that holds nothing, or against the name of one.
_LINTS = pattern(r"missing.docs|unused.crate.dependencies|non.snake.case|nonstandard.style")
#: It makes errors of warnings, such as one of a name that is not in snake case.
_DENIES = pattern(r"-D|--deny|-F|--forbid")
_NAME = pattern(r"[A-Za-z0-9_-]+")
#: Somebody thought of this already.
_DONE_BEFORE = (
    *("fn main", "main.rs", "lib.rs", "cargo fetch", "cargo vendor", "cargo chef", "cargo new"),
    *("cargo init", "cargo clean", "cargo-build-deps", "cargo build-deps", "sccache", "dummy"),
)
#: Folders of the system (Filesystem Hierarchy Standard).
_SYSTEM = frozenset(
    (
        *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt"),
        *("/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/var"),
    )
)
#: Those of them that are empty in images, or where everybody may make folders.
_FREE = frozenset(("/home", "/media", "/mnt", "/opt", "/root", "/srv", "/tmp"))


class Surroundings(NamedTuple):
    """What is known of the image in which cargo runs."""

    #: Whether a file of the context lies where it belongs.
    lies: Callable[[str], bool]
    #: The image at the root of the stage.
    base: str
    #: The Dockerfile.
    code: str
    directory: str


def read_rust(words: tuple[str, ...], project: Project, around: Surroundings) -> Install:
    """What cargo reads but for the sources, and how it runs without them.

    Raises UnknownInstallError when it cannot be told, or would not be worth it.
    """
    if words[1] == "test":
        raise UnknownInstallError("tests need the sources", "cargo test")
    asked = read_cargo_words(words)
    check_cargo_version(around.base, around.code)
    try:
        root = _root_of(project, around)
        packages = read_project(project.context, root.folder)
        _check_member(packages, root, project)
        names = _names(packages, asked, root)
        stand_ins = _stand_ins(packages, asked, project)
        _check_folders(stand_ins, project, around)
        steering, vendored = _steering(project, around)
    except (BrokenManifestError, CannotTellError) as error:
        raise UnknownInstallError(error.reason, error.detail) from error
    lock = lock_or_pattern(root, "Cargo.lock")
    # Where no COPY brings it, cargo decides anew in every build.
    locks = (lock,) if lock.endswith("*") or around.lies(lock) else ()
    files = (*(entry.path for entry in packages), *locks, *steering)
    _check_places(files, around)
    _check_lints(packages, steering, project, around)
    make, clean = make_and_clean(stand_ins, names, (*files, *vendored), asked, project.folder)
    return Install(
        "cargo",
        files,
        vendored,
        () if asked.target_dir.startswith("/") else (root.path(asked.target_dir or "target"),),
        _evidence(packages, names, root),
        fetch=" ".join(words),
        fetched_by=(*_DONE_BEFORE, make[-1]),
        level=Level.REVIEW,
        make=make,
        clean=clean,
        stand_ins=stand_ins.paths,
    )


def _names(
    packages: tuple[CargoManifest, ...], asked: CargoWords, project: Project
) -> tuple[str, ...]:
    """The names of the packages, which the lock has to know as those without a source."""
    names = tuple(entry.name for entry in packages if "package" in entry.data)
    if len(names) > _MOST_PACKAGES:
        raise UnknownInstallError("a workspace of many packages", str(len(names)))
    known = [name for name in names if name is not None and _NAME.fullmatch(name)]
    lock = read_cargo_lock(project.context, project.folder)
    if lock is None:
        return _names_without_lock(packages, known, asked, project)
    own = sorted(entry.name for entry in lock if entry.source is None)
    if own != sorted(known) or len(known) != len(names):
        raise UnknownInstallError("the lock knows other packages", ", ".join(own))
    if len(own) == len(lock):
        raise UnknownInstallError("there are no dependencies", project.path("Cargo.lock"))
    for entry in lock:
        if entry.source and entry.name in own:
            raise UnknownInstallError("a dependency of the same name", entry.name)
        if entry.source and not set(own).isdisjoint(entry.needs):
            raise UnknownInstallError("a dependency needs a package of the project", entry.name)
    return tuple(known)


def _names_without_lock(
    packages: tuple[CargoManifest, ...], known: list[str], asked: CargoWords, project: Project
) -> tuple[str, ...]:
    """The name of the only package: of several, not all may be part of what is built."""
    if len(packages) > 1 or len(known) != 1 or asked.is_locked:
        raise UnknownInstallError("no lock in the build context", project.path("Cargo.lock"))
    if not packages[0].has_dependencies:
        raise UnknownInstallError("there are no dependencies", packages[0].path)
    return (known[0],)


def _root_of(project: Project, around: Surroundings) -> Project:
    """The folder of the workspace that a package may belong to; else its own."""
    own = read_cargo(project.context, project.folder)
    if not project.folder or own is None or "workspace" in own.data:
        return project
    for path in above(posixpath.dirname(project.folder), project.top, "Cargo.toml"):
        if project.context.sends(path) and around.lies(path):
            return project._replace(folder=posixpath.dirname(path))
    return project


def _check_member(packages: tuple[CargoManifest, ...], root: Project, project: Project) -> None:
    """A manifest above has to be that of the package's workspace."""
    path = project.path("Cargo.toml")
    is_known = "workspace" in packages[0].data and path in {entry.path for entry in packages}
    if root is not project and not is_known:
        raise UnknownInstallError("not a member of the workspace above", path)


def _stand_ins(
    packages: tuple[CargoManifest, ...], asked: CargoWords, project: Project
) -> StandIns:
    """The files without which cargo refuses the manifests or finds nothing to build."""
    programs: list[str] = []
    others: list[str] = []
    for package in packages:
        if "package" not in package.data:
            continue
        targets = read_targets(project.context, package)
        named = {*asked.programs, package.default_program}
        main = posixpath.join(posixpath.dirname(package.path), "src/main.rs")
        chosen = [p for p in targets.programs if p.listed or p.path == main or p.name in named]
        chosen = chosen or list(targets.programs[:1])
        if targets.library is None and not chosen:
            raise CannotTellError(package.path, "no target")
        programs += [program.path for program in chosen]
        programs += [targets.build_script] if targets.build_script is not None else []
        others += [targets.library] if targets.library is not None else []
        others += targets.others
    found = StandIns(tuple(dict.fromkeys(programs)), tuple(dict.fromkeys(others)))
    if len(found.paths) > _MOST_STAND_INS:
        raise UnknownInstallError("more targets than one would write by hand")
    return found


def _check_folders(stand_ins: StandIns, project: Project, around: Surroundings) -> None:
    """The folders of the stand-ins must not be there in any image."""
    for path in stand_ins.paths:
        inner = posixpath.relpath(path, project.folder or ".")
        place = posixpath.normpath(posixpath.join(around.directory, inner))
        while posixpath.dirname(place) not in (around.directory, "/"):
            place = posixpath.dirname(place)
        if around.directory in _SYSTEM - _FREE or place in _SYSTEM:
            raise UnknownInstallError("a folder of the system", place)


def _steering(project: Project, around: Surroundings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Configuration and tool chain files for the project, and the vendored folders they name."""
    vendored: list[str] = []
    found = [
        path
        for path in above(project.folder, project.top, *TOOLCHAIN_FILES, *CARGO_CONFIGS)
        if project.context.sends(path) and around.lies(path)
    ]
    for path in found:
        if path.endswith(CARGO_CONFIGS):
            folder = posixpath.dirname(posixpath.dirname(path))
            names = check_cargo_config(project.context, path)
            vendored += [posixpath.normpath(posixpath.join(folder, name)) for name in names]
        else:
            check_toolchain_file(project.context.read(path) or "")
    for path in vendored:
        if not project.context.sends(path):
            raise UnknownInstallError("a manifest is not in the build context", path)
    return tuple(found), tuple(vendored)


def _check_places(files: tuple[str, ...], around: Surroundings) -> None:
    for path in files:
        if not path.endswith("*") and not around.lies(path):
            raise UnknownInstallError("a manifest lies elsewhere in the image", path)


def _check_lints(
    packages: tuple[CargoManifest, ...],
    steering: tuple[str, ...],
    project: Project,
    around: Surroundings,
) -> None:
    """No lint may make an error of a crate that holds nothing."""
    for package in packages:
        for name, level in package.lints.items():
            if _LINTS.fullmatch(name) and level != "allow":
                raise UnknownInstallError("a lint against empty crates", f"{package.path}: {name}")
    texts = (around.code, *(project.context.read(path) or "" for path in steering))
    if any(_LINTS.search(text) for text in texts):
        raise UnknownInstallError("a lint against empty crates")
    odd = [entry.path for entry in packages if entry.name and entry.name != entry.name.lower()]
    if odd and any(_DENIES.search(text) for text in texts):
        raise UnknownInstallError("a lint against the name of the package", odd[0])


def _evidence(
    packages: tuple[CargoManifest, ...], names: tuple[str, ...], project: Project
) -> tuple[Evidence, ...]:
    file = "Cargo.lock" if project.has("Cargo.lock") else "Cargo.toml"
    own = Evidence(project.path(file), f"{', '.join(names)}: all that is no download, and cleaned")
    return (Evidence(packages[0].path, "every target that it names has a stand-in"), own)
