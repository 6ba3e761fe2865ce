"""Development dependencies of uv and poetry, which the stage that runs can do without.

Sources: docs.astral.sh/uv ("Managing dependencies": the group `dev` comes by default, `--no-dev`
leaves it out), python-poetry.org/docs/managing-dependencies (`--only main` since 1.2, `--no-dev`
before), the `package` tables of uv.lock and poetry.lock.
"""

from __future__ import annotations

import posixpath
import re
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.pyproject import PyProject, canonical, read_pyproject
from dockerfix.context.manifests.reading import (
    BrokenManifestError,
    Table,
    table_at,
    texts_at,
)
from dockerfix.context.python_source import read_python_source
from dockerfix.context.sources import TooManyFilesError, read_sources
from dockerfix.context.usage.repository import script_lines
from dockerfix.context.usage.usage import repository_of
from dockerfix.knowledge.python_packages import (
    distributions_of,
    is_development_tool,
    is_loaded_when_present,
)
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import IN_EVERY_IMAGE
from dockerfix.splitting.plan import Call, Program, Step
from dockerfix.splitting.python_calls import PROGRAMS
from dockerfix.splitting.python_environment import installer_of, python_calls
from dockerfix.splitting.python_packages import named_packages
from dockerfix.syntax.edits import Edit
from dockerfix.transform import Evidence

#: Options, and variables, by which the file says itself which groups it wants.
_CHOOSES = pattern(
    r"--(?:\w+-)*(?:dev|groups?|only|with|without)\b|--only-|--all-groups|--dev-only"
)
_CHOOSING_VARIABLE = pattern(r"\bUV_(?:NO_)?(?:DEV|GROUP|DEFAULT_GROUPS)\b|\bPOETRY_ONLY\b")
#: An import behind another statement of its line.
_INLINE_IMPORT = pattern(r"[;:][ \t]*(?:import|from)[ \t]+([\w.]+)")
#: What runs a command in a container, variables that may stand for it among them.
_IN_CONTAINER = r"(?:docker|podman|compose|kubectl|\$[({]?\w+[)}]?).*\b(?:run|exec)\b"
_NOT_RUN = frozenset(("node_modules", "tests", "test", "venv", "env", "docs", "site-packages"))
_OF_TESTS = pattern(r"conftest\.py|test_.*\.py|.*_test\.py|noxfile\.py")
#: The first poetry with groups.
_FIRST_WITH_GROUPS = (1, 2)


