"""Level risky: run on musl, or on an image that has no shell.

What is compiled against glibc does not run on musl, so nothing compiled may come along. Even then
the allocator, the resolver and the size of a thread's stack are other ones: nobody can prove from
here that a program is served as well.

Sources: wiki.musl-libc.org ("Functional differences from glibc"), docs.npmjs.com
(package-lock.json: `hasInstallScript`), GoogleContainerTools/distroless.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from dockerfix.context.build_context import BuildContext
from dockerfix.context.node_lock import compiled_packages
from dockerfix.context.sources import read_sources
from dockerfix.knowledge.java_packages import native_artifact
from dockerfix.knowledge.runtime_images import image_without_shell, musl_sibling
from dockerfix.patterns import pattern
from dockerfix.splitting.missing_programs import missing_programs, scripts_beside
from dockerfix.splitting.plan import Plan, Program, Smaller
from dockerfix.syntax.parser import parse
from dockerfix.transform import Evidence, Level

#: Where OpenSSL, Go and rustls look for the certificates of authorities.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_BASH = pattern(r"\bbash\b")
_NPM_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_MANIFESTS = pattern(r"pom\.xml|.*\.gradle(?:\.kts)?|.*\.versions\.toml")
_OF_BUILDS = frozenset(("target", "build", "node_modules"))
#: What a RUN may call for which every shell and every busybox is good.
_EVERYWHERE = frozenset(("mkdir", "chown", "chmod", "touch", "ln"))


def node_on_musl(program: Program, folder: str, image: str) -> Smaller | None:
    """For a program of the npm package in `folder` that is to run on `image`."""
    musl = _musl(program, image)
    if musl is None:
        return None
    context = program.workspace.context
    paths = (posixpath.join(folder, name) for name in _NPM_LOCKS)
    locks = ((path, context.read(path) if context is not None else None) for path in paths)
    for path, lock in locks:
        compiled = compiled_packages(lock) if lock else None
        if compiled:
            return Smaller(None, Evidence(path, f"{compiled[0]} may be compiled: glibc stays"))
        if compiled is not None:
            return Smaller(musl, Evidence(path, "no production dependency is compiled"))
    return Smaller(None, Evidence("no lock of npm's", "what is compiled is not known: glibc stays"))


def java_on_musl(program: Program, context: BuildContext, root: str, image: str) -> Smaller | None:
    """For a jar of the project in `root` that is to run on `image`."""
    musl = _musl(program, image)
    if musl is None:
        return None
    for path, text in read_sources(context, root, _is_manifest, _OF_BUILDS.__contains__):
        native = native_artifact(text)
        if native is not None:
            return Smaller(None, Evidence(path, f"{native} is compiled: glibc stays"))
    return Smaller(musl, Evidence("the manifests", "no dependency that they name is compiled"))


def without_shell(program: Program, system: str) -> Smaller | None:
    """For a binary that needs no more of `system` than its C libraries."""
    image = image_without_shell(system)
    if image is None or program.workspace.level < Level.RISKY:
        return None
    in_shell = [
        i
        for i in program.stage.instructions
        if i.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK") and not i.is_exec_form
    ]
    if in_shell or len(program.entry.calls) != 1 or program.entry.scripts:
        return None
    return Smaller(image, Evidence(system, "nothing but its C libraries is used"), bare=True)


def on_smaller_base(plan: Plan, image: str, smaller: Smaller) -> Plan:
    """The plan with the program on that image."""
    # An image without a shell brings the certificates, and glibc of its own.
    return replace(
        plan,
        base=image,
        bare=plan.bare or smaller.bare,
        level=Level.RISKY,
        copies=tuple(c for c in plan.copies if not (smaller.bare and c[1] == CERTIFICATES)),
        evidence=(*plan.evidence, smaller.evidence),
    )


def fits(text: str, plan: Plan) -> bool:
    """Whether the stage that runs, as it is written, can be built on a smaller image."""
    runs = [i for i in parse(text).instructions if i.keyword in ("RUN", "SHELL")]
    if plan.bare:
        return not runs
    return all(
        part.split()[0] in _EVERYWHERE
        for run in runs
        for part in run.argument_text.split("&&")
        if part.strip()
    )


def _musl(program: Program, image: str) -> str | None:
    if program.workspace.level < Level.RISKY:
        return None
    if missing_programs(program) or any(_BASH.search(t) for t in scripts_beside(program)):
        return None
    return musl_sibling(image)


def _is_manifest(name: str) -> bool:
    return _MANIFESTS.fullmatch(name) is not None
