"""Services for Node.js: production dependencies, and what a build makes.

Sources: docs.npmjs.com, classic.yarnpkg.com, pnpm.io, the Dockerfiles of docker-library/node.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import Json, load_object, table
from dockerfix.context.sources import read_sources
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import origin_of, read_copy
from dockerfix.installs.install import Install
from dockerfix.knowledge.node_packages import PROGRAM_OF
from dockerfix.knowledge.runtime_images import slim_sibling
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import dependency_stage
from dockerfix.splitting.next_standalone import standalone
from dockerfix.splitting.node_base import (
    Base,
    build_packages,
    calls_programs,
    entry_programs,
    runtime_base,
    without_npm,
)
from dockerfix.splitting.node_command import (
    MainCommand,
    NodeProject,
    main_command,
    script_of,
)
from dockerfix.splitting.node_deps import WHY, install_beside
from dockerfix.splitting.node_files import needed_files
from dockerfix.splitting.node_production import (
    is_modern_yarn,
    left_behind,
    production_option,
    prune_command,
    root_name,
    runs_scripts,
    why_kept,
    yarn_generation,
)
from dockerfix.splitting.node_sources import in_parts
from dockerfix.splitting.nuxt_output import nuxt_output
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step
from dockerfix.splitting.smaller_base import node_on_musl
from dockerfix.splitting.steps import tool_names
from dockerfix.transform import Evidence

_TOOLS = ("npm", "yarn", "pnpm")
_DEVELOPMENT_SERVERS = frozenset(
    ("vite", "react-scripts", "vue-cli-service", "ng", "nodemon", "nest", "tsc", "babel-node")
)
_RUNNERS = frozenset(("npm", "yarn", "pnpm", "corepack"))
_SOURCE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_NOT_RUN = pattern(r".*\.(?:test|spec|stories|config|d)\.[cm]?[jt]sx?|gulpfile.*|Gruntfile.*|\..*")
_NOT_RUN_FOLDERS = frozenset(
    (
        *("node_modules", "test", "tests", "__tests__", "__mocks__", "spec", "e2e", "cypress"),
        *("docs", "examples", "coverage", "dist", "build", "out", "public"),
    )
)
_TOOLS_STAY = "caches and build tools"
_GAIN = f"development dependencies, {_TOOLS_STAY}"


def plan_node(program: Program) -> Plan | None:
    """How it is split; None when no dependencies of Node.js are installed. Raises NotSplitError."""
    installs = [
        (step, call)
        for step, call in program.calls("install", "build")
        if posixpath.basename(call.words[0]) in _TOOLS
        and (call.kind == "install" or _installs_all(call))
    ]
    if not installs:
        return None
    if program.workspace.context is None:
        raise NotSplitError("no build context to look at")
    if program.folder == "/":
        raise NotSplitError("the program has no folder of its own")
    step, call = _own_install(program, installs)
    project = read_project(program, program.workspace.context, call)
    tools = frozenset(_tools(program, project))
    _check_main(program, project, tools)
    base = runtime_base(program, project)
    whole = _needs_folder(program, project, installs)
    is_modern = not whole and is_modern_yarn(program, project, call)
    # No option of an install of yarn 2 and later leaves them out.
    left = () if is_modern else left_behind(program, project, call)
    main = main_command(program, project)
    base = without_npm(program, base, main is not None)
    packages = build_packages(program, base)
    if base.image == program.base and not left and not _is_gain(program, packages):
        raise NotSplitError("nothing would stay behind", why_kept(program, project, call))
    evidence = (*base.evidence, *left)
    if whole:
        plan = _whole_folder(program, project, base, step, call, left)
    else:
        result = f"{project.directory}/node_modules"
        option = production_option(program, step, call) if left else ""
        gain = _GAIN if option else _TOOLS_STAY
        plan = dependency_stage(program, (step, call), base.image, result, option, gain, evidence)
        plan = with_manifest(program, project, plan, is_modern)
    plan = _completed(program, plan, base, main, tools)
    if not base.packages and base.image != program.base:
        plan = replace(plan, smaller=node_on_musl(program, project.folder, base.image))
    return standalone(program, project, plan) or nuxt_output(program, project, plan) or plan


def _installs_all(call: Call) -> bool:
    """Whether it is an install with a variable among its options."""
    rest = [word for word in call.words[1:] if not word.startswith("-")]
    return rest in (["ci"], ["install"], ["i"])


def _completed(
    program: Program, plan: Plan, base: Base, main: MainCommand | None, tools: frozenset[str]
) -> Plan:
    if main is None:
        _check_runner(program, tools)
    else:
        tools -= _RUNNERS
    return replace(
        plan,
        evidence=(*plan.evidence, *(main.evidence if main else ())),
        main=(main.instruction, main.words) if main else None,
        first=_install_lines(program, base.packages),
        tools=tools,
        unneeded=base.unneeded,
    )


def _is_gain(program: Program, packages: tuple[str, ...]) -> bool:
    """Whether packages that stay behind are worth a stage: a full image holds such ones anyway."""
    return bool(packages) and slim_sibling(program.base) in (None, program.base)


def with_manifest(
    program: Program, project: NodeProject, plan: Plan, needs_all: bool = False
) -> Plan:
    """The plan with the manifest in the image that runs, as no COPY of the sources brings it."""
    if not plan.moved:
        raise NotSplitError("no sources are copied")
    path = f"{project.directory}/package.json"
    copied = [c for copy in plan.moved for c in read_copy(copy, program.workspace) or ()]
    source = posixpath.normpath(posixpath.join(project.folder, "package.json"))
    if any(c.source == "." or is_within(source, c.source) for c in copied):
        return plan
    if needs_all:
        raise NotSplitError("files of yarn's own are not among the sources")
    return replace(plan, copies=((path, path), *plan.copies))


def _install_lines(program: Program, packages: tuple[str, ...]) -> tuple[str, ...]:
    if not packages:
        return ()
    style = program.workspace.style
    commands = [
        "apt-get update",
        f"apt-get install -y --no-install-recommends {' '.join(packages)}",
        "rm -rf /var/lib/apt/lists/*",
    ]
    return (f"{style.keyword('RUN')} {style.join_commands(commands)}",)


# What there is


def read_project(program: Program, context: BuildContext, install: Call) -> NodeProject:
    """The package that an install works on. Raises NotSplitError when it cannot be read."""
    directory = install.directory or program.folder
    path = origin_of(f"{directory}/package.json", program.stage, program.workspace)
    manifest = load_object(context.read(path)) if path else None
    if manifest is None or path is None:
        raise NotSplitError("no manifest in the build context", "package.json")
    folder = posixpath.dirname(path)
    inner = posixpath.relpath(directory, program.folder)
    root = folder if inner == "." else folder.removesuffix(inner).rstrip("/")
    others = [
        load_object(context.read(name)) or {}
        for name in _workspace_manifests(install.install, path)
    ]
    is_workspace = bool(manifest.get("workspaces") or others)
    if is_workspace and not others:
        raise NotSplitError("a workspace of several packages")
    development = {name for data in (manifest, *others) for name in table(data, "devDependencies")}
    production = {name for data in (manifest, *others) for name in table(data, "dependencies")}
    return NodeProject(
        manifest,
        folder,
        directory,
        root,
        tuple(read_sources(context, root, _may_run, _is_not_run)),
        frozenset(development - production),
        is_workspace,
    )


def _workspace_manifests(install: Install | None, own: str) -> Iterator[str]:
    for path in install.files if install is not None else ():
        if path.endswith("/package.json") and path != own:
            yield path


def _is_not_run(folder: str) -> bool:
    """Whether a folder holds nothing that runs: tests, outputs, settings of tools."""
    return folder in _NOT_RUN_FOLDERS or folder.startswith(".")


def _may_run(name: str) -> bool:
    configures = name.startswith(("next.config", "nuxt.config"))
    return name.endswith(_SOURCE) and (configures or not _NOT_RUN.fullmatch(name))


def _own_install(program: Program, installs: list[tuple[Step, Call]]) -> tuple[Step, Call]:
    """The install of the package that runs."""
    own = [(step, call) for step, call in installs if call.directory == program.folder]
    if not own:
        main = posixpath.normpath(
            posixpath.join(program.folder, script_of(program.entry.main) or "")
        )
        own = [(s, c) for s, c in installs if c.directory and is_within(main, c.directory)]
        if any(not is_within(c.directory or "/", program.folder) for _, c in own):
            own = []
    if len(own) != 1:
        raise NotSplitError("several installs of dependencies")
    return own[0]


def _needs_folder(
    program: Program, project: NodeProject, installs: list[tuple[Step, Call]]
) -> bool:
    """Whether the program's folder is more than its files and their dependencies."""
    return (
        any(program.calls("build"))
        or len(installs) > 1
        or project.is_workspace
        or any(runs_scripts(project.manifest))
        or installs[0][1].install is None
    )


