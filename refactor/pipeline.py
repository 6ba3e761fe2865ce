"""Run passes over a Dockerfile to a fixed point, and refuse whatever they cannot account for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit, EditSet, OverlapError, apply_edits
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.parser import parse
from dockerfix.syntax.tree import Dockerfile, SyntaxProblem
from dockerfix.transform import Change, Declined, NewFile, Transform, Workspace

#: More rounds than any chain of passes needs; reaching it means that two passes undo each other.
MAX_ROUNDS = 12

_IGNORE = pattern(r"dockerfix:\s*ignore\[([\w\s,-]+)\]")
_IGNORE_FILE = pattern(r"dockerfix:\s*ignore-file\b")


class DockerfileSyntaxError(ValueError):
    """The file is not a Dockerfile that BuildKit would build."""

    def __init__(self, problems: Sequence[SyntaxProblem]) -> None:
        super().__init__(str(problems[0]))
        self.problems = tuple(problems)


class RefactoringError(RuntimeError):
    """A pass made something of the file that it cannot account for: a fault of dockerfix."""

    def __init__(self, pass_name: str, message: str) -> None:
        super().__init__(f"{pass_name}: {message}")
        self.pass_name = pass_name


@dataclass(frozen=True)
class Result:
    """What refactoring a Dockerfile came to."""

    before: str
    code: str
    changes: tuple[Change, ...] = ()
    declined: tuple[Declined, ...] = ()
    #: Files to create or replace beside the Dockerfile.
    files: tuple[NewFile, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything would be written."""
        return self.code != self.before or bool(self.files)

    def diff(self, path: str = "Dockerfile") -> str:
        """The change as a unified diff that `git apply` and `patch -p1` take."""
        from dockerfix.diff import unified_diff

        return unified_diff(self.before, self.code, path)


@dataclass
class _Run:
    """One file on its way through the passes."""

    workspace: Workspace
    changes: list[Change] = field(default_factory=list)
    #: By pass: what it left alone when it last ran.
    declined: dict[str, dict[tuple[str, int], Declined]] = field(default_factory=dict)
    #: By pass: the workspace in which it found nothing to change.
    settled: dict[str, Workspace] = field(default_factory=dict)


def refactor(text: str, passes: Iterable[Transform], workspace: Workspace | None = None) -> Result:
    """Refactor a Dockerfile's text.

    `workspace` gives the build context, the target and the level; its own tree is not used.
    Raises DockerfileSyntaxError for a file that does not parse, RefactoringError when a pass broke
    its word; in both cases nothing was changed.
    """
    dockerfile = parse(text)
    if dockerfile.errors:
        raise DockerfileSyntaxError(dockerfile.errors)
    if any(_IGNORE_FILE.search(comment.text) for comment in dockerfile.comments):
        return Result(text, text, declined=(Declined("ignored by a comment in the file", 1),))
    run = _Run(replace(workspace or Workspace(dockerfile), dockerfile=dockerfile))
    _run_rounds(run, tuple(passes))
    return Result(
        before=text,
        code=run.workspace.dockerfile.code,
        changes=tuple(run.changes),
        declined=_sorted_declines(run),
        files=run.workspace.files,
    )


def _sorted_declines(run: _Run) -> tuple[Declined, ...]:
    every = (item for entries in run.declined.values() for item in entries.values())
    return tuple(sorted(every, key=lambda item: (item.line, item.reason)))


def _run_rounds(run: _Run, passes: tuple[Transform, ...]) -> None:
    for _ in range(MAX_ROUNDS):
        changed = [entry.name for entry in passes if _run_pass(run, entry)]
        if not changed:
            return
    raise RefactoringError(changed[0], f"no end after {MAX_ROUNDS} rounds of {', '.join(changed)}")


def _run_pass(run: _Run, entry: Transform) -> bool:
    """Apply one pass; say whether it changed anything."""
    workspace = run.workspace
    if run.settled.get(entry.name) is workspace:
        return False
    declined: dict[tuple[str, int], Declined] = {}
    run.declined[entry.name] = declined
    accepted: list[Change] = []
    edits = EditSet()
    for item in entry.apply(workspace):
        item = item._replace(pass_name=entry.name)
        if isinstance(item, Change):
            refusal = _refuse(item, workspace)
            if refusal is None:
                # A change that overlaps another is looked at again in the next round.
                if not edits.overlaps(item.edits):
                    accepted.append(item)
                    edits.add(item.edits)
                continue
            item = refusal
        declined[(item.reason, item.line)] = item
    if not accepted:
        run.settled[entry.name] = workspace
        return False
    code = _apply(entry.name, workspace.dockerfile, edits)
    files = _merge_files(workspace.files, accepted)
    after = parse(code)
    _check(entry.name, workspace.dockerfile, after, accepted, edits)
    if code == workspace.dockerfile.code and files == workspace.files:
        raise RefactoringError(entry.name, "a change that changes nothing")
    context = workspace.context
    if context is not None and files:
        made = {file.path: file.content for file in files}
        context = context.overlaid({**context.overlay, **made})
    run.workspace = replace(workspace, dockerfile=after, files=files, context=context)
    run.changes += accepted
    return True


