"""Which files a script of package.json makes, as far as its tools say so without being run.

Sources: typescriptlang.org/docs/handbook/compiler-options.html, docs.nestjs.com/cli,
tsup.egoist.dev, esbuild.github.io/api, babeljs.io/docs/babel-cli, github.com/vercel/ncc.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import Json, load_commented_object, load_object, table
from dockerfix.context.sources import read_sources
from dockerfix.context.tsconfig import compiled_files, read_compiler
from dockerfix.patterns import pattern
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.syntax.shell.script import Command

#: Where the root of the sources is looked for changed with TypeScript 6 (its release notes).
_BEFORE_6 = pattern(r"[~^]?\s*v?[0-5](?:\.[\dx*]+)*(?:-[\w.]+)?")
_MAX_DEPTH = 5
_RUNNERS = ("npm", "yarn", "pnpm")
_REMOVERS = ("rm", "rimraf", "del", "del-cli", "mv", "shx", "trash")


@dataclass(slots=True)
class Outputs:
    """What a script leaves: path of each file in the context's terms, and why it is made."""

    files: dict[str, str] = field(default_factory=dict)
    #: Programs that were run and whose work is not known.
    unknown: list[str] = field(default_factory=list)


def script_outputs(context: BuildContext, folder: str, manifest: Json, name: str) -> Outputs:
    """The files that `npm run NAME` makes. Raises TooManyFilesError."""
    reader = _Reader(context, folder, manifest)
    reader.read_script(name, 0)
    return reader.outputs


def command_outputs(
    context: BuildContext, folder: str, manifest: Json, words: tuple[str, ...]
) -> Outputs:
    """The files that one command makes, as a RUN calls it. Raises TooManyFilesError."""
    reader = _Reader(context, folder, manifest)
    reader.read_call(words, 0)
    return reader.outputs


