"""tsconfig.json: where the compiler puts its output, `extends` followed.

Source: www.typescriptlang.org/tsconfig (`extends`, `outDir`, `rootDir`, `include`, `references`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dockerfix.context.manifests.reading import (
    BrokenManifestError,
    CannotTellError,
    Place,
    Table,
    parse_json,
    read_text,
    table_at,
    texts_at,
)

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

_MAX_DEPTH = 6
_SOURCES = (".ts", ".tsx", ".mts", ".cts")
_SKIPPED = ("node_modules", "bower_components", "jspm_packages")


class TsConfig(NamedTuple):
    """A configuration with those it extends, the nearest first."""

    context: BuildContext
    #: Path and content of each file.
    layers: tuple[tuple[str, Table], ...]
    #: A package that is extended, whose content lies in no folder of the context.
    unseen: str | None

    @property
    def path(self) -> str:
        """The file itself."""
        return self.layers[0][0]

    @property
    def folder(self) -> str:
        """The folder it lies in."""
        return posixpath.dirname(self.path)

    def option(self, name: str) -> tuple[Any, Place] | None:
        """A compiler option and where it is set; None when it is not.

        Raises CannotTellError when a package that is not here may set it.
        """
        for path, data in self.layers:
            options = table_at(data, "compilerOptions")
            if name in options:
                return options[name], Place(path, f"compilerOptions.{name}")
        if self.unseen is not None:
            raise CannotTellError(self.path, f"extends {self.unseen}")
        return None

    def folder_option(self, name: str) -> tuple[str, Place] | None:
        """An option that is a folder, as a path in the context. Raises CannotTellError."""
        found = self.option(name)
        if found is None:
            return None
        value, place = found
        if not isinstance(value, str) or "${" in value:
            raise CannotTellError(place.file, place.key)
        return posixpath.normpath(posixpath.join(posixpath.dirname(place.file), value)), place

    @property
    def out_dir(self) -> tuple[str, Place] | None:
        """`outDir` as a path in the context; None: output lies beside the sources."""
        return self.folder_option("outDir")

    @property
    def emits(self) -> bool:
        """Whether anything is written (`noEmit`, `emitDeclarationOnly`)."""
        return not any(self._is_on(name) for name in ("noEmit", "emitDeclarationOnly"))

    def _is_on(self, name: str) -> bool:
        found = self.option(name)
        return found is not None and found[0] is True

    @property
    def references(self) -> tuple[str, ...]:
        """The folders or files of `references`."""
        entries = self.layers[0][1].get("references")
        found = [e.get("path") for e in entries or () if isinstance(e, dict)] if entries else []
        return tuple(path for path in found if isinstance(path, str))

    def sources(self) -> tuple[str, ...]:
        """What is compiled, as paths in the context: `files` and `include`, else all.

        Raises CannotTellError for more files than are looked at.
        """
        data = self._nearest("files", "include")
        files = [posixpath.join(self.folder, name) for name in texts_at(data, "files")]
        include = texts_at(data, "include") or (() if files else ("**/*",))
        exclude = {posixpath.normpath(t).rstrip("/*") for t in texts_at(data, "exclude")}
        out = self.out_dir
        skipped = {posixpath.join(self.folder, name) for name in exclude | set(_SKIPPED)}
        skipped |= {out[0]} if out else set()
        found = dict.fromkeys(posixpath.normpath(path) for path in files)
        for text in include:
            found.update(dict.fromkeys(self._included(text, skipped)))
        return tuple(path for path in found if not path.endswith((".d.ts", ".d.mts", ".d.cts")))

    def _included(self, text: str, skipped: set[str]) -> Iterator[str]:
        root = text
        while any(char in root for char in "*?"):
            root = posixpath.dirname(root)
        start = posixpath.normpath(posixpath.join(self.folder, root))
        start = "" if start == "." else start
        if self.context.is_file(start):
            yield start
        elif text == root or text.endswith(("**", "**/*", "**/*.ts", "**/*.tsx", "*")):
            yield from _below(self.context, start, skipped, self.path)
        else:
            raise CannotTellError(self.path, f"include: {text}")

    def _nearest(self, *names: str) -> Table:
        for _, data in self.layers:
            if any(name in data for name in names):
                return data
        return {}

    def output_of(self, source: str) -> tuple[str, Place]:
        """The file that is made of a source. Raises CannotTellError."""
        if not self.emits:
            raise CannotTellError(self.path, "noEmit")
        out = self.out_dir
        stem, dot, suffix = source.rpartition(".")
        target = f"{stem}{dot}{suffix.replace('tsx', 'js').replace('ts', 'js')}"
        if out is None:
            return target, Place(self.path, "no outDir")
        return posixpath.normpath(
            posixpath.join(out[0], posixpath.relpath(target, self._root_of_sources() or "."))
        ), out[1]

    def _root_of_sources(self) -> str:
        root = self.folder_option("rootDir")
        if root is not None:
            return root[0]
        if self._is_on("composite"):
            return self.folder
        folders = [posixpath.dirname(path) for path in self.sources()]
        if not folders:
            raise CannotTellError(self.path, "no sources")
        return posixpath.commonpath([f"/{folder}" for folder in folders]).lstrip("/")


def read_tsconfig(
    context: BuildContext, folder: str = "", name: str = "tsconfig.json"
) -> TsConfig | None:
    """A configuration and what it extends; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, name)
    if found is None:
        return None
    layers: list[tuple[str, Table]] = []
    unseen = _read_layers(context, found, layers, 0)
    return TsConfig(context, tuple(layers), unseen)


