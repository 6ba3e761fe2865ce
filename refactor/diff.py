"""Unified diffs that `git apply` and `patch -p1` take, byte for byte."""

from __future__ import annotations


def unified_diff(before: str, after: str, path: str, *, created: bool = False) -> str:
    """The change of one file; empty when there is none.

    Lines end at `\\n` only, so that a lone carriage return or a form feed within a line does not
    split it (`str.splitlines` would).
    """
    import difflib

    if before == after:
        return ""
    old = "/dev/null" if created else f"a/{path}"
    lines = difflib.unified_diff(
        _split(before), _split(after), fromfile=_quote(old), tofile=_quote(f"b/{path}")
    )
    parts = []
    for line in lines:
        parts.append(line)
        if not line.endswith("\n"):
            parts.append("\n\\ No newline at end of file\n")
    return "".join(parts)


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
