"""Programs in Go: one binary, and the files that the program opens.

Sources: go.dev/doc (cmd/go, `-o`), pkg.go.dev/net ("Name Resolution") on what cgo links.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.sources import read_sources
from dockerfix.knowledge.runtime_images import system_of
from dockerfix.manifest_copies import is_within
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program
from dockerfix.transform import Evidence

_OPENS_CALL = (
    r"\b(?:os\.(?:Open|ReadFile|ReadDir|OpenFile|Stat|DirFS)|ioutil\.Read\w+|ParseFiles|ParseGlob"
    r"|http\.(?:Dir|ServeFile)|LoadHTML\w+|Static(?:FS|File)?|godotenv\.Load|viper\.\w*Config\w*"
    r"|sql\.Open|filepath\.(?:Walk\w*|Glob)|migrate\.New)"
)
#: Calls that read files, or may.
_OPENS = pattern(_OPENS_CALL + r"\(")
#: The same with the name of what is opened.
_OPENS_NAMED = pattern(_OPENS_CALL + r"\(\s*[\"`]")
_STRING = pattern(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`')
_RUNS = pattern(r"\bexec\.Command(?:Context)?\(")
_MAIN = pattern(r"^package main\b", 8)
_NOT_RUN = frozenset(("node_modules", "testdata"))
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_ZONES = "/usr/share/zoneinfo"


def plan_go(program: Program) -> Plan | None:
    """How it is split; None when it is no program in Go. Raises NotSplitError."""
    builds = [call for _, call in program.calls("build") if call.words[:2] == ("go", "build")]
    if not builds:
        return None
    if len(builds) != 1:
        raise NotSplitError("several programs are built")
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    build = builds[0]
    binary = _binary(build)
    if _entry_path(program) != binary:
        raise NotSplitError("the entry is not what is built", binary)
    sources = list(_sources(context))
    if not any(_MAIN.search(text) for text in sources):
        raise NotSplitError("no source of the program can be read")
    if any(_RUNS.search(text) for text in sources):
        raise NotSplitError("the program calls others")
    base = _base(program, build)
    files = _files(program, context, sources)
    copies = [(binary, binary), *files]
    if base.startswith(("debian:", "alpine:")):
        copies = [(_CERTIFICATES, _CERTIFICATES), *copies]
    if base.startswith("debian:") and any("LoadLocation" in text for text in sources):
        copies = [(_ZONES, _ZONES), *copies]
    if (program.folder, program.folder) in copies and is_within(binary, program.folder):
        copies.remove((binary, binary))
    return Plan(
        base,
        tuple(copies),
        "the Go tool chain and the sources",
        (Evidence(" ".join(build.words), f"makes {binary}, which is what runs"),),
        bare=base.startswith("gcr.io/distroless/"),
    )


def _binary(build: Call) -> str:
    if build.directory is None or any("$" in word for word in build.words if "=" not in word):
        raise NotSplitError("what is built is not known")
    words = build.words
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word == "-o" and not following.endswith("/"):
            return posixpath.normpath(posixpath.join(build.directory, following))
        if word.startswith("-o="):
            return posixpath.normpath(posixpath.join(build.directory, word[3:]))
    raise NotSplitError("what is built is not known", "no -o")


def _entry_path(program: Program) -> str:
    word = program.entry.main[0]
    if "/" not in word:
        for folder in ("/go/bin", "/usr/local/bin", "/usr/bin", "/bin"):
            if any(f"{folder}/{word}" in step.run.script.text for step in program.steps):
                return f"{folder}/{word}"
    return posixpath.normpath(posixpath.join(program.folder, word))


def _base(program: Program, build: Call) -> str:
    assigned = {a.name: a.value.text if a.value else "" for a in build.command.assignments}
    cgo = assigned.get("CGO_ENABLED") or program.variables.get("CGO_ENABLED")
    linked = any(word in ("-linkshared", "-buildmode=plugin") for word in build.words)
    system = system_of(program.base)
    if system is None:
        raise NotSplitError("the system of the base image is not known", program.base)
    static = cgo == "0" and not linked
    if static and system.startswith("debian:") and _is_bare(program):
        return "gcr.io/distroless/static-debian12"
    return system


def _is_bare(program: Program) -> bool:
    """Whether nothing but the program has to run: no shell, no package, no user to make."""
    keywords = {i.keyword for i in program.stage.instructions}
    exec_form = all(
        i.is_exec_form for i in program.stage.instructions if i.keyword in ("CMD", "ENTRYPOINT")
    )
    return (
        exec_form
        and "HEALTHCHECK" not in keywords
        and "USER" not in keywords
        and not any(program.calls("packages", "set-up", "user"))
    )


def _sources(context: BuildContext) -> Iterator[str]:
    """The Go files of the context."""
    return (text for _, text in read_sources(context, "", _is_source, _NOT_RUN.__contains__))


def _is_source(name: str) -> bool:
    return name.endswith(".go") and not name.endswith("_test.go")


def _files(program: Program, context: BuildContext, sources: list[str]) -> list[tuple[str, str]]:
    """What the program opens, where it looks for it: files it names, else its whole folder."""
    opens = [text for text in sources if _OPENS.search(text)]
    if not opens:
        return []
    if any(len(_OPENS.findall(text)) != len(_OPENS_NAMED.findall(text)) for text in opens):
        return [(program.folder, program.folder)]
    found: set[str] = set()
    for text in opens:
        for match in _STRING.finditer(text):
            found.update(_named(match[1] or match[2] or "", context))
    return [(posixpath.join(program.folder, path),) * 2 for path in sorted(found)]


def _named(text: str, context: BuildContext) -> Iterator[str]:
    """The first part of a path that a string names, when the context has it."""
    path = text.removeprefix("file://").removeprefix("./")
    head = path.split("/")[0]
    if not head or head in (".", "..") or any(char in head for char in "*?[% "):
        return
    if context.sends(head) and not head.endswith(".go"):
        yield path if context.is_file(path) else head
