"""merge-runs: neighbouring RUN instructions as one layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, TypeAlias

from dockerfix.knowledge.shell_commands import (
    CHANGES_SHELL,
    CLEANS,
    ENDS_SHELL,
    FETCHES_DEPENDENCIES,
    FETCHES_FILES,
    NEVER_SHADOWED,
    RUNS_SOMETHING,
    SETS_UP,
    SETS_UP_PACKAGES,
    STARTS_SERVICE,
)
from dockerfix.merging.steps import Member
from dockerfix.merging.union import Merger, unite_installs
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.state import State
from dockerfix.syntax.edits import Edit, apply_edits
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank, Comment
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command, Script
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.style import Style
from dockerfix.syntax.tree import Node
from dockerfix.syntax.words import KEYWORDS
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]
#: What a step is for. Steps of different kinds change for different reasons: each keeps its layer.
Work: TypeAlias = Literal["other", "dependencies", "packages", "files", "set-up", "clean-up"]
#: A RUN is for the first of these that one of its commands is for.
_WORKS: tuple[Work, ...] = (
    "other",
    "dependencies",
    "packages",
    "files",
    "set-up",
    "clean-up",
)

_NAMES: dict[Work, frozenset[str]] = {
    "clean-up": CLEANS,
    "set-up": SETS_UP,
    "files": FETCHES_FILES,
    "packages": SETS_UP_PACKAGES,
    "dependencies": FETCHES_DEPENDENCIES,
}

#: Longer scripts would meet the kernel's limit for one argument (MAX_ARG_STRLEN, 128 KiB).
_MAX_SCRIPT = 60_000
#: A comment that a tool reads just above an instruction.
_PRAGMA = pattern(r"(?:hadolint|dockerfix|checkov|kics|tally|trivy|nosemgrep|check=|snyk)\b")
_COMMENTED_OUT = pattern(rf"(?:{'|'.join(sorted(KEYWORDS))})\s", re.IGNORECASE)
#: What the builder mounts anew for each RUN: what one writes there the next does not see.
_NOT_KEPT = pattern(
    r"/etc/(?:hosts|resolv\.conf|hostname)\b|/proc/|/sys/|/dev/(?!null|std|zero|u?random|tty|fd)"
)
_SHELL_PATH = pattern(r"(?:/bin/(?:sh|bash|ash|dash|busybox)\b)|\bdash\b")
_LOGIN_SHELL = pattern(r"-[a-z]*[li]|--login|--rcfile")
_LOOP_NAME = pattern(r"\bfor\s+(\w+)")
#: A line that sets a section apart.
_BANNER = pattern(r"#[\s#=*~_-]{7,}")
_MAKES_USER = frozenset(("groupadd", "useradd", "addgroup", "adduser"))
#: Names of stages that try out the stage they are built on.
_TEST_STAGES = frozenset(("test", "tests", "testing", "unit-test", "lint", "check", "ci"))


class MergeRuns(Transform):
    """Make one layer of neighbouring RUN instructions, and one install of several.

    Only in stages whose layers are shipped, and only for steps that belong together: system
    set-up, the installs of one tool, and the clean-up behind a step.

    Before:
        FROM alpine:3.20
        RUN apk add --no-cache curl
        RUN apk add --no-cache wget
        # Where the data goes
        RUN mkdir -p /data

    After:
        FROM alpine:3.20
        RUN apk add --no-cache curl wget \\
            # Where the data goes
            && mkdir -p /data
    """

    name = "merge-runs"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Look at every row of neighbours."""
        for stage in workspace.shipped_stages:
            rows = list(_rows(stage))
            if rows and _is_for_tests(stage, workspace):
                yield Declined("a stage for tests: its layers are not shipped", stage.start.line)
                continue
            for row in rows:
                yield from _merge_row(row, workspace)


