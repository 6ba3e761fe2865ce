"""Spring Boot's jar as layers, so that an edit of a source ships kilobytes.

Sources: docs.spring.io/spring-boot ("Dockerfiles", "Layering"): since 2.3 the jar takes itself
apart with `-Djarmode=layertools`; since 3.3 with `-Djarmode=tools`, into a small jar of the same
name that finds its libraries in `lib` beside it. The launcher moved to `loader.launch` in 3.2.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.gradle import GradleProject, read_gradle
from dockerfix.context.manifests.pom import Pom, read_pom
from dockerfix.context.manifests.reading import CannotTellError, child_text
from dockerfix.effects.reach import is_within
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Plan, Program
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Evidence, Level

#: From the least to the most frequently changed.
_LAYERS = ("dependencies", "spring-boot-loader", "snapshot-dependencies", "application")
_FOLDER = "extracted"
_BOOT = "org.springframework.boot"
_FIRST, _LAUNCH_PACKAGE, _TOOLS = (2, 3), (3, 2), (3, 3)
_PLAIN_VERSION = pattern(r"(\d+)\.(\d+)\.\d+(?:\.RELEASE)?")
#: Settings of the plugin that make another jar, or other layers.
_OWN_MAVEN = pattern(
    r"<(?:executable|layout|layoutFactory|layers|embeddedLaunchScript|classifier)>"
)
_OWN_GRADLE = pattern(
    r"\blaunchScript\b|\blayered\b|\blayout\b|\bPropertiesLauncher\b|\bWarPlugin\b"
)
_GRADLE_VERSION = pattern(
    r"\bid\s*\(?\s*[\"']org\.springframework\.boot[\"']\s*\)?\s*version\s*\(?\s*[\"']([\d.]+\w*)[\"']"
)
_JAR = pattern(r"-jar +([^\s\"']+\.jar)(?= |$)")


def with_layers(
    plan: Plan, program: Program, context: BuildContext, place: str, jar: str
) -> Plan | None:
    """The plan with layers in place of the jar; None where anything about that is not known.

    `place` is the folder of the manifest that makes the jar, `jar` the jar's image path.
    """
    found = _version(context, place)
    taken = any(context.exists(posixpath.join(root, _FOLDER)) for root in ("", place))
    if found is None or found[0] < _FIRST or taken or not _is_usual(plan, program, jar):
        return None
    folder = posixpath.dirname(jar)
    others = tuple(copy for copy in plan.copies if copy[0] != jar)
    version, evidence = found
    below = posixpath.relpath(jar, program.folder)
    mode = "tools" if version >= _TOOLS else "layertools"
    layers = "--layers " if mode == "tools" else ""
    command = f"java -Djarmode={mode} -jar {below} extract {layers}--destination {_FOLDER}"
    main = None
    if mode == "layertools":
        main = _launched(program, version)
        if main is None:
            return None
        folder = program.folder
    source = posixpath.join(program.folder, _FOLDER)
    copies = tuple((f"{source}/{layer}/", f"{folder}/") for layer in _LAYERS)
    return replace(
        plan,
        copies=(*others, *copies),
        evidence=(*plan.evidence, evidence),
        last=(*plan.last, command),
        main=main,
        level=Level.RISKY,
    )


def _is_usual(plan: Plan, program: Program, jar: str) -> bool:
    """Whether root builds the jar where the program runs, and nothing is in the layers' way."""
    state = program.workspace.state(program.steps[-1].instruction)
    if state.workdir != program.folder or state.user not in (None, "root", "0"):
        return False
    folder, sources = posixpath.dirname(jar), [source for source, _ in plan.copies]
    if program.folder == "/" or not is_within(folder, program.folder):
        return False
    if jar not in sources or not jar.endswith(".jar"):
        return False
    if "loader." in " ".join(program.entry.main):
        return False
    return not any(is_within(path, posixpath.join(folder, "lib")) for path in sources)


def _version(context: BuildContext, place: str) -> tuple[tuple[int, int], Evidence] | None:
    """Spring Boot's version, where its plugin makes the usual jar."""
    pom = read_pom(context, place)
    gradle = read_gradle(context, place) if pom is None else None
    if pom is not None:
        written, path = _of_maven(pom, context), pom.path
    elif gradle is not None:
        written, path = _of_gradle(gradle), gradle.path
    else:
        return None
    match = _PLAIN_VERSION.fullmatch(written or "")
    if match is None:
        return None
    return (int(match[1]), int(match[2])), Evidence(path, f"Spring Boot {written} has layers")


def _of_maven(pom: Pom, context: BuildContext) -> str | None:
    if pom.fat_jar_plugin != "spring-boot-maven-plugin" or pom.packaging != "jar":
        return None
    if _OWN_MAVEN.search(context.read(pom.path) or ""):
        return None
    if child_text(pom.root, "parent/artifactId") != "spring-boot-starter-parent":
        return None
    try:
        return pom.resolve(child_text(pom.root, "parent/version") or "", "parent.version")
    except CannotTellError:
        return None


def _of_gradle(gradle: GradleProject) -> str | None:
    if gradle.fat_jar_plugin != _BOOT or _OWN_GRADLE.search(gradle.text) or "war" in gradle.plugins:
        return None
    match = _GRADLE_VERSION.search(gradle.text)
    return match[1] if match else None


# What starts it


def _launched(
    program: Program, version: tuple[int, int]
) -> tuple[Instruction, tuple[str, ...]] | None:
    """The entry with the launcher in place of `-jar X`; None where that is not written once."""
    package = "loader.launch" if version >= _LAUNCH_PACKAGE else "loader"
    launcher = f"{_BOOT}.{package}.JarLauncher"
    said = [i for i in (program.stage.last("ENTRYPOINT"), program.stage.last("CMD")) if i]
    found = [i for i in said if "-jar" in i.argument_text]
    words = found[0].exec_arguments if len(found) == 1 else None
    if words is None or "CLASSPATH" in program.variables:
        return None
    changed = tuple(_with_launcher(words, launcher))
    is_once = " ".join(changed).count(launcher) == 1 and "-jar" not in " ".join(changed)
    return (found[0], changed) if is_once else None


def _with_launcher(words: tuple[str, ...], launcher: str) -> Iterator[str]:
    for before, word in zip(("", *words), words, strict=False):
        if before == "-jar":
            yield launcher
        elif word != "-jar":
            yield _JAR.sub(launcher, word)
