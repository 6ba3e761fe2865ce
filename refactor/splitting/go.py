"""Programs in Go: one binary, and the files that the program opens.

Sources: pkg.go.dev/net ("Name Resolution") on what cgo links, pkg.go.dev/time ("LoadLocation": it
looks in the tool chain's own zoneinfo.zip last), go.dev/doc (cmd/link).
"""

from __future__ import annotations

import posixpath

from dockerfix.context.manifests.go_mod import read_go_mod
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import origin_of
from dockerfix.knowledge.go_modules import unknown_modules
from dockerfix.knowledge.runtime_images import system_of
from dockerfix.knowledge.system_packages import is_for_building
from dockerfix.packages import read_package_command
from dockerfix.splitting.entry_files import entry_files
from dockerfix.splitting.go_builds import GoBuild, go_builds
from dockerfix.splitting.go_sources import GoSources, is_of_go, read_go_sources
from dockerfix.splitting.missing_programs import installed_packages, missing_programs
from dockerfix.splitting.named_files import copied_by_name
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.splitting.smaller_base import CERTIFICATES, without_shell
from dockerfix.transform import Evidence

#: Every image of golang has it, whatever its system; /usr/share/zoneinfo is only in some.
_ZONES = "/usr/local/go/lib/time/zoneinfo.zip"
_SYSTEM_ZONES = "/usr/share/zoneinfo"
_DISTROLESS = "gcr.io/distroless/static-debian12"
#: Packages without a part in the program, apart from data that is copied.
_DATA = frozenset(("ca-certificates", "tzdata", "git", "upx", "openssh-client", "bash", "curl"))
#: Where a program is looked for on every system.
_ON_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
#: Where an image of golang looks besides.
_GO_PATH = ("/go/bin", "/usr/local/go/bin")


def plan_go(program: Program) -> Plan | None:
    """How it is split; None when it is no program in Go. Raises NotSplitError."""
    if "golang" not in program.base and not any(
        call.words[:1] == ("go",) for _, call in program.calls("build", "install")
    ):
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    builds = list(go_builds(program))
    if not builds:
        raise NotSplitError("the entry is not what is built", program.entry.main[0])
    build, target = _runs(program, builds)
    manifest = origin_of(f"{program.folder}/go.mod", program.stage, program.workspace)
    root = posixpath.dirname(manifest) if manifest is not None else None
    sources = read_go_sources(context, root, program.folder)
    if not sources.has_main:
        raise NotSplitError("no source of the program can be read")
    if sources.calls_programs:
        raise NotSplitError("the program calls others")
    base, why = _base(program, build, sources)
    copies = _data(program, base, sources)
    copies += [(b.binary, target if b is build else b.binary) for b in builds]
    copies += [*_files(program, sources), *((path, path) for path in entry_files(program))]
    return Plan(
        base,
        tuple(_without_inner(copies)),
        "the Go tool chain and the sources",
        (Evidence(" ".join(build.call.words), f"makes {build.binary}, which is what runs"), why),
        calls_none=True,
        bare=base in ("scratch", _DISTROLESS),
        unneeded=_unneeded(program, base),
        smaller=without_shell(program, base) if _is_bare(program) else None,
    )


def _runs(program: Program, builds: list[GoBuild]) -> tuple[GoBuild, str]:
    """The program that runs, and where it has to lie to be found."""
    word = program.entry.main[0]
    if "/" in word:
        wanted = [posixpath.normpath(posixpath.join(program.folder, word))]
    else:
        wanted = [posixpath.join(place, word) for place in (*_GO_PATH, *_ON_PATH)]
    found = next((b for path in wanted for b in builds if b.binary == path), None)
    if found is None:
        raise NotSplitError("the entry is not what is built", word)
    outside = "/" not in word and posixpath.dirname(found.binary) not in _ON_PATH
    return found, f"/usr/local/bin/{word}" if outside else found.binary


def _files(program: Program, sources: GoSources) -> list[tuple[str, str]]:
    """What the program opens, where it looks for it: files it names, else its whole folder."""
    others = [c for _, c in program.calls("build", "install") if c.words[0] not in ("go", "make")]
    for call in others:
        if call.directory is None or not is_within(call.directory, program.folder):
            raise NotSplitError("another build beside the program's", call.text)
    names = None if others else sources.files
    if names is None and program.folder == "/":
        raise NotSplitError("the program has no folder of its own")
    if names is None:
        return [(program.folder, program.folder)]
    paths = [posixpath.join(program.folder, name) for name in names]
    paths += copied_by_name(program, _is_of_build, is_of_go)
    return [(path, path) for path in dict.fromkeys(paths)]


