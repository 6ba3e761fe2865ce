"""Several installs by one package manager as one, with one update and one clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.style import Style
from dockerfix.syntax.tree import Comment
from dockerfix.syntax.word_list import WordList


class Member(NamedTuple):
    """A script that is going to be part of the and-list, and the comments above it."""

    run: RunScript
    comments: tuple[Comment, ...] = ()


class Union(NamedTuple):
    """The edits that move the packages of some installs into the first one."""

    edits: tuple[Edit, ...]
    #: Scripts whose comments stand in the list of packages now.
    placed: tuple[RunScript, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """An element of one of the scripts."""

    member: Member
    index: int
    package: PackageCommand | None
    text: str

    @property
    def action(self) -> str | None:
        return self.package.action if self.package else None

    @property
    def run(self) -> RunScript:
        return self.member.run


def find_unions(members: list[Member], style: Style) -> list[Union]:
    """Find the installs that can become one over scripts that are going to be one and-list."""
    if not all(member.run.script.is_and_list for member in members):
        return []
    steps = [step for member in members for step in _steps(member)]
    unions: list[Union] = []
    position = 0
    while position < len(steps):
        group, dropped = _collect(steps, position)
        union = _join(group, dropped, style) if len(group) > 1 else None
        if union is not None:
            unions.append(union)
            position = steps.index(group[-1])
        position += 1
    return unions


def _steps(member: Member) -> Iterator[_Step]:
    for index, item in enumerate(member.run.script.items):
        package = read_package_command(item.command) if item.command else None
        yield _Step(member, index, package, " ".join(item.text.split()))


def _collect(steps: list[_Step], start: int) -> tuple[list[_Step], list[_Step]]:
    """The installs that join the one at `start`, and the updates and clean-ups between them."""
    first = steps[start]
    package = first.package
    if package is None or not _can_join(package):
        return [first], []
    manager = package.manager
    updated = any(
        s.action == "update" and s.package and s.package.manager is manager for s in steps[:start]
    )
    group, dropped = [first], list[_Step]()
    waiting: list[_Step] = []
    for step in steps[start + 1 :]:
        if _changes_installs(group[-1]):
            break
        if step.package and step.package.manager is manager and step.action == "install":
            # Two installs of one script are two because their author wants them so.
            if step.member is group[-1].member or not _can_join(step.package):
                break
            if not _same_call(package, step.package):
                break
            group.append(step)
            dropped += waiting
            waiting = []
        elif step.package and step.package.manager is manager and step.action == "update":
            if not updated:
                break
            waiting.append(step)
        elif _is_clean_up(step, package):
            waiting.append(step)
        else:
            break
    return group, _choose_clean_ups(dropped, steps[steps.index(group[-1]) + 1 :])


def _choose_clean_ups(between: list[_Step], behind: list[_Step]) -> list[_Step]:
    """Which steps go: updates, and of the clean-ups that are there twice one."""
    updates = [step for step in between if step.action == "update"]
    early = [step for step in between if step.action != "update"]
    texts = {step.text for step in early}
    if behind and all(step.text in texts for step in behind):
        # All that follows the last install is done behind the first one: keep that.
        return updates + behind + _repeated(early)
    later = {step.text for step in behind}
    return updates + [step for step in early if step.text in later]


def _repeated(steps: list[_Step]) -> list[_Step]:
    seen: set[str] = set()
    return [step for step in steps if step.text in seen or seen.add(step.text)]  # type: ignore[func-returns-value]


def _changes_installs(step: _Step) -> bool:
    # Only where installs meet: it reads tables of its own.
    from dockerfix.knowledge.system_packages import changes_installs

    packages = step.package.packages if step.package else ()
    return any(changes_installs(word.text) for word in packages)


def _can_join(package: PackageCommand) -> bool:
    return (
        package.action == "install"
        and package.manager.system
        and package.is_plain
        and not package.command.redirections
        and bool(package.packages)
        and not any(word.text.endswith("-") for word in package.packages)
        and not package.has_option("-t", "--virtual", "--root", "-p", "--target-release")
    )


def _same_call(first: PackageCommand, second: PackageCommand) -> bool:
    """Whether both are called in the same way but for the packages."""
    return (
        first.program.text == second.program.text
        and first.command.words[0].text == second.command.words[0].text
        and first.action_word is not None
        and second.action_word is not None
        and first.action_word.text == second.action_word.text
        and sorted(first.option_texts) == sorted(second.option_texts)
        and _assignments(first) == _assignments(second)
    )


def _assignments(package: PackageCommand) -> list[tuple[str, str]]:
    return [(a.name, a.value.text if a.value else "") for a in package.command.assignments]


def _is_clean_up(step: _Step, package: PackageCommand) -> bool:
    if step.package is not None:
        return step.package.manager is package.manager and step.action == "clean"
    words = step.text.split()
    caches = package.manager.caches
    return words[:1] == ["rm"] and all(
        word.startswith("-") or word.startswith(caches) for word in words[1:]
    )


def _join(group: list[_Step], dropped: list[_Step], style: Style) -> Union | None:
    """None when a comment would be lost."""
    removed = [*group[1:], *dropped]
    edits: list[Edit] = []
    for run in dict.fromkeys(step.run for step in removed):
        gone = {step.index for step in removed if step.run is run}
        cuts = list(_cuts(run, gone))
        if any(_holds_comment(run, cut) for cut in cuts):
            return None
        edits += cuts
    return _append(group, edits, style)


def _cuts(run: RunScript, gone: set[int]) -> Iterator[Edit]:
    """Take elements out of an and-list together with one operator each."""
    items = run.script.items
    kept = [index for index in range(len(items)) if index not in gone]
    if not kept:
        yield run.replace(items[0].start, items[-1].end, "")
        return
    if kept[0] > 0:
        yield run.replace(items[0].start, items[kept[0]].start, "")
    for left, right in zip(kept, [*kept[1:], len(items)], strict=True):
        if right - left > 1:
            yield run.replace(items[left].end, items[right - 1].end, "")


def _holds_comment(run: RunScript, cut: Edit) -> bool:
    return any(cut.start <= comment.start < cut.end for comment in run.instruction.inner_comments)


def _append(group: list[_Step], cuts: list[Edit], style: Style) -> Union:
    """The packages of the later installs behind those of the first."""
    first = group[0]
    assert first.package is not None
    last = first.package.packages[-1]
    lines = WordList(first.run, last, style)
    placed: list[RunScript] = []
    known = {word.text for word in first.package.packages}
    for step in group[1:]:
        assert step.package is not None
        fresh = [word.text for word in step.package.packages if word.text not in known]
        known.update(fresh)
        if fresh:
            lines.follow(step.run, step.package.packages[-1])
            lines.add_comments(step.member.comments)
            placed.append(step.run)
        lines.add(fresh)
    return Union((*cuts, first.run.insert(last.end, "".join(lines.text))), tuple(placed))
