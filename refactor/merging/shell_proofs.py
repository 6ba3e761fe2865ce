"""Why commands may not share a shell: what one leaves in it, another would meet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerfix.knowledge.shell_commands import (
    CHANGES_SHELL,
    ENDS_SHELL,
    NEVER_SHADOWED,
    STARTS_SERVICE,
)
from dockerfix.merging.part import Part
from dockerfix.merging.work import base_name
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.state import State
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.script import Command, Script
from dockerfix.transform import Workspace

#: What the builder mounts anew for each RUN: what one writes there the next does not see.
_NOT_KEPT = pattern(
    r"/etc/(?:hosts|resolv\.conf|hostname)\b|/proc/|/sys/|/dev/(?!null|std|zero|u?random|tty|fd)"
)
_SHELL_PATH = pattern(r"(?:/bin/(?:sh|bash|ash|dash|busybox)\b)|\bdash\b")
_LOGIN_SHELL = pattern(r"-[a-z]*[li]|--login|--rcfile")
_LOOP_NAME = pattern(r"\bfor\s+(\w+)")


def reads_profile(state: State, workspace: Workspace) -> bool:
    """Whether each shell reads a profile when it starts, which then happens less often."""
    return workspace.mentions("BASH_ENV") or any(
        _LOGIN_SHELL.fullmatch(word) for word in state.shell[1:] if "c" not in word.lstrip("-")[1:2]
    )


def why_unread(instruction: Instruction) -> str:
    """Why nothing is known of the script of a RUN."""
    if instruction.heredocs:
        return "a here-document"
    if instruction.is_exec_form:
        return "exec form"
    return "a script that cannot be read"


def why_alone(part: Part) -> str:
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


def why_last(last: Part) -> str:
    """Why nothing may follow a RUN in the same shell."""
    script = last.run.script
    names = {command.literal_name or "" for command in _in_this_shell(script)}
    if not names.isdisjoint(CHANGES_SHELL) or any(item.assigned for item in script.items):
        return "the one before changes directory or variables"
    every = {base_name(command) for command in script.commands()}
    if not every.isdisjoint(STARTS_SERVICE) or "/etc/init.d/" in script.text:
        return "the one before starts a service"
    if _NOT_KEPT.search(script.text):
        return "the one before writes what the builder does not keep"
    if _replaces_shell(last):
        return "the one before may replace the shell"
    return ""


def why_looped(group: list[Part], part: Part) -> str:
    """The name of a loop keeps its last value for everything behind it in the same shell."""
    names = {name for entry in group for name in _LOOP_NAME.findall(entry.run.script.text)}
    used = (re.search(rf"\$\{{?[#!]?{name}\b", part.run.script.text) for name in names)
    return "the one before changes directory or variables" if any(used) else ""


def why_shadowed(group: list[Part], part: Part) -> str:
    """A shell remembers where it found a program; a new one elsewhere on the PATH is not seen."""
    called: set[str] = set()
    hidden: set[str] = set()
    for entry in group:
        for command in entry.run.script.commands():
            hidden |= called & _provides(command, called)
            called.add(base_name(command))
    later = {base_name(command) for command in part.run.script.commands()}
    return "a program called before may be replaced by another" if hidden & later else ""


def _in_this_shell(script: Script) -> Iterator[Command]:
    """The commands outside of subshells."""
    apart = [item for item in script.items if item.kind == "subshell"]
    for command in script.commands():
        if not any(item.start <= command.start < item.end for item in apart):
            yield command


def _replaces_shell(part: Part) -> bool:
    return any(
        _SHELL_PATH.search(word.text)
        for command in part.run.script.commands()
        if base_name(command) in ("ln", "mv", "cp", "rm", "dpkg-reconfigure", "update-alternatives")
        for word in command.words[1:]
    )


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
    name = base_name(command)
    if name in ("make", "checkinstall", "sh", "bash") or "/" in (command.literal_name or "/"):
        return called - NEVER_SHADOWED
    targets = {word.text.rpartition("/")[2] for word in command.words[1:] if "bin/" in word.text}
    return called & targets