def _read_layers(
    context: BuildContext, found: tuple[str, str], layers: list[tuple[str, Table]], depth: int
) -> str | None:
    path, text = found
    data = parse_json(path, plain_json(text))
    layers.append((path, data))
    extends = data.get("extends")
    names = [extends] if isinstance(extends, str) else list(texts_at(data, "extends"))
    unseen: str | None = None
    # A later entry of a list wins over an earlier one.
    for name in reversed(names):
        base = _base(context, posixpath.dirname(path), name)
        if base is None:
            unseen = unseen or name
        elif depth >= _MAX_DEPTH:
            raise BrokenManifestError(path, 1, "extends goes round in circles")
        else:
            unseen = _read_layers(context, base, layers, depth + 1) or unseen
    return unseen


def _base(context: BuildContext, folder: str, name: str) -> tuple[str, str] | None:
    if not name.startswith("."):
        return None
    return next(
        filter(
            None,
            (
                read_text(context, folder, text)
                for text in (name, f"{name}.json", f"{name}/tsconfig.json")
            ),
        ),
        None,
    )


def _below(context: BuildContext, folder: str, skipped: set[str], path: str) -> Iterator[str]:
    waiting, seen = [folder], 0
    while waiting:
        here = waiting.pop()
        for name in context.names(here or "."):
            entry = posixpath.join(here, name)
            seen += 1
            if seen > 20_000:
                raise CannotTellError(path, "too many files to look at")
            if name.endswith(_SOURCES):
                yield entry
            elif "." not in name and name not in _SKIPPED and entry not in skipped:
                waiting += [entry] if context.is_folder(entry) else []


def plain_json(text: str) -> str:
    """JSON without the comments and trailing commas that TypeScript allows; lines stay lines."""
    out: list[str] = []
    position, size = 0, len(text)
    while position < size:
        char = text[position]
        if char == '"':
            end = _string_end(text, position)
            out.append(text[position:end])
            position = end
        elif text.startswith("//", position):
            end = text.find("\n", position)
            position = size if end < 0 else end
        elif text.startswith("/*", position):
            end = text.find("*/", position + 2)
            end = size if end < 0 else end + 2
            out.append("\n" * text.count("\n", position, end))
            position = end
        else:
            if char in "}]":
                _drop_comma(out)
            out.append(char)
            position += 1
    return "".join(out)


def _string_end(text: str, start: int) -> int:
    position = start + 1
    while position < len(text) and text[position] != '"':
        position += 2 if text[position] == "\\" else 1
    return min(position + 1, len(text))


def _drop_comma(out: list[str]) -> None:
    for index in range(len(out) - 1, -1, -1):
        if out[index].strip():
            if out[index] == ",":
                del out[index]
            return