@dataclass(frozen=True)
class _Part:
    """One RUN of a row."""

    run: RunScript
    #: Comments between the RUN before and this one.
    comments: tuple[Comment, ...] = ()
    #: One of the comments heads a section, or a blank line follows it: it is not about this RUN.
    has_detached: bool = False

    @cached_property
    def works(self) -> frozenset[Work]:
        """What its commands are for."""
        return frozenset(_work(command) for command in self.run.script.commands())

    @cached_property
    def work(self) -> Work:
        """What the step is for."""
        return next(work for work in _WORKS if work in self.works or work == "clean-up")

    @property
    def fetches_only(self) -> bool:
        """Whether it fetches dependencies, and neither what they are built with nor archives."""
        return self.works.isdisjoint(("packages", "files"))

    @cached_property
    def tools(self) -> frozenset[str]:
        """Which tools fetch dependencies here."""
        names = (_base_name(command) for command in self.run.script.commands())
        return frozenset(
            name.rstrip("0123456789.") for name in names if name in FETCHES_DEPENDENCIES
        )

    @property
    def instruction(self) -> Instruction:
        return self.run.instruction


def _is_for_tests(stage: Stage, workspace: Workspace) -> bool:
    """Whether a stage is there to test the one it is built on, which is what gets shipped."""
    return (
        workspace.target is None
        and (stage.name or "").lower() in _TEST_STAGES
        and workspace.dockerfile.parent(stage) is not None
    )


def _rows(stage: Stage) -> Iterator[list[Instruction]]:
    """RUN instructions with no other instruction between them, two at least."""
    row: list[Instruction] = []
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            row.append(instruction)
            continue
        if len(row) > 1:
            yield row
        row = []
    if len(row) > 1:
        yield row


def _merge_row(row: list[Instruction], workspace: Workspace) -> _Found:
    """Cut a row into groups that may become one instruction each."""
    if _reads_profile(workspace.state(row[0]), workspace):
        yield Declined("the shell reads a profile at each start", row[1].line)
        return
    group: list[_Part] = []
    for index, instruction in enumerate(row):
        part = _read_part(instruction, row[index - 1] if index else None, workspace)
        alone = _why_alone(part) if part is not None else _why_unread(instruction)
        reason = alone or (_why_apart(group, part) if part is not None and group else "")
        if reason:
            yield Declined(reason, instruction.line)
            if len(group) > 1:
                yield _merge(group, workspace)
            group = []
        if part is not None and not alone:
            group.append(part)
    if len(group) > 1:
        yield _merge(group, workspace)


def _read_part(
    instruction: Instruction, previous: Instruction | None, workspace: Workspace
) -> _Part | None:
    run = workspace.run(instruction)
    if run is None:
        return None
    if previous is None:
        return _Part(run)
    dockerfile = workspace.dockerfile
    between = dockerfile.nodes[dockerfile.index(previous) + 1 : dockerfile.index(instruction)]
    start = instruction.argument_span[0]
    inner = (comment for comment in instruction.inner_comments if comment.start < start)
    comments = (*(node for node in between if isinstance(node, Comment)), *inner)
    return _Part(run, comments, _has_detached(between))


def _has_detached(between: Sequence[Node]) -> bool:
    if any(isinstance(node, Comment) and _BANNER.fullmatch(node.code.strip()) for node in between):
        return True
    return any(
        isinstance(node, Comment) and isinstance(following, Blank)
        for node, following in pairwise(between)
    )


def _reads_profile(state: State, workspace: Workspace) -> bool:
    return workspace.mentions("BASH_ENV") or any(
        _LOGIN_SHELL.fullmatch(word) for word in state.shell[1:] if "c" not in word.lstrip("-")[1:2]
    )


# Proofs


def _why_apart(group: list[_Part], part: _Part) -> str:
    """Why a RUN does not join the group; "" when it does."""
    return (
        _why_last(group[-1])
        or _why_looped(group, part)
        or _why_differs(group, part)
        or _why_comments(part)
        or _why_user(group[-1], part)
        or _why_shadowed(group, part)
    )


def _why_unread(instruction: Instruction) -> str:
    if instruction.heredocs:
        return "a here-document"
    if instruction.is_exec_form:
        return "exec form"
    return "a script that cannot be read"


