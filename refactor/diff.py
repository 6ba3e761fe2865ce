"""Unified diffs that `git apply` and `patch -p1` take, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

#: Lines around a change.
_CONTEXT = 3
#: From so many lines on `difflib` takes no notice of lines that are there often.
_POPULAR = 200
#: Pairs of lines that may be compared one by one.
_SMALL = 250_000

_Block: TypeAlias = tuple[int, int, int, int]


def unified_diff(before: str, after: str, path: str, *, created: bool = False) -> str:
    """The change of one file; empty when there is none.

    Lines end at `\\n` only, so that a lone carriage return or a form feed within a line does not
    split it (`str.splitlines` would).
    """
    if before == after:
        return ""
    old, new = _split(before), _split(after)
    source = "/dev/null" if created else f"a/{path}"
    parts = [f"--- {_quote(source)}\n", f"+++ {_quote(f'b/{path}')}\n"]
    for group in _groups(_changed_blocks(old, new), len(old)):
        parts.append(_head(group))
        parts += _hunk(group, old, new)
    return "".join(parts)


def _changed_blocks(old: list[str], new: list[str]) -> list[_Block]:
    """What differs: lines `[i1, i2)` of the old text against `[j1, j2)` of the new one."""
    from difflib import SequenceMatcher

    blocks: list[_Block] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            continue
        if tag == "replace" and len(new) >= _POPULAR and (i2 - i1) * (j2 - j1) <= _SMALL:
            # In long texts the matcher passes over lines that are there often, such as blank ones.
            inner = SequenceMatcher(None, old[i1:i2], new[j1:j2], autojunk=False)
            blocks += [
                (i1 + k1, i1 + k2, j1 + l1, j1 + l2)
                for kind, k1, k2, l1, l2 in inner.get_opcodes()
                if kind != "equal"
            ]
        else:
            blocks.append((i1, i2, j1, j2))
    return blocks


def _groups(blocks: list[_Block], size: int) -> Iterator[list[_Block]]:
    """Blocks whose context touches, each group with the context's lines as its first and last."""
    group: list[_Block] = []
    for block in blocks:
        if group and block[0] - group[-1][1] > 2 * _CONTEXT:
            yield _with_context(group, size)
            group = []
        group.append(block)
    if group:
        yield _with_context(group, size)


def _with_context(group: list[_Block], size: int) -> list[_Block]:
    above = min(_CONTEXT, group[0][0])
    below = min(_CONTEXT, size - group[-1][1])
    first, last = group[0], group[-1]
    head = (first[0] - above, first[0] - above, first[2] - above, first[2] - above)
    tail = (last[1] + below, last[1] + below, last[3] + below, last[3] + below)
    return [head, *group, tail]


def _head(group: list[_Block]) -> str:
    first, last = group[0], group[-1]
    return f"@@ -{_range(first[0], last[1])} +{_range(first[2], last[3])} @@\n"


def _range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return str(start + 1)
    # An empty range names the line before it.
    return f"{start + 1 if length else start},{length}"


def _hunk(group: list[_Block], old: list[str], new: list[str]) -> Iterator[str]:
    position = group[0][0]
    for i1, i2, j1, j2 in group:
        yield from (_line(" ", line) for line in old[position:i1])
        yield from (_line("-", line) for line in old[i1:i2])
        yield from (_line("+", line) for line in new[j1:j2])
        position = i2


def _line(mark: str, line: str) -> str:
    if line.endswith("\n"):
        return mark + line
    return f"{mark}{line}\n\\ No newline at end of file\n"


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]


def _quote(path: str) -> str:
    """Quote a file name as git does when it holds control characters, quotes or backslashes."""
    if path.isprintable() and '"' not in path and "\\" not in path:
        # A tab after the name ends it, so that blanks in it are part of it.
        return f"{path}\t" if " " in path else path
    octets = path.encode("utf-8", "surrogateescape")
    return '"' + "".join(_quote_octet(octet) for octet in octets) + '"'


def _quote_octet(octet: int) -> str:
    char = chr(octet)
    if char in '"\\':
        return f"\\{char}"
    return char if 32 <= octet < 127 else f"\\{octet:03o}"