# What runs


def _tools(program: Program, project: NodeProject) -> Iterator[str]:
    """Tools of the steps that run in the container."""
    installed = {name for _, call in program.calls("tool") for name in tool_names(call)}
    if calls_programs(project):
        yield from installed
        return
    manifest = project.manifest
    own = {**table(manifest, "dependencies"), **table(manifest, "optionalDependencies")}
    for name in entry_programs(program):
        package = PROGRAM_OF.get(name, name)
        if package in installed and package not in own:
            yield package


def _check_main(program: Program, project: NodeProject, tools: frozenset[str]) -> None:
    words = program.entry.main
    words = words[1:] if words[0] == "npx" and len(words) > 1 else words
    name = posixpath.basename(words[0])
    if words[1:2] in (("dev",), ("develop",)):
        raise NotSplitError("a development image", " ".join(words[:2]))
    manifest = project.manifest
    known = {**table(manifest, "dependencies"), **table(manifest, "optionalDependencies")}
    package = PROGRAM_OF.get(name)
    if name in ("node", "nodejs"):
        _check_options(words, known)
        return
    runs = package is not None and (package in known or package in tools)
    if not runs or name in _DEVELOPMENT_SERVERS:
        raise NotSplitError("the entry is no plain call of node", " ".join(words[:3]))


