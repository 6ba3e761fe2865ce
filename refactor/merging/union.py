"""Several installs by one package manager as one, with one update and one clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.merging.part import Part
from dockerfix.merging.repeats import add_repeats
from dockerfix.merging.steps import Step, is_clean_up, read_steps
from dockerfix.packages import PackageCommand
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.style import Style
from dockerfix.syntax.word_list import WordList
from dockerfix.transform import Workspace


class _Union(NamedTuple):
    """The packages of some installs in the first one."""

    insertion: Edit
    removed: tuple[Step, ...]
    placed: tuple[RunScript, ...]


class Merger(NamedTuple):
    """What becomes of scripts that are going to be one and-list."""

    edits: tuple[Edit, ...] = ()
    #: Scripts whose comments stand in a list of packages now.
    placed: tuple[RunScript, ...] = ()
    #: Installs become one.
    unites: bool = False


def unite_installs(parts: list[Part], style: Style, workspace: Workspace) -> Merger:
    """Make one of the installs that can become one over scripts that are going to be one and-list.

    Of the clean-ups and updates that are left, those that are needless then go too.
    """
    if not all(part.run.script.is_and_list for part in parts):
        return Merger()
    steps = [step for part in parts for step in read_steps(part)]
    unions = list(_find_unions(steps, style))
    united = [step for union in unions for step in union.removed]
    gone = add_repeats(
        steps, united, lambda step, others: _may_go(step, others, parts[0]), workspace
    )
    return Merger(
        (*_cuts(gone), *(union.insertion for union in unions)),
        tuple(run for union in unions for run in union.placed),
        bool(unions),
    )


def _find_unions(steps: list[Step], style: Style) -> Iterator[_Union]:
    position = 0
    while position < len(steps):
        group, dropped = _collect(steps, position)
        union = _join(group, dropped, style) if len(group) > 1 else None
        if union is not None:
            yield union
            position = steps.index(group[-1])
        position += 1


def _may_go(step: Step, gone: list[Step], first: Part) -> bool:
    """Whether no comment is lost, or left without its step, when a step goes too."""
    part = step.part
    if _loses_comment([*gone, step]):
        return False
    taken = {entry.index for entry in (*gone, step) if entry.run is step.run}
    stays = len(taken) < len(part.run.script.items)
    return stays or (part.run is not first.run and not part.comments)


def _collect(steps: list[Step], start: int) -> tuple[list[Step], list[Step]]:
    """The installs that join the one at `start`, and the updates and clean-ups between them."""
    first = steps[start]
    package = first.package
    if package is None or not _can_join(package):
        return [first], []
    manager = package.manager
    updated = any(
        s.action == "update" and s.package and s.package.manager is manager for s in steps[:start]
    )
    group, dropped = [first], list[Step]()
    waiting: list[Step] = []
    for step in steps[start + 1 :]:
        if _changes_installs(group[-1]):
            break
        if step.package and step.package.manager is manager and step.action == "install":
            # Two installs of one script are two because their author wants them so.
            if step.part is group[-1].part or not _can_join(step.package):
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
        elif is_clean_up(step, package.manager):
            waiting.append(step)
        else:
            break
    return group, _choose_clean_ups(dropped, steps[steps.index(group[-1]) + 1 :])


def _choose_clean_ups(between: list[Step], behind: list[Step]) -> list[Step]:
    """Which steps go: updates, and of the clean-ups that are there twice one."""
    updates = [step for step in between if step.action == "update"]
    early = [step for step in between if step.action != "update"]
    texts = {step.text for step in early}
    if behind and all(step.text in texts for step in behind):
        # All that follows the last install is done behind the first one: keep that.
        return updates + behind + _repeated(early)
    later = {step.text for step in behind}
    return updates + [step for step in early if step.text in later]


def _repeated(steps: list[Step]) -> list[Step]:
    seen: set[str] = set()
    return [step for step in steps if step.text in seen or seen.add(step.text)]  # type: ignore[func-returns-value]


def _changes_installs(step: Step) -> bool:
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


def _join(group: list[Step], dropped: list[Step], style: Style) -> _Union | None:
    """None when a comment would be lost, or speak of what is not there any more."""
    removed = [*group[1:], *dropped]
    if _loses_comment(removed):
        return None
    union = _append(group, removed, style)
    return None if _strands_comment(removed, union) else union


def _strands_comment(removed: list[Step], union: _Union) -> bool:
    """Whether a comment above a script goes with none of what the script did."""
    return any(
        step.part.comments and step.run not in union.placed
        for step in removed
        if step.action == "install" or _goes_wholly(step.part, removed)
    )


def _goes_wholly(part: Part, removed: list[Step]) -> bool:
    return sum(step.part is part for step in removed) == len(part.run.script.items)


def _loses_comment(removed: list[Step]) -> bool:
    return any(
        _holds_comment(run, cut)
        for run, gone in _by_run(removed).items()
        for cut in _run_cuts(run, gone)
    )


def _cuts(removed: list[Step]) -> Iterator[Edit]:
    for run, gone in _by_run(removed).items():
        yield from _run_cuts(run, gone)


def _by_run(removed: list[Step]) -> dict[RunScript, set[int]]:
    gone: dict[RunScript, set[int]] = {}
    for step in removed:
        gone.setdefault(step.run, set()).add(step.index)
    return gone


def _run_cuts(run: RunScript, gone: set[int]) -> Iterator[Edit]:
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


def _append(group: list[Step], removed: list[Step], style: Style) -> _Union:
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
            lines.add_comments(step.part.comments)
            placed.append(step.run)
        lines.add(fresh)
    insertion = first.run.insert(last.end, "".join(lines.text))
    return _Union(insertion, tuple(removed), tuple(placed))
