"""Development dependencies: whether they can stay behind, and the command that takes them away.

Sources: docs.npmjs.com (npm-prune: `--omit`, and `--production` before npm 8), classic.yarnpkg.com
(`yarn install --production` takes the others away; `--ignore-scripts` keeps it from running the
project's own scripts), yarnpkg.com/cli/workspaces/focus, pnpm.io/cli/prune.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockerfix.context.json_files import Json, table
from dockerfix.context.usage.usage import usage_of
from dockerfix.hygiene.lock_installs import NotLockedError, node_major
from dockerfix.knowledge.node_packages import BUILDERS, PROGRAM_OF
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import IN_EVERY_IMAGE
from dockerfix.splitting.missing_programs import installed_packages
from dockerfix.splitting.node_base import OF_IMAGE, entry_programs
from dockerfix.splitting.node_command import NodeProject
from dockerfix.splitting.plan import Call, NotSplitError, Program, Step
from dockerfix.syntax.nodes import Flag
from dockerfix.transform import Evidence

_IMPORT = pattern(
    r"(?:\brequire(?:\.resolve)?\(|\bimport\(|\bfrom\s*|\bimport\s+)\s*['\"`]((?:@[\w.-]+/)?[\w.-]+)"
)
#: Only the compiler looks at them.
_TYPES_ALONE = pattern(r"\b(?:import|export)\s+type\b[^;'\"`]*?\bfrom\s*['\"`][^'\"`]*['\"`]")
_SETTLED = ("--production", "--omit=dev", "--prod", "-P", "--only=production", "--only=prod")
#: Options of the install without which the same tree is not found again.
_CARRIED = ("--legacy-peer-deps", "--force", "-f", "--omit=optional", "--no-optional")
#: From npm 8 (Node.js 16) on the option is `--omit=dev`.
_FIRST_NODE_WITH_OMIT = 16
_FIRST_YARN_WITH_FOCUS = 4
_YARN = pattern(r"yarn@(\d+)\.")
_LINKER = pattern(r"^nodeLinker:\s*[\"']?node-modules", re.MULTILINE)
_SCRIPTS = ("preinstall", "install", "postinstall", "prepare")


def left_behind(program: Program, project: NodeProject, install: Call) -> tuple[Evidence, ...]:
    """Evidence that development dependencies can stay behind; none when they cannot."""
    development = project.development
    if not development or _is_settled(program, install) or why_kept(program, project, install):
        return ()
    fact = f"{len(development)} development dependencies, none of them imported by a source"
    return (Evidence("package.json: devDependencies", fact),)


def why_kept(program: Program, project: NodeProject, install: Call) -> str:
    """What in the program may need a development dependency; "" for nothing, or where none is."""
    development = set(project.development)
    if not development:
        return ""
    for path, text in project.sources:
        used = {root_name(match) for match in _IMPORT.findall(_TYPES_ALONE.sub("", text))}
        if used & development:
            return f"{path} imports {min(used & development)}, a development dependency"
        if path.endswith("next.config.ts") and "typescript" in development:
            return f"{path} is compiled at start"
    for command in usage_of(program.workspace.context).commands:
        named = development & set(command.text.split())
        if named:
            return f"a command of the repository calls {min(named)}, a development dependency"
    if _calls_development_tool(program, project) or _builds_at_start(program):
        return "the entry calls a development tool"
    if not _keeps_prisma(project, install):
        return "the client that prisma generates"
    return ""


def _keeps_prisma(project: NodeProject, install: Call) -> bool:
    """Whether the client that Prisma generates stays when others are taken away.

    It lies in node_modules/.prisma, which `npm prune` does not touch (tried with npm 6 to 11).
    """
    production = table(project.manifest, "dependencies")
    if not {"prisma", "@prisma/client"} & {*project.development, *production}:
        return True
    is_npm = posixpath.basename(install.words[0]) == "npm"
    return is_npm and "@prisma/client" in production


def root_name(module: str) -> str:
    """The package that a module belongs to."""
    parts = module.split("/")
    return "/".join(parts[:2]) if module.startswith("@") else parts[0]


def _is_settled(program: Program, install: Call) -> bool:
    """Whether a step leaves them out or takes them away already, or a build argument decides."""
    if any(word in install.words for word in _SETTLED) or "--omit" in install.words:
        return True
    if any(call.words[1:2] == ("prune",) for step in program.steps for call in step.calls):
        return True
    step = next(step for step in program.steps if install in step.calls)
    before = program.stage.instructions[: program.stage.index_of(step.instruction)]
    settings = [i for i in before if "NODE_ENV" in i.code and i.keyword in ("ENV", "ARG")]
    assigned = any(a.name == "NODE_ENV" for a in install.command.assignments)
    return assigned or any(_may_be_production(i.code, i.keyword) for i in settings)


def _may_be_production(code: str, keyword: str) -> bool:
    return "production" in code or "$" in code or keyword == "ARG"


def _calls_development_tool(program: Program, project: NodeProject) -> bool:
    """Whether the entry calls a program that no production dependency brings along."""
    manifest = project.manifest
    known = {**table(manifest, "dependencies"), **table(manifest, "optionalDependencies")}
    tools = {name for _, call in program.calls("tool") for name in call.words}
    others = OF_IMAGE | IN_EVERY_IMAGE | {"pnpm", *installed_packages(program)}
    if "oven/bun" in program.base:
        others |= {"bun", "bunx"}
    for name in entry_programs(program):
        if name in others:
            continue
        package = PROGRAM_OF.get(name, name)
        if package not in known and package not in tools:
            return True
    return False


def _builds_at_start(program: Program) -> bool:
    """Whether the entry compiles: that reads types and plug-ins which no source names."""
    return any(
        posixpath.basename(word) in BUILDERS or word == "build"
        for call in program.entry.calls
        for word in call[:3]
        if not word.startswith("-")
    )


def prune_command(program: Program, project: NodeProject, step: Step, install: Call) -> str:
    """The command that takes development dependencies away; "" where none is known to."""
    tool = posixpath.basename(install.words[0])
    carried = "".join(f" {word}" for word in install.words if word in _CARRIED)
    if tool == "npm":
        option = "--omit=dev" if _knows_omit(program, step) else "--production"
        return f"npm prune {option}{carried}"
    if tool == "pnpm":
        return "" if project.is_workspace else "CI=true pnpm prune --prod --ignore-scripts"
    mounts = "".join(
        f"--{flag.name}={flag.value} " for flag in step.instruction.flags if _is_setting(flag)
    )
    found = _yarn_command(program, project)
    return f"{mounts}{found}" if found else ""


def _is_setting(flag: Flag) -> bool:
    """Whether it mounts a cache, or what the registry asks for."""
    kinds = ("type=cache", "type=secret", "type=ssh")
    return flag.name == "mount" and (flag.value or "").startswith(kinds)


def _yarn_command(program: Program, project: NodeProject) -> str:
    generation = yarn_generation(program, project)
    if generation == 1:
        locked = _has(program, project, "yarn.lock")
        frozen = " --frozen-lockfile" if locked else ""
        return f"yarn install --production{frozen} --ignore-scripts --prefer-offline"
    return focus_command(program, project)


def focus_command(program: Program, project: NodeProject) -> str:
    """The command of yarn 2 and later that leaves out development dependencies; "" without one."""
    scripts = table(project.manifest, "scripts")
    generation = yarn_generation(program, project)
    if generation < _FIRST_YARN_WITH_FOCUS or any(name in scripts for name in _SCRIPTS):
        return ""
    return "yarn workspaces focus --all --production"


def yarn_generation(program: Program, project: NodeProject) -> int:
    """Major version of yarn. Raises NotSplitError for one that makes no node_modules."""
    context = program.workspace.context
    assert context is not None
    settings = context.read(posixpath.join(project.folder, ".yarnrc.yml"))
    match = _YARN.match(str(project.manifest.get("packageManager", "")))
    if settings is None and (match is None or match[1] == "1"):
        return 1
    if not _LINKER.search(settings or ""):
        raise NotSplitError("yarn makes no node_modules", ".yarnrc.yml")
    return int(match[1]) if match else 2


def is_modern_yarn(program: Program, project: NodeProject, install: Call) -> bool:
    """Whether yarn 2 or later installs: it knows none of the options of yarn 1."""
    is_yarn = posixpath.basename(install.words[0]) == "yarn"
    return is_yarn and yarn_generation(program, project) > 1


def _has(program: Program, project: NodeProject, name: str) -> bool:
    context = program.workspace.context
    return context is not None and context.sends(posixpath.join(project.folder, name))


def production_option(program: Program, step: Step, install: Call) -> str:
    """The option of the install that leaves development dependencies out."""
    tool = posixpath.basename(install.words[0])
    if tool == "npm":
        return " --omit=dev" if _knows_omit(program, step) else " --production"
    return " --prod" if tool == "pnpm" else " --production"


def _knows_omit(program: Program, step: Step) -> bool:
    if "$" in program.base:
        return False
    try:
        major = node_major(step.run, program.workspace)
    except NotLockedError:
        return False
    return major is None or major >= _FIRST_NODE_WITH_OMIT


def runs_scripts(manifest: Json) -> Iterator[str]:
    """The project's own scripts that an install runs."""
    scripts = table(manifest, "scripts")
    return (name for name in _SCRIPTS if scripts.get(name))
