"""Edits, the file's habits, words and variables, the state before an instruction."""

from __future__ import annotations

import pytest

from dockerfix.state import State, trace_states
from dockerfix.syntax.edits import (
    Edit,
    OverlapError,
    apply_edits,
    insert_after,
    insert_before,
    move_before,
    remove,
    remove_alone,
    replace_part,
)
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.parser import parse
from dockerfix.syntax.style import detect_style
from dockerfix.syntax.substitution import substitute
from dockerfix.syntax.words import split_words, unquote

TEXT = "# top\nFROM a\n\n# why\nRUN b \\\n  # in\n  && c\nUSER d"


def test_edits() -> None:
    tree = parse(TEXT)
    start, run, user = tree.instructions
    at = run.logical.index("c")
    assert apply_edits(TEXT, [replace_part(run, at, at + 1, "x")]) == TEXT.replace("c\n", "x\n")
    assert apply_edits(TEXT, [remove(tree, run)]) == "# top\nFROM a\n\nUSER d"
    assert apply_edits(TEXT, [remove_alone(run)]) == "# top\nFROM a\n\n# why\nUSER d"
    assert apply_edits(TEXT, [insert_before(tree, start, "ARG x", "\n")]) == "ARG x\n" + TEXT
    assert apply_edits(TEXT, [insert_after(user, "CMD e", "\n")]) == TEXT + "\nCMD e"
    moved = apply_edits(TEXT, move_before(tree, user, run, "\n"))
    assert moved == "# top\nFROM a\n\nUSER d\n# why\nRUN b \\\n  # in\n  && c\n"


def test_edits_do_not_overlap() -> None:
    assert apply_edits("abc", [Edit(1, 2, "x"), Edit(1, 1, "y"), Edit(1, 1, "z")]) == "ayzxc"
    with pytest.raises(OverlapError):
        apply_edits("abc", [Edit(0, 2, "x"), Edit(1, 3, "y")])


@pytest.mark.parametrize(
    ("text", "newline", "indent", "operator_first", "lower"),
    [
        ("FROM a\n", "\n", "    ", True, False),
        ("from a\r\nrun b &&\\\r\n\tc\r\n", "\r\n", "\t", False, True),
        ("FROM a\nRUN b \\\n  && c \\\n  && d\nrun e\n", "\n", "  ", True, False),
    ],
)
def test_style(text: str, newline: str, indent: str, operator_first: bool, lower: bool) -> None:
    style = detect_style(parse(text))
    assert (style.newline, style.indent) == (newline, indent)
    assert (style.operator_first, style.lower_keywords) == (operator_first, lower)


def test_words() -> None:
    assert [word.text for word in split_words(r"""a "b c" d\ e 'f\' g""")] == [
        "a",
        '"b c"',
        r"d\ e",
        r"'f\'",
        "g",
    ]
    assert [word.text for word in split_words("a` b c", "`")] == ["a` b", "c"]
    assert unquote("'a b'\"c\"") == "a bc"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$x/${x}", "one.two.one/one.two.one"),
        ("${x:-y}", "one.two.one"),
        ("${empty:-y}", "y"),
        ("${empty-y}", ""),
        ("${x:+y}", "y"),
        ("${empty:+y}", ""),
        ("${x:-${x}}", "one.two.one"),
        ("${x#*.}", "two.one"),
        ("${x##*.}", "one"),
        ("${x%.*}", "one.two"),
        ("${x%%.*}", "one"),
        ("${x/one/1}", "1.two.one"),
        ("${x//one/1}", "1.two.1"),
        ("'$x' \\$x", "$x $x"),
        ('"$x"', "one.two.one"),
        ("$nobody", None),
        ("${nobody:-a}", None),
        ("${outside:-a}", None),
        ("${x", None),
        ("$", "$"),
        # As BuildKit 0.25 answers (the engine's own, Docker 28.5).
        ("${x//./-}", "one-two-one"),
        ("${x/o*o/-}", "-ne"),
        ("${x/./\\/}", "one\\/two.one"),
        ("${x/one}", None),
        ("${x#[o]ne}", "one.two.one"),
        ('${x#"one."}', "two.one"),
        ("${x%$tail}", "one.two"),
        ("${star#a\\*}", "b"),
        ("${star/\\*/-}", "a-b"),
        ("${x%%o*}", ""),
        ("${x%o*}", "one.two."),
        ("$$", None),
    ],
)
def test_substitution(text: str, value: str | None) -> None:
    scope = {"x": "one.two.one", "empty": "", "outside": None, "tail": ".o*", "star": "a*b"}
    assert substitute(text, scope) == value


def test_scope() -> None:
    tree = parse(
        "ARG V=1\nARG W=2\nFROM a\nARG V\nARG X\nENV Y=$V Z=$W\nARG Y=hidden\nENV old style $V\n"
    )
    assert tree.stages[0].variables() == {
        "V": "1",
        "X": None,
        "Y": "1",
        "Z": None,
        "old": "style 1",
    }
    assert tree.stages[0].variables(before=tree.stages[0].instructions[2]) == {"V": "1"}


def test_stages_inherit_variables() -> None:
    tree = parse(
        "ARG G=1\nFROM a:$G AS One\nARG A=x\nARG G\nENV E=${A}y\n"
        "FROM oNe\nARG B\nENV F=$E/$G\nRUN x\nFROM 0\nFROM other\nARG A\n"
    )
    first, second, third, fourth = tree.stages
    assert (second.parent, third.parent, fourth.parent) == (first, None, None)
    assert first.arguments == ("A", "G")
    assert second.arguments == ("A", "G", "B")
    assert second.variables() == {"A": "x", "G": "1", "B": None, "E": "xy", "F": "xy/1"}
    assert second.variables(before=second.instructions[1]) == first.variables()
    assert fourth.variables() == {"A": None}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("node", ("node", "", "")),
        ("node:18-slim", ("node", "18-slim", "")),
        ("localhost:5000/a/b", ("localhost:5000/a/b", "", "")),
        ("host:1/a:t@sha256:ab", ("host:1/a", "t", "sha256:ab")),
    ],
)
def test_image_names(text: str, parts: tuple[str, str, str]) -> None:
    image = read_image(text)
    assert (image.repository, image.tag, image.digest) == parts


def states(text: str) -> list[State]:
    tree = parse(text)
    found = trace_states(tree)
    return [found[i] for stage in tree.stages for i in stage.instructions]


def test_state_follows_stages() -> None:
    text = "FROM a AS b\nWORKDIR /x\nWORKDIR y\nUSER 1\nFROM b\nRUN c\nFROM d\nWORKDIR e\nRUN f\n"
    last = states(text)
    assert [(s.workdir, s.user) for s in last] == [
        (None, None),
        (None, None),
        ("/x", None),
        ("/x/y", None),
        ("/x/y", "1"),
        ("/x/y", "1"),
        (None, None),
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("text", "posix"),
    [
        ("FROM a\nRUN b\n", True),
        ('FROM a\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN b\n', True),
        ('FROM a\nSHELL ["powershell", "-Command"]\nRUN b\n', False),
        ('FROM a\nSHELL ["C:\\\\Windows\\\\cmd.exe", "/S", "/C"]\nRUN b\n', False),
        ("FROM mcr.microsoft.com/windows/nanoserver:1809\nRUN b\n", False),
        ("# escape=`\nFROM a\nRUN b\n", False),
        ("ARG T=1809\nFROM mcr.microsoft.com/dotnet/sdk:8.0-nanoserver-$T\nRUN b\n", False),
    ],
)
def test_posix(text: str, posix: bool) -> None:
    assert states(text)[-1].posix is posix
