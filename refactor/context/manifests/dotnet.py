"""Project files, solutions and shared properties of .NET.

Source: learn.microsoft.com/dotnet/core/project-sdk, "Customize your build by folder".
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import (
    CannotTellError,
    Place,
    children,
    parse_xml,
    read_text,
)
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from dockerfix.context.build_context import BuildContext

_PROJECT_OF_SOLUTION = pattern(r'^Project\("[^"]*"\) = "[^"]*", "([^"]+\.[a-z]+proj)"', 8)
_SHARED = (
    *("Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"),
    *("NuGet.config", "nuget.config", "NuGet.Config", "global.json"),
)


class DotnetProject(NamedTuple):
    """A .csproj, .fsproj or .vbproj."""

    path: str
    root: Element

    def place(self, key: str) -> Place:
        """Where an element is, to show."""
        return Place(self.path, key)

    @property
    def sdk(self) -> str:
        """`Microsoft.NET.Sdk.Web` for a service that answers http; "" for an old project."""
        return self.root.get("Sdk", "")

    def setting(self, name: str) -> str | None:
        """A property that is set once, without a condition. Raises CannotTellError."""
        found = [
            entry
            for group in children(self.root, "PropertyGroup")
            for entry in children(group, name)
            if not group.get("Condition")
        ]
        if not found:
            return None
        text = (found[-1].text or "").strip()
        if found[-1].get("Condition") or "$(" in text:
            raise CannotTellError(self.path, name)
        return text or None

    @property
    def frameworks(self) -> tuple[str, ...]:
        """`TargetFramework` or `TargetFrameworks`."""
        text = self.setting("TargetFramework") or self.setting("TargetFrameworks") or ""
        return tuple(name for name in text.split(";") if name)

    @property
    def assembly(self) -> tuple[str, Place]:
        """The name of the .dll. Raises CannotTellError."""
        said = self.setting("AssemblyName")
        stem = posixpath.basename(self.path).rpartition(".")[0]
        return f"{said or stem}.dll", self.place("AssemblyName" if said else "file name")

    @property
    def references(self) -> tuple[str, ...]:
        """Other projects, as paths in the context. Raises CannotTellError."""
        found: list[str] = []
        for group in children(self.root, "ItemGroup"):
            for entry in children(group, "ProjectReference"):
                written = (entry.get("Include") or "").replace("\\", "/")
                if not written or "$(" in written or "*" in written:
                    raise CannotTellError(self.path, f"ProjectReference {written}")
                found.append(posixpath.normpath(posixpath.join(self._folder, written)))
        return tuple(found)

    @property
    def packages(self) -> tuple[str, ...]:
        """Names of the packages it refers to."""
        groups = children(self.root, "ItemGroup")
        entries = (entry for group in groups for entry in children(group, "PackageReference"))
        return tuple(name for entry in entries if (name := entry.get("Include")))

    @property
    def _folder(self) -> str:
        return posixpath.dirname(self.path)


def read_dotnet_project(context: BuildContext, path: str) -> DotnetProject | None:
    """A project file; None when it is not there. Raises BrokenManifestError."""
    found = read_text(context, "", path)
    return DotnetProject(found[0], parse_xml(*found)) if found is not None else None


def read_solution(context: BuildContext, path: str) -> tuple[str, ...] | None:
    """The projects of a .sln, as paths in the context; None when it is not there."""
    found = read_text(context, "", path)
    if found is None:
        return None
    folder = posixpath.dirname(path)
    names = (match[1].replace("\\", "/") for match in _PROJECT_OF_SOLUTION.finditer(found[1]))
    return tuple(posixpath.normpath(posixpath.join(folder, name)) for name in names)


def shared_files(context: BuildContext, folder: str) -> tuple[str, ...]:
    """Files in a folder and above it that change how its projects are built."""
    found: list[str] = []
    while True:
        found += [p for name in _SHARED if context.is_file(p := posixpath.join(folder, name))]
        if not folder:
            return tuple(found)
        folder = posixpath.dirname(folder)