def _why_alone(part: _Part) -> str:
    """Why a RUN merges with no other at all."""
    script = part.run.script
    if script.has_comment:
        return "a comment within a shell line"
    if script.uses_background:
        return "a process in the background"
    if script.uses_functions:
        return "a function"
    if script.uses_heredoc:
        return "a here-document"
    if any(item.operator == "\n" for item in script.items):
        return "it is more than one line to the shell"
    if script.tail:
        return "it ends with an operator"
    end = part.instruction.argument_span[1]
    if any(comment.start > end for comment in part.instruction.inner_comments):
        return "a comment at its end"
    if script.calls(*ENDS_SHELL):
        return "it ends or configures its shell"
    if "$_" in script.text or "$$" in script.text or "$?" in script.text.split("&&")[0]:
        return "it asks about its own shell"
    return ""


def _why_last(last: _Part) -> str:
    """Why nothing may follow a RUN in the same shell."""
    script = last.run.script
    names = {command.literal_name or "" for command in _in_this_shell(script)}
    if not names.isdisjoint(CHANGES_SHELL) or any(item.assigned for item in script.items):
        return "the one before changes directory or variables"
    every = {_base_name(command) for command in script.commands()}
    if not every.isdisjoint(STARTS_SERVICE) or "/etc/init.d/" in script.text:
        return "the one before starts a service"
    if _NOT_KEPT.search(script.text):
        return "the one before writes what the builder does not keep"
    if _replaces_shell(last):
        return "the one before may replace the shell"
    return ""


def _why_looped(group: list[_Part], part: _Part) -> str:
    """The name of a loop keeps its last value for everything behind it in the same shell."""
    names = {name for entry in group for name in _LOOP_NAME.findall(entry.run.script.text)}
    used = (re.search(rf"\$\{{?[#!]?{name}\b", part.run.script.text) for name in names)
    return "the one before changes directory or variables" if any(used) else ""


def _in_this_shell(script: Script) -> Iterator[Command]:
    """The commands outside of subshells."""
    apart = [item for item in script.items if item.kind == "subshell"]
    for command in script.commands():
        if not any(item.start <= command.start < item.end for item in apart):
            yield command


def _replaces_shell(part: _Part) -> bool:
    return any(
        _SHELL_PATH.search(word.text)
        for command in part.run.script.commands()
        if _base_name(command)
        in ("ln", "mv", "cp", "rm", "dpkg-reconfigure", "update-alternatives")
        for word in command.words[1:]
    )


def _why_differs(group: list[_Part], part: _Part) -> str:
    if _flags(group[0].instruction) != _flags(part.instruction):
        return "the flags differ"
    size = sum(len(entry.run.script.text) for entry in group) + len(part.run.script.text)
    if size > _MAX_SCRIPT:
        return "it would be too long"
    if part.work == "clean-up":
        return ""
    works: set[Work] = {entry.work for entry in group if entry.work != "clean-up"}
    tools = {entry.tools for entry in group if entry.work == "dependencies"}
    together: dict[Work, bool] = {
        "clean-up": True,
        "set-up": works <= {"set-up", "packages", "files"},
        "packages": works <= {"set-up", "packages"},
        "files": works <= {"set-up", "files"},
        "dependencies": works == {"dependencies"}
        and tools == {part.tools}
        and all(entry.fetches_only for entry in (*group, part)),
    }
    if together.get(part.work):
        return ""
    return "different work: each keeps its own layer in the cache"


def _why_comments(part: _Part) -> str:
    if part.has_detached:
        return "a comment of its own stands between"
    for comment in part.comments:
        if _PRAGMA.match(comment.text):
            return "a comment that a tool reads stands between"
        if _COMMENTED_OUT.match(comment.text):
            return "an instruction that is commented out stands between"
    return ""


def _why_user(last: _Part, part: _Part) -> str:
    """A step that makes the user reads best alone, where the next has a comment of its own."""
    names = [_base_name(command) for command in last.run.script.commands()]
    if part.comments and names and names[0] in _MAKES_USER:
        return "the one before makes the user, and this one has a comment of its own"
    return ""


