"""HCL as bake files and Nomad jobs are written in it: blocks, attributes and plain values.

Source: github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md. Nothing is computed: what is no plain
value is kept as its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.patterns import pattern

_TOKEN = pattern(
    r"(?P<skip>[ \t\r]+|#[^\n]*|//[^\n]*|/\*[\s\S]*?\*/)|(?P<line>\n)"
    r"|<<-?(?P<mark>\w+)[^\n]*\n(?P<text>[\s\S]*?)\n[ \t]*(?P=mark)\b"
    r'|"(?P<string>(?:\\.|\$\{(?:[^{}"]|"[^"\n]*")*\}|[^"\\\n])*+)"|(?P<name>[A-Za-z_][\w.-]*)|(?P<number>\d[\w.]*)'
    r"|(?P<mark_of>.)"
)
_MAX_DEPTH = 40


class Expression(str):
    """What has to be computed: a variable, a call, a condition; as it is written."""

    __slots__ = ()


class Block(NamedTuple):
    """A block: `task "web" { ... }`; the file itself is one without kind."""

    kind: str
    labels: tuple[str, ...]
    attributes: dict[str, Any]
    blocks: tuple[Block, ...]

    def all(self, kind: str) -> Iterator[Block]:
        """The blocks of a kind, at any depth."""
        for block in self.blocks:
            if block.kind == kind:
                yield block
            yield from block.all(kind)

    def first(self, kind: str) -> Block:
        """The first block of a kind right in it; an empty one when there is none."""
        return next((b for b in self.blocks if b.kind == kind), Block(kind, (), {}, ()))


class _Token(NamedTuple):
    kind: str
    text: str
    line: int
    start: int
    end: int


def parse_hcl(path: str, text: str) -> Block:
    """What a file holds. Raises BrokenManifestError with the line."""
    reader = _Reader(path, text)
    block = reader.body("", (), 0)
    if reader.peek() is not None:
        raise reader.error("a bracket too many")
    return block


class _Reader:
    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self.tokens = list(_tokens(text))
        self.at = 0

    def peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def error(self, problem: str) -> BrokenManifestError:
        token = self.peek()
        line = token.line if token is not None else self.text.count("\n") + 1
        return BrokenManifestError(self.path, line, problem)

    def take(self) -> _Token:
        token = self.peek()
        if token is None:
            raise self.error("the file ends too early")
        self.at += 1
        return token

    def skip_lines(self) -> None:
        while (token := self.peek()) is not None and token.text in ("\n", ","):
            self.at += 1

    def body(self, kind: str, labels: tuple[str, ...], depth: int) -> Block:
        attributes: dict[str, Any] = {}
        blocks: list[Block] = []
        if depth > _MAX_DEPTH:
            raise self.error("nested too deeply")
        while True:
            self.skip_lines()
            token = self.peek()
            if token is None or token.text == "}":
                return Block(kind, labels, attributes, tuple(blocks))
            name = self.take()
            if name.kind not in ("name", "string"):
                raise self.error(f"no name: {name.text[:20]}")
            found: list[str] = []
            while (token := self.take()).kind in ("string", "name"):
                found.append(token.text)
            if token.text in ("=", ":") and not found:
                attributes[name.text] = self.value(depth)
            elif token.text == "{":
                blocks.append(self.body(name.text, tuple(found), depth + 1))
                self.close("}")
            else:
                raise self.error(f"neither a block nor a value: {name.text[:20]}")

    def close(self, bracket: str) -> None:
        token = self.peek()
        if token is None or token.text != bracket:
            raise self.error(f"no {bracket}")
        self.at += 1

    def value(self, depth: int) -> Any:  # noqa: ANN401 - texts, lists and objects of these
        token = self.take()
        start = self.at - 1
        if token.text == "[" and token.kind == "mark_of":
            found: Any = self.items(depth)
        elif token.text == "{" and token.kind == "mark_of":
            found = self.body("", (), depth + 1).attributes
            self.close("}")
        elif token.kind in ("string", "number", "text") or token.text in ("true", "false"):
            found = token.text
        else:
            found = Expression(token.text)
        return found if self.ends() else self.expression(start)

    def items(self, depth: int) -> list[Any]:
        found: list[Any] = []
        if depth > _MAX_DEPTH:
            raise self.error("nested too deeply")
        while True:
            self.skip_lines()
            token = self.peek()
            if token is not None and token.text == "]":
                self.at += 1
                return found
            found.append(self.value(depth + 1))

    def ends(self) -> bool:
        token = self.peek()
        return token is None or token.text in ("\n", ",", "]", "}")

    def expression(self, start: int) -> Expression:
        """The text up to the end of what is computed."""
        self.at, depth = start, 0
        begin = end = self.tokens[start].start
        while (token := self.peek()) is not None:
            if depth == 0 and token.text in ("\n", ",", "]", "}"):
                break
            depth += token.text in ("(", "[", "{")
            depth -= token.text in (")", "]", "}")
            end = token.end
            self.at += 1
        return Expression(self.text[begin:end])


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "skip":
            yield _Token(kind, _text(match[0], kind, match[kind]), line, match.start(), match.end())
        line += match[0].count("\n")


def _text(whole: str, kind: str, text: str) -> str:
    if kind != "string":
        return text
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
