"""What a Python source imports, writes, binds and calls.

Read with libcst, never run. Source: docs.python.org (open, pathlib, sqlite3, logging.handlers,
subprocess).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    import libcst

#: A source larger than this is not read: it is data, or generated.
MAX_BYTES = 400_000
#: Nothing that is looked for below the imports is in a text without one of these.
_WORTH = pattern(
    r"\bopen\(|write|mkdir|makedirs|sqlite|Handler\(|\.save\(|\bdump|subprocess|os\.(?:system|popen"
    r"|exec|spawn)|Popen|\.run\(|\.bind\(|run_app|serve|\.to_\w+\(|urlretrieve|shutil|tempfile"
)
_IMPORT = pattern(
    r"^[ \t]*(?:import[ \t]+([\w., \t]+)|from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+([^#\n]*))", 8
)
_WRITE_MODES = frozenset("wax+")
#: Calls that write to the path that is their first argument.
_WRITERS = frozenset(
    (
        *("os.mkdir", "os.makedirs", "os.remove", "os.rename", "os.replace", "sqlite3.connect"),
        *("aiosqlite.connect", "shelve.open", "dbm.open", "urllib.request.urlretrieve"),
        *("FileHandler", "logging.FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"),
        *("logging.handlers.RotatingFileHandler", "logging.handlers.TimedRotatingFileHandler"),
        *("shutil.rmtree", "TinyDB", "joblib.dump"),
    )
)
#: Methods that write to the path that they are called on.
_PATH_WRITERS = frozenset(("write_text", "write_bytes", "mkdir", "touch", "unlink"))
#: Methods that write to their first argument, whatever they are called on.
_SAVERS = frozenset(("save", "to_csv", "to_parquet", "to_json", "to_excel", "to_pickle", "savefig"))
_STARTERS = frozenset(
    (
        *("subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call"),
        *("subprocess.check_output", "subprocess.getoutput", "os.system", "os.popen", "Popen"),
        *(
            "os.execv",
            "os.execvp",
            "os.execl",
            "os.execlp",
            "os.spawnl",
            "os.spawnlp",
            "check_output",
        ),
        *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "check_call"),
    )
)
_SERVERS = ("run", "run_app", "serve", "bind", "listen", "add_insecure_port", "HTTPServer")


class Use(NamedTuple):
    """Something that a source does, with a text where one is written plainly."""

    path: str
    line: int
    #: The call: `open`, `subprocess.run`.
    call: str
    #: The path that is written, the program that is called, the port; None: cannot tell.
    text: str | None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.call}({self.text or '...'})"


class PythonSource(NamedTuple):
    """What a source does."""

    path: str
    #: Modules as they are imported: `a.b` for `import a.b`, `a.b` and `a.b.c` for
    #: `from a.b import c`; relative ones with their dots.
    imports: tuple[str, ...]
    writes: tuple[Use, ...] = ()
    programs: tuple[Use, ...] = ()
    ports: tuple[Use, ...] = ()

    @property
    def top_modules(self) -> frozenset[str]:
        """The first part of what is imported by its full name."""
        return frozenset(n.partition(".")[0] for n in self.imports if not n.startswith("."))


def read_python_source(path: str, text: str) -> PythonSource:
    """What a source does. Raises BrokenManifestError with the line of a syntax error."""
    imports = tuple(dict.fromkeys(_imports(text)))
    if len(text) > MAX_BYTES or not _WORTH.search(text):
        return PythonSource(path, imports)
    import libcst
    from libcst.metadata import MetadataWrapper, PositionProvider

    try:
        module = libcst.parse_module(text.removeprefix("\ufeff"))
    except libcst.ParserSyntaxError as error:
        raise BrokenManifestError(path, error.raw_line, "no Python 3") from error
    except (RecursionError, UnicodeError, ValueError) as error:
        raise BrokenManifestError(path, 1, "no Python 3") from error
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    found = _Found(path)
    for node in _calls(wrapper.module):
        found.note(node, positions[node].start.line)
    return PythonSource(
        path, imports, tuple(found.writes), tuple(found.programs), tuple(found.ports)
    )


def _imports(text: str) -> Iterator[str]:
    for match in _IMPORT.finditer(text):
        if match[1]:
            yield from (part.split()[0] for part in match[1].split(",") if part.split())
            continue
        yield match[2]
        dot = "" if match[2].endswith(".") else "."
        for part in match[3].strip("() \t\r\\").split(","):
            if part.split() and part.split()[0].isidentifier():
                yield f"{match[2]}{dot}{part.split()[0]}"


def _calls(module: libcst.Module) -> Iterator[libcst.Call]:
    import libcst

    waiting: list[libcst.CSTNode] = [module]
    while waiting:
        node = waiting.pop()
        if isinstance(node, libcst.Call):
            yield node
        waiting.extend(node.children)


@dataclass
class _Found:
    """What the calls of a source come to."""

    path: str
    writes: list[Use] = field(default_factory=list)
    programs: list[Use] = field(default_factory=list)
    ports: list[Use] = field(default_factory=list)

    def note(self, call: libcst.Call, line: int) -> None:
        name = _dotted(call.func)
        last = name.rpartition(".")[2]
        if name in _STARTERS:
            self.programs.append(Use(self.path, line, name, _program(call)))
        elif name in _WRITERS or (last in _SAVERS and "." in name):
            self.writes.append(Use(self.path, line, name, _text(_argument(call, 0))))
        elif last == "open":
            self._note_open(call, name, line)
        elif last in _PATH_WRITERS and "." in name:
            self.writes.append(Use(self.path, line, name, _path_of(call)))
        if last in _SERVERS:
            self._note_port(call, name, line)

    def _note_open(self, call: libcst.Call, name: str, line: int) -> None:
        is_method = name not in ("open", "io.open", "codecs.open", "gzip.open", "aiofiles.open")
        mode = _text(_argument(call, 0 if is_method else 1, "mode"))
        if mode and _WRITE_MODES.intersection(mode):
            target = _path_of(call) if is_method else _text(_argument(call, 0, "file"))
            self.writes.append(Use(self.path, line, name, target))

    def _note_port(self, call: libcst.Call, name: str, line: int) -> None:
        import libcst

        given = [a.value for a in call.args if a.keyword is None or a.keyword.value == "port"]
        for value in given:
            parts = (
                [e.value for e in value.elements] if isinstance(value, libcst.Tuple) else [value]
            )
            for part in parts:
                if isinstance(part, libcst.Integer) and 0 < part.evaluated_value < 65536:
                    self.ports.append(Use(self.path, line, name, part.value))


def _dotted(node: libcst.BaseExpression) -> str:
    import libcst

    names: list[str] = []
    while isinstance(node, libcst.Attribute):
        names.append(node.attr.value)
        node = node.value
    names.append(node.value if isinstance(node, libcst.Name) else "*")
    return ".".join(reversed(names))


def _argument(
    call: libcst.Call, position: int, keyword: str | None = None
) -> libcst.BaseExpression | None:
    plain = [a.value for a in call.args if a.keyword is None and not a.star]
    named = (a.value for a in call.args if a.keyword is not None and a.keyword.value == keyword)
    return plain[position] if len(plain) > position else next(named, None)


def _text(node: libcst.BaseExpression | None) -> str | None:
    """A literal text; that of `Path("...")` too."""
    import libcst

    if isinstance(node, libcst.Call) and _dotted(node.func).endswith("Path"):
        return _text(_argument(node, 0))
    if isinstance(node, libcst.SimpleString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def _path_of(call: libcst.Call) -> str | None:
    """The path that a method is called on: `Path("x").mkdir()`."""
    import libcst

    return _text(call.func.value) if isinstance(call.func, libcst.Attribute) else None


def _program(call: libcst.Call) -> str | None:
    import libcst

    first = _argument(call, 0, "args")
    if isinstance(first, libcst.List | libcst.Tuple):
        first = first.elements[0].value if first.elements else None
    text = _text(first)
    return text.split()[0] if text and text.split() else None