def _why_shadowed(group: list[_Part], part: _Part) -> str:
    """A shell remembers where it found a program; a new one elsewhere on the PATH is not seen."""
    called: set[str] = set()
    hidden: set[str] = set()
    for entry in group:
        for command in entry.run.script.commands():
            hidden |= called & _provides(command, called)
            called.add(_base_name(command))
    later = {_base_name(command) for command in part.run.script.commands()}
    return "a program called before may be replaced by another" if hidden & later else ""


def _provides(command: Command, called: set[str]) -> set[str]:
    """Which of the programs called before a command may put in another place."""
    package = read_package_command(command)
    if package is not None:
        if package.manager.system:
            return set()
        names = {
            re.split(r"[=<>~!@\[]", word.value or "", maxsplit=1)[0] for word in package.packages
        }
        return called & (names | {f"{name}3" for name in names})
    name = _base_name(command)
    if name in ("make", "checkinstall", "sh", "bash") or "/" in (command.literal_name or "/"):
        return called - NEVER_SHADOWED
    targets = {word.text.rpartition("/")[2] for word in command.words[1:] if "bin/" in word.text}
    return called & targets


def _flags(instruction: Instruction) -> set[tuple[str, str | None]]:
    return {(flag.name, flag.value) for flag in instruction.flags}


def _base_name(command: Command) -> str:
    return (command.literal_name or "").rpartition("/")[2]


def _work(command: Command) -> Work:
    name = _base_name(command)
    package = read_package_command(command)
    if package is not None:
        if package.action in ("clean", "remove"):
            return "clean-up"
        if package.manager.system:
            return "packages"
        return "dependencies" if package.action in ("install", "upgrade") else "other"
    if "/" in (command.literal_name or "/") and command.literal_name != f"/bin/{name}":
        return "other"
    if name == "git":
        words = [word.text for word in command.words[1:2]]
        return {"config": "set-up", "clone": "files"}.get(words[0] if words else "", "other")  # type: ignore[return-value]
    if name == "npx" or (name in FETCHES_DEPENDENCIES and _runs_something(command)):
        return "other"
    return next((work for work, names in _NAMES.items() if name in names), "other")


def _runs_something(command: Command) -> bool:
    words = (word.text for word in command.words[1:] if not word.text.startswith("-"))
    return next(words, "") in RUNS_SOMETHING


# The merged instruction


def _merge(group: list[_Part], workspace: Workspace) -> Change:
    first, last = group[0].instruction, group[-1].instruction
    style = workspace.style.local("".join(part.instruction.code for part in group))
    merger = unite_installs([Member(part.run, part.comments) for part in group], style)
    body = [_body(group[0], merger)]
    homeless: list[Comment] = []
    for part in group[1:]:
        text = _body(part, merger)
        comments = () if part.run in merger.placed else part.comments
        if text:
            body += (_joint(comments, style), text)
        else:
            homeless += comments
    edits = [Edit(first.argument_span[0], last.argument_span[1], "".join(body))]
    if homeless:
        above = "".join(_whole_line(comment, style) for comment in homeless)
        edits.insert(0, Edit(first.start, first.start, above))
    lines = ", ".join(str(part.instruction.line) for part in group)
    return Change(
        f"{len(group)} neighbouring `RUN` instructions make {len(group)} layers",
        "Make them one" + (" with one install" if merger.unites else ""),
        tuple(edits),
        first.line,
        Level.SAFE,
        evidence=(Evidence(f"lines {lines}", "no other instruction stands between them"),),
        removed=("RUN",) * (len(group) - 1),
    )


def _whole_line(comment: Comment, style: Style) -> str:
    return comment.code if comment.code.endswith("\n") else comment.code + style.newline


def _body(part: _Part, merger: Merger) -> str:
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


def _needs_braces(part: _Part) -> bool:
    return any(item.operator in ("||", ";") for item in part.run.script.items)


def _joint(comments: tuple[Comment, ...], style: Style) -> str:
    """The operator between two scripts, and the comments that stood there."""
    lines = "".join(style.indent + _whole_line(comment, style).lstrip() for comment in comments)
    if style.operator_first:
        return f" {style.escape}{style.newline}{lines}{style.indent}&& "
    return f" && {style.escape}{style.newline}{lines}{style.indent}"
