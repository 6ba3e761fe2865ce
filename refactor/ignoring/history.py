"""Whether anybody wants to know the repository's state, and who.

Sources: git-scm.com/docs (which commands read a repository), go.dev/doc (cmd/go, `-buildvcs`: the
state is put into the program where both git and a repository are there).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import load_object, table
from dockerfix.context.sources import TooManyFilesError, read_sources
from dockerfix.effects.instructions import effects_of
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.script import Command
from dockerfix.transform import Workspace

#: Files that tell how the program is built, and may ask git.
_BUILD_FILES = (
    *("package.json", "pyproject.toml", "setup.py", "setup.cfg", "Makefile", "Cargo.toml"),
    *("build.rs", "pom.xml", "build.gradle", "build.gradle.kts", "version.sh", "Rakefile"),
    *(
        ".goreleaser.yml",
        "next.config.js",
        "vite.config.js",
        "vite.config.ts",
        "docusaurus.config.js",
    ),
    *("Directory.Build.props", "vue.config.js", "webpack.config.js", "magefile.go", "Taskfile.yml"),
)
_ASKS_GIT = pattern(
    r"\bgit\s+(?:describe|rev-parse|log|show|rev-list|tag|submodule|status|pull|fetch|diff)\b"
    r"|setuptools[-_]scm|versioneer|hatch-vcs|git-commit-id|vergen|MinVer|GitVersion"
    r"|dynamic-versioning|dunamai|git-rev|git-revision|gitpython|nebula.release|pbr\b|flit_scm"
    r"|git-version|simple-git|GitInfo|gix\b|git2\b|shadow-rs|Nerdbank|SourceLink|-X\s+\S*[Cc]ommit"
    r"|-buildvcs=true"
)
#: `.git` as a path, not as the end of an address.
_GIT_FOLDER = pattern(r"(?<![\w-])\.git(?![\w-])")
#: Programs, and what they run, that ask for it themselves.
_SOURCE_ASKS = pattern(
    r"[\"'`\s(]git[\"'`\s]\s*,|[\"'`]git\s+\w|\b(?:import|from|require\(.)\s*[\"']?git\b|simple-git"
    r"|(?<![\w-])\.git[\"'/]|\bgo-git\b|\bReadBuildInfo\b"
)
_SOURCES = (".py", ".js", ".ts", ".mjs", ".cjs", ".go", ".rb", ".php", ".sh", ".java", ".kt", ".rs")
_NOT_RUN = frozenset(("node_modules", "vendor", "target", "dist", "docs"))
#: What git is asked for that needs no repository to be there.
_NEEDS_NONE = frozenset(("clone", "init", "ls-remote", "lfs", "version", "--version"))


def who_asks_for_history(workspace: Workspace, context: BuildContext) -> str:
    """The step, build file or program that wants to know the repository's state; "" for none."""
    for instruction in workspace.dockerfile.instructions:
        if instruction.keyword in ("RUN", "COPY", "ADD") and _asks(instruction, workspace):
            return f"line {instruction.line}"
    folders = ("", *_copied_folders(workspace))
    paths = [posixpath.join(folder, name) for folder in folders for name in _BUILD_FILES]
    paths += [*_scripts(workspace, context), *_projects(workspace)]
    found = next((path for path in paths if _ASKS_GIT.search(context.read(path) or "")), "")
    if found or not _brings_git(workspace):
        return found
    return _source_that_asks(context)


def _asks(instruction: Instruction, workspace: Workspace) -> bool:
    code = instruction.code
    if _ASKS_GIT.search(code) or _GIT_FOLDER.search(code):
        return True
    run = workspace.run(instruction) if instruction.keyword == "RUN" else None
    if run is None:
        return instruction.keyword == "RUN" and "git" in code.split()
    return any(_reads_repository(command) for command in run.script.commands())


def _reads_repository(command: Command) -> bool:
    if command.literal_name != "git":
        return False
    words = [word.text for word in command.words[1:]]
    action = next((word for word in words if word != "-c" and not word.startswith("-")), "")
    settings = action == "config" and any(word in ("--global", "--system") for word in words)
    return not settings and action not in _NEEDS_NONE


def _brings_git(workspace: Workspace) -> bool:
    """Whether a step installs git: the program, or what builds it, may call it."""
    return any(
        package.action == "install" and any(word.text == "git" for word in package.packages)
        for instruction in workspace.dockerfile.instructions
        if instruction.keyword == "RUN" and (run := workspace.run(instruction)) is not None
        for command in run.script.commands()
        if (package := read_package_command(command)) is not None
    )


def _source_that_asks(context: BuildContext) -> str:
    try:
        for path, text in read_sources(context, "", _is_source, _NOT_RUN.__contains__):
            if _SOURCE_ASKS.search(text):
                return path
    except TooManyFilesError:
        return "a program of many files, for which git is installed"
    return ""


def _is_source(name: str) -> bool:
    return name.endswith(_SOURCES)


def _projects(workspace: Workspace) -> Iterator[str]:
    """The project files of .NET that an install of the file reads, whatever they are called."""
    if not workspace.mentions("dotnet"):
        return
    for instruction in workspace.dockerfile.instructions:
        step = effects_of(instruction, workspace).step if instruction.keyword == "RUN" else None
        for call in step.calls if step is not None else ():
            files = call.install.files if call.install is not None else ()
            yield from (path for path in files if path.endswith("proj"))


def _scripts(workspace: Workspace, context: BuildContext) -> Iterator[str]:
    """The files of the context that steps, and the scripts of package.json, name."""
    texts = [i.code for i in workspace.dockerfile.instructions if i.keyword == "RUN"]
    manifest = load_object(context.read("package.json"))
    texts += [str(value) for value in table(manifest or {}, "scripts").values()]
    words = (word.strip("\"'();&").removeprefix("./") for text in texts for word in text.split())
    named = (word for word in dict.fromkeys(words) if "." in word and not word.startswith("/"))
    return (word for word in named if context.is_file(word))


def _copied_folders(workspace: Workspace) -> list[str]:
    words = (
        word.strip("./")
        for i in workspace.dockerfile.instructions
        if i.keyword == "COPY" and i.flag("from") is None
        for word in i.arguments[:-1]
    )
    return [word for word in dict.fromkeys(words) if word and "$" not in word and "*" not in word]
