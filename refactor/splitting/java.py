"""Programs in Java: the one jar that the build makes, and what is read beside it.

Sources: docs.spring.io (executable jars), maven.apache.org (shade, assembly), docs.gradle.org
(application plugin, installDist), quarkus.io/guides/maven-tooling (package types).
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.gradle import read_gradle
from dockerfix.context.manifests.pom import Pom, read_pom
from dockerfix.context.manifests.reading import CannotTellError, child, child_text, children
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import origin_of
from dockerfix.knowledge.java_images import java_runtime
from dockerfix.patterns import pattern
from dockerfix.splitting.entry_files import entry_files
from dockerfix.splitting.java_sources import (
    JavaSources,
    is_of_build,
    is_source,
    read_java_sources,
)
from dockerfix.splitting.missing_programs import missing_programs
from dockerfix.splitting.named_files import copied_by_name
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program
from dockerfix.splitting.smaller_base import java_on_musl
from dockerfix.splitting.spring_layers import with_layers
from dockerfix.splitting.steps import copied_from
from dockerfix.transform import Evidence, Level

_TOOLS = frozenset(("mvn", "./mvnw", "mvnw", "gradle", "./gradlew", "gradlew"))
#: What every build of a jar leaves beside the one that runs.
_NOT_IT = pattern(r"(?:.*-(?:sources|javadoc|plain|tests)|original-.*)\.jar")
#: Plugins, and what is said to them, that give the jar that runs a name of its own.
_OWN_NAME = pattern(r"maven-assembly-plugin|shadedArtifactAttached|outputFile|shadedClassifierName")
#: Where a JRE holds curl and wget, as the JDK of the same vendor does.
_WITH_CURL = pattern(r"(?:eclipse-temurin|openjdk|adoptopenjdk):(?!.*(?:alpine|slim)).*")


class _Artefact(NamedTuple):
    """What the build makes and the entry runs."""

    #: Image path: a jar, or a folder.
    path: str
    evidence: Evidence


def plan_java(program: Program) -> Plan | None:
    """How it is split; None when no jar is built. Raises NotSplitError."""
    if not any(call.words[0] in _TOOLS for _, call in program.calls("build", "install")):
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    home, root = _home(program)
    artefact = _artefact(program, context, home, root)
    sources = read_java_sources(context, root)
    _check(sources)
    base = java_runtime(program.base)
    if base is None:
        raise NotSplitError("no runtime image of the same vendor is known", program.base)
    missing = [n for n in missing_programs(program) if n not in _held_by(program.base, base)]
    if missing:
        raise NotSplitError("the program calls others, which the image lacks", missing[0])
    # What lies beside the sources is beside the program only where that is started there.
    found = sources.beside if home == program.folder else ()
    beside = [posixpath.join(home, name) for name in found]
    named = copied_by_name(program, is_of_build, is_source)
    paths = [artefact.path, *beside, *named, *entry_files(program)]
    outer = [p for p in dict.fromkeys(paths) if not any(is_within(p, o) and p != o for o in paths)]
    plan = Plan(
        base,
        tuple((path, path) for path in outer),
        "the JDK, the build tool, its repository and the sources",
        (Evidence("the entry", f"runs {artefact.path}"), artefact.evidence),
        calls_none=True,
    )
    if program.workspace.level < Level.RISKY:
        return plan
    plan = replace(plan, smaller=java_on_musl(program, context, root, base))
    place = posixpath.dirname(artefact.evidence.source)
    return with_layers(plan, program, context, place, artefact.path) or plan


def _home(program: Program) -> tuple[str, str]:
    """Where the project lies, in the image and in the context: where it is started, or built."""
    places = [call.directory for _, call in program.calls("build", "install")]
    for place in dict.fromkeys((program.folder, *places)):
        for name in ("pom.xml", "build.gradle", "build.gradle.kts"):
            path = posixpath.join(place or "/", name)
            source = origin_of(path, program.stage, program.workspace)
            if source is not None:
                return posixpath.dirname(path), posixpath.dirname(source)
    raise NotSplitError("no manifest in the build context")


def _check(sources: JavaSources) -> None:
    caller = sources.calls_programs
    if caller is not None:
        raise NotSplitError("the program calls others", caller)
    hidden = sources.hidden
    if hidden is not None:
        raise NotSplitError("a file that git does not show is opened", hidden)
    compiler = sources.needs_jdk
    if compiler is not None:
        raise NotSplitError("the program needs a JDK", compiler)


def _held_by(before: str, base: str) -> frozenset[str]:
    if before == base:
        return frozenset(("curl", "wget", "ps", "file", "xz", "gpg", "openssl", "less"))
    held = "wget" if "alpine" in base else ""
    return frozenset(("curl", "wget") if _WITH_CURL.fullmatch(base) else (held,))


# What runs


def _artefact(program: Program, context: BuildContext, home: str, root: str) -> _Artefact:
    words = program.entry.main
    if words[0] in _TOOLS:
        raise NotSplitError("the entry builds when it starts", " ".join(words[:2]))
    if posixpath.basename(words[0]) != "java":
        return _distribution(program, words[0])
    if "-jar" not in words[:-1]:
        raise NotSplitError("the entry runs no jar", " ".join(words[:3]))
    if any(word.startswith(("-javaagent", "-agentpath", "-cp", "-classpath")) for word in words):
        raise NotSplitError("the program loads more than its jar")
    written = words[words.index("-jar") + 1]
    if "$" in written:
        raise NotSplitError("which jar runs is not known", written)
    path = posixpath.normpath(posixpath.join(program.folder, written))
    made = next(copied_from(path, program), None)
    source = made or path
    folder, name = posixpath.split(source)
    if posixpath.basename(folder) == "quarkus-app":
        if made is not None:
            raise NotSplitError("the jar may need others beside it", source)
        return _Artefact(folder, Evidence("Quarkus", "its fast-jar is a folder"))
    jar, evidence = _named_jar(folder, name, context, home, root)
    if made is not None:
        return _Artefact(path, evidence)
    return _Artefact(jar, evidence)


def _distribution(program: Program, word: str) -> _Artefact:
    """What Gradle's `installDist` makes: a folder with a start script."""
    path = posixpath.normpath(posixpath.join(program.folder, word))
    parts = path.split("/")
    gradle = any(_installs(call) for _, call in program.calls("build"))
    if parts[-2:-1] != ["bin"] or parts[-5:-3] != ["build", "install"] or not gradle:
        raise NotSplitError("the entry runs no jar", word)
    return _Artefact("/".join(parts[:-2]), Evidence("installDist", "makes a folder that runs"))


