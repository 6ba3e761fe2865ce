"""Programs in Python: an environment that is made in one stage and copied to the other.

Sources: docs.python.org/3/library/venv.html, docs.docker.com ("Multi-stage builds"),
docs.astral.sh/uv ("Using uv in Docker"), docs.djangoproject.com (collectstatic).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dockerfix.context.build_context import BuildContext
from dockerfix.context.sources import read_sources
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import read_copy
from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.python_packages import python_version
from dockerfix.knowledge.runtime_images import slim_sibling, uv_runtime
from dockerfix.knowledge.system_packages import runtime_packages
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import dependency_stage
from dockerfix.splitting.missing_programs import packages_left
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step
from dockerfix.splitting.python_calls import called_beside, check_places
from dockerfix.splitting.python_development import without_development
from dockerfix.splitting.python_environment import (
    Environment,
    installer_of,
    is_for_installing,
    python_calls,
    read_environment,
)
from dockerfix.splitting.python_interpreter import check_interpreter
from dockerfix.splitting.python_packages import (
    Package,
    check_packages,
    installed_packages,
    named_packages,
    needed_libraries,
    unknown_packages,
)
from dockerfix.splitting.python_runner import without_runner
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Evidence

#: Steps of the program that write into its own folder, or into the environment.
_OWN_STEPS = (
    *(("manage.py", name) for name in ("collectstatic", "compilemessages", "check")),
    *(("-m", name) for name in ("compileall", "spacy")),
    *(("setup.py", name) for name in ("build_ext", "install", "develop")),
)
_STATIC_ROOT = pattern(r"^\s*STATIC_ROOT\s*=\s*(.+)$", 8)
_OF_PROJECT = pattern(r"BASE_DIR|PROJECT|ROOT|__file__|Path\(|os\.path|^[\"'](?!/)")
#: The first Python with the module venv.
_FIRST_WITH_VENV = (3, 4)
_COMPILERS = frozenset(("gcc", "g++", "build-essential", "clang", "build-base", "alpine-sdk"))


@dataclass(frozen=True)
class _Facts:
    program: Program
    context: BuildContext
    environment: Environment
    packages: tuple[Package, ...]
    #: Whether the project itself is installed, or a step of it has run.
    whole: bool


def plan_python(program: Program) -> Plan | None:
    """How it is split; None when nothing is installed, or would stay behind.

    Raises NotSplitError.
    """
    calls = python_calls(program)
    if not any(not is_for_installing(call) for _, call in calls):
        return None
    others = [c for _, c in program.calls("install", "tool") if installer_of(c) is None]
    if others:
        raise NotSplitError("another installer than pip", others[0].words[0])
    uv = uv_runtime(program.base)
    if official_name(read_image(program.base).repository) != "python" and uv is None:
        raise NotSplitError("no image of Python's", program.base)
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    runs = program.entry.main[0]
    program, main = without_runner(program, context)
    version = python_version(read_image(uv or program.base).tag)
    if version is None or version < _FIRST_WITH_VENV:
        raise NotSplitError("the version of Python is not known", program.base)
    environment = read_environment(program, runs)
    if any(call.words[:2] == ("uv", "sync") for _, call in calls):
        check_interpreter(uv or program.base, context)
    packages, project = _packages(calls, context)
    check_places(program, context)
    check_packages(packages)
    steps = _own_steps(program, context)
    facts = _Facts(program, context, environment, packages, project or steps)
    plan = _plan(facts, uv or program.base)
    return replace(plan, main=main) if plan is not None else None


def _plan(facts: _Facts, base: str) -> Plan | None:
    program = facts.program
    slim, libraries, evidence = _base(facts, base)
    building = packages_left(program, slim)
    tools = any(is_for_installing(call) and _is_tool(call) for _, call in python_calls(program))
    if slim == program.base and not building and not tools:
        return None
    lines = facts.environment.lines
    kept = {k for name in _system_packages(program) for k in runtime_packages(name, slim)}
    libraries = tuple(name for name in libraries if name not in kept)
    if libraries:
        install = f"apt-get install -y --no-install-recommends {' '.join(libraries)}"
        commands = ["apt-get update", install, "rm -rf /var/lib/apt/lists/*"]
        style = program.workspace.style
        lines = (f"{style.keyword('RUN')} {style.join_commands(commands)}", *lines)
    gain = "compilers, headers and what the installs leave"
    production = without_development(program, facts.context)
    if production.edits:
        gain = f"development dependencies, {gain}"
    plan = _copied(facts, slim, gain, (*evidence, *production.evidence))
    edits = (*plan.edits, *production.edits)
    return replace(plan, extra=lines, calls_none=slim != base, edits=edits)


def _copied(facts: _Facts, base: str, gain: str, evidence: tuple[Evidence, ...]) -> Plan:
    program, environment = facts.program, facts.environment
    inside = is_within(environment.path, program.folder)
    if (facts.whole or inside) and program.folder == "/":
        raise NotSplitError("the program has no folder of its own")
    if facts.whole or inside:
        paths = [program.folder] if inside else [environment.path, program.folder]
        copies = tuple((path, path) for path in paths)
        return Plan(base, copies, gain, evidence, environment.edits, environment.added)
    installs = [(s, c) for s, c in python_calls(program) if c.kind == "install"]
    if not installs:
        return Plan(
            base,
            ((environment.path, environment.path),),
            gain,
            evidence,
            environment.edits,
            environment.added,
            moved=_all_copies(program),
        )
    return dependency_stage(
        program,
        installs[-1],
        base,
        environment.path,
        "",
        gain,
        evidence,
        environment.edits,
        environment.added,
    )


def _all_copies(program: Program) -> tuple[Instruction, ...]:
    """The COPY instructions, which no step needs."""
    for copy in program.copies:
        directory = program.workspace.state(copy).workdir
        if read_copy(copy, program.workspace) is None or directory != program.folder:
            raise NotSplitError("a COPY that cannot be followed", f"line {copy.line}")
    return program.copies


# What is installed, and what the program does while it is built


def _packages(
    calls: tuple[tuple[Step, Call], ...], context: BuildContext
) -> tuple[tuple[Package, ...], bool]:
    """All packages, and whether the project itself is among them."""
    found: list[Package] = []
    project = False
    for _, call in calls:
        if is_for_installing(call):
            continue
        if call.kind == "install" and call.install is not None:
            found += installed_packages(call, context)
            # A command that only fetches is needed where the project itself is installed.
            project = project or bool(call.install.fetch)
        elif call.kind == "install":
            project = True
        named = (
            []
            if call.kind == "install" and installer_of(call) != "pip"
            else list(named_packages(call))
        )
        project = project or any(_is_path(package) for package in named)
        found += [package for package in named if not _is_path(package)]
    return tuple(found), project


def _is_path(package: Package) -> bool:
    return package.is_direct and "://" not in package.name and package.name.startswith((".", "/"))


def _own_steps(program: Program, context: BuildContext) -> bool:
    """Whether steps of the program have run. Raises NotSplitError for one that is not known."""
    builds = [call for _, call in program.calls("build")]
    for call in builds:
        words = tuple(word for word in call.words if not word.startswith("--"))
        if words[1:3] not in _OWN_STEPS or call.directory is None:
            raise NotSplitError("a step runs the program while it is built", call.text)
        if words[2] == "collectstatic":
            _check_static_root(context)
    return bool(builds)


def _check_static_root(context: BuildContext) -> None:
    """Static files have to be gathered in the program's folder."""
    roots = [
        match[1]
        for _, text in read_sources(context, "", _is_source, _never)
        for match in _STATIC_ROOT.finditer(text)
    ]
    if not roots or not all(_OF_PROJECT.search(root.strip()) for root in roots):
        raise NotSplitError("where static files are gathered is not known")


