"""The package index of apk: fetched where no `apk add` uses it, or twice."""

from __future__ import annotations

from dockerfix.hygiene.run import Found, PackageRun
from dockerfix.knowledge.package_managers import APK
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.edits import Edit, blank_below, end_with_gap, head_of
from dockerfix.transform import Change, Level

#: Fetches the index first (apk(8)).
APK_UPDATES = ("--update", "-U", "--update-cache")


def keeps_index(run: PackageRun, package: PackageCommand) -> str:
    """Which later step uses the index that this one fetches and leaves; "" for none."""
    apk = [(index, other) for index, other in run.commands if other.manager is APK]
    if not package.has_option(*APK_UPDATES) and all(o.action != "update" for _, o in apk):
        return ""
    return run.surroundings.index_use(APK).after_command(run.run, apk[-1][0]) or ""


def apk_update(run: PackageRun) -> Found:
    """`apk update` is for nothing where every `apk add` fetches the index itself."""
    apk = [(index, package) for index, package in run.commands if package.manager is APK]
    for index, package in apk:
        if not _is_plain_update(package) or run.mounts_cache(APK):
            continue
        others = [p for _, p in apk if p is not package and p.action in ("install", "upgrade")]
        if not others or not all(p.has_option("--no-cache") for p in others):
            continue
        reason = run.surroundings.index_use(APK).after_command(run.run, index)
        edit = run.run.remove_item(index)
        if reason:
            yield run.declined("apk update stays: needed later", reason)
        elif edit is None:
            yield run.declined("apk update stays: not a plain and-list")
        else:
            yield run.change(
                "`apk update` stores an index that `--no-cache` does not use", "Remove it", edit
            )


def apk_update_alone(run: PackageRun) -> Found:
    """A RUN of its own that fetches an index which no later `apk add` uses."""
    if len(run.commands) != 1 or len(run.run.script.items) != 1 or run.mounts_cache(APK):
        return
    package = run.commands[0][1]
    if package.manager is not APK or not _is_plain_update(package):
        return
    if run.instruction.inner_comments or not _installs_below(run):
        return
    reason = run.surroundings.index_use(APK).after_command(run.run, 0)
    if reason:
        yield run.declined("apk update stays: needed later", reason)
        return
    dockerfile, instruction = run.workspace.dockerfile, run.instruction
    comments = dockerfile.comments_of(instruction) if _has_own_comment(run) else ()
    begin = head_of(dockerfile, instruction) if comments else instruction.start
    end = instruction.end
    if comments or not dockerfile.comments_of(instruction):
        end = end_with_gap(dockerfile, instruction)
    yield Change(
        "`apk update` stores an index that no `apk add` below uses",
        "Remove it",
        (Edit(begin, end, ""),),
        instruction.line,
        Level.SAFE,
        removed=("RUN",),
        dropped_comments=tuple(comment.text for comment in comments),
    )


def _is_plain_update(package: PackageCommand) -> bool:
    """Whether it is `apk update` alone: with more behind it, an `&&` may have been forgotten."""
    return package.action == "update" and not package.options and not package.packages


def _has_own_comment(run: PackageRun) -> bool:
    """Whether the comment above speaks of this RUN, not of an install that follows at once."""
    dockerfile = run.workspace.dockerfile
    comments = dockerfile.comments_of(run.instruction)
    if blank_below(dockerfile, run.instruction) is not None:
        return bool(comments)
    return any("update" in comment.text.lower() for comment in comments)


def _installs_below(run: PackageRun) -> bool:
    stage = run.workspace.dockerfile.stage_of(run.instruction)
    below = stage.instructions[stage.index_of(run.instruction) + 1 :] if stage else ()
    scripts = (run.workspace.run(i) for i in below if i.keyword == "RUN")
    commands = (c for script in scripts if script for c in script.script.commands())
    packages = (read_package_command(command) for command in commands)
    return any(p is not None and p.manager is APK and p.action == "install" for p in packages)


def apk_update_option(run: PackageRun) -> Found:
    """`--no-cache` fetches the index by itself, whatever `--update` says."""
    for _, package in run.commands:
        old = [word for word in package.options if word.text in APK_UPDATES]
        if package.manager is not APK or len(old) != 1 or not package.has_option("--no-cache"):
            continue
        words = package.command.words
        before = words[words.index(old[0]) - 1]
        cut = run.run.replace(before.end, old[0].end, "")
        if not any(cut.start <= c.start < cut.end for c in run.instruction.inner_comments):
            yield run.change(
                f"`{old[0].text}` stores an index that `--no-cache` does not use", "Remove it", cut
            )
