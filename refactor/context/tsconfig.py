"""Where the TypeScript compiler puts what it makes, read from tsconfig.json without running it.

Sources: typescriptlang.org/tsconfig (`extends`, `include`, `exclude`, `rootDir`, `outDir`,
`composite`, `resolveJsonModule`), typescriptlang.org/docs/handbook/tsconfig-json.html.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import Json, load_commented_object, table
from dockerfix.context.sources import read_sources
from dockerfix.patterns import pattern

_SOURCE = (".ts", ".tsx", ".mts", ".cts")
_SCRIPT = (".js", ".jsx", ".mjs", ".cjs")
_DECLARATION = (".d.ts", ".d.mts", ".d.cts")
_MADE = {".ts": ".js", ".tsx": ".js", ".jsx": ".js", ".mts": ".mjs", ".cts": ".cjs"}
_NEVER = frozenset(("node_modules", "bower_components", "jspm_packages"))
_RELATIVE = pattern(
    r"(?:\brequire\(|\bimport\(|\bfrom\s*|\bimport\s+)\s*['\"`](\.{1,2}/[^'\"`]+)['\"`]"
)
#: Settings for releases of Node.js, which name no folder (github.com/tsconfig/bases).
_BASES = "@tsconfig/"
_MAX_EXTENDS = 8


@dataclass(frozen=True, slots=True)
class Compiler:
    """A tsconfig.json with what it extends; folders are paths in the build context."""

    folder: str
    options: Json
    #: Folder of the file that sets an option.
    set_in: dict[str, str] = field(default_factory=dict)
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    files: tuple[str, ...] | None = None

    def place(self, name: str) -> str | None:
        """The folder that an option names."""
        value = self.options.get(name)
        if not isinstance(value, str):
            return None
        return _join(self.set_in.get(name, self.folder), value)


def read_compiler(context: BuildContext, path: str, depth: int = 0) -> Compiler | None:
    """Read a tsconfig.json; None when it, or what it extends, cannot be read."""
    data = load_commented_object(context.read(path)) if context.sends(path) else None
    if data is None or depth > _MAX_EXTENDS or data.get("references"):
        return None
    folder = posixpath.dirname(path)
    found = Compiler(folder, {})
    extended = data.get("extends") or []
    for name in [extended] if isinstance(extended, str) else extended:
        if str(name).startswith(_BASES):
            continue
        base = _extended(context, folder, str(name), depth)
        if base is None:
            return None
        found = _over(found, base, folder)
    options = table(data, "compilerOptions")
    own = Compiler(
        folder,
        options,
        dict.fromkeys(options, folder),
        _texts(data, "include", folder),
        _texts(data, "exclude", folder),
        _texts(data, "files", folder),
    )
    return _over(found, own, folder)


def _extended(context: BuildContext, folder: str, name: str, depth: int) -> Compiler | None:
    if not name.startswith("."):
        return None
    path = _join(folder, name)
    path = path if path.endswith(".json") else f"{path}.json"
    return read_compiler(context, path, depth + 1)


def _over(base: Compiler, own: Compiler, folder: str) -> Compiler:
    return Compiler(
        folder,
        {**base.options, **own.options},
        {**base.set_in, **own.set_in},
        base.include if own.include is None else own.include,
        base.exclude if own.exclude is None else own.exclude,
        base.files if own.files is None else own.files,
    )


def _texts(data: Json, name: str, folder: str) -> tuple[str, ...] | None:
    found = data.get(name)
    if not isinstance(found, list):
        return None
    return tuple(_join(folder, str(entry)) for entry in found)


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def compiled_files(
    context: BuildContext, compiler: Compiler, out_dir: str | None = None
) -> dict[str, str] | None:
    """What the compiler makes: path of each output and of its source; None when it is not known.

    `out_dir` is one given on the command line. Raises TooManyFilesError.
    """
    options = compiler.options
    if any(options.get(name) for name in ("noEmit", "emitDeclarationOnly", "outFile")):
        return None
    if _maps_elsewhere(compiler):
        return None
    sources = dict(_included(context, compiler))
    compiled = [path for path in sources if not path.endswith(_DECLARATION)]
    compiled += _also_imported(context, sources, bool(options.get("resolveJsonModule")))
    if not compiled:
        return None
    root = compiler.place("rootDir")
    if root is None:
        root = compiler.folder if options.get("composite") else _common_folder(compiled)
    target = out_dir if out_dir is not None else compiler.place("outDir")
    return {_made(path, root, target): path for path in compiled if _is_below(path, root)}


def _maps_elsewhere(compiler: Compiler) -> bool:
    """Whether names of modules may stand for files of another folder."""
    places = [entry for value in table(compiler.options, "paths").values() for entry in value or ()]
    return any(str(place).startswith(("..", "/")) for place in places)


def _common_folder(paths: list[str]) -> str:
    folders = [posixpath.dirname(path).split("/") for path in paths]
    return "/".join(posixpath.commonprefix(folders))


def _made(path: str, root: str, target: str | None) -> str:
    stem, extension = posixpath.splitext(path)
    made = stem + _MADE.get(extension, extension)
    return made if target is None else _join(target, posixpath.relpath(made, root or "."))


def _included(context: BuildContext, compiler: Compiler) -> Iterator[tuple[str, str]]:
    """Path and text of the sources that the settings name."""
    wanted = compiler.include
    if wanted is None:
        wanted = () if compiler.files is not None else (_join(compiler.folder, "**/*"),)
    inside = [_translate(text) for text in wanted]
    out = compiler.place("outDir")
    left = compiler.exclude
    if left is None:
        left = (out,) if out else ()
    outside = [_translate(text) for text in left]
    endings = _SOURCE + (_SCRIPT if compiler.options.get("allowJs") else ())
    for path, text in read_sources(
        context, compiler.folder, lambda name: name.endswith(endings), _NEVER.__contains__
    ):
        named = any(p.fullmatch(path) for p in inside)
        if named and any(p.fullmatch(path) for p in outside):
            named = False
        if named or path in (compiler.files or ()):
            yield path, text


def _translate(text: str) -> re.Pattern[str]:
    """A pattern of `include` or `exclude`; a folder means all that is in it."""
    parts = []
    for part in text.split("/"):
        if part == "**":
            parts.append("(?:[^/]+/)*")
        else:
            parts.append(re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") + "/")
    body = "".join(parts)
    return re.compile(f"{body.removesuffix('/')}(?:/.*)?" if body.endswith("/") else f"{body}.*")


def _also_imported(
    context: BuildContext, sources: dict[str, str], with_json: bool
) -> Iterator[str]:
    """Files outside the settings that the sources import: they are compiled as well."""
    seen: set[str] = set(sources)
    for path, text in sources.items():
        for name in _RELATIVE.findall(text):
            target = _join(posixpath.dirname(path), name)
            for candidate in _candidates(target, with_json):
                if candidate not in seen and context.is_file(candidate):
                    seen.add(candidate)
                    if context.sends(candidate) and not candidate.endswith(_DECLARATION):
                        yield candidate


def _candidates(target: str, with_json: bool) -> Iterator[str]:
    if target.endswith(".json"):
        if with_json:
            yield target
        return
    stem = re.sub(r"\.[cm]?jsx?$", "", target)
    for ending in _SOURCE:
        yield stem + ending
        yield posixpath.join(target, f"index{ending}")


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
