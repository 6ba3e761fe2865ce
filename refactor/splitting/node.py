"""Services for Node.js: production dependencies, and what a build makes.

Sources: docs.npmjs.com (npm-prune, npm-ci `--omit`), classic.yarnpkg.com (`--production`),
pnpm.io/cli/prune, the Dockerfiles of docker-library/node (the slim image holds npm and yarn 1).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import load_object, table
from dockerfix.context.sources import read_sources
from dockerfix.copies import origin_of
from dockerfix.knowledge.node_packages import NEEDS_SYSTEM, PROGRAM_OF
from dockerfix.knowledge.runtime_images import slim_sibling
from dockerfix.lock_installs import NotLockedError, node_major
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import IN_EVERY_IMAGE, dependency_stage, needs_programs
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step
from dockerfix.syntax.edits import Edit, insert_after
from dockerfix.transform import Evidence

_TOOLS = ("npm", "yarn", "pnpm")
_IMPORT = pattern(
    r"(?:\brequire(?:\.resolve)?\(|\bimport\(|\bfrom\s*|\bimport\s+)\s*['\"`]((?:@[\w.-]+/)?[\w.-]+)"
)
_CALLS = pattern(r"['\"](?:node:)?child_process['\"]")
_SOURCE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_NOT_RUN = pattern(r".*\.(?:test|spec|stories|config|d)\.[cm]?[jt]sx?|gulpfile.*|Gruntfile.*")
_NOT_RUN_FOLDERS = frozenset(
    (
        *("node_modules", "test", "tests", "__tests__", "__mocks__", "spec", "e2e", "cypress"),
        *("docs", "examples", "coverage", "dist", "build", "out", "public"),
    )
)
#: Programs of the image itself.
_OF_IMAGE = frozenset(("node", "nodejs", "npm", "npx", "yarn", "docker-entrypoint.sh"))
#: From npm 8 (Node.js 16) on the option is `--omit=dev`.
_FIRST_NODE_WITH_OMIT = 16


def plan_node(program: Program) -> Plan | None:
    """How it is split; None when no dependencies of Node.js are installed. Raises NotSplitError."""
    installs = [
        (step, call)
        for step, call in program.calls("install")
        if posixpath.basename(call.words[0]) in _TOOLS
    ]
    if not installs:
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    if len(installs) != 1:
        raise NotSplitError("several installs of dependencies")
    manifest, root = _manifest(program, context)
    _check_main(program, manifest)
    sources = list(_sources(context, root))
    base, base_evidence = _base(program, manifest, sources)
    left = _left_behind(program, manifest, sources, installs[0][1])
    builds = list(program.calls("build"))
    if base == program.base and not left and not any(_build_packages(program)):
        return None
    evidence = (*base_evidence, *left)
    gain = "development dependencies, caches and build tools"
    if builds:
        return _whole_folder(program, base, builds[-1][0], installs[0][1], bool(left), evidence)
    step, call = installs[0]
    option = _production_option(program, step, call) if left else ""
    return dependency_stage(
        program, (step, call), base, f"{program.folder}/node_modules", option, gain, evidence
    )


def _build_packages(program: Program) -> Iterator[str]:
    from dockerfix.knowledge.system_packages import is_for_building

    for _, call in program.calls("packages"):
        yield from (word for word in call.words if is_for_building(word))


def _manifest(program: Program, context: BuildContext) -> tuple[dict[str, Any], str]:
    path = origin_of(f"{program.folder}/package.json", program.stage, program.workspace)
    data = load_object(context.read(path)) if path else None
    if data is None or path is None:
        raise NotSplitError("no manifest in the build context", "package.json")
    if data.get("workspaces"):
        raise NotSplitError("a workspace of several packages")
    return data, posixpath.dirname(path)


def _check_main(program: Program, manifest: dict[str, Any]) -> None:
    words = program.entry.main
    name = posixpath.basename(words[0])
    known = {**table(manifest, "dependencies"), **table(manifest, "optionalDependencies")}
    package = PROGRAM_OF.get(name)
    if name in ("node", "nodejs"):
        for word, following in zip(words, (*words[1:], ""), strict=True):
            if word in ("-r", "--require", "--loader", "--import"):
                if not following.startswith(".") and _root_name(following) not in known:
                    raise NotSplitError("the entry needs a development dependency", following)
            elif word in ("--watch", "--inspect", "--inspect-brk"):
                raise NotSplitError("a development image", word)
        return
    if package is None or package not in known or name in ("vite", "react-scripts", "nodemon"):
        raise NotSplitError("the entry is no plain call of node", " ".join(words[:3]))


def _root_name(module: str) -> str:
    parts = module.split("/")
    return "/".join(parts[:2]) if module.startswith("@") else parts[0]


def _sources(context: BuildContext, root: str) -> Iterator[tuple[str, str]]:
    """Path and text of the sources that may run; `next.config.js` and its like do."""
    return read_sources(context, root, _may_run, _NOT_RUN_FOLDERS.__contains__)


def _may_run(name: str) -> bool:
    configures = name.startswith(("next.config", "nuxt.config"))
    return name.endswith(_SOURCE) and (configures or not _NOT_RUN.fullmatch(name))


def _base(
    program: Program, manifest: dict[str, Any], sources: list[tuple[str, str]]
) -> tuple[str, tuple[Evidence, ...]]:
    """The slim image, where nothing needs more of the system; else the same one."""
    slim = slim_sibling(program.base)
    wanted = {*table(manifest, "dependencies"), *table(manifest, "optionalDependencies")}
    calls = any(_CALLS.search(text) for _, text in sources)
    if slim is None or slim == program.base or wanted & NEEDS_SYSTEM or calls:
        return program.base, ()
    if needs_programs(program, {*_OF_IMAGE, *PROGRAM_OF, *wanted}):
        return program.base, ()
    fact = "no dependency and no source calls other programs"
    return slim, (Evidence("package.json and the sources", fact),)


def _left_behind(
    program: Program, manifest: dict[str, Any], sources: list[tuple[str, str]], install: Call
) -> tuple[Evidence, ...]:
    """Evidence that development dependencies can stay behind; none when they cannot."""
    development = set(table(manifest, "devDependencies"))
    options = ("--production", "--omit=dev", "--prod", "-P", "--only=production", "--only=prod")
    settled = any(word in install.words for word in options)
    if not development or settled or _is_production_before(program, install):
        return ()
    for _, text in sources:
        used = {_root_name(match) for match in _IMPORT.findall(text)}
        if used & development:
            return ()
    if _calls_development_tool(program, manifest):
        return ()
    if {"prisma", "@prisma/client"} & {*development, *table(manifest, "dependencies")}:
        return ()
    fact = f"{len(development)} development dependencies, none of them imported by a source"
    return (Evidence("package.json: devDependencies", fact),)


def _calls_development_tool(program: Program, manifest: dict[str, Any]) -> bool:
    """Whether the entry calls a program that no production dependency brings along."""
    known = {**table(manifest, "dependencies"), **table(manifest, "optionalDependencies")}
    for call in program.entry.calls:
        name = posixpath.basename(call[0])
        if name == "npx":
            name = next((word for word in call[1:] if not word.startswith("-")), "")
        foreign = name not in _OF_IMAGE and name not in IN_EVERY_IMAGE
        if foreign and PROGRAM_OF.get(name, name) not in known:
            return True
    return False


def _is_production_before(program: Program, install: Call) -> bool:
    """Whether NODE_ENV keeps development dependencies out already."""
    step = next(step for step, call in program.calls("install") if call is install)
    stage = program.stage
    before = stage.instructions[: stage.index_of(step.instruction)]
    return any("NODE_ENV" in i.code and "production" in i.code for i in before)


def _whole_folder(
    program: Program,
    base: str,
    build: Step,
    install: Call,
    prunes: bool,
    evidence: tuple[Evidence, ...],
) -> Plan:
    """The folder as the build leaves it, without development dependencies."""
    edits: list[Edit] = []
    added: tuple[str, ...] = ()
    command = _prune(program, build, install) if prunes else ""
    if prunes and not command:
        evidence = evidence[:-1]
    if command:
        style = program.workspace.style
        line = f"{style.keyword('RUN')} {command}"
        edits.append(insert_after(build.instruction, line, style.newline))
        added = ("RUN",)
    if not command and base == program.base:
        raise NotSplitError("nothing would stay behind")
    return Plan(
        base,
        ((program.folder, program.folder),),
        "development dependencies, caches and build tools",
        evidence,
        tuple(edits),
        added,
    )


def _prune(program: Program, build: Step, install: Call) -> str:
    tool = posixpath.basename(install.words[0])
    if tool == "npm":
        old = _is_old(program, build)
        return "npm prune --production" if old else "npm prune --omit=dev"
    if tool == "pnpm":
        return "pnpm prune --prod"
    return ""


def _production_option(program: Program, step: Step, install: Call) -> str:
    tool = posixpath.basename(install.words[0])
    if tool == "npm":
        return " --production" if _is_old(program, step) else " --omit=dev"
    return " --prod" if tool == "pnpm" else " --production"


def _is_old(program: Program, step: Step) -> bool:
    try:
        major = node_major(step.run, program.workspace)
    except NotLockedError as error:
        raise NotSplitError("the version of npm is not known", program.base) from error
    return major is not None and major < _FIRST_NODE_WITH_OMIT
