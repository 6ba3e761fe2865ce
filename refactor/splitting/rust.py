"""Programs in Rust: one binary that cargo makes, and the files that the program opens.

Sources: doc.rust-lang.org/cargo (build, install, manifest `[[bin]]`, "Build Scripts": `-sys`
packages), docs.rs/openssl (vendored feature), the Dockerfiles of rust-lang/docker-rust
(CARGO_HOME is /usr/local/cargo).
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.cargo import read_cargo
from dockerfix.context.sources import read_sources
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import origin_of
from dockerfix.knowledge.data import table
from dockerfix.knowledge.runtime_images import system_of
from dockerfix.knowledge.system_packages import runtime_packages
from dockerfix.patterns import pattern
from dockerfix.splitting.entry_files import entry_files
from dockerfix.splitting.missing_programs import installed_packages, missing_programs
from dockerfix.splitting.named_files import copied_by_name, data_beside, named_files
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program
from dockerfix.splitting.smaller_base import CERTIFICATES, without_shell
from dockerfix.splitting.steps import copied_from
from dockerfix.transform import Evidence

_CARGO_BIN = "/usr/local/cargo/bin"
_ON_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_RUNS = pattern(r"\bCommand::new\(")
_OPENS = pattern(r"\bFile::open\(|\bread_to_string\(|\bfs::read|\bread_dir\(|\bOpenOptions\b")
#: Read in the directory that the program is started in, without being named.
_READ_AT_START = (
    *("static", "templates", "public", "assets", "config", "migrations", "Rocket.toml", ".env"),
    *("settings.toml", "config.toml", "Settings.toml", "log4rs.yaml", "locales", "i18n"),
)
_OF_BUILD = pattern(
    r"src|target|tests|benches|examples|crates|Cargo\..*|build\.rs|rust-toolchain.*|rustfmt\.toml"
    r"|clippy\.toml|\..*|Dockerfile.*|(?:docker-)?compose.*|.*\.md|LICENSE.*|Makefile|k8s|helm|docs?"
    r"|.*\.rs"
)


def plan_rust(program: Program) -> Plan | None:
    """How it is split; None when it is no program in Rust. Raises NotSplitError."""
    builds = [c for _, c in program.calls("build") if c.words[:2] in _BUILDS]
    if not builds:
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    binary, target = _binary(program, builds, context)
    system = system_of(program.base)
    if system is None:
        raise NotSplitError("the system of the base image is not known", program.base)
    root = _root(program)
    _check_calls(program, context, system)
    kept = {k for name in installed_packages(program) for k in runtime_packages(name, system)}
    linked = _libraries(context, root, system)
    libraries = tuple(name for name in linked if name not in kept)
    copies = [(binary, target), *((path, path) for path in _files(program, context, root))]
    if not libraries:
        copies.insert(0, (CERTIFICATES, CERTIFICATES))
    return Plan(
        system,
        tuple(copies),
        "the Rust tool chain, its caches and the sources",
        (
            Evidence("Cargo.lock", f"links {', '.join(linked) or 'no library of the system'}"),
            Evidence(" ".join(builds[-1].words), f"makes {binary}, which is what runs"),
        ),
        extra=_install(libraries, program),
        calls_none=True,
        smaller=None if libraries or kept else without_shell(program, system),
    )


_BUILDS = (("cargo", "build"), ("cargo", "install"))


def _root(program: Program) -> str:
    path = origin_of(f"{program.folder}/Cargo.toml", program.stage, program.workspace)
    if path is None:
        raise NotSplitError("no manifest in the build context", "Cargo.toml")
    return posixpath.dirname(path)


def _check_calls(program: Program, context: BuildContext, system: str) -> None:
    for path, text in read_sources(context, "", _is_source, _is_skipped):
        if _RUNS.search(text):
            raise NotSplitError("the program calls others", path)
    missing = () if system.startswith("alpine") else missing_programs(program)
    if missing:
        raise NotSplitError("the program calls others, which the image lacks", missing[0])


# What runs


def _binary(program: Program, builds: list[Call], context: BuildContext) -> tuple[str, str]:
    """Where cargo puts the program that runs, and where it has to lie to be found."""
    word = program.entry.main[0]
    made = set(_made(program, builds, context))
    if "/" in word:
        wanted = [posixpath.normpath(posixpath.join(program.folder, word))]
    else:
        wanted = [posixpath.join(place, word) for place in (_CARGO_BIN, *_ON_PATH)]
    for path in wanted:
        if path in made or any(source in made for source in copied_from(path, program)):
            found = path in made and "/" not in word and posixpath.dirname(path) not in _ON_PATH
            return path, f"/usr/local/bin/{word}" if found else path
    raise NotSplitError("the entry is not what is built", word)


def _made(program: Program, builds: list[Call], context: BuildContext) -> Iterator[str]:
    names = set(_program_names(program, context))
    for call in builds:
        if call.directory is None:
            continue
        if call.words[1] == "install":
            root = _option(call.words, "--root") or "/usr/local/cargo"
            places = [posixpath.join(call.directory, root, "bin")]
        else:
            base = posixpath.join(call.directory, _option(call.words, "--target-dir") or "target")
            triple = _option(call.words, "--target") or ""
            release = "--release" in call.words or "-r" in call.words
            places = [posixpath.join(base, triple, "release" if release else "debug")]
        yield from (posixpath.join(place, name) for place in places for name in names)


def _option(words: tuple[str, ...], name: str) -> str | None:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word == name:
            return following
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _program_names(program: Program, context: BuildContext) -> Iterator[str]:
    root = _root(program)
    manifest = read_cargo(context, root)
    if manifest is None:
        return
    yield from manifest.binaries
    for member in manifest.members:
        for folder in context.find(posixpath.join(root, member)):
            inner = read_cargo(context, folder)
            yield from inner.binaries if inner is not None else ()


# What it needs


def _libraries(context: BuildContext, root: str, system: str) -> tuple[str, ...]:
    """The packages with the libraries that crates link. Raises NotSplitError."""
    path = posixpath.join(root, "Cargo.lock")
    try:
        lock = tomllib.loads(context.read(path) or "")
    except tomllib.TOMLDecodeError as error:
        raise NotSplitError("a manifest cannot be read", path) from error
    crates = {str(entry.get("name")) for entry in lock.get("package", [])}
    if not crates:
        raise NotSplitError("no lock shows what is linked", path)
    headers = table("packages/rust", "linked")
    found: list[str] = []
    for crate in sorted(crates & set(headers)):
        if headers[crate].get("unless") in crates:
            continue
        for header in headers[crate]["headers"]:
            packages = runtime_packages(header, system)
            if system.startswith("alpine") or header in packages:
                raise NotSplitError("a crate links libraries of the system", crate)
            found += packages
    return tuple(dict.fromkeys(found))


def _install(libraries: tuple[str, ...], program: Program) -> tuple[str, ...]:
    if not libraries:
        return ()
    names = " ".join(("ca-certificates", *libraries))
    install = f"apt-get install -y --no-install-recommends {names}"
    style = program.workspace.style
    commands = ["apt-get update", install, "rm -rf /var/lib/apt/lists/*"]
    return (f"{style.keyword('RUN')} {style.join_commands(commands)}",)


def _files(program: Program, context: BuildContext, root: str) -> tuple[str, ...]:
    """What the program may open where it is started."""
    texts = [text for _, text in read_sources(context, root, _is_source, _is_skipped)]
    names = [n for n in _READ_AT_START if context.sends(posixpath.join(root, n))]
    if any(_OPENS.search(text) for text in texts):
        names += data_beside(context, root, _is_of_build)
    names += named_files(texts, context, root, program.folder, _is_of_rust)
    paths = [posixpath.join(program.folder, name) for name in names if name != "src"]
    paths += [*copied_by_name(program, _is_of_build, _is_of_rust), *entry_files(program)]
    paths = list(dict.fromkeys(paths))
    return tuple(p for p in paths if not any(p != o and is_within(p, o) for o in paths))


def _is_source(name: str) -> bool:
    return name.endswith(".rs") and name != "build.rs"


def _is_skipped(name: str) -> bool:
    return name in ("target", "tests", "benches", "examples", "node_modules")


def _is_of_build(name: str) -> bool:
    return bool(_OF_BUILD.fullmatch(name))


def _is_of_rust(name: str) -> bool:
    return name.endswith((".rs", ".toml", ".lock"))
