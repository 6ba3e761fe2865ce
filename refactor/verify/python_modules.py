"""Which modules a Python program imports, and whether its interpreter finds them in an image.

Where it looks: the documentation of `site` and of `sys.path`; PEP 405 for virtual environments.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.verify.image import Image

_LIBRARY = re.compile(r"^(.*?/?)lib/(python3(?:\.\d+)?)$")
_EXTENSION = re.compile(r"^(\w+)(?:\.[\w-]+)*\.(?:so|py)$")
_HOME = re.compile(r"^home\s*=\s*(\S+)", re.M)
_MAX_FILES = 5000


class Module(NamedTuple):
    """A module that a source imports."""

    name: str
    by: str
    found: bool


class PythonModules:
    """The modules of one image."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.seen: set[str] = set()
        self._roots: dict[str, list[str]] = {}
        self._tops: dict[str, set[str]] = {}

    def follow_module(self, interpreter: str, name: str) -> Iterator[Module]:
        """A module by name, started in the program's folder, and what it imports."""
        roots = [self.image.absolute("."), *self.roots(interpreter)]
        place = self._find(name, roots)
        yield Module(name, "the entry", place is not None)
        if place is not None:
            yield from self._follow(place, roots)

    def follow_file(self, interpreter: str, path: str) -> Iterator[Module]:
        """A source by path, and what it imports."""
        place = self.image.tree.resolve(path)
        if place is not None:
            roots = [posixpath.dirname(path), *self.roots(interpreter)]
            yield from self._follow(place, roots)

    def _follow(self, start: str, roots: list[str]) -> Iterator[Module]:
        waiting = [start]
        while waiting and len(self.seen) < _MAX_FILES:
            place = waiting.pop()
            if place in self.seen:
                continue
            self.seen.add(place)
            for name in _imports(self.image.tree.texts.get(place, ""), place, roots):
                found = self._find(name, roots)
                yield Module(name, f"/{place}", found is not None)
                if found is not None and found in self.image.tree.texts:
                    waiting.append(found)

    def _find(self, name: str, roots: list[str]) -> str | None:
        """The file or folder of a module; of an installed package the first part counts."""
        parts = name.split(".")
        for root in roots:
            if parts[0] not in self._names(root):
                continue
            place = f"{root}/{'/'.join(parts)}".lstrip("/")
            for ending in (".py", "/__init__.py"):
                if self.image.tree.is_file(place + ending):
                    return self.image.tree.resolve(place + ending)
            if "-packages" in root or len(parts) == 1 or self.image.tree.is_folder(place):
                return place
        return None

    def _names(self, root: str) -> set[str]:
        """The modules that lie in a folder of the search path."""
        if root not in self._tops:
            real = self.image.tree.resolve(root) or root
            prefix = f"{real}/" if real else ""
            found: set[str] = set()
            for path in (*self.image.tree.nodes, *self.image.tree.folders):
                if path.startswith(prefix) and "/" not in path[len(prefix) :]:
                    name = path[len(prefix) :]
                    match = _EXTENSION.match(name)
                    found.add(match[1] if match else name)
            self._tops[root] = found
        return self._tops[root]

    def roots(self, interpreter: str) -> list[str]:
        """The folders in which an interpreter looks for modules."""
        if interpreter not in self._roots:
            named = self.image.environment.get("PYTHONPATH", "").split(":")
            found = [self.image.absolute(part) for part in named if part]
            for prefix in self._prefixes(interpreter):
                found += self._libraries(prefix)
            self._roots[interpreter] = list(dict.fromkeys(found))
        return self._roots[interpreter]

    def _prefixes(self, interpreter: str) -> list[str]:
        """Where Python is installed: the virtual environment, and what it was made from."""
        found: list[str] = []
        place = _place(self.image, interpreter)
        real = self.image.find_program(interpreter)
        for path in (place, real):
            if path is None:
                continue
            prefix = posixpath.dirname(posixpath.dirname(path))
            found.append(prefix)
            home = _HOME.search(self.image.tree.text(f"{prefix}/pyvenv.cfg") or "")
            if home:
                found.append(posixpath.dirname(home[1]).lstrip("/"))
        return found

    def _libraries(self, prefix: str) -> list[str]:
        found: list[str] = []
        start = f"{prefix}/" if prefix else ""
        for folder in self.image.tree.folders:
            match = _LIBRARY.match(folder)
            if match and match[1] == start:
                found.append(folder)
                found += [f"{folder}/{name}" for name in ("lib-dynload", "site-packages")]
                found += [f"{folder}/dist-packages"]
        return found


def _place(image: Image, word: str) -> str | None:
    """Where a command lies, the last link not followed: a virtual environment is known by it."""
    if "/" in word:
        return image.absolute(word)
    for part in image.environment.get("PATH", "").split(":"):
        place = f"{part}/{word}".lstrip("/")
        if part and image.tree.is_file(place):
            return place
    return None


def _imports(text: str, path: str, roots: list[str]) -> Iterator[str]:
    """The absolute names of all modules that a source imports whatever happens."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in _certain(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(filter(None, (_package(path, roots, node.level), base)))
            if base:
                yield base
                # A name of a package may be a module; what is none is found in neither image.
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _certain(module: ast.AST) -> Iterator[ast.AST]:
    """All statements but those that may fail, or that only a type checker reads."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.Try):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        waiting += ast.iter_child_nodes(node)


def _package(path: str, roots: list[str], level: int) -> str:
    """The package that a relative import starts from."""
    folder = posixpath.dirname(path)
    for _ in range(level - 1):
        folder = posixpath.dirname(folder)
    root = next((root for root in roots if folder.startswith(f"{root}/") or not root), None)
    return folder[len(root) :].strip("/").replace("/", ".") if root is not None else ""
