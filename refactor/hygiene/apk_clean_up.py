"""Clean-ups of apk's cache that have nothing to remove."""

from __future__ import annotations

import re

from dockerfix.hygiene.run import Found, PackageRun
from dockerfix.syntax.edits import remove
from dockerfix.syntax.nodes import Comment
from dockerfix.syntax.shell.script import Command
from dockerfix.transform import Change, Level


def useless_clean_up(run: PackageRun) -> Found:
    """`rm -rf /var/cache/apk/*` has nothing to remove after `apk add --no-cache`."""
    if "/var/cache/apk" not in run.run.script.text:
        return
    around = run.surroundings
    if around.leaves_apk_cache if run.shipped else around.leaves_apk_cache_anywhere:
        return
    for index, command in run.run.top_commands:
        if not _removes_apk_cache(command):
            continue
        message = "`apk add --no-cache` leaves nothing in `/var/cache/apk`"
        if len(run.run.script.items) == 1:
            comments = run.workspace.dockerfile.comments_of(run.instruction)
            if run.instruction.inner_comments:
                continue
            yield _remove_instruction(run, message, comments)
            continue
        edit = run.run.remove_item(index)
        if edit is not None:
            yield run.change(message, "Remove the clean-up", edit)


def _remove_instruction(run: PackageRun, message: str, comments: tuple[Comment, ...]) -> Change:
    return Change(
        message,
        "Remove the clean-up",
        (remove(run.workspace.dockerfile, run.instruction),),
        run.instruction.line,
        Level.SAFE,
        removed=("RUN",),
        dropped_comments=tuple(comment.text for comment in comments),
    )


def _removes_apk_cache(command: Command) -> bool:
    words = [word.text for word in command.words]
    return words[:1] == ["rm"] and all(
        word.startswith("-") or re.fullmatch(r"/var/cache/apk(?:/\*?)?", word) for word in words[1:]
    )
