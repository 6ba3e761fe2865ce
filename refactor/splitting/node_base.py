"""The image that a program for Node.js runs on: the slim one where it lacks nothing.

Sources: docker-library/node (the slim images hold node, npm and yarn 1, and nothing that Debian's
buildpack-deps bring), prisma.io/docs (system requirements: OpenSSL), nodejs/node-gyp (Python, make
and a compiler for native modules).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.json_files import table
from dockerfix.hygiene.lock_installs import NotLockedError, node_major
from dockerfix.knowledge.node_packages import BUILD_TOOLS, NEEDS_SYSTEM, PROGRAM_OF, SYSTEM_PROGRAMS
from dockerfix.knowledge.runtime_images import slim_sibling
from dockerfix.knowledge.system_packages import is_for_building
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import IN_EVERY_IMAGE
from dockerfix.splitting.missing_programs import (
    installed_packages,
    missing_programs,
    scripts_beside,
)
from dockerfix.splitting.node_command import NodeProject
from dockerfix.splitting.plan import Program
from dockerfix.transform import Evidence

#: Programs of the image itself.
OF_IMAGE = frozenset(("node", "nodejs", "npm", "npx", "yarn", "docker-entrypoint.sh"))
_CALLS = pattern(r"['\"](?:node:)?child_process['\"]")
#: Need OpenSSL, which the full image holds; the engine is chosen by its version.
_OPENSSL = frozenset(("prisma", "@prisma/client"))
#: Asks `ps` for the children of a process that it stops (Unitech/pm2, lib/TreeKill.js).
_CALLS_PS = frozenset(("pm2",))
#: What a script calls that needs one of the packages.
_PROGRAMS_OF = {name: r"\bpython|\bpip" if name.startswith("py") else name for name in BUILD_TOOLS}
_PROGRAMS_OF |= {"openssh-client": r"\bssh|\bscp\b|\bsftp\b"}
#: The first whose plain tags stand on a release of Debian that still has its packages.
_FIRST_WITH_PACKAGES = 18
_OLD_RELEASES = ("stretch", "buster", "bullseye")
#: Tags that name no release and stand on bullseye: bookworm came in June 2023 (docker-node).
_ON_BULLSEYE = pattern(r"[\w./-]+:(?:18\.(?:\d|1[0-6])|19|20\.[0-3])(?:[.-].*)?")


class Base(NamedTuple):
    """The image that runs the program."""

    image: str
    #: System packages that it needs besides.
    packages: tuple[str, ...] = ()
    #: System packages of the file that only builds need.
    unneeded: frozenset[str] = frozenset()
    evidence: tuple[Evidence, ...] = ()


def runtime_base(program: Program, project: NodeProject) -> Base:
    """The slim image of the same release, where nothing needs more; else the same image."""
    # A query engine of development dependencies is often what a bundle loads.
    wanted = dependencies(project) | (_OPENSSL & project.development)
    calls = calls_programs(project)
    if calls or wanted & (NEEDS_SYSTEM - _OPENSSL - _CALLS_PS):
        return Base(program.base)
    unneeded = build_tools(program)
    same = Base(program.base, unneeded=unneeded)
    slim = slim_sibling(program.base) if "$" not in program.base else None
    if slim is None or slim == program.base:
        return same
    known = _known(project) | set(installed_packages(program))
    if any(name not in known for name in entry_programs(program)):
        return same
    packages = _packages(program, wanted)
    if packages is None:
        return same
    fact = "no dependency and no source calls other programs"
    if packages:
        fact = f"nothing but {', '.join(packages)} of the full image is called"
    return Base(slim, packages, unneeded, (Evidence("package.json and the sources", fact),))


def build_tools(program: Program) -> frozenset[str]:
    """Packages with which dependencies are fetched and compiled, and that nothing else calls."""
    text = "\n".join(scripts_beside(program))
    return frozenset(name for name in BUILD_TOOLS if not re.search(_PROGRAMS_OF[name], text))


def without_npm(program: Program, base: Base, is_resolved: bool) -> Base:
    """The system's packages of npm stay behind, too, where only node is called."""
    calls = program.entry.calls[-1:] if is_resolved else program.entry.calls
    names = {posixpath.basename(call[0]) for call in calls}
    if names & {"npm", "npx", "yarn", "pnpm"} or not base.unneeded:
        return base
    return base._replace(unneeded=base.unneeded | {"npm", "yarn", "yarnpkg"})


def dependencies(project: NodeProject) -> frozenset[str]:
    """Names of the packages that are there in production."""
    manifest = project.manifest
    return frozenset((*table(manifest, "dependencies"), *table(manifest, "optionalDependencies")))


def calls_programs(project: NodeProject) -> bool:
    """Whether a source starts other programs."""
    return any(_CALLS.search(text) for _, text in project.sources)


def entry_programs(program: Program) -> Iterator[str]:
    """The names of the programs that the entry calls."""
    for call in program.entry.calls:
        name = posixpath.basename(call[0])
        if name == "npx":
            name = next((word for word in call[1:] if not word.startswith("-")), name)
        yield name


def _known(project: NodeProject) -> frozenset[str]:
    return OF_IMAGE | IN_EVERY_IMAGE | frozenset(PROGRAM_OF) | dependencies(project) | {"pnpm"}


def _packages(program: Program, wanted: frozenset[str]) -> tuple[str, ...] | None:
    """What the slim image lacks, by package; None where that cannot be installed there."""
    missing = set(missing_programs(program))
    if wanted & _OPENSSL and "openssl" not in installed_packages(program):
        missing.add("openssl")
    runs = {PROGRAM_OF.get(name, name) for name in entry_programs(program)}
    if (wanted | runs) & _CALLS_PS and "procps" not in installed_packages(program):
        missing.add("ps")
    if not missing:
        return ()
    if not missing <= set(SYSTEM_PROGRAMS) or not _has_packages(program):
        return None
    return tuple(sorted({SYSTEM_PROGRAMS[name] for name in missing}))


def _has_packages(program: Program) -> bool:
    """Whether the release of the image still has its packages where the image looks for them."""
    if any(release in program.base for release in _OLD_RELEASES):
        return False
    if _ON_BULLSEYE.fullmatch(program.base) and "bookworm" not in program.base:
        return False
    try:
        major = node_major(program.steps[0].run, program.workspace)
    except NotLockedError:
        return False
    return major is None or major >= _FIRST_WITH_PACKAGES


def build_packages(program: Program, base: Base) -> tuple[str, ...]:
    """The packages of the file that stay behind."""
    return tuple(
        name
        for name in installed_packages(program)
        if is_for_building(name) or name in base.unneeded
    )
