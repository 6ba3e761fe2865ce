"""Programs in Java: one jar that holds what it needs.

Sources: docs.spring.io (executable jars, external application properties), maven.apache.org
(shade, assembly), docs.gradle.org, quarkus.io/guides/maven-tooling (package types).
"""

from __future__ import annotations

import posixpath

from dockerfix.context.build_context import BuildContext
from dockerfix.knowledge.runtime_images import java_runtime
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.transform import Evidence

_TOOLS = ("mvn", "./mvnw", "gradle", "./gradlew")
_FAT_JAR = {
    "pom.xml": pattern(r"spring-boot-maven-plugin|maven-shade-plugin|maven-assembly-plugin"),
    "build.gradle": pattern(
        r"org\.springframework\.boot|com\.github\.johnrengelman\.shadow|shadow"
    ),
    "build.gradle.kts": pattern(r"org\.springframework\.boot|shadow|io\.ktor\.plugin"),
}
#: What Spring Boot reads in the directory it is started in.
_READ_AT_START = (
    *("config", "application.properties", "application.yml", "application.yaml"),
    *("logback.xml", "log4j2.xml", ".env"),
)


def plan_java(program: Program) -> Plan | None:
    """How it is split; None when no jar is built. Raises NotSplitError."""
    builds = [call for _, call in program.calls("build") if call.words[0] in _TOOLS]
    if not builds:
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    base = java_runtime(program.base)
    if base is None:
        raise NotSplitError("no runtime image of the same vendor is known", program.base)
    jar = _jar(program)
    evidence = _check_fat(program, context)
    target = posixpath.join(program.folder, jar)
    return Plan(
        base,
        ((target, target),),
        "the JDK, the build tool, its repository and the sources",
        (Evidence("the entry", f"runs {jar}"), evidence),
    )


def _jar(program: Program) -> str:
    words = program.entry.main
    if posixpath.basename(words[0]) != "java" or "-jar" not in words:
        raise NotSplitError("the entry runs no jar", " ".join(words[:3]))
    if any(word.startswith(("-javaagent", "-agentpath", "-cp", "-classpath")) for word in words):
        raise NotSplitError("the program loads more than its jar")
    jar = words[words.index("-jar") + 1]
    if any(char in jar for char in "*?$"):
        raise NotSplitError("which jar runs is not known", jar)
    return posixpath.normpath(jar)


def _check_fat(program: Program, context: BuildContext) -> Evidence:
    found = [name for name in _FAT_JAR if context.sends(name)]
    if not found:
        raise NotSplitError("no manifest in the build context")
    name = found[0]
    match = _FAT_JAR[name].search(context.read(name) or "")
    if match is None:
        raise NotSplitError("the jar may need others beside it", name)
    for other in _READ_AT_START:
        if context.sends(other):
            raise NotSplitError("the program may read files beside it", other)
    return Evidence(name, f"{match[0]} puts everything into the jar")
