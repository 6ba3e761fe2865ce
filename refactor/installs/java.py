"""Maven and Gradle; maven.apache.org/plugins/maven-dependency-plugin (go-offline)."""

from __future__ import annotations

import posixpath

from dockerfix.installs.install import Install, Project, UnknownInstallError
from dockerfix.installs.words import MAVEN_BUILDS, maven_only_fetches
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence, Level

_POM_MODULES = pattern(
    r"<modules>|<url>\s*file:|<packaging>\s*pom|<systemPath>|<relativePath>\s*[^<\s]"
)
_POM_PARENT = pattern(r"<parent>(.*?)</parent>", 16)
_CHMOD = pattern(r"\bchmod\b[^\n]*\bgradlew\b")
#: Options that change nothing about what is downloaded, but for -P, which is repeated.
_MAVEN_OPTIONS = ("-D", "-q", "-B", "-e", "-P", "-U", "-X", "-ntp", "-T1", "-T2", "-T4", "--")
_MAVEN_ELSEWHERE = ("--settings", "--global-settings", "--projects", "--toolchains")


def read_maven(words: tuple[str, ...], project: Project) -> Install:
    """What Maven reads; UnknownInstallError when the sources may be among it."""
    text = project.read("pom.xml")
    if _POM_MODULES.search(text):
        raise UnknownInstallError("a project of several modules", "pom.xml")
    parent = _POM_PARENT.search(text)
    if (
        parent
        and "relativePath" not in parent[1]
        and project.context.exists(project.path("../pom.xml"))
    ):
        raise UnknownInstallError("a project of several modules", "pom.xml")
    profiles = [word for word in words[1:] if word.startswith("-P")]
    file = pom_of(words)
    where = ("-f", file) if file else ()
    go_offline = " ".join((words[0], "-B", *where, *profiles, "dependency:go-offline"))
    fetch = "" if maven_only_fetches(words[1:]) else go_offline
    named = ("-f", "--file", file, f"--file={file}")
    goals = {word for word in words[1:] if not word.startswith(_MAVEN_OPTIONS)} - {*named}
    goals |= {word for word in words[1:] if word.startswith(_MAVEN_ELSEWHERE)}
    if file and posixpath.basename(file) != "pom.xml":
        raise UnknownInstallError("a manifest is not in the build context", file)
    if fetch and not goals <= (MAVEN_BUILDS | {"clean"}):
        raise UnknownInstallError("goals and options that are not known", " ".join(words[1:]))
    wrapper = ("mvnw",) if words[0] == "./mvnw" else ()
    files = (*project.present(*wrapper), project.path("pom.xml"))
    evidence = Evidence(project.path("pom.xml"), "a project of one module")
    # go-offline resolves more than a build does: rarely, a repository lacks some of that.
    level = Level.REVIEW if fetch else Level.SAFE
    folders = project.present(".mvn")
    return Install("maven", files, folders, (), (evidence,), False, fetch, ("dependency:",), level)


def pom_of(words: tuple[str, ...]) -> str:
    """The pom that `-f` names; "" without it."""
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-f", "--file"):
            return following
        if word.startswith("--file="):
            return word.partition("=")[2]
    return ""


def read_gradle(project: Project, code: str) -> Install:
    """Gradle has no command that only fetches dependencies; its wrapper fetches Gradle itself.

    `code` is the Dockerfile, which may make the wrapper executable.
    """
    jar = "gradle/wrapper/gradle-wrapper.jar"
    if not project.has("gradlew") or not project.has(jar):
        raise UnknownInstallError("a manifest is not in the build context", jar)
    executable = (project.context.mode(project.path("gradlew")) or 0) & 0o100
    if not executable and not _CHMOD.search(code):
        raise UnknownInstallError("the wrapper is not executable", "gradlew")
    evidence = Evidence(project.path(jar), "the wrapper downloads Gradle and needs nothing else")
    fetch = "./gradlew --no-daemon --version"
    folders = (project.path("gradle"),)
    files = (project.path("gradlew"),)
    return Install("gradle", files, folders, (), (evidence,), False, fetch, ("gradlew",))
