"""Where `dotnet publish` puts a program.

Source: learn.microsoft.com, "dotnet publish" (`bin/<configuration>/<framework>/publish`).
"""

from __future__ import annotations

import posixpath

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.dotnet import DotnetProject, read_dotnet_project
from dockerfix.context.manifests.reading import CannotTellError
from dockerfix.image.copies import read_copy
from dockerfix.knowledge.runtime_images import dotnet_major
from dockerfix.splitting.plan import Call, NotSplitError, Program

PROJECT = (".csproj", ".fsproj", ".vbproj")
#: From this version on `dotnet publish` makes a release, and images say the port, not the address.
FIRST_WITH_RELEASE = 8
_VALUED = frozenset(
    (
        *("-c", "--configuration", "-o", "--output", "-r", "--runtime", "-f", "--framework"),
        *("-v", "--verbosity", "--os", "-a", "--arch", "--version-suffix", "--manifest"),
    )
)


def publish_folder(publish: Call, program: Program, context: BuildContext) -> str:
    """The image path of the folder that is filled. Raises NotSplitError."""
    words, directory = publish.words, publish.directory
    if directory is None or any("$" in word for word in words):
        raise NotSplitError("where the program is published is not known")
    said = _option(words, "-o", "--output")
    if said is not None:
        return posixpath.normpath(posixpath.join(directory, said))
    place = posixpath.normpath(posixpath.join(directory, *_operands(words)[:1]))
    if place.endswith(PROJECT):
        place = posixpath.dirname(place)
    project = _project(place, program, context)
    if project is None or _option(words, "-r", "--runtime") is not None:
        raise NotSplitError("where the program is published is not known")
    try:
        frameworks = project.frameworks
    except CannotTellError as error:
        raise NotSplitError("where the program is published is not known") from error
    if len(frameworks) != 1:
        raise NotSplitError("where the program is published is not known", project.path)
    major = dotnet_major(program.base) or 0
    default = "Release" if major >= FIRST_WITH_RELEASE else "Debug"
    configuration = _option(words, "-c", "--configuration") or default
    return posixpath.join(place, "bin", configuration, frameworks[0], "publish")


def folder_at(place: str, program: Program, context: BuildContext) -> str | None:
    """The folder of the context that lies at an image path."""
    for copy in reversed(program.copies):
        for copied in read_copy(copy, program.workspace) or ():
            inner = posixpath.relpath(place, copied.destination)
            folder = posixpath.normpath(posixpath.join(copied.source, inner))
            if not inner.startswith("..") and context.is_folder(folder):
                return "" if folder == "." else folder
    return None


def _operands(words: tuple[str, ...]) -> list[str]:
    """The project, the solution or the folder that is named."""
    found: list[str] = []
    takes_value = False
    for word in words[2:]:
        if not takes_value and not word.startswith(("-", "/p:")):
            found.append(word.replace("\\", "/"))
        takes_value = word in _VALUED
    return found


def _project(place: str, program: Program, context: BuildContext) -> DotnetProject | None:
    """The only project in a folder of the image."""
    folder = folder_at(place, program, context)
    if folder is None:
        return None
    names = [name for name in context.names(folder or ".") if name.endswith(PROJECT)]
    if len(names) != 1:
        return None
    return read_dotnet_project(context, posixpath.join(folder, names[0]))


def _option(words: tuple[str, ...], *names: str) -> str | None:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else following
    return None
