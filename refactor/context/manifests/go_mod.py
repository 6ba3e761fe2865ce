"""go.mod and go.work, and what of a Go program is more than its `.go` files.

Sources: go.dev/ref/mod, pkg.go.dev/cmd/cgo, pkg.go.dev/embed.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError, Place, read_text
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

_LOCAL = ("./", "../", "/")
_CGO = pattern(r'^\s*import\s+"C"|^import\s*\([^)]*^\s*"C"', 8)
_EMBED = pattern(r"^//go:embed[ \t]+(.+)$", 8)
_DIRECTIVES = frozenset(
    (
        *("module", "go", "toolchain", "require", "replace", "exclude", "retract", "use"),
        *("godebug", "tool", "ignore"),
    )
)


class GoModule(NamedTuple):
    """A go.mod."""

    path: str
    module: str
    #: `1.22`; None when the file says nothing.
    go: str | None
    requires: tuple[str, ...]
    #: Module and what stands for it: a folder, or another module.
    replaces: tuple[tuple[str, str], ...]
    has_vendor: bool

    @property
    def local_replaces(self) -> tuple[str, ...]:
        """The folders that stand for a module, as they are written."""
        return tuple(
            target for _, target in self.replaces if target.startswith(_LOCAL) or target == "."
        )

    def place(self, key: str) -> Place:
        """Where a directive is, to show."""
        return Place(self.path, key)


class GoSources(NamedTuple):
    """What a Go source says about the build."""

    uses_cgo: bool
    #: The patterns of `//go:embed`, relative to the source's folder.
    embeds: tuple[str, ...]


def read_go_mod(context: BuildContext, folder: str = "") -> GoModule | None:
    """The go.mod of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "go.mod")
    if found is None:
        return None
    path, text = found
    entries = _entries(path, text)
    modules = [words for key, words in entries if key == "module"]
    if not modules or not modules[0]:
        raise BrokenManifestError(path, 1, "no module")
    return GoModule(
        path,
        modules[0][0],
        next((words[0] for key, words in entries if key == "go" and words), None),
        tuple(words[0] for key, words in entries if key == "require" and words),
        tuple(_replace(words) for key, words in entries if key == "replace" and "=>" in words[:-1]),
        context.is_folder(posixpath.join(folder, "vendor")),
    )


def read_go_work(context: BuildContext, folder: str = "") -> tuple[str, ...] | None:
    """The folders of a go.work; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "go.work")
    if found is None:
        return None
    return tuple(words[0] for key, words in _entries(*found) if key == "use" and words)


def read_go_source(text: str) -> GoSources:
    """What a `.go` file says about the build."""
    embeds = (word for match in _EMBED.finditer(text) for word in match[1].split())
    return GoSources(bool(_CGO.search(text)), tuple(word.strip('"`') for word in embeds))


def _entries(path: str, text: str) -> list[tuple[str, list[str]]]:
    """Directive and words of every line; blocks taken apart."""
    found: list[tuple[str, list[str]]] = []
    block = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("//")[0].split()
        if not words:
            continue
        if block and words == [")"]:
            block = ""
        elif block:
            found.append((block, [word.strip('"`') for word in words]))
        elif words[-1] == "(" and len(words) == 2:
            block = words[0]
        elif words[0] not in _DIRECTIVES:
            raise BrokenManifestError(path, number, f"unknown directive: {words[0][:40]}")
        else:
            found.append((words[0], [word.strip('"`') for word in words[1:]]))
    return found


def _replace(words: list[str]) -> tuple[str, str]:
    arrow = words.index("=>")
    return words[0], words[arrow + 1]
