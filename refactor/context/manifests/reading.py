"""How a manifest is read: from the build context, once, with the line when it is broken."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dockerfix.patterns import pattern
from dockerfix.reasons import ReasonError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from dockerfix.context.build_context import BuildContext

Table: TypeAlias = Mapping[str, Any]

_TOML_PLACE = pattern(r"\(at line (\d+), column \d+\)|\(at end of document\)")


class BrokenManifestError(ReasonError):
    """A manifest that its own tool would refuse; `line` is where."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__("a manifest cannot be read", f"{path}:{line}: {problem}")
        self.path = path
        self.line = line


class CannotTellError(ReasonError):
    """A manifest says something that cannot be known without running its tool."""

    def __init__(self, path: str, key: str) -> None:
        super().__init__("a manifest does not say it plainly", f"{path}: {key}")
        self.path = path
        self.key = key


class Place(NamedTuple):
    """Where a fact was read."""

    file: str
    key: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}" if self.key else self.file


def read_text(context: BuildContext, folder: str, name: str) -> tuple[str, str] | None:
    """Path and text of a manifest that the builder is sent; None when there is none."""
    path = posixpath.normpath(posixpath.join(folder, name))
    if not context.sends(path) or not context.is_file(path):
        return None
    text = context.read(path)
    return None if text is None else (path, text.removeprefix("\ufeff"))


def parse_json(path: str, text: str) -> Table:
    """The object that a JSON manifest holds. Raises BrokenManifestError."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BrokenManifestError(path, error.lineno, error.msg) from error
    except (ValueError, RecursionError) as error:
        raise BrokenManifestError(path, 1, "nested too deeply, or no JSON") from error
    return check_table(path, data)


def parse_toml(path: str, text: str) -> Table:
    """The table that a TOML manifest holds. Raises BrokenManifestError."""
    import tomllib

    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _TOML_PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        problem = _TOML_PLACE.sub("", str(error)).strip() or "no TOML"
        raise BrokenManifestError(path, line, problem) from error


def parse_xml(path: str, text: str) -> Element:
    """The root of an XML manifest; a document type is refused. Raises BrokenManifestError."""
    from xml.etree import ElementTree

    start = text.find("<!DOCTYPE")
    if start >= 0:
        raise BrokenManifestError(path, text.count("\n", 0, start) + 1, "a document type")
    try:
        return ElementTree.fromstring(text.encode("utf-8", "replace"))
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        line = getattr(error, "position", (1, 0))[0]
        raise BrokenManifestError(path, line, "no well-formed XML") from error


def check_table(path: str, data: object) -> Table:
    """The data, which has to be a table. Raises BrokenManifestError."""
    if not isinstance(data, dict):
        raise BrokenManifestError(path, 1, "no table at the top")
    return data


def table_at(data: object, *keys: str) -> Table:
    """The table below a path of keys; an empty one when there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def text_at(data: Table, key: str) -> str | None:
    """The text under a key; None when there is none, or something else."""
    found = data.get(key)
    return found if isinstance(found, str) else None


def texts_at(data: Table, key: str) -> tuple[str, ...]:
    """The texts of the list under a key; what is no text is left out."""
    found = data.get(key)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def strings(data: Table) -> dict[str, str]:
    """The entries of a table that are texts."""
    return {name: value for name, value in data.items() if isinstance(value, str)}


def child_text(element: Element, path: str) -> str | None:
    """The text of a descendant, its namespace left out; None when there is none or it is empty."""
    found = child(element, path)
    text = (found.text or "").strip() if found is not None else ""
    return text or None


def child(element: Element, path: str) -> Element | None:
    """The first descendant at a path of names, namespaces left out."""
    found: Element | None = element
    for name in path.split("/"):
        if found is None:
            return None
        found = next((entry for entry in found if local_name(entry) == name), None)
    return found


def children(element: Element | None, name: str) -> list[Element]:
    """The children of that name, namespaces left out."""
    if element is None:
        return []
    return [entry for entry in element if local_name(entry) == name]


def local_name(element: Element) -> str:
    """The name of an element without its namespace; "" for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
