"""Programs in C and C++: what a compiler, make or cmake makes, on the same image without them.

The image stays the same, so what is linked is there as before: its own libraries, those of `-dev`
packages by the packages that hold them, and libstdc++, which apt needs on Debian and Ubuntu.

Sources: gcc.gnu.org/onlinedocs/gcc ("Overall Options": `-o`; "Instrumentation Options" and
`-fopenmp`: libraries that come with the compiler), cmake.org/cmake/help (cmake(1)),
packages.debian.org (apt: Depends libstdc++6), pkgs.alpinelinux.org (build-base).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.sources import read_sources
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import origin_of, read_copy
from dockerfix.knowledge.base_images import official_name
from dockerfix.patterns import pattern
from dockerfix.splitting.missing_programs import packages_left
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program
from dockerfix.syntax.image_name import read_image
from dockerfix.transform import Evidence

_COMPILERS = frozenset(("gcc", "g++", "cc", "c++", "clang", "clang++"))
_BUILDERS = _COMPILERS | {"make", "cmake", "ninja"}
#: Packages of Alpine's that bring a compiler for C++.
_WITH_CPP = frozenset(("alpine-sdk", "build-base", "g++"))
_SYSTEMS = ("debian", "ubuntu", "alpine")
_SOURCE = (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".ipp", ".l", ".y")
_RECIPES = ("Makefile", "makefile", "GNUmakefile", "CMakeLists.txt")
_SKIPPED = frozenset((".git", "docs", "doc"))
#: Libraries that come with the compiler, and what only the whole tool chain has.
_OF_COMPILER = pattern(
    r"-fsanitize|-fopenmp|-fprofile|--coverage|-latomic|-lgomp|-lquadmath|-lasan|-lubsan|-ltsan"
    r"|OpenMP::|find_package\(\s*OpenMP|-lgfortran|-fcilkplus|-fsplit-stack|-pg\b"
)
#: Steps that put what they make outside of the folder.
_INSTALLS = pattern(r"\binstall\b|\bFetchContent|ExternalProject|\bDESTDIR\b")
#: Ways to other programs, and to libraries that are named when the program runs.
_CALLS = pattern(
    r"\b(?:system|popen|execl|execlp|execle|execv|execvp|execvpe|execve|posix_spawnp?|dlopen)\s*\("
    r"|\bboost::process\b|\bbp::child\b|\bQProcess\b|\bg_spawn_"
)
#: Ways to files.
_OPENS = pattern(
    r"\b(?:fopen|freopen|open|openat|opendir|scandir|stat|access|creat|chdir|realpath|mmap)\s*\("
    r"|\b[io]?fstream\b|\bfilesystem\b|\bboost::filesystem\b|\bsqlite3_open|\bload\w*\s*\(\s*\""
    r"|\bconfig|\.(?:json|ini|conf|txt|html|cfg|ya?ml|db)\""
)


def plan_compiled(program: Program) -> Plan | None:
    """How it is split; None when no program in C or C++ is built. Raises NotSplitError."""
    builds = [call for _, call in program.calls("build")]
    if not builds or any(_name(call) not in _BUILDERS for call in builds):
        return None
    family = official_name(read_image(program.base).repository)
    if family not in _SYSTEMS or any(program.calls("install", "tool", "fetch")):
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    binary = _binary(program, builds)
    left = packages_left(program, program.base)
    if not left:
        raise NotSplitError("nothing would stay behind")
    opens = _check_sources(context, builds)
    alone = not opens and binary in _outputs(builds) and not any(map(_makes_library, builds))
    paths = (binary,) if alone else (_root(program, builds, binary),)
    maker = " ".join(builds[-1].words[:2])
    return Plan(
        program.base,
        tuple((path, path) for path in paths),
        "compilers and headers",
        (
            Evidence(maker, f"makes {binary}, which is what runs"),
            Evidence("the sources", "no source calls other programs"),
            Evidence("packages", f"only the build needs {', '.join(left)}"),
        ),
        calls_none=True,
        unneeded=frozenset() if _is_in_cpp(context, builds) else _WITH_CPP,
    )


def _is_in_cpp(context: BuildContext, builds: list[Call]) -> bool:
    """Whether a part of the program may be in C++, and need the library of that."""
    if any(_name(c) not in ("gcc", "cc", "clang") or "-lstdc++" in c.words for c in builds):
        return True
    return any(not path.endswith((".c", ".h")) for path, _ in _texts(context))


def _name(call: Call) -> str:
    return posixpath.basename(call.words[0])


def _binary(program: Program, builds: list[Call]) -> str:
    """The path of the program that runs, which a build has made. Raises NotSplitError."""
    word = program.entry.main[0]
    path = posixpath.normpath(posixpath.join(program.folder, word))
    known = program.workspace.context
    if "/" not in word or len(program.entry.calls) != 1 or known is None:
        raise NotSplitError("the entry is not what is built", word)
    if path in _outputs(builds):
        return path
    if origin_of(path, program.stage, program.workspace) is not None:
        raise NotSplitError("the entry is not what is built", word)
    # Nothing else can have put it there: make and cmake work where they are called, and below.
    places = {call.directory for call in builds if _name(call) not in _COMPILERS}
    if not any(place is not None and is_within(path, place) for place in places):
        raise NotSplitError("the entry is not what is built", word)
    return path


def _root(program: Program, builds: list[Call], binary: str) -> str:
    """The folder that holds the program and all that is built. Raises NotSplitError."""
    copied = (c for copy in program.copies for c in read_copy(copy, program.workspace) or ())
    above = [c.destination for c in copied if is_within(program.folder, c.destination)]
    root = min((program.folder, *above), key=len)
    places = [binary, *(call.directory for call in builds)]
    if not all(place is not None and is_within(place, root) for place in places):
        raise NotSplitError("what is built lies in several folders")
    return root


def _makes_library(call: Call) -> bool:
    """Whether a compiler makes or links a library of the program's own."""
    return any(
        w == "-shared" or w.startswith(("-L", "-Wl,-rpath")) or ".so" in w for w in call.words
    )