@dataclass(slots=True)
class _Reader:
    context: BuildContext
    folder: str
    manifest: Json
    outputs: Outputs = field(default_factory=Outputs)

    def read_script(self, name: str, depth: int) -> None:
        scripts = table(self.manifest, "scripts")
        for part in (f"pre{name}", name, f"post{name}"):
            text = scripts.get(part)
            if not isinstance(text, str) or depth > _MAX_DEPTH:
                if part == name:
                    self.outputs.unknown.append(name)
                continue
            script = parse_script(text)
            if script.opaque or not script.items:
                self.outputs.unknown.append(text)
                continue
            for item in script.items:
                if item.command is None:
                    self.outputs.unknown.append(text[item.start : item.end])
                else:
                    self.read_call(_words(item.command), depth + 1)

    def read_call(self, words: tuple[str, ...], depth: int) -> None:
        words = _behind_wrappers(words)
        if not words:
            return
        name = posixpath.basename(words[0])
        if name in _RUNNERS:
            self._read_runner(words, depth)
        elif name in _REMOVERS:
            self.outputs.files.clear()
        else:
            made = dict(self._made(name, words[1:]))
            if not made:
                self.outputs.unknown.append(name)
            self.outputs.files.update(made)

    def _read_runner(self, words: tuple[str, ...], depth: int) -> None:
        rest = [word for word in words[1:] if not word.startswith("-")]
        if rest[:1] in (["run"], ["run-script"]):
            rest = rest[1:]
        elif rest[:1] in (["exec"], ["dlx"]):
            self.read_call(tuple(rest[1:]), depth + 1)
            return
        if rest and rest[0] in table(self.manifest, "scripts"):
            self.read_script(rest[0], depth + 1)
        elif rest and words[0] in ("yarn", "pnpm"):
            self.read_call(tuple(words[words.index(rest[0]) :]), depth + 1)
        else:
            self.outputs.unknown.append(" ".join(words))

    def _made(self, name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        match name:
            case "tsc":
                yield from self._compiled(_value(words, "-p", "--project", "-b", "--build"), words)
            case "nest":
                yield from self._nest(words)
            case "tsup":
                yield from self._tsup(words)
            case "esbuild":
                yield from self._esbuild(words)
            case "babel":
                yield from self._babel(words)
            case "ncc":
                target = _value(words, "-o", "--out") or "dist"
                yield self._path(f"{target}/index.js"), "ncc makes it"

    def _path(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, name))

    def _compiled(
        self, project: str | None, words: tuple[str, ...], tool: str = "tsc"
    ) -> Iterator[tuple[str, str]]:
        if not self._is_before_6():
            return
        path = self._path(project or "tsconfig.json")
        if not path.endswith(".json"):
            path = posixpath.normpath(posixpath.join(path, "tsconfig.json"))
        compiler = read_compiler(self.context, path)
        target = _value(words, "--outDir", "--outdir")
        if compiler is None or "--noEmit" in words or "--rootDir" in words:
            return
        made = compiled_files(self.context, compiler, self._path(target) if target else None)
        for output, source in (made or {}).items():
            yield output, f"{tool} makes it of {source} ({path})"

    def _is_before_6(self) -> bool:
        """Whether the compiler is one that looks for the root of the sources itself."""
        found = {**table(self.manifest, "devDependencies"), **table(self.manifest, "dependencies")}
        return bool(_BEFORE_6.fullmatch(str(found.get("typescript", "")).strip()))

    def _nest(self, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        settings = load_commented_object(self.context.read(self._path("nest-cli.json"))) or {}
        options = table(settings, "compilerOptions")
        plain = words[:1] == ("build",) and len(words) == 1 and not settings.get("monorepo")
        if not plain or options.get("webpack") or options.get("builder") not in (None, "tsc"):
            return
        project = options.get("tsConfigPath")
        if not isinstance(project, str):
            has_own = self.context.sends(self._path("tsconfig.build.json"))
            project = "tsconfig.build.json" if has_own else "tsconfig.json"
        yield from self._compiled(project, (), "nest build")

    def _tsup(self, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        names = ("tsup.config.ts", "tsup.config.js", "tsup.config.mjs", "tsup.config.json")
        if any(self.context.sends(self._path(name)) for name in names) or "tsup" in self.manifest:
            return
        target = _value(words, "-d", "--out-dir") or "dist"
        formats = (_value(words, "--format", "-f") or "cjs").split(",")
        module = self.manifest.get("type") == "module"
        for word in words:
            stem, ending = posixpath.splitext(posixpath.basename(word))
            if ending not in (".ts", ".tsx", ".js", ".mts", ".cts"):
                continue
            if not self.context.sends(self._path(word)):
                continue
            if "cjs" in formats:
                yield self._path(f"{target}/{stem}{'.cjs' if module else '.js'}"), "tsup makes it"
            if "esm" in formats:
                yield self._path(f"{target}/{stem}{'.js' if module else '.mjs'}"), "tsup makes it"

    def _esbuild(self, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        target = _value(words, "--outfile")
        if target:
            yield self._path(target), "esbuild makes it"
            return
        folder = _value(words, "--outdir")
        entries = [word for word in words if not word.startswith("-")]
        if folder and len(entries) == 1 and self.context.sends(self._path(entries[0])):
            stem = posixpath.splitext(posixpath.basename(entries[0]))[0]
            yield self._path(f"{folder}/{stem}.js"), "esbuild makes it"

    def _babel(self, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        target = _value(words, "-d", "--out-dir")
        if not target or words[0].startswith("-"):
            return
        endings = (_value(words, "-x", "--extensions") or ".js,.jsx,.es6,.es,.mjs,.cjs").split(",")
        source = self._path(words[0])
        if not self.context.is_folder(source):
            return
        for path, _ in read_sources(
            self.context,
            source,
            lambda name: name.endswith(tuple(endings)),
            "node_modules".__eq__,
        ):
            inner = posixpath.relpath(posixpath.splitext(path)[0], source)
            yield self._path(f"{target}/{inner}.js"), f"babel makes it of {path}"


def _words(command: Command) -> tuple[str, ...]:
    return tuple(word.value if word.value is not None else word.text for word in command.words)


def _behind_wrappers(words: tuple[str, ...]) -> tuple[str, ...]:
    """The call that programs make which only set the environment, or look for a program."""
    while words and words[0] in ("npx", "cross-env", "env", "dotenv"):
        words = words[1:]
        while words and (words[0].startswith("-") or "=" in words[0]):
            words = words[1:]
    return words


def _value(words: tuple[str, ...], *names: str) -> str | None:
    """The value of an option, as a word of its own or behind `=`."""
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        name, equals, value = word.partition("=")
        if name in names:
            found = value if equals else following
            return found if found and not found.startswith("-") else None
    return None


def main_file(manifest: Json) -> str:
    """The file that `node .` runs."""
    found = manifest.get("main")
    return found if isinstance(found, str) and found else "index.js"


def read_manifest(context: BuildContext, folder: str) -> Json | None:
    """The package.json of a folder."""
    return load_object(context.read(posixpath.join(folder, "package.json")))
