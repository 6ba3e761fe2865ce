"""What an install of dependencies reads, whatever the tool."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.image.copies import Copied, instructions_before, read_copy, source_of
from dockerfix.installs import dotnet, java, node, others, python
from dockerfix.installs.install import Install, Project, UnknownInstallError
from dockerfix.installs.words import DIRECTORY_OPTIONS, environment_of, install_family
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Workspace

#: The file by which a tool knows its project; pip is told by an option.
_MANIFESTS = {
    **dict.fromkeys(("npm", "yarn", "pnpm", "bun"), "package.json"),
    **dict.fromkeys(("poetry", "uv"), "pyproject.toml"),
    "pipenv": "Pipfile",
    "go": "go.mod",
    **dict.fromkeys(("mvn", "./mvnw"), "pom.xml"),
    "./gradlew": "gradlew",
    "cargo": "Cargo.toml",
    **dict.fromkeys(("bundle", "bundler"), "Gemfile"),
    "composer": "composer.json",
    "mix": "mix.exs",
    **dict.fromkeys(("dart", "flutter"), "pubspec.yaml"),
}


def read_install(
    words: tuple[str, ...], directory: str | None, before: Instruction, workspace: Workspace
) -> Install:
    """What an install reads that runs in an image directory just before an instruction.

    Raises UnknownInstallError when that cannot be told, or when the sources are among it.
    """
    context = workspace.context
    if context is None:
        raise UnknownInstallError("no build context to look at")
    if directory is None:
        raise UnknownInstallError("the directory is not known")
    words, directory = _settle(words, directory)
    if words[:2] == ("dotnet", "restore"):
        words, directory = _settle_restore(words, directory, before, workspace)
    home = _module_of(directory, before, workspace) if words[0] == "go" else directory
    project = Project(context, *_folder(words, home, before, workspace))
    if words[0] == "cargo":
        found = _read_rust(words, project, directory, before, workspace)
    else:
        found = _read(words, project, workspace)
    if words[0] == "dotnet":
        shared = _shared_above(home, before, workspace)
        found = found._replace(files=tuple(dict.fromkeys((*found.files, *shared))))
    return found._replace(folder=project.folder, directory=home, started_in=directory)


def _shared_above(directory: str, before: Instruction, workspace: Workspace) -> Iterator[str]:
    """What a restore reads in its directory and above it, wherever that was copied from."""
    place = directory
    while True:
        for name in dotnet.SHARED_BUILD_FILES:
            source = source_of(posixpath.join(place, name), before, workspace)
            if source is not None:
                yield source
        if place == "/":
            return
        place = posixpath.dirname(place)


def _module_of(directory: str, before: Instruction, workspace: Workspace) -> str:
    """The directory of the module in which `go` works: that of the next `go.mod` above it."""
    folder = directory
    while source_of(posixpath.join(folder, "go.mod"), before, workspace) is None:
        if folder == "/":
            return directory
        folder = posixpath.dirname(folder)
    return folder


def _settle(words: tuple[str, ...], directory: str) -> tuple[tuple[str, ...], str]:
    """The directory in which a command works when an option names another, and its words there."""
    option = DIRECTORY_OPTIONS.get(words[0])
    if option is not None:
        for index, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name == option:
                value = value if equals else words[index + 1] if index + 1 < len(words) else ""
                rest = (*words[:index], *words[index + (1 if equals else 2) :])
                return rest, posixpath.normpath(posixpath.join(directory, value))
    if words[0] == "cargo":
        from dockerfix.installs.rust_words import project_folder

        return words, posixpath.normpath(posixpath.join(directory, project_folder(words)))
    if words[0] in ("mvn", "./mvnw"):
        file = java.pom_of(words)
        if file:
            return words, posixpath.normpath(posixpath.join(directory, posixpath.dirname(file)))
    if words[0] == "pip" or words[:2] == ("uv", "pip"):
        manifest = _named_manifest(words)
        if manifest.startswith("/"):
            folder = posixpath.dirname(manifest)
            near = (
                posixpath.relpath(w, folder) if w.startswith(f"{folder}/") else w for w in words
            )
            return tuple(near), folder
    return words, directory


def _settle_restore(
    words: tuple[str, ...], directory: str, before: Instruction, workspace: Workspace
) -> tuple[tuple[str, ...], str]:
    """The same for a project in a folder below one into which nothing is copied itself."""
    named = [word for word in words[2:] if word.strip("\"'").endswith((".sln", "proj"))]
    folder = posixpath.dirname(named[0].strip("\"'")) if len(named) == 1 else ""
    if not folder:
        return words, directory
    try:
        _copied_folder(directory, before, workspace)
    except UnknownInstallError:
        near = posixpath.basename(named[0].strip("\"'"))
        words = tuple(near if word == named[0] else word for word in words)
        return words, posixpath.normpath(posixpath.join(directory, folder))
    return words, directory


def _read_rust(
    words: tuple[str, ...],
    project: Project,
    directory: str,
    before: Instruction,
    workspace: Workspace,
) -> Install:
    from dockerfix.installs.rust import Surroundings, read_rust

    def lies(path: str) -> bool:
        inner = posixpath.relpath(path, project.folder or ".")
        place = posixpath.normpath(posixpath.join(directory, inner))
        return source_of(place, before, workspace) == path

    stage = workspace.dockerfile.stage_of(before)
    root = stage.lineage[0] if stage is not None else None
    base = (root.resolved_base or root.base) if root is not None else ""
    return read_rust(words, project, Surroundings(lies, base, workspace.dockerfile.code, directory))


def _read(words: tuple[str, ...], project: Project, workspace: Workspace) -> Install:
    match install_family(words):
        case "node":
            return node.read_node_install(words, project)
        case "python":
            return python.read_python_install(words, project, workspace.dockerfile.code)
        case _:
            return others.read_other_install(words, project, workspace.dockerfile.code)


def _folder(
    words: tuple[str, ...], directory: str, before: Instruction, workspace: Workspace
) -> tuple[str, str]:
    """The folder of the context that lies in a directory of the image, and the one copied."""
    if words[0] == "dotnet":
        return _dotnet_folder(words, directory, before, workspace)
    named = words[:2] == ("uv", "pip") or words[0] not in _MANIFESTS
    manifest = _named_manifest(words) if named else _MANIFESTS[words[0]]
    source = source_of(posixpath.join(directory, manifest), before, workspace)
    if source is None or not f"/{source}".endswith(f"/{manifest}"):
        raise UnknownInstallError("a manifest is not in the build context", manifest)
    return source[: -len(manifest)].rstrip("/"), ""


def _dotnet_folder(
    words: tuple[str, ...], directory: str, before: Instruction, workspace: Workspace
) -> tuple[str, str]:
    """The folder whose project is named; else the one of what was copied last."""
    named = next((posixpath.normpath(w) for w in words[2:] if w.endswith(dotnet.TARGETS)), None)
    if named is not None and not named.startswith(("/", "..")):
        source = source_of(posixpath.join(directory, named), before, workspace)
        if source is not None and f"/{source}".endswith(f"/{named}"):
            folder = source[: -len(named)].rstrip("/")
            copied = _copied_folder(directory, before, workspace)
            return copied if copied[0] == folder else (folder, folder)
    return _copied_folder(directory, before, workspace)


def _copied_folder(directory: str, before: Instruction, workspace: Workspace) -> tuple[str, str]:
    """The folder of the context that lies in a directory, and the one that was copied."""
    context = workspace.context
    for instruction in instructions_before(workspace.dockerfile, before):
        if instruction.keyword not in ("COPY", "ADD") or context is None:
            continue
        for copied in read_copy(instruction, workspace) or ():
            inner = posixpath.relpath(directory, copied.destination)
            folder = posixpath.normpath(posixpath.join(copied.source, inner))
            if not inner.startswith("..") and context.is_folder(folder):
                return _below_root(folder), _below_root(copied.source)
            for source in context.find(copied.source):
                place = _folder_of_file(source, copied, directory)
                if place is not None and context.is_file(source):
                    return place, place
    raise UnknownInstallError("a manifest is not in the build context", directory)


def _folder_of_file(source: str, copied: Copied, directory: str) -> str | None:
    """The folder that lies in a directory, where one of its files was copied to its own place."""
    inner = posixpath.relpath(copied.destination, directory)
    folder = posixpath.dirname(source)
    if not copied.into_folder or inner.startswith(".."):
        return None
    if inner == ".":
        return folder
    if folder == inner or folder.endswith(f"/{inner}"):
        return folder[: -len(inner)].rstrip("/")
    return None


def _below_root(folder: str) -> str:
    return "" if folder == "." else folder


def _named_manifest(words: tuple[str, ...]) -> str:
    """The requirements file that pip is given, or the environment that conda is."""
    if words[1:2] == ("env",):
        return posixpath.normpath(environment_of(words))
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-r", "--requirement"):
            return posixpath.normpath(following)
        if word.startswith("--requirement="):
            return posixpath.normpath(word.partition("=")[2])
        if word.startswith("-r"):
            return posixpath.normpath(word[2:])
    raise UnknownInstallError("a manifest is not named")
