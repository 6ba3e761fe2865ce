"""Gradle: projects, plugins and the name of the jar, as far as the scripts say it plainly.

Sources: docs.gradle.org (settings, application plugin, version catalogs, wrapper),
docs.spring.io/spring-boot/gradle-plugin, gradleup.com/shadow.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import (
    CannotTellError,
    Place,
    parse_toml,
    read_text,
    table_at,
    text_at,
)
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockerfix.context.build_context import BuildContext

_COMMENT = pattern(r"//[^\n]*|/\*.*?\*/", 16)
_QUOTED = r"\s*[\"']([^\"'$\n]+)[\"']"
_INCLUDE = pattern(r"\binclude(?:Build)?\b\s*\(?((?:\s*[\"'][^\"']+[\"']\s*,?)+)")
_WORD = pattern(r"[\"']([^\"']+)[\"']")
_ROOT_NAME = pattern(r"rootProject\.name\s*=" + _QUOTED)
_PLUGIN = pattern(r"\bid\s*\(?" + _QUOTED)
_APPLIED = pattern(r"apply\s*\(?\s*plugin\s*[:=]" + _QUOTED)
_ALIAS = pattern(r"\balias\s*\(?\s*libs\.plugins\.([\w.]+)")
_KOTLIN_PLUGIN = pattern(r"^\s*`?(application|java|war)`?\s*$", 8)
_VERSION = pattern(r"^\s*version\s*=?" + _QUOTED, 8)
_ANY_VERSION = pattern(r"^\s*version\s*=?\s*\S", 8)
_ARCHIVE = pattern(
    r"\b(archiveFileName|archiveName|archiveBaseName|archivesBaseName|archiveVersion"
    r"|archiveClassifier)\b(?:\.set\s*\(|\s*=)\s*(?:[\"']([^\"'$\n]*)[\"'])?"
)
_UNPACKS = pattern(
    r"\bconfigurations\.(?:compile|runtime|compileClasspath|runtimeClasspath)\b[^\n]*\n?[^\n]*"
    r"\bzipTree\("
)
_FAT = (
    *("org.springframework.boot", "com.github.johnrengelman.shadow", "com.gradleup.shadow"),
    "io.quarkus",
)


class GradleProject(NamedTuple):
    """A build script with the settings beside it."""

    path: str
    #: The build script, comments left out.
    text: str
    #: `rootProject.name`; None when the settings do not say it, or there are none.
    root_name: str | None
    #: Paths of further projects as folders: `:web:api` is `web/api`.
    includes: tuple[str, ...]
    #: Ids of the plugins, those of the version catalogue among them.
    plugins: tuple[str, ...]
    version: str | None
    has_wrapper: bool

    def place(self, key: str) -> Place:
        """Where something is said, to show."""
        return Place(self.path, key)

    @property
    def fat_jar_plugin(self) -> str | None:
        """What makes a jar that runs by itself: a plugin, or the jar task unpacking all others."""
        unpacks = "zipTree" if _UNPACKS.search(self.text) else None
        return next((name for name in self.plugins if name in _FAT), unpacks)

    @property
    def jar(self) -> tuple[str, Place]:
        """Path of the jar that runs, in the context. Raises CannotTellError."""
        folder = posixpath.join(posixpath.dirname(self.path), "build/libs")
        said = {match[1]: match[2] for match in _ARCHIVE.finditer(self.text)}
        full = next((said[k] for k in ("archiveFileName", "archiveName") if k in said), None)
        if full:
            return posixpath.join(folder, full), self.place("archiveFileName")
        if said or self.root_name is None:
            raise CannotTellError(self.path, next(iter(said), "rootProject.name"))
        if self.version is None and _ANY_VERSION.search(self.text):
            raise CannotTellError(self.path, "version")
        tail = f"-{self.version}" if self.version else ""
        tail += "-all" if self.fat_jar_plugin in _FAT[1:3] else ""
        name = f"{self.root_name}{tail}.jar"
        return posixpath.join(folder, name), self.place("rootProject.name, version")


def read_gradle(context: BuildContext, folder: str = "") -> GradleProject | None:
    """The build of a folder; None when there is none. Raises BrokenManifestError."""
    found = _first(context, folder, "build.gradle", "build.gradle.kts")
    if found is None:
        return None
    settings = _first(context, folder, "settings.gradle", "settings.gradle.kts")
    text = _COMMENT.sub("", found[1])
    set_up = _COMMENT.sub("", settings[1]) if settings else ""
    name, version = _ROOT_NAME.search(set_up), _VERSION.search(text)
    catalogue = read_catalogue(context, folder)
    plugins = [match[1] for regex in (_PLUGIN, _APPLIED) for match in regex.finditer(text)]
    plugins += [match[1] for match in _KOTLIN_PLUGIN.finditer(text)]
    plugins += [catalogue.get(m[1].replace(".", "-"), m[1]) for m in _ALIAS.finditer(text)]
    includes = [w[1] for m in _INCLUDE.finditer(set_up) for w in _WORD.finditer(m[1])]
    return GradleProject(
        found[0],
        text,
        name[1] if name else None,
        tuple(entry.strip(":").replace(":", "/") for entry in includes),
        tuple(dict.fromkeys(plugins)),
        version[1] if version else None,
        context.is_file(posixpath.join(folder, "gradlew")),
    )


def read_catalogue(context: BuildContext, folder: str = "") -> Mapping[str, str]:
    """Alias and id of the plugins of `gradle/libs.versions.toml`. Raises BrokenManifestError."""
    found = read_text(context, folder, "gradle/libs.versions.toml")
    if found is None:
        return {}
    plugins = table_at(parse_toml(*found), "plugins")
    ids: dict[str, str] = {}
    for alias, entry in plugins.items():
        written = entry.partition(":")[0] if isinstance(entry, str) else None
        name = written or (text_at(entry, "id") if isinstance(entry, dict) else None)
        if name:
            ids[alias.replace("_", "-").replace(".", "-")] = name
    return ids


def _first(context: BuildContext, folder: str, *names: str) -> tuple[str, str] | None:
    return next(filter(None, (read_text(context, folder, name) for name in names)), None)