@dataclass(frozen=True, slots=True)
class Production:
    """How the installs leave development dependencies out; nothing where they stay."""

    edits: tuple[Edit, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class _Groups:
    """What is installed, by names as PyPI compares them."""

    #: What the development groups name, and production does not bring.
    development: frozenset[str]
    #: What production brings.
    kept: frozenset[str]
    #: What only the development groups bring.
    removed: frozenset[str]


def without_development(program: Program, context: BuildContext) -> Production:
    """The options that leave development dependencies out, where nothing that runs needs them.

    That is so when all that the groups name are tools for development, and every import of the
    sources is known to be of Python, of the program or of production.
    """
    installs = [pair for pair in python_calls(program) if _brings_groups(pair[1])]
    code = program.workspace.dockerfile.code
    if not installs or _CHOOSING_VARIABLE.search(code):
        return Production()
    if any(_CHOOSES.search(" ".join(call.words)) for _, call in installs):
        return Production()
    locks = {_lock(call) for _, call in installs}
    path = locks.pop() if len(locks) == 1 else None
    manifest = read_pyproject(context, posixpath.dirname(path)) if path is not None else None
    if path is None or manifest is None or manifest.is_uv_workspace:
        return Production()
    tool = installer_of(installs[0][1])
    option = "--no-dev" if tool == "uv" else _poetry_option(program, manifest)
    groups = _read_groups(manifest, _development(manifest, tool or ""), context.read(path) or "")
    if option is None or groups is None or not _is_proved(groups, manifest, program, context):
        return Production()
    fact = f"nothing that runs imports {', '.join(sorted(groups.development))}"
    edits = tuple(_insert(step, call, option) for step, call in installs)
    return Production(edits, (Evidence(manifest.path, fact),))


def _brings_groups(call: Call) -> bool:
    return call.kind == "install" and call.words[:2] in (("uv", "sync"), ("poetry", "install"))


def _insert(step: Step, call: Call, option: str) -> Edit:
    return step.run.insert(call.command.words[1].end, f" {option}")


def _lock(call: Call) -> str | None:
    files = call.install.files if call.install is not None else ()
    names = (path.rstrip("*") for path in files)
    return next((p for p in names if posixpath.basename(p) in ("uv.lock", "poetry.lock")), None)


def _poetry_option(program: Program, manifest: PyProject) -> str | None:
    """By the version of poetry; None when that is not known."""
    if table_at(manifest.tool("poetry"), "group"):
        return "--only main"
    named = [p for _, call in python_calls(program) for p in named_packages(call)]
    found = next((package for package in named if package.name == "poetry"), None)
    written = [w for _, call in python_calls(program) for w in call.words if w.startswith("poetry")]
    if found is None or any("$" in word for word in written):
        return None
    numbers = tuple(int(part) for part in re.findall(r"\d+", found.version)[:2])
    return "--no-dev" if numbers and numbers < _FIRST_WITH_GROUPS else "--only main"


# What the groups bring


def _development(manifest: PyProject, tool: str) -> frozenset[str] | None:
    """What is installed beside production; None when that is not said plainly."""
    groups = table_at(manifest.data, "dependency-groups")
    settings = manifest.tool("uv")
    if tool == "uv":
        plain = all(isinstance(entry, str) for entry in _entries(groups.get("dev")))
        if not plain or settings.get("default-groups", ["dev"]) != ["dev"]:
            return None
        old = frozenset(_names(texts_at(settings, "dev-dependencies")))
        return old | frozenset(manifest.groups.get("dev", ()) if "dev" in groups else ())
    if groups:
        return None
    of_poetry = table_at(manifest.tool("poetry"), "group")
    wanted = [t for t in of_poetry.values() if isinstance(t, dict) and not t.get("optional")]
    found = {canonical(name) for group in wanted for name in table_at(group, "dependencies")}
    old_names = table_at(manifest.tool("poetry"), "dev-dependencies")
    return frozenset(found | {canonical(name) for name in old_names})


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _names(requirements: tuple[str, ...]) -> Iterator[str]:
    for text in requirements:
        match = re.match(r"\s*([A-Za-z0-9][\w.-]*)", text)
        if match:
            yield canonical(match[1])


def _read_groups(
    manifest: PyProject, development: frozenset[str] | None, lock: str
) -> _Groups | None:
    """What a lock says of the groups; None when nothing would be left out."""
    try:
        entries = tomllib.loads(lock).get("package", [])
    except tomllib.TOMLDecodeError:
        return None
    needs = _needs(entries)
    kept = _closure(manifest.dependencies, needs)
    alone = (development or frozenset()) - kept
    own = canonical(manifest.name or "")
    return _Groups(alone, kept, frozenset(needs) - kept - {own}) if alone else None


def _needs(entries: list[Table]) -> Mapping[str, set[str]]:
    """What each package of a lock needs in any case."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        written = entry.get("dependencies", [])
        names = found.setdefault(canonical(str(entry.get("name", ""))), set())
        if isinstance(written, dict):
            names |= {canonical(name) for name, spec in written.items() if not _is_optional(spec)}
        else:
            names |= {canonical(str(needed.get("name", ""))) for needed in written}
    return found


def _is_optional(spec: object) -> bool:
    return isinstance(spec, dict) and spec.get("optional") is True


def _closure(roots: tuple[str, ...], needs: Mapping[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return frozenset(found)


# Whether anything needs them


def _is_proved(
    groups: _Groups, manifest: PyProject, program: Program, context: BuildContext
) -> bool:
    try:
        return _is_unneeded(groups, manifest, program, context)
    except (BrokenManifestError, TooManyFilesError):
        return False


def _is_unneeded(
    groups: _Groups, manifest: PyProject, program: Program, context: BuildContext
) -> bool:
    if not all(is_development_tool(name) for name in groups.development):
        return False
    if any(is_loaded_when_present(name) for name in groups.removed):
        return False
    called = [program.workspace.dockerfile.code, *program.entry.scripts]
    called += [" ".join(call) for call in program.entry.calls]
    tools = _spelled(groups.development)
    if any(re.search(rf"(?<![\w-])(?:{tools})(?![\w-])", text) for text in called):
        return False
    quoted = re.compile(rf"[\"'](?:{_spelled(groups.removed)})\b")
    root = posixpath.dirname(manifest.path)
    sources = list(read_sources(context, root, _is_run, _NOT_RUN.__contains__))
    own = {
        part for path, _ in sources for part in _own_modules(posixpath.relpath(path, root or "."))
    }
    in_container = re.compile(rf"{_IN_CONTAINER}.*(?<![\w-])(?:{tools})(?![\w-])")
    if any(in_container.search(line) for line in script_lines(repository_of(context))):
        return False
    if not all(_is_brought(call, groups.kept, own, manifest) for call in program.entry.calls):
        return False
    return not any(
        quoted.search(text) or set(_foreign(path, text, sources, own, groups))
        for path, text in sources
    )


def _spelled(names: Collection[str]) -> str:
    return "|".join(re.escape(name).replace(r"\-", "[-_.]") for name in sorted(names))


def _is_run(name: str) -> bool:
    return name.endswith(".py") and not _OF_TESTS.fullmatch(name)


def _own_modules(path: str) -> Iterator[str]:
    """What a source can be imported as from the program's folder, or from its `src`."""
    parts = path.removesuffix(".py").split("/")
    yield parts[0]
    yield from parts[1:2] if parts[0] == "src" else ()


def _foreign(
    path: str, text: str, sources: list[tuple[str, str]], own: set[str], groups: _Groups
) -> Iterator[str]:
    """Modules that a source imports and that are not known to be of production."""
    folder = posixpath.dirname(path)
    beside = {posixpath.basename(p)[:-3] for p, _ in sources if posixpath.dirname(p) == folder}
    modules = set(read_python_source(path, text).top_modules)
    modules |= {match[1].partition(".")[0] for match in _INLINE_IMPORT.finditer(text)}
    for module in modules - {""} - sys.stdlib_module_names:
        brought = not groups.kept.isdisjoint(distributions_of(module))
        is_own = module in own | beside and canonical(module) not in groups.removed
        if not brought and not is_own:
            yield module


def _is_brought(
    call: tuple[str, ...], kept: frozenset[str], modules: set[str], manifest: PyProject
) -> bool:
    """Whether a program that the entry calls is there without development dependencies."""
    name = posixpath.basename(call[0])
    if name in ("poetry", "uv", "pipenv"):
        return False
    if name.startswith("python"):
        module = call[call.index("-m") + 1 :][:1] if "-m" in call else ()
        top = module[0].partition(".")[0] if module else ""
        known = canonical(top) in kept or top in sys.stdlib_module_names | modules
        return "-c" not in call and (not module or known)
    own = name in manifest.scripts or name.endswith((".py", ".sh")) or name in IN_EVERY_IMAGE
    return own or (PROGRAMS.get(name) or canonical(name)) in kept
