"""The pipeline: fixed point, levels, comments that switch passes off, and its safety net."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockerfix.pipeline import DockerfileSyntaxError, RefactoringError, Result, refactor
from dockerfix.syntax.edits import Edit, remove, replace_arguments, replace_instruction
from dockerfix.syntax.parser import parse
from dockerfix.transform import Change, Declined, Level, NewFile, Transform, Workspace


def change(line: int, *edits: Edit, level: Level = Level.SAFE, **more: object) -> Change:
    return Change("a fact", "do it", edits, line, level, **more)  # type: ignore[arg-type]


class Upper(Transform):
    """Write every USER in capitals."""

    name = "upper"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        for instruction in workspace.dockerfile.instructions:
            text = instruction.argument_text
            if instruction.keyword == "USER" and not text.isupper():
                yield change(instruction.line, replace_arguments(instruction, text.upper()))
            elif instruction.keyword == "USER":
                yield Declined("already upper", instruction.line)


class Risky(Upper):
    """The same, at another level."""

    name = "risky"
    level = Level.RISKY

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        for item in super().apply(workspace):
            if isinstance(item, Change):
                yield change(item.line, *item.edits, level=Level.RISKY)


def run(text: str, entry: Transform, level: Level = Level.REVIEW) -> Result:
    return refactor(text, (entry,), Workspace(parse(text), level=level))


def test_runs_to_a_fixed_point() -> None:
    result = run("FROM x\nUSER a\nUSER b\n", Upper())
    assert result.code == "FROM x\nUSER A\nUSER B\n"
    assert [(c.line, c.pass_name) for c in result.changes] == [(2, "upper"), (3, "upper")]
    assert [d.reason for d in result.declined] == ["already upper", "already upper"]
    assert result.changed
    assert not run(result.code, Upper()).changed


def test_the_level_holds_a_change_back() -> None:
    held = run("FROM x\nUSER a\n", Risky())
    assert not held.changed
    assert [str(d) for d in held.declined] == ["needs --level risky (do it)"]
    assert run("FROM x\nUSER a\n", Risky(), Level.RISKY).changed


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("# dockerfix: ignore[upper] because", "USER a"),
        ("# dockerfix: ignore[other, upper]", "USER a"),
        ("# dockerfix: ignore[other]", "USER A"),
    ],
)
def test_a_comment_switches_a_pass_off(comment: str, code: str) -> None:
    result = run(f"FROM x\n{comment}\nUSER a\nUSER b\n", Upper())
    assert result.code == f"FROM x\n{comment}\n{code}\nUSER B\n"


def test_a_comment_switches_a_file_off() -> None:
    text = "FROM x\nUSER a\n# dockerfix: ignore-file\n"
    assert run(text, Upper()).code == text


def test_syntax_errors_are_raised() -> None:
    with pytest.raises(DockerfileSyntaxError, match="line 2, column 1: unknown instruction RUM"):
        run("FROM x\nRUM y\n", Upper())


class Broken(Transform):
    """Does one wrong thing."""

    name = "broken"
    level = Level.SAFE

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        tree = workspace.dockerfile
        user = next((i for i in tree.instructions if i.keyword == "USER"), None)
        if user is None:
            return
        match self.kind:
            case "no longer parses":
                yield change(2, replace_instruction(user, "USR b"))
            case "loses an instruction":
                yield change(2, Edit(user.start, user.end, ""))
            case "invents an instruction":
                yield change(2, Edit(user.start, user.start, "ENV a=b\n"))
            case "loses a comment":
                yield change(2, remove(tree, user), removed=("USER",))
            case "swallows the next line":
                yield change(2, Edit(user.end - 1, user.end - 1, " \\"))
            case "overlaps itself":
                yield change(2, replace_arguments(user, "b"), replace_arguments(user, "c"))
            case "changes nothing":
                yield change(2, Edit(user.start, user.start, ""))
            case "never ends":
                yield change(2, replace_arguments(user, user.argument_text + "x"))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("no longer parses", "does not parse"),
        ("loses an instruction", "USER -1"),
        ("invents an instruction", r"ENV \+1"),
        ("loses a comment", "a comment is lost: why"),
        ("swallows the next line", "line 4 changed though no edit names it"),
        ("overlaps itself", "edits overlap"),
        ("changes nothing", "changes nothing"),
        ("never ends", "no end after"),
    ],
)
def test_the_safety_net(kind: str, message: str) -> None:
    with pytest.raises(RefactoringError, match=message) as caught:
        run("FROM x\n# why\nUSER a\nRUN b\n", Broken(kind))
    assert caught.value.pass_name == "broken"


class Overlapping(Transform):
    """Two changes want the same characters."""

    name = "overlapping"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        for instruction in workspace.dockerfile.instructions:
            if instruction.argument_text == "a":
                yield change(2, replace_arguments(instruction, "b"))
                yield change(2, replace_arguments(instruction, "c"))


def test_overlapping_changes_wait_for_the_next_round() -> None:
    result = run("FROM x\nUSER a\n", Overlapping())
    assert result.code == "FROM x\nUSER b\n"
    assert len(result.changes) == 1


class Creates(Transform):
    """Creates a file beside the Dockerfile."""

    name = "creates"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        if not workspace.files:
            yield change(1, files=(NewFile(".dockerignore", ".git\n"),))


def test_files_to_create() -> None:
    result = run("FROM x\n", Creates())
    assert result.changed
    assert result.files == (NewFile(".dockerignore", ".git\n"),)