def _check_options(words: tuple[str, ...], known: Json) -> None:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-r", "--require", "--loader", "--import"):
            if not following.startswith(".") and root_name(following) not in known:
                raise NotSplitError("the entry needs a development dependency", following)
        elif word in ("--watch", "--inspect", "--inspect-brk"):
            raise NotSplitError("a development image", word)


def _check_runner(program: Program, tools: frozenset[str]) -> None:
    """The package manager that the entry calls has to be in the image that runs."""
    names = set(entry_programs(program))
    if "pnpm" in names and "pnpm" not in tools:
        raise NotSplitError("the entry calls pnpm, whose origin is not known")


# What is shipped


def _whole_folder(
    program: Program,
    project: NodeProject,
    base: Base,
    step: Step,
    install: Call,
    left: tuple[Evidence, ...],
) -> Plan:
    """The folder as the build leaves it, without development dependencies."""
    if posixpath.basename(install.words[0]) == "yarn":
        yarn_generation(program, project)
    command = ""
    if left and _ends_in_folder(program):
        command = prune_command(program, project, step, install)
        inner = posixpath.relpath(project.directory, program.folder)
        command = f"cd {inner} && {command}" if command and inner != "." else command
    packages = build_packages(program, base)
    if not command and base.image == program.base and not _is_gain(program, packages):
        raise NotSplitError("nothing would stay behind", why_kept(program, project, install))
    found = needed_files(program, project) if command or not left else None
    beside = install_beside(program, project, step, install) if command else None
    parts = in_parts(program, project, install, beside) if beside and not found else None
    paths, facts = found or ((program.folder,), None)
    if not found and beside:
        beside = parts.beside if parts else None
        paths = (*(beside.paths if beside else ()), program.folder)
    return Plan(
        base.image,
        tuple((path, path) for path in paths),
        _GAIN if command else _TOOLS_STAY,
        (
            *base.evidence,
            *(left if command else ()),
            *((facts,) if facts else ()),
            *((WHY,) if beside else ()),
            *((parts.evidence,) if parts else ()),
        ),
        files=parts.files if parts else (),
        last=(
            *((command,) if command and not beside else ()),
            *_other_dependencies(program, project),
        ),
        beside=beside,
    )


def _other_dependencies(program: Program, project: NodeProject) -> Iterator[str]:
    """Commands that take away what was only installed to build a page."""
    for _, call in program.calls("install"):
        if call.directory is None or posixpath.basename(call.words[0]) not in _TOOLS:
            continue
        inner = posixpath.relpath(call.directory, program.folder)
        builds = any(other.directory == call.directory for _, other in program.calls("build"))
        if inner == "." or inner.startswith("..") or not builds or not _ends_in_folder(program):
            continue
        mentions = pattern(rf"{re.escape(inner)}/(?:node_modules|src|server)")
        outside = (t for path, t in project.sources if f"{inner}/" not in path)
        if not any(mentions.search(text) for text in outside):
            yield f"rm -rf {inner}/node_modules"


def _ends_in_folder(program: Program) -> bool:
    """Whether the last step leaves the directory in which dependencies are taken away."""
    last = program.steps[-1].instruction
    return program.workspace.state(last).workdir == program.folder