def _is_source(name: str) -> bool:
    return name.endswith(".py")


def _never(name: str) -> bool:
    return name in ("node_modules", "venv")


def _system_packages(program: Program) -> tuple[str, ...]:
    from dockerfix.splitting.missing_programs import installed_packages as of_system

    return of_system(program)


def _is_tool(call: Call) -> bool:
    """Whether a command brings more than pip's own parts: `pip install poetry`."""
    own = ("pip", "setuptools", "wheel")
    return any(package.name not in own for package in named_packages(call))


# The image


def _base(facts: _Facts, base: str) -> tuple[str, tuple[str, ...], tuple[Evidence, ...]]:
    """The image to run on, the packages that it lacks, and why."""
    slim = slim_sibling(base)
    if slim is None:
        if not packages_left(facts.program, base):
            raise NotSplitError("the slim image of the release is not known", base)
        return base, (), (Evidence(base, "the image stays the same"),)
    if slim == base:
        return base, _of_unknown(facts, base), (Evidence(base, "the image stays the same"),)
    libraries = needed_libraries(facts.packages, base, slim)
    names = frozenset(package.name for package in facts.packages)
    called = called_beside(facts.program, facts.context, names)
    if called is not None:
        raise NotSplitError("the program calls others, which the slim image may lack", called)
    fact = f"{len(names)} packages, all of which bring along what they need"
    if libraries:
        fact = f"{len(names)} packages, which need {', '.join(libraries)}"
    return slim, libraries, (Evidence("requirements", fact),)


def _of_unknown(facts: _Facts, base: str) -> tuple[str, ...]:
    """What a compiler may link a package with that is not known."""
    if "alpine" in base or not unknown_packages(facts.packages):
        return ()
    compilers = _COMPILERS.intersection(_system_packages(facts.program))
    return ("libgomp1",) if compilers else ()