def _outputs(builds: list[Call]) -> set[str]:
    """The programs that compilers are told to make."""
    found: set[str] = set()
    for call in builds:
        if _name(call) not in _COMPILERS or call.directory is None or "-c" in call.words:
            continue
        outputs = [b for a, b in zip(call.words, call.words[1:], strict=False) if a == "-o"]
        outputs += [w[2:] for w in call.words if w.startswith("-o") and len(w) > 2]
        found.update(
            posixpath.normpath(posixpath.join(call.directory, w)) for w in outputs or ["a.out"]
        )
    return found


def _check_sources(context: BuildContext, builds: list[Call]) -> bool:
    """Whether the program may open files. Raises NotSplitError when it needs more than they say."""
    for call in builds:
        text = " ".join(call.words)
        if _OF_COMPILER.search(text) or "`" in text or "$(" in text:
            raise NotSplitError("a library that comes with the compiler", text)
        if _INSTALLS.search(text):
            raise NotSplitError("a step installs outside of the folder", text)
    opens = False
    for path, text in _texts(context):
        is_recipe = posixpath.basename(path) in _RECIPES or path.endswith(".cmake")
        if is_recipe and (match := _OF_COMPILER.search(text)):
            raise NotSplitError("a library that comes with the compiler", f"{path}: {match[0]}")
        if not is_recipe and (match := _CALLS.search(text)):
            raise NotSplitError("the program calls others", f"{path}: {match[0]}")
        opens = opens or (not is_recipe and bool(_OPENS.search(text)))
    return opens


def _texts(context: BuildContext) -> Iterator[tuple[str, str]]:
    yield from read_sources(context, "", _is_source, _SKIPPED.__contains__)


def _is_source(name: str) -> bool:
    return name.endswith((*_SOURCE, ".cmake")) or name in _RECIPES
