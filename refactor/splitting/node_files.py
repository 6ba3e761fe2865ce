"""What of a built program is read at run time: the compiler's output alone, where that is shown."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockerfix.context.json_files import table
from dockerfix.context.node_outputs import Outputs
from dockerfix.context.usage.usage import usage_of
from dockerfix.effects.reach import NOTHING, is_within
from dockerfix.knowledge.node_packages import OPENS_NO_FILES
from dockerfix.patterns import pattern
from dockerfix.splitting.node_base import OF_IMAGE, dependencies
from dockerfix.splitting.node_command import (
    NodeProject,
    built_files,
    main_file_evidence,
    script_of,
)
from dockerfix.splitting.plan import Program, written
from dockerfix.transform import Evidence

#: Ways to files: modules that open them, places that are asked for, servers of folders, views.
_OPENS = pattern(
    r"['\"`](?:node:)?(?:fs|fs/promises|path|url|module|worker_threads|cluster|vm)['\"`]"
    r"|\b__dirname\b|\b__filename\b|\bimport\.meta\b|\bprocess\.(?:cwd|chdir|loadEnvFile|dlopen)\b"
    r"|\b(?:static|serveStatic|sendFile|download|render|staticPlugin|useStaticAssets)\s*\("
    r"|\b(?:require|import)\(\s*[^'\"`\s]|\brequire\.resolve|\bcreateRequire\b|\bviews?\b\s*['\"]"
    r"|\.env\b(?=['\"`])|\b(?:cert|key|root|dir|directory|path|filename|file)\s*:\s*['\"`]\.{0,2}/"
)
_RELATIVE = pattern(
    r"(?:\brequire\(|\bimport\(|\bfrom\s*|\bimport\s+)\s*['\"`](\.{1,2}(?:/[^'\"`]*)?)['\"`]"
)
_ADDRESS = pattern(r"\w+://[^\s'\"]*")
_NAMES_FILE = pattern(r"[\w./-]+\.(?:[cm]?js|sh|json|env|ya?ml)\b")


def needed_files(program: Program, project: NodeProject) -> tuple[tuple[str, ...], Evidence] | None:
    """Image paths that the program reads, and why no others; None where that is not shown."""
    made = built_files(program, project)
    folder = output_folder(made, project)
    if folder is None or project.is_workspace or made.unknown:
        return None
    if project.directory != program.folder:
        return None
    main = main_file_evidence(program, project)
    if main is None or main.source not in made.files:
        return None
    if any(_makes_files(program)) or usage_of(program.workspace.context).commands:
        return None
    if not _names_only(program, project, folder) or not _opens_nothing(project, made):
        return None
    paths = (*_at_root(program), f"{program.folder}/node_modules", f"{program.folder}/{folder}")
    fact = f"no source and no dependency opens a file; {folder} is what the compiler makes"
    return paths, Evidence("package.json and the sources", fact)


def needs_more(program: Program) -> bool:
    """Whether steps, health checks or other files of the repository name files of the program."""
    commands = usage_of(program.workspace.context).commands
    return bool(commands) or any(_makes_files(program)) or any(checked_files(program))


def checked_files(program: Program) -> Iterator[str]:
    """Files that a health check names."""
    services = usage_of(program.workspace.context).services
    checks = [i.code for i in program.stage.instructions if i.keyword == "HEALTHCHECK"]
    for text in (*checks, *(service.health for service in services)):
        yield from _NAMES_FILE.findall(_ADDRESS.sub("", text))


def _makes_files(program: Program) -> Iterator[str]:
    """Files that steps put beside the sources, without a build."""
    for step in program.steps:
        for call in step.calls:
            made = written(call) if call.kind in ("set-up", "fetch", "configure") else NOTHING
            if call.words[:1] not in (("mkdir",), ("chmod",), ("chown",)) and not made.everything:
                yield from (path for path in made.paths if is_within(path, program.folder))


def _at_root(program: Program) -> Iterator[str]:
    # It says which kind of modules the files are.
    yield f"{program.folder}/package.json"


def output_folder(made: Outputs, project: NodeProject) -> str | None:
    """The folder of all outputs, a name in the package's own folder; None where there is none."""
    inner = [posixpath.relpath(path, project.folder or ".") for path in made.files]
    first = {path.partition("/")[0] for path in inner}
    if len(first) != 1 or "/" not in inner[0]:
        return None
    return first.pop()


def _names_only(program: Program, project: NodeProject, folder: str) -> bool:
    """Whether the entry and the health check name nothing but outputs."""
    for call in program.entry.calls:
        name = posixpath.basename(call[0])
        if name not in OF_IMAGE or name == "docker-entrypoint.sh":
            return False
        if name == "node" and not _is_plain_call(call, folder):
            return False
    named = checked_files(program)
    settings = project.manifest.get("imports") or project.manifest.get("_moduleAliases")
    return not settings and all(name.lstrip("./").startswith(f"{folder}/") for name in named)


def _is_plain_call(words: tuple[str, ...], folder: str) -> bool:
    script = script_of(words)
    if script is None or not posixpath.normpath(script).startswith(folder):
        return False
    others = [word for word in words[1:] if word != script]
    return not any(re.search(r"[/.]|^--(?:env-file|import|require|loader)", w) for w in others)


def _opens_nothing(project: NodeProject, made: Outputs) -> bool:
    wanted = dependencies(project)
    if not all(name in OPENS_NO_FILES or name.startswith("@types/") for name in wanted):
        return False
    if table(project.manifest, "peerDependencies"):
        return False
    compiled = {why.partition(" of ")[2].partition(" (")[0] for why in made.files.values()}
    stems = {re.sub(r"\.(?:d\.)?[cm]?[jt]sx?$", "", path) for path in compiled}
    stems |= compiled | {posixpath.join(project.folder, "package.json")}
    for path, text in project.sources:
        if path not in compiled:
            continue
        if _OPENS.search(text) or any(
            not _is_compiled(path, name, stems) for name in _RELATIVE.findall(text)
        ):
            return False
    return True


def _is_compiled(path: str, name: str, stems: set[str]) -> bool:
    """Whether a relative import means a file that the compiler takes along."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    stem = re.sub(r"\.[cm]?jsx?$", "", target)
    return bool({target, stem, f"{stem}/index"} & stems)
