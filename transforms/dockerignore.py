"""dockerignore: what the image must not hold stays out of the build context."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.copies import read_copy
from dockerfix.ignore_file import add_patterns, is_kept_out_of_git
from dockerfix.installs.read import install_words
from dockerfix.patterns import pattern
from dockerfix.syntax.tree import Instruction
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

#: What shows that a folder is the root of a repository: `.git` is there in a clone.
_OF_REPOSITORY = (".git", ".gitignore", ".gitattributes", ".github", ".gitlab-ci.yml")
#: Files that tell how the program is built, and may ask git.
_BUILD_FILES = (
    *("package.json", "pyproject.toml", "setup.py", "setup.cfg", "Makefile", "Cargo.toml"),
    *("build.rs", "pom.xml", "build.gradle", "build.gradle.kts", "version.sh", "Rakefile"),
    *(".goreleaser.yml", "next.config.js", "vite.config.js", "vite.config.ts"),
)
_ASKS_GIT = pattern(
    r"\bgit\s+(?:describe|rev-parse|log|show|rev-list|tag|config|submodule)\b|setuptools[-_]scm"
    r"|versioneer|hatch-vcs|git-commit-id|vergen|MinVer|GitVersion|dynamic-versioning|dunamai"
    r"|git-rev|git-revision|gitpython|nebula.release|pbr\b|flit_scm|git-version|simple-git"
)
#: What an install leaves beside the sources, and what it belongs to.
_DEPENDENCIES = {
    "node_modules": frozenset(("npm", "yarn", "pnpm", "bun")),
    ".venv": frozenset(("pip", "uv", "poetry", "pipenv")),
    "venv": frozenset(("pip", "uv", "poetry", "pipenv")),
    "env": frozenset(("pip", "uv", "poetry", "pipenv")),
}
#: Those that are there as soon as somebody works in the folder.
_EXPECTED = ("node_modules", ".venv")
#: Settings with secrets of whoever builds; not where git holds them.
_SECRETS = (".env", ".env.local", ".env.development.local", ".env.production.local")
#: Leftovers of tools, which no program reads.
_LEFTOVERS = (
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nyc_output", "coverage", ".idea"),
    *(".vscode", ".DS_Store", ".gradle", "npm-debug.log", "yarn-error.log", ".terraform"),
)


class DockerIgnore(Transform):
    """Keep the repository's history, the host's dependencies and its secrets out of the context.

    Only where a COPY brings the whole folder, and only what the folder really holds, or will hold
    when somebody works in it.

    Build context:
        .gitignore: node_modules/
        package.json: {}
        package-lock.json: {}
        .dockerignore: *.md

    Before:
        FROM node:22
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        CMD ["node", "index.js"]

    After:
        FROM node:22
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        CMD ["node", "index.js"]
    """

    name = "dockerignore"
    level = Level.REVIEW

    def apply(self, workspace: Workspace) -> _Found:
        """Look at the context of a file that copies all of it."""
        context = workspace.context
        copy = _whole_copy(workspace)
        if context is None or copy is None:
            return
        missing: list[str] = []
        evidence: list[Evidence] = []
        for name, fact in _unwanted(workspace, context):
            if context.ignore_rules.ignores(name) or _is_named(name, workspace, context):
                continue
            missing.append(name)
            evidence.append(Evidence(name, fact))
        if not missing:
            return
        if any(line.lets_in for line in context.ignore_rules.patterns):
            yield Declined("the ignore file lets paths in again", copy.line)
            return
        file = add_patterns(missing, context)
        yield Change(
            f"`{copy.argument_text}` copies {', '.join(f'`{name}`' for name in missing[:3])}",
            f"List {'it' if len(missing) == 1 else 'them'} in `{file.path}`",
            (),
            copy.line,
            Level.REVIEW,
            tuple(evidence),
            files=(file,),
        )


def _whole_copy(workspace: Workspace) -> Instruction | None:
    """The first COPY that brings the whole context."""
    for instruction in workspace.dockerfile.instructions:
        if instruction.keyword not in ("COPY", "ADD") or instruction.flag("from") is not None:
            continue
        if workspace.dockerfile.stage_of(instruction) is None:
            continue
        if any(copied.source == "." for copied in read_copy(instruction, workspace) or ()):
            return instruction
    return None


def _unwanted(workspace: Workspace, context: BuildContext) -> Iterator[tuple[str, str]]:
    """What should stay out, and why; names as they stand in the ignore file."""
    if any(context.exists(name) for name in _OF_REPOSITORY) and not _asks_git(workspace, context):
        yield ".git", "the repository's history; nothing in the build asks for it"
    tools = _tools(workspace)
    for name, owners in _DEPENDENCIES.items():
        expected = name in _EXPECTED or context.exists(name)
        if expected and not owners.isdisjoint(tools) and is_kept_out_of_git(name, context):
            yield name, f"made anew by {sorted(owners & tools)[0]}; git ignores it"
    for name in _SECRETS:
        if context.exists(name) and is_kept_out_of_git(name, context):
            yield name, "settings of whoever builds; git ignores it"
    for name in _LEFTOVERS:
        if context.exists(name):
            yield name, "a leftover of a tool"


def _tools(workspace: Workspace) -> set[str]:
    """The tools that install dependencies in this file."""
    found: set[str] = set()
    for stage in workspace.dockerfile.stages:
        for instruction in stage.instructions:
            run = workspace.run(instruction)
            for command in run.script.commands() if run else ():
                words = install_words(command)
                if words is not None:
                    found.add(words[0])
    return found


def _asks_git(workspace: Workspace, context: BuildContext) -> bool:
    """Whether a step or a build file wants to know the repository's state."""
    if any(
        "git" in i.code.split() or _ASKS_GIT.search(i.code) or ".git" in i.code
        for i in workspace.dockerfile.instructions
        if i.keyword in ("RUN", "COPY", "ADD")
    ):
        return True
    return any(_ASKS_GIT.search(context.read(name) or "") for name in _BUILD_FILES)


def _is_named(name: str, workspace: Workspace, context: BuildContext) -> bool:
    """Whether a Dockerfile of this context counts on a path."""
    texts = [i.code for i in workspace.dockerfile.instructions if i.keyword in ("COPY", "ADD")]
    for other in context.names("."):
        if "dockerfile" in other.lower() and other != context.dockerfile:
            text = context.read(other) or ""
            texts += [line for line in text.splitlines() if line[:4].upper() in ("COPY", "ADD ")]
    return any(name in text.replace("/", " ").split() for text in texts)
