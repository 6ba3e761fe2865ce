"""The edits that give instructions their new order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerfix.ordering.manifest_copies import CannotMoveError
from dockerfix.ordering.moved import Moved, may_fetch_above, works_before
from dockerfix.ordering.steps import Pass
from dockerfix.ordering.targets import full_targets, with_target
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.syntax.edits import (
    Edit,
    blank_above,
    blank_below,
    end_with_gap,
    head_of,
    insert_after,
)
from dockerfix.syntax.edits import with_comments as code_with_comments
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.script import Command
from dockerfix.transform import Workspace

_CACHES = ("/root/.npm", "/root/.cache", "/var/cache", "/var/lib/apt", "/tmp", "/go/pkg")
#: They change the shell for what follows, and are no `cd`.
_CHANGE_SHELL = frozenset(
    ("export", "set", "unset", "umask", "ulimit", "readonly", "local", "read", "alias", "shopt")
)
#: A comment on the install, which stays above what the install reads.
_ON_INSTALL = pattern(
    r"\b(?:csproj|manifests?|go\.mod|package\.json|pom|restor\w*|dependenc\w*|install\w*)\b", re.I
)
#: A comment on all that is copied, whatever it says of the install.
_ON_SOURCES = pattern(
    r"\b(?:sources?|src|code|app|application|project|rest|everything|all|whole|build|compile)\b",
    re.I,
)


def edit_order(moved: Moved, workspace: Workspace) -> tuple[list[Edit], tuple[str, ...]]:
    """The edits, and the keywords of the instructions that come with them.

    Raises CannotMoveError when there is no place to put them.
    """
    runs = 2 if moved.divides else int(bool(moved.fetch) or _has_rest(moved.last))
    added = ("COPY",) * len(moved.lines) + ("RUN",) * runs
    return list(_edits(moved, workspace)), added


def _edits(moved: Moved, workspace: Workspace) -> Iterator[Edit]:
    newline = workspace.style.newline
    movers, run = moved.movers, moved.last.run.instruction
    within = bool(moved.fetch) and not moved.divides and works_before(moved.last)
    if moved.fetch and not within and may_fetch_above(moved, workspace):
        stays = _comment_stays(movers[0], workspace)
        head = movers[0].start if stays else head_of(workspace.dockerfile, movers[0])
        lines = [*moved.lines, _fetch_line(moved, workspace)]
        text = "".join(line + newline for line in lines)
        yield Edit(head, head, text + _gap_between(movers[0], workspace))
        return
    if moved.fetch and moved.fetch[0].startswith("chmod "):
        # Below, the COPY would bring the wrapper again, not executable.
        raise CannotMoveError("the wrapper is made executable in between", run.line)
    yield from _take_out(moved, workspace)
    text, gap = _moved_text(moved, workspace), _gap_below(movers[0], workspace)
    if within:
        yield from _fetch_within(moved, text + gap, workspace)
    elif moved.fetch:
        head = head_of(workspace.dockerfile, run)
        before = _lines(moved, workspace) if _lines_by_fetch(moved) else ""
        first = f"{before}{_fetch_line(moved, workspace)}{newline}{text}"
        if moved.divides:
            yield _divide(moved.last, moved.last.index - 1, first, gap, workspace)
        else:
            yield Edit(head, head, f"{first}{gap}")
    elif _has_rest(moved.last):
        yield _divide(moved.last, moved.last.index, text, gap, workspace)
    elif run.code.rstrip().endswith(run.escape):
        yield _behind_open_end(run, text, newline)
    else:
        yield insert_after(run, text.rstrip("\r\n"), newline)


def _fetch_within(moved: Moved, text: str, workspace: Workspace) -> Iterator[Edit]:
    """Cut a RUN in two at its install, with the fetch at the end of the first part."""
    newline, entry = workspace.style.newline, moved.last
    if _lines_by_fetch(moved):
        head = head_of(workspace.dockerfile, entry.run.instruction)
        yield Edit(head, head, _lines(moved, workspace))
    item = entry.run.script.items[entry.index]
    place = entry.run.replace(item.start, item.end, "").start
    if entry.install is not None and entry.install.started_in != entry.install.directory:
        raise CannotMoveError("the directory changes in between", entry.run.instruction.line)
    cut = f"{' && '.join(moved.fetch)}{newline}{text}{_run_line(entry, (), workspace)}"
    yield Edit(place, place, cut)


def _behind_open_end(run: Instruction, text: str, newline: str) -> Edit:
    """Below a RUN with which the file ends, though its last line would go on."""
    code = run.code.rstrip()
    while code.endswith(run.escape):
        code = code[: -len(run.escape)].rstrip()
    last = text.rstrip("\r\n") + (newline if run.code.endswith("\n") else "")
    return Edit(run.start + len(code), run.end, newline + last)


def _lines(moved: Moved, workspace: Workspace) -> str:
    return "".join(line + workspace.style.newline for line in moved.lines)


def _take_out(moved: Moved, workspace: Workspace) -> Iterator[Edit]:
    """Remove the COPYs; the manifests take the place of the first one, or stand by the install."""
    dockerfile = workspace.dockerfile
    stay = lines_stay(moved)
    for index, copy in enumerate(moved.movers):
        text = _lines(moved, workspace) if index == 0 and stay else ""
        end = copy.end if text else end_with_gap(dockerfile, copy)
        kept = text and _comment_stays(copy, workspace)
        yield Edit(copy.start if kept else head_of(dockerfile, copy), end, text)
    if moved.lines and not stay and not _lines_by_fetch(moved):
        head = head_of(dockerfile, _first_install(moved))
        yield Edit(head, head, _lines(moved, workspace))


def _first_install(moved: Moved) -> Instruction:
    return next(entry.run.instruction for entry in moved.passes if entry.install is not None)


def _lines_by_fetch(moved: Moved) -> bool:
    """Whether the manifests are written together with the command that fetches."""
    if not moved.fetch or lines_stay(moved):
        return False
    return _first_install(moved) is moved.last.run.instruction


def lines_stay(moved: Moved) -> bool:
    """Whether the manifests go where the COPY was: no other work stands before the install."""
    first = moved.passes[0]
    if moved.divides:
        return False
    return first.install is not None or first.run is moved.last.run


def _moved_text(moved: Moved, workspace: Workspace) -> str:
    """The moved instructions with their comments, set off as they were before."""
    movers, dockerfile, newline = moved.movers, workspace.dockerfile, workspace.style.newline
    targets = full_targets(moved, workspace)
    parts = {copy: code_with_comments(dockerfile, copy, newline) for copy in movers}
    parts.update((c, with_target(parts[c], c, target)) for c, target in targets.items())
    text = "".join(parts.values())
    if moved.lines and lines_stay(moved) and _comment_stays(movers[0], workspace):
        text = text[movers[0].start - head_of(dockerfile, movers[0]) :]
    return _gap_between(movers[0], workspace) + text


def _gap_between(copy: Instruction, workspace: Workspace) -> str:
    """What sets a COPY off from the install above it; its comment is set off as it was."""
    dockerfile = workspace.dockerfile
    has_comment = dockerfile.comments_of(copy) and not _comment_stays(copy, workspace)
    if has_comment and blank_above(dockerfile, copy):
        return workspace.style.newline
    return _gap_below(copy, workspace)


def _comment_stays(copy: Instruction, workspace: Workspace) -> bool:
    """Whether the comment above a COPY is about the install, for which the manifests come."""
    text = "\n".join(c.text for c in workspace.dockerfile.comments_of(copy))
    return bool(_ON_INSTALL.search(text)) and not _ON_SOURCES.search(text)


def _gap_below(instruction: Instruction, workspace: Workspace) -> str:
    set_off = blank_below(workspace.dockerfile, instruction) is not None
    return workspace.style.newline if set_off else ""


def _has_rest(entry: Pass) -> bool:
    """Whether what follows a step in its RUN does more than remove caches."""
    items = entry.run.script.items[entry.index + 1 :]
    return not all(item.command is not None and _only_cleans(item.command) for item in items)


def _only_cleans(command: Command) -> bool:
    package = read_package_command(command)
    if package is not None:
        return package.action == "clean"
    paths = [word.value or "" for word in command.words[1:] if not word.text.startswith("-")]
    return command.literal_name == "rm" and all(path.startswith(_CACHES) for path in paths)


def _divide(entry: Pass, index: int, moved: str, gap: str, workspace: Workspace) -> Edit:
    """Cut a RUN in two behind one of its commands, with the moved instructions between them."""
    run, script = entry.run, entry.run.script
    cut = run.replace(script.items[index].end, script.items[index + 1].start, "")
    if any(cut.start <= c.start < cut.end for c in run.instruction.inner_comments):
        raise CannotMoveError("a comment stands within the RUN", run.instruction.line)
    rest = _run_line(entry, (), workspace)
    return Edit(cut.start, cut.end, f"{workspace.style.newline}{moved}{gap}{rest}")


def _fetch_line(moved: Moved, workspace: Workspace) -> str:
    """A RUN that fetches: where the manifests lie, as the RUN's own directory may not be there."""
    entry = moved.last
    line, install = _run_line(entry, moved.fetch, workspace), entry.install
    if install is None or install.started_in == install.directory:
        return line
    if install.directory != workspace.state(entry.run.instruction).workdir:
        raise CannotMoveError("the directory changes in between", entry.run.instruction.line)
    return " ".join((*_run_head(entry), *moved.fetch))


def _run_head(entry: Pass) -> tuple[str, ...]:
    """Keyword and flags of a step's RUN."""
    run = entry.run.instruction
    return (run.keyword_text, *(_flag_text(run, flag.start, flag.end) for flag in run.flags))


def _run_line(entry: Pass, commands: tuple[str, ...], workspace: Workspace) -> str:
    """A RUN as the one of a step, in the same directory."""
    run = entry.run.instruction
    before = entry.run.script.items[: entry.index]
    names = [item.command.literal_name if item.command else None for item in before]
    if any(item.assigned for item in before) or not _CHANGE_SHELL.isdisjoint(names):
        raise CannotMoveError("a variable of the shell is used later", run.line)
    changes = [item.text for item, name in zip(before, names, strict=True) if name == "cd"]
    if len(commands) > 1:
        text = workspace.style.join_commands([*changes, *commands])
    else:
        text = " ".join((*(f"{text} &&" for text in changes), *(commands or ("",))))
    return " ".join((*_run_head(entry), text))


def _flag_text(instruction: Instruction, start: int, end: int) -> str:
    return instruction.code[start - instruction.start : end - instruction.start]
