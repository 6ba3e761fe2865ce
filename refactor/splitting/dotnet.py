"""Programs for .NET: the folder that `dotnet publish` fills.

Sources: learn.microsoft.com ("dotnet publish", "Tutorial: Containerize a .NET app", "ASP.NET Core
fundamentals": the content root is the directory that the program is started in), the Dockerfiles of
dotnet/dotnet-docker (what the SDK's image sets in another way than the runtime's).
"""

from __future__ import annotations

import posixpath

from dockerfix.context.build_context import BuildContext
from dockerfix.context.sources import read_sources
from dockerfix.effects.reach import is_within
from dockerfix.knowledge.runtime_images import dotnet_major, dotnet_runtime
from dockerfix.patterns import pattern
from dockerfix.splitting.dotnet_output import FIRST_WITH_RELEASE, PROJECT, folder_at, publish_folder
from dockerfix.splitting.entry_files import entry_files
from dockerfix.splitting.missing_programs import missing_programs
from dockerfix.splitting.named_files import data_beside, holds_data
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.transform import Evidence

_RUNS = pattern(r"\bProcess\.Start\(|\bnew ProcessStartInfo\b")
_SOURCE = (".cs", ".fs", ".vb")
_OF_BUILD = pattern(
    r"bin|obj|out|publish|Properties|.*\.(?:cs|fs|vb|csproj|fsproj|vbproj|sln|slnx|user|props"
    r"|targets|md|http)|\..*|Dockerfile.*|(?:docker-)?compose.*|LICENSE.*|global\.json|k8s|helm"
    r"|[Nn]u[Gg]et\.[Cc]onfig|packages\.lock\.json|tests?|azure-pipelines.*"
)


def plan_dotnet(program: Program) -> Plan | None:
    """How it is split; None when nothing is published. Raises NotSplitError."""
    publishes = [c for _, c in program.calls("build") if c.words[:2] == ("dotnet", "publish")]
    if not publishes:
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    publish = publishes[-1]
    if dotnet_runtime(program.base, is_web=True) is None:
        raise NotSplitError("no runtime image of the same version is known", program.base)
    output = publish_folder(publish, program, context)
    name = _entry(program, output)
    is_web = _is_web(context)
    base = dotnet_runtime(program.base, is_web) or program.base
    _check_calls(program, context)
    return Plan(
        base,
        tuple((path, path) for path in _paths(program, context, output)),
        "the .NET SDK, its packages and the sources",
        (Evidence(" ".join(publish.words), f"fills {output}, from which {name} runs"),),
        extra=tuple(_settings(program, is_web)),
        calls_none=True,
    )


def _entry(program: Program, output: str) -> str:
    words = program.entry.main
    by_host = words[0] == "dotnet" and len(words) > 1 and words[1].endswith(".dll")
    if words[0] == "dotnet" and not by_host:
        raise NotSplitError("the entry runs no published program", " ".join(words[:2]))
    path = posixpath.normpath(posixpath.join(program.folder, words[1] if by_host else words[0]))
    if posixpath.dirname(path) != output:
        raise NotSplitError("the entry is not what is built", path)
    return posixpath.basename(path)


def _check_calls(program: Program, context: BuildContext) -> None:
    for path, text in read_sources(context, "", _is_source, _is_skipped):
        if _RUNS.search(text):
            raise NotSplitError("the program calls others", path)
    missing = missing_programs(program)
    if missing:
        raise NotSplitError("the program calls others, which the image lacks", missing[0])


def _is_web(context: BuildContext) -> bool:
    """Whether any project answers http; a project that cannot be read may."""
    found = read_sources(context, "", lambda name: name.endswith(PROJECT), _is_skipped)
    return any(".Web" in text or "AspNetCore" in text or not text for _, text in found)


# What the program finds


def _paths(program: Program, context: BuildContext, output: str) -> tuple[str, ...]:
    """What is published, and what the program may read where it is started."""
    paths = [output]
    if output != program.folder:
        root = folder_at(program.folder, program, context)
        beside = data_beside(context, root, _is_of_build) if root is not None else ()
        names = [n for n in beside if not _is_folder_of_sources(context, root or "", n)]
        paths += [posixpath.join(program.folder, name) for name in names]
        paths += entry_files(program)
    paths = list(dict.fromkeys(paths))
    return tuple(p for p in paths if not any(p != o and is_within(p, o) for o in paths))


def _is_of_build(name: str) -> bool:
    return bool(_OF_BUILD.fullmatch(name))


def _is_folder_of_sources(context: BuildContext, root: str, name: str) -> bool:
    """Whether a folder is a project, or holds nothing but sources."""
    path = posixpath.join(root, name)
    if not context.is_folder(path):
        return False
    project = any(inner.endswith(PROJECT) for inner in context.names(path))
    return project or not holds_data(
        context, path, lambda n: n.endswith((*_SOURCE, ".cshtml", ".razor"))
    )


def _settings(program: Program, is_web: bool) -> list[str]:
    """What the SDK's image sets in another way than the runtime's."""
    keyword = program.workspace.style.keyword
    lines: list[str] = []
    known = program.variables
    if "alpine" in program.base and "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT" not in known:
        lines.append(f"{keyword('RUN')} apk add --no-cache icu-data-full icu-libs tzdata")
        lines.append(f"{keyword('ENV')} DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=false")
    major = dotnet_major(program.base) or FIRST_WITH_RELEASE
    name = "ASPNETCORE_HTTP_PORTS" if major >= FIRST_WITH_RELEASE else "ASPNETCORE_URLS"
    said = bool({"ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS"} & set(known))
    if is_web and not said and "--urls" not in " ".join(program.entry.main):
        lines.append(f'{keyword("ENV")} {name}=""')
    return lines


def _is_source(name: str) -> bool:
    return name.endswith(_SOURCE)


def _is_skipped(name: str) -> bool:
    return name in ("bin", "obj", "node_modules") or name.lower().endswith(("tests", "test"))
