"""The one RUN that several become."""

from __future__ import annotations

from dockerfix.merging.part import Part
from dockerfix.merging.union import Merger, unite_installs
from dockerfix.syntax.edits import Edit, apply_edits
from dockerfix.syntax.nodes import Comment
from dockerfix.syntax.style import Style
from dockerfix.transform import Change, Evidence, Level, Workspace


def merge(group: list[Part], workspace: Workspace) -> Change:
    """Make one RUN of several, and one install of those of one package manager."""
    first, last = group[0].instruction, group[-1].instruction
    style = workspace.style.local("".join(part.instruction.code for part in group))
    merger = unite_installs(group, style, workspace)
    body = [_body(group[0], merger)]
    for part in group[1:]:
        text = _body(part, merger)
        if text:
            comments = () if part.run in merger.placed else part.comments
            body += (_joint(comments, style), text)
    lines = ", ".join(str(part.instruction.line) for part in group)
    return Change(
        f"{len(group)} neighbouring `RUN` instructions make {len(group)} layers",
        "Make them one" + (" with one install" if merger.unites else ""),
        (Edit(first.argument_span[0], last.argument_span[1], "".join(body)),),
        first.line,
        Level.SAFE,
        evidence=(Evidence(f"lines {lines}", "no other instruction stands between them"),),
        removed=("RUN",) * (len(group) - 1),
    )


def _whole_line(comment: Comment, style: Style) -> str:
    return comment.code if comment.code.endswith("\n") else comment.code + style.newline


def _body(part: Part, merger: Merger) -> str:
    """The source of a script without what goes; nothing when all of it went or moved elsewhere."""
    begin, end = part.instruction.argument_span
    edits = [
        Edit(edit.start - begin, edit.end - begin, edit.text)
        for edit in merger.edits
        if begin <= edit.start <= end
    ]
    start = part.instruction.start
    text = apply_edits(part.instruction.code[begin - start : end - start], edits)
    return f"{{ {text}; }}" if text and _needs_braces(part) else text


def _needs_braces(part: Part) -> bool:
    return any(item.operator in ("||", ";") for item in part.run.script.items)


def _joint(comments: tuple[Comment, ...], style: Style) -> str:
    """The operator between two scripts, and the comments that stood there."""
    lines = "".join(style.indent + _whole_line(comment, style).lstrip() for comment in comments)
    if style.operator_first:
        return f" {style.escape}{style.newline}{lines}{style.indent}&& "
    return f" && {style.escape}{style.newline}{lines}{style.indent}"