def _installs(call: Call) -> bool:
    return any(word.rpartition(":")[2] == "installDist" for word in call.words)


def _named_jar(
    folder: str, name: str, context: BuildContext, home: str, root: str
) -> tuple[str, Evidence]:
    """The jar that a name or a pattern means, and why it needs no other."""
    below = posixpath.relpath(folder, home)
    module = below.removesuffix("/build/libs").removesuffix("/target")
    module = "" if below in ("target", "build/libs") else module
    if below.startswith("..") or not below.endswith(("target", "build/libs")):
        raise NotSplitError("the entry is not what is built", posixpath.join(folder, name))
    place = posixpath.normpath(posixpath.join(root, module))
    place = "" if place == "." else place
    said, why = _said_jar(context, place, root)
    if _NOT_IT.fullmatch(name):
        raise NotSplitError("which jar runs is not known", name)
    if not any(char in name for char in "*?["):
        return posixpath.join(folder, name), why
    if said is None:
        raise NotSplitError("which jar runs is not known", name)
    return posixpath.join(folder, posixpath.basename(said)), why


def _said_jar(context: BuildContext, place: str, root: str) -> tuple[str | None, Evidence]:
    """The name that the manifest gives, and why the jar runs by itself."""
    pom = read_pom(context, place)
    if pom is not None:
        reason = _maven_fat(pom, read_pom(context, root))
        if reason is None:
            raise NotSplitError("the jar may need others beside it", pom.path)
        return _plain_name(pom, context), Evidence(pom.path, reason)
    gradle = read_gradle(context, place)
    if gradle is None:
        raise NotSplitError("no manifest in the build context", place)
    plugin = gradle.fat_jar_plugin
    if plugin is None:
        raise NotSplitError("the jar may need others beside it", gradle.path)
    evidence = Evidence(gradle.path, f"{plugin} puts everything into the jar")
    try:
        return gradle.jar[0], evidence
    except CannotTellError:
        return None, evidence


def _plain_name(pom: Pom, context: BuildContext) -> str | None:
    """The jar that runs, where no plugin gives it a name of its own."""
    if _OWN_NAME.search(context.read(pom.path) or ""):
        return None
    try:
        return pom.jar[0]
    except CannotTellError:
        return None


def _maven_fat(pom: Pom, parent: Pom | None) -> str | None:
    plugin = pom.fat_jar_plugin or (parent.fat_jar_plugin if parent is not None else None)
    if plugin is not None and not plugin.startswith("quarkus"):
        return f"{plugin} puts everything into the jar"
    dependencies = children(child(pom.root, "dependencies"), "dependency")
    scopes = {child_text(entry, "scope") or "compile" for entry in dependencies}
    if scopes <= {"test", "provided"} and child(pom.root, "parent") is None:
        return "no dependency that runs"
    return None
