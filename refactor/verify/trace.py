"""What the entry of an image needs (programs, files, libraries, modules), and if it is there.

The same is asked of both images. What the new one lacks and the old one has is a fault; what
neither has (a module that is built in, an argument that only looks like a file) is none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dockerfix.verify.image import EXECUTE, READ, Image
from dockerfix.verify.node_modules import NodeModules
from dockerfix.verify.python_modules import PythonModules

_MAX_DEPTH = 12
_SHELLS = frozenset(("sh", "bash", "ash", "dash"))
#: Programs that start the one behind them.
_WRAPPERS = frozenset(
    (
        *("exec", "env", "tini", "dumb-init", "gosu", "su-exec", "setpriv", "nice", "nohup"),
        *("cross-env", "catchsegv"),
    )
)
_NODES = frozenset(("node", "nodejs", "tsx", "ts-node"))
#: Programs that load the module that an argument names.
_LOADERS = frozenset(["gunicorn", "uvicorn", "hypercorn", "daphne", "waitress-serve", "granian"])
_PYTHON = re.compile(r"python(?:\d(?:\.\d+)?)?$")
_APPLICATION = re.compile(r"([A-Za-z_][\w.]*)(?::[\w.()]+)?$")


class Need(NamedTuple):
    """Something without which the entry does not work."""

    #: `program`, `file`, `interpreter`, `right`, `library`, `Python module`, `Node module`.
    kind: str
    name: str
    #: What needs it.
    by: str
    found: bool


@dataclass(slots=True)
class Trace:
    """All that the entry of one image needs."""

    needs: dict[tuple[str, str], Need] = field(default_factory=dict)
    #: Paths of the programs that run.
    programs: list[str] = field(default_factory=list)
    #: The archive that `java -jar` runs.
    jar: str = ""

    def names(self) -> set[str]:
        """The file names of the programs."""
        return {posixpath.basename(path) for path in self.programs}


def trace_entry(image: Image) -> Trace:
    """Follow the entry of an image."""
    tracer = _Tracer(image)
    entry = list(map(str, image.config.get("Entrypoint") or ()))
    command = list(map(str, image.config.get("Cmd") or ()))
    if entry or command:
        tracer.follow([*entry, *command], "the entry", 0)
    return tracer.trace


class _Tracer:
    def __init__(self, image: Image) -> None:
        self.image = image
        self.trace = Trace()
        self.seen: set[tuple[str, ...]] = set()
        self.python = PythonModules(image)
        self.node = NodeModules(image)

    def need(self, kind: str, name: str, by: str, found: bool) -> None:
        self.trace.needs.setdefault((kind, name), Need(kind, name, by, found))

    def follow(self, words: Sequence[str], by: str, depth: int) -> None:
        """A program with its arguments."""
        key = tuple(words)
        if not words or depth > _MAX_DEPTH or key in self.seen:
            return
        self.seen.add(key)
        self.program(words[0], by, depth)
        rest = list(words[1:])
        self.files(rest, words[0])
        name = posixpath.basename(words[0])
        if name in _WRAPPERS:
            while rest and (rest[0].startswith("-") or "=" in rest[0]):
                rest = rest[1:]
            self.follow(rest[1:] if name in ("gosu", "su-exec") else rest, by, depth + 1)
        elif name in _SHELLS:
            self.shell_call(rest, by, depth)
        elif name in ("npm", "yarn", "pnpm"):
            self.package_script(rest, depth)
        else:
            self.arguments(name, words[0], rest, depth)

    def arguments(self, name: str, program: str, rest: list[str], depth: int) -> None:
        """What a program of a known kind loads."""
        named = [word for word in rest if not word.startswith("-")]
        if name in _NODES and named:
            self.javascript(named[0])
        elif _PYTHON.match(name):
            self.python_call(program, rest)
        elif name in _LOADERS:
            self.applications(program, named)
        elif name == "celery" and ("-A" in rest or "--app" in rest):
            place = rest.index("-A" if "-A" in rest else "--app") + 1
            self.applications(program, rest[place : place + 1])
        elif name == "flask":
            self.applications(program, [self.image.environment.get("FLASK_APP", "app")])
        elif name == "java" and "-jar" in rest[:-1]:
            self.trace.jar = self.image.absolute(rest[rest.index("-jar") + 1])
        text = self.script(program)
        if text is not None and '"$@"' in text:
            self.follow(rest, program, depth + 1)

    def files(self, words: list[str], by: str) -> None:
        """Arguments that may be files; those that are none are not found in either image."""
        for word in words:
            if not word.startswith("-") and ("." in word or "/" in word) and "://" not in word:
                place = self.image.absolute(word)
                found = self.image.tree.resolve(place) is not None
                self.need("file", f"/{place}", by, found)
                if found:
                    self.right(place, READ)

    def right(self, place: str, right: int) -> None:
        verb = "execute" if right == EXECUTE else "read"
        user = self.image.account().name
        self.need("right", f"{verb} /{place}", f"user {user}", self.image.may(place, right))

    def program(self, word: str, by: str, depth: int) -> None:
        """A program: there, executable by the user, with interpreter and libraries."""
        place = self.image.find_program(word)
        self.need("program", word, by, place is not None)
        if place is None:
            other = self.image.find_any(word)
            if other is not None:
                self.right(other, EXECUTE)
            return
        self.right(place, EXECUTE)
        if place in self.trace.programs:
            return
        self.trace.programs.append(place)
        for missing in self.image.loader.missing(place):
            self.need("library", missing.name, f"/{missing.by}", False)
        self.shebang(place, word, depth)

    def shebang(self, place: str, word: str, depth: int) -> None:
        text = self.image.tree.texts.get(place)
        if text is None or not text.startswith("#!"):
            return
        words = text.splitlines()[0][2:].split()
        if words and posixpath.basename(words[0]) == "env":
            words = [part for part in words[1:] if not part.startswith("-")]
        if not words:
            return
        self.program(words[0], f"/{place}", depth + 1)
        name = posixpath.basename(words[0])
        if _PYTHON.match(name):
            self.modules(words[0], f"/{place}")
        elif name in _NODES:
            self.javascript(f"/{place}")
        elif name in _SHELLS:
            self.shell_text(text, f"/{place}", depth + 1)

    def script(self, word: str) -> str | None:
        """The text of a program that is a script."""
        place = self.image.find_program(word)
        return self.image.tree.texts.get(place) if place else None

    def shell_call(self, rest: list[str], by: str, depth: int) -> None:
        if rest and re.fullmatch(r"-\w*c", rest[0]) and len(rest) > 1:
            self.shell_text(rest[1], by, depth + 1)
            return
        named = [word for word in rest if not word.startswith("-")]
        text = self.image.tree.text(self.image.absolute(named[0])) if named else None
        if text is not None:
            self.shell_text(text, named[0], depth + 1)
            if '"$@"' in text:
                self.follow(named[1:], named[0], depth + 1)

    def shell_text(self, text: str, by: str, depth: int) -> None:
        from dockerfix.syntax.shell.parse import parse_script

        script = parse_script(text)
        if script.opaque:
            return
        for command in script.commands():
            words = [word.value for word in command.words if word.value is not None]
            if words and len(words) == len(command.words):
                self.follow(words, by, depth + 1)

    def package_script(self, rest: list[str], depth: int) -> None:
        """`npm start`, `yarn run x`: what package.json says; its folder of programs comes first."""
        named = [word for word in rest if not word.startswith("-")]
        if named[:1] in (["run"], ["run-script"]):
            named = named[1:]
        manifest = self.image.absolute("package.json")
        self.need("file", f"/{manifest}", "npm", self.image.tree.is_file(manifest))
        for name in (f"pre{named[0]}", named[0], f"post{named[0]}") if named else ():
            text = self.node.script(manifest, name)
            if text is not None:
                self.node.with_own_programs()
                self.shell_text(text, f"package.json: scripts.{name}", depth + 1)

    def javascript(self, word: str) -> None:
        for need in self.node.follow(self.image.absolute(word)):
            self.need("Node module", need.name, need.by, need.found)

    def python_call(self, program: str, rest: list[str]) -> None:
        if rest[:1] == ["-m"] and len(rest) > 1:
            self.applications(program, rest[1:2])
            self.applications(program, [w for w in rest[2:] if ":" in w])
            return
        named = [word for word in rest if not word.startswith("-")]
        if named:
            self.modules(program, named[0])

    def applications(self, program: str, words: list[str]) -> None:
        """Words such as `app.main:app` name modules."""
        interpreter = self.interpreter(program)
        for word in words:
            match = _APPLICATION.match(word)
            if match:
                for need in self.python.follow_module(interpreter, match[1]):
                    self.need("Python module", need.name, need.by, need.found)

    def modules(self, program: str, script: str) -> None:
        place = self.image.absolute(script)
        for need in self.python.follow_file(self.interpreter(program), place):
            self.need("Python module", need.name, need.by, need.found)

    def interpreter(self, program: str) -> str:
        """The Python that runs a program: the one of its first line, or itself."""
        text = self.script(program)
        if text is not None and text.startswith("#!"):
            words = text.splitlines()[0][2:].split()
            return words[-1] if words else program
        return program
