"""pom.xml: modules, packaging, the name of the jar and what makes it runnable.

Sources: maven.apache.org/pom.html, maven.apache.org/plugins/maven-jar-plugin,
docs.spring.io/spring-boot/maven-plugin, maven.apache.org/plugins/maven-shade-plugin.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import (
    CannotTellError,
    Place,
    child,
    child_text,
    children,
    local_name,
    parse_xml,
    read_text,
)
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from dockerfix.context.build_context import BuildContext

_VARIABLE = pattern(r"\$\{([^}]+)\}")
#: Plugins that put the dependencies into the jar, or beside it.
_FAT = (
    *("spring-boot-maven-plugin", "maven-shade-plugin", "maven-assembly-plugin"),
    *("quarkus-maven-plugin", "onejar-maven-plugin", "vertx-maven-plugin"),
)


class Pom(NamedTuple):
    """A pom.xml."""

    path: str
    root: Element

    def place(self, key: str) -> Place:
        """Where an element is, to show."""
        return Place(self.path, key)

    @property
    def artifact_id(self) -> str | None:
        """`artifactId`."""
        return child_text(self.root, "artifactId")

    @property
    def version(self) -> str | None:
        """`version`, or that of the parent."""
        return child_text(self.root, "version") or child_text(self.root, "parent/version")

    @property
    def packaging(self) -> str:
        """`packaging`: `jar` when it is not given."""
        return child_text(self.root, "packaging") or "jar"

    @property
    def modules(self) -> tuple[str, ...]:
        """`modules`, those of profiles among them."""
        profiles = children(child(self.root, "profiles"), "profile")
        return tuple(
            (entry.text or "").strip()
            for owner in (self.root, *profiles)
            for entry in children(child(owner, "modules"), "module")
        )

    @property
    def parent_path(self) -> str | None:
        """Where the parent's pom lies (`relativePath`, by default `../pom.xml`); None: nowhere."""
        parent = child(self.root, "parent")
        if parent is None:
            return None
        relative = child(parent, "relativePath")
        written = (relative.text or "").strip() if relative is not None else "../pom.xml"
        if not written:
            return None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), written))
        return path if path.endswith(".xml") else posixpath.join(path, "pom.xml")

    @property
    def properties(self) -> Mapping[str, str]:
        """`properties`."""
        found = child(self.root, "properties")
        entries = found if found is not None else ()
        return {local_name(entry): (entry.text or "").strip() for entry in entries}

    @property
    def plugins(self) -> tuple[str, ...]:
        """The artifact ids of the plugins of the build."""
        return tuple(name for name, _ in self._plugins())

    def _plugins(self) -> Iterator[tuple[str, Element]]:
        for plugin in children(child(self.root, "build/plugins"), "plugin"):
            yield child_text(plugin, "artifactId") or "", plugin

    @property
    def fat_jar_plugin(self) -> str | None:
        """The plugin that makes a jar that runs by itself."""
        return next((name for name in self.plugins if name in _FAT), None)

    @property
    def jar(self) -> tuple[str, Place]:
        """Path of the packed artefact in the context, and why. Raises CannotTellError."""
        final = child_text(self.root, "build/finalName")
        if final is None and None in (self.artifact_id, self.version):
            raise CannotTellError(self.path, "artifactId, version")
        name = final or f"{self.artifact_id}-{self.version}"
        key = "build.finalName" if final else "artifactId, version"
        folder = child_text(self.root, "build/directory") or "target"
        for plugin, element in self._plugins():
            classifier = child_text(element, "configuration/classifier")
            if plugin == "spring-boot-maven-plugin" and classifier:
                name = f"{name}-{classifier}"
        path = posixpath.join(posixpath.dirname(self.path), folder, f"{name}.{self.packaging}")
        return self.resolve(path, key), self.place(key)

    def resolve(self, text: str, key: str) -> str:
        """A text with its `${...}` put in. Raises CannotTellError."""
        known = {
            **self.properties,
            "project.artifactId": self.artifact_id or "",
            "project.version": self.version or "",
            "artifactId": self.artifact_id or "",
            "version": self.version or "",
            "project.name": child_text(self.root, "name") or self.artifact_id or "",
            "project.build.directory": "target",
            "project.basedir": posixpath.dirname(self.path) or ".",
        }
        for _ in range(5):
            text = _VARIABLE.sub(lambda match: known.get(match[1]) or match[0], text)
        if "${" in text:
            raise CannotTellError(self.path, key)
        return text


def read_pom(context: BuildContext, folder: str = "") -> Pom | None:
    """The pom.xml of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "pom.xml")
    return Pom(found[0], parse_xml(*found)) if found is not None else None