def _apply(name: str, dockerfile: Dockerfile, edits: EditSet) -> str:
    try:
        return apply_edits(dockerfile.code, edits)
    except OverlapError as error:
        raise RefactoringError(name, str(error)) from error


def _refuse(change: Change, workspace: Workspace) -> Declined | None:
    if change.level > workspace.level:
        return Declined(f"needs --level {change.level}", change.line, change.help, change.pass_name)
    if _is_ignored(change, workspace):
        return Declined("ignored by a comment", change.line, change.help, change.pass_name)
    return None


def _is_ignored(change: Change, workspace: Workspace) -> bool:
    if not workspace.mentions("dockerfix:"):
        return False
    dockerfile = workspace.dockerfile
    return any(
        change.pass_name in _ignored_passes(dockerfile, instruction)
        for instruction in dockerfile.instructions
        if _touches(change.edits, instruction)
    )


def _ignored_passes(dockerfile: Dockerfile, instruction: Instruction) -> set[str]:
    names: set[str] = set()
    for comment in dockerfile.comments_of(instruction):
        match = _IGNORE.search(comment.text)
        if match:
            names.update(name.strip() for name in match[1].split(","))
    return names


def _touches(edits: Iterable[Edit], instruction: Instruction) -> bool:
    return any(
        (edit.start < instruction.end and instruction.start < edit.end)
        or instruction.start < edit.start < instruction.end
        for edit in edits
    )


def _merge_files(files: tuple[NewFile, ...], changes: list[Change]) -> tuple[NewFile, ...]:
    merged = {file.path: file for file in files}
    for change in changes:
        merged.update((file.path, file) for file in change.files)
    return tuple(merged.values())


def _check(
    name: str, before: Dockerfile, after: Dockerfile, changes: list[Change], edits: Iterable[Edit]
) -> None:
    """The safety net: the result parses, and nothing is lost or invented."""
    if after.errors:
        raise RefactoringError(name, f"the result does not parse: {after.errors[0]}")
    _check_untouched(name, before, after, edits)
    keywords = Counter(i.keyword for i in before.instructions)
    keywords.subtract(keyword for change in changes for keyword in change.removed)
    keywords.update(keyword for change in changes for keyword in change.added)
    found = Counter(i.keyword for i in after.instructions)
    if +keywords != found:
        raise RefactoringError(
            name, f"instructions lost or invented: {_difference(keywords, found)}"
        )
    comments = _all_comments(before)
    comments.subtract(text for change in changes for text in change.dropped_comments)
    kept = _all_comments(after)
    if any(kept[text] < count for text, count in comments.items()):
        lost = next(text for text, count in comments.items() if kept[text] < count)
        raise RefactoringError(name, f"a comment is lost: {lost}")


def _check_untouched(
    name: str, before: Dockerfile, after: Dockerfile, edits: Iterable[Edit]
) -> None:
    """Every instruction that no edit touches is there again, as it was and in its order."""
    ordered = sorted(edits)
    shift = index = 0
    positions = {instruction.start: instruction for instruction in after.instructions}
    for instruction in before.instructions:
        while index < len(ordered) and ordered[index].end <= instruction.start:
            edit = ordered[index]
            shift += len(edit.text) - (edit.end - edit.start)
            index += 1
        # What is inserted behind a last line without a line end becomes part of it.
        last = instruction.end if instruction.code.endswith("\n") else instruction.end + 1
        if index < len(ordered) and ordered[index].start < last:
            continue
        twin = positions.get(instruction.start + shift)
        if twin is None or twin.code.rstrip("\r\n") != instruction.code.rstrip("\r\n"):
            raise RefactoringError(name, f"line {instruction.line} changed though no edit names it")


def _all_comments(dockerfile: Dockerfile) -> Counter[str]:
    comments = Counter(comment.text for comment in dockerfile.comments)
    for instruction in dockerfile.instructions:
        if len(instruction.segments) > 1:
            comments.update(comment.text for comment in instruction.inner_comments)
    return comments


def _difference(expected: Counter[str], found: Counter[str]) -> str:
    names = sorted(set(expected) | set(found))
    return ", ".join(
        f"{name} {found[name] - expected[name]:+d}"
        for name in names
        if found[name] != expected[name]
    )
