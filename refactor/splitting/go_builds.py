"""What `go build` and `go install` make, and where.

Sources: go.dev/doc (cmd/go: "Compile packages and dependencies", `-o`, "Compile and install
packages"), the Dockerfiles of docker-library/golang (GOPATH is /go).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.manifests.go_mod import read_go_mod
from dockerfix.image.copies import origin_of
from dockerfix.patterns import pattern
from dockerfix.splitting.makefile import recipe_calls
from dockerfix.splitting.plan import Call, NotSplitError, Program

_MAJOR = pattern(r"v[2-9]\d*")
#: Options of the build whose value is a word of its own.
_VALUED = frozenset(
    (
        *("-o", "-p", "-tags", "-ldflags", "-gcflags", "-asmflags", "-mod", "-modfile", "-pkgdir"),
        *("-buildmode", "-buildvcs", "-compiler", "-installsuffix", "-overlay", "-toolexec"),
        *("-C", "-covermode", "-coverpkg", "-pgo", "-gccgoflags"),
    )
)


class GoBuild(NamedTuple):
    """One program that a step makes."""

    call: Call
    #: Image path.
    binary: str


def go_builds(program: Program) -> Iterator[GoBuild]:
    """All programs that the steps make out of the sources. Raises NotSplitError."""
    for call in _calls(program):
        if call.words[:2] not in (("go", "build"), ("go", "install")):
            continue
        if any("@" in word for word in call.words):
            continue
        yield from (GoBuild(call, binary) for binary in _binaries(call, program))


def _calls(program: Program) -> Iterator[Call]:
    """The commands that build, those of a Makefile among them."""
    for _, call in program.calls("build"):
        if call.words[:1] == ("make",):
            yield from recipe_calls(call, program)
        else:
            yield call


def _binaries(call: Call, program: Program) -> Iterator[str]:
    if call.directory is None or any(_is_unknown(word) for word in call.words):
        raise NotSplitError("what is built is not known", call.text)
    output, packages = _words(call.words[2:])
    if len(packages) > 1 and not all(name.endswith(".go") for name in packages):
        raise NotSplitError("several programs are built", " ".join(packages))
    if any("..." in name for name in packages):
        raise NotSplitError("several programs are built", packages[0])
    if call.words[1] == "install":
        target = program.variables.get("GOBIN", "/go/bin")
        yield posixpath.join(target, _name(call, packages, program))
    elif output is None:
        yield posixpath.join(call.directory, _name(call, packages, program))
    elif output.endswith("/") or posixpath.normpath(output) == ".":
        folder = posixpath.join(call.directory, output)
        yield posixpath.normpath(posixpath.join(folder, _name(call, packages, program)))
    else:
        yield posixpath.normpath(posixpath.join(call.directory, output))


def _is_unknown(word: str) -> bool:
    """Whether a variable decides about more than a setting: `-ldflags="-X main.v=$V"` is fine."""
    return "$" in word and "=" not in word and " " not in word


def _words(words: tuple[str, ...]) -> tuple[str | None, list[str]]:
    """The value of `-o`, and the packages."""
    output: str | None = None
    packages: list[str] = []
    waiting = ""
    for word in words:
        if waiting:
            output = word if waiting == "-o" else output
            waiting = ""
        elif word.startswith("-"):
            name, equals, value = word.replace("--", "-", 1).partition("=")
            output = value if name == "-o" and equals else output
            waiting = name if name in _VALUED and not equals else ""
            if name == "-C":
                raise NotSplitError("what is built is not known", word)
        else:
            packages.append(word)
    return output, packages


def _name(call: Call, packages: list[str], program: Program) -> str:
    """What a program is called when nobody says."""
    first = packages[0] if packages else "."
    if first.endswith(".go"):
        return posixpath.basename(first).removesuffix(".go")
    folder = posixpath.normpath(posixpath.join(call.directory or "/", first))
    return _last_part(_import_path(folder, program))


def _import_path(folder: str, program: Program) -> str:
    context = program.workspace.context
    assert context is not None
    above = folder
    while above != "/":
        path = origin_of(posixpath.join(above, "go.mod"), program.stage, program.workspace)
        module = read_go_mod(context, posixpath.dirname(path)) if path is not None else None
        if module is not None:
            return posixpath.normpath(
                posixpath.join(module.module, posixpath.relpath(folder, above))
            )
        above = posixpath.dirname(above)
    raise NotSplitError("no manifest in the build context", "go.mod")


def _last_part(path: str) -> str:
    parts = path.split("/")
    if len(parts) > 1 and _MAJOR.fullmatch(parts[-1]):
        return parts[-2]
    return parts[-1]