def _is_of_build(name: str) -> bool:
    return name.startswith(("Dockerfile", "Makefile", ".", "README", "LICENSE")) or name == "vendor"


def _without_inner(copies: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what lies in a folder that is copied as a whole."""
    return [
        (source, target)
        for source, target in dict.fromkeys(copies)
        if not any(
            is_within(source, other) and source != other and source == target for other, _ in copies
        )
    ]


# The image


def _base(program: Program, build: GoBuild, sources: GoSources) -> tuple[str, Evidence]:
    system = system_of(program.base)
    if system is None:
        raise NotSplitError("the system of the base image is not known", program.base)
    static = _static(program, build, sources)
    if static is not None and _is_bare(program):
        return ("scratch" if _needs_nothing(program, sources) else _DISTROLESS), static
    if not system.startswith("alpine"):
        missing = missing_programs(program)
        if missing:
            raise NotSplitError("the program calls others, which the image lacks", missing[0])
    return system, static or Evidence(program.base, f"stands on {system}, with the same libc")


def _static(program: Program, build: GoBuild, sources: GoSources) -> Evidence | None:
    """Why the binary needs no library; None when it may."""
    call = build.call
    assigned = {a.name: a.value.text if a.value else "" for a in call.command.assignments}
    cgo = assigned.get("CGO_ENABLED") or program.variables.get("CGO_ENABLED")
    text = " ".join(call.words)
    linked = "-linkshared" in text or "-buildmode" in text or "-linkmode" in text
    if cgo is None or cgo.strip("\"'") != "0" or linked or sources.uses_cgo:
        return None
    return Evidence("CGO_ENABLED=0", "no C in the sources: the binary needs no library")


def _is_bare(program: Program) -> bool:
    """Whether nothing but the program has to run: no shell, no package, no user to make."""
    for instruction in program.stage.instructions:
        if instruction.keyword in ("CMD", "ENTRYPOINT") and not instruction.is_exec_form:
            return False
        if instruction.keyword == "USER" and not instruction.argument_text.split(":")[0].isdigit():
            return False
        if instruction.keyword == "HEALTHCHECK" and instruction.argument_text.upper() != "NONE":
            return False
    if (
        len(program.entry.calls) != 1
        or program.entry.scripts
        or any(program.calls("set-up", "user", "configure"))
    ):
        return False
    return all(
        is_for_building(word.text) or word.text in _DATA
        for _, call in program.calls("packages")
        if (package := read_package_command(call.command)) is not None
        and package.action == "install"
        for word in package.packages
    )


def _unneeded(program: Program, base: str) -> frozenset[str]:
    """Packages that only the build used: the program calls none, and data are copied."""
    installed = installed_packages(program)
    if base in ("scratch", _DISTROLESS):
        return frozenset(installed)
    tools = {"git", "openssh-client", "upx", "bash", "make", "openssh"}
    scripts = " ".join((*program.entry.scripts, *(" ".join(c) for c in program.entry.calls)))
    checks = " ".join(i.code for i in program.stage.instructions if i.keyword == "HEALTHCHECK")
    return frozenset(name for name in installed if name in tools and name not in scripts + checks)


def _needs_nothing(program: Program, sources: GoSources) -> bool:
    """Whether the program runs in an image that holds nothing at all."""
    context = program.workspace.context
    assert context is not None
    module = read_go_mod(context, sources.root) if sources.root is not None else None
    known = module is not None and not unknown_modules(module.requires)
    return known and not sources.needs_system


def _data(program: Program, base: str, sources: GoSources) -> list[tuple[str, str]]:
    """Certificates and time zones, where the image has none or other ones."""
    if base == _DISTROLESS:
        return []
    found = [(CERTIFICATES, CERTIFICATES)]
    if _installs_zones(program):
        if base == "scratch":
            found.append((_SYSTEM_ZONES, _SYSTEM_ZONES))
    elif sources.loads_zones or "TZ" in program.variables:
        found.append((_ZONES, _ZONES))
    return found


def _installs_zones(program: Program) -> bool:
    return any("tzdata" in call.words for _, call in program.calls("packages"))
