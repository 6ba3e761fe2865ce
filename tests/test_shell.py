"""Reading RUN scripts: operators, words, features, spans; held against real shells."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dockerfix.syntax import shell
from dockerfix.syntax.shell import Script, parse_script


def shape(script: Script) -> list[tuple[str, str, str]]:
    return [(item.operator, item.kind, item.text) for item in script.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a && b > c", [("", "command", "a"), ("&&", "command", "b > c")]),
        ("a | b > c && d", [("", "pipeline", "a | b > c"), ("&&", "command", "d")]),
        ("a; b\nc", [("", "command", "a"), (";", "command", "b"), ("\n", "command", "c")]),
        ("a || b && c", [("", "command", "a"), ("||", "command", "b"), ("&&", "command", "c")]),
        (
            "a && b | c > d || e",
            [("", "command", "a"), ("&&", "pipeline", "b | c > d"), ("||", "command", "e")],
        ),
        ("(cd x && y) && z", [("", "subshell", "(cd x && y)"), ("&&", "command", "z")]),
        ("! a && X=1", [("", "negated", "! a"), ("&&", "assignment", "X=1")]),
        ("a && (b) > c", [("", "command", "a"), ("&&", "subshell", "(b) > c")]),
    ],
)
def test_operators(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert shape(parse_script(text)) == expected


@pytest.mark.parametrize(
    "text", ["a; b", "a || b", "a & b", "a &", "a\nb", "f() { a; }\nf", "if a; then", "a && && b"]
)
def test_is_no_and_list(text: str) -> None:
    assert not parse_script(text).is_and_list


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("echo $x", "uses_variables"),
        ("echo ${x:-y}", "uses_variables"),
        ("echo $(a)", "uses_command_substitution"),
        ("echo `a`", "uses_command_substitution"),
        ("echo $((1 + 2))", "uses_arithmetic"),
        ("a <<< b", "uses_here_strings"),
        ("a &", "uses_background"),
        ("f() { a; }", "uses_functions"),
        ("a # b", "has_comment"),
        ("ls *.c", "uses_globs"),
        ("ls ~/x", "uses_tilde"),
    ],
)
def test_features(text: str, feature: str) -> None:
    script = parse_script(text)
    assert getattr(script, feature)
    assert not getattr(parse_script("echo 'x'"), feature)


def test_calls_finds_nested_commands() -> None:
    script = parse_script('if a; then (exit 1); fi && echo "$(trap x INT)"')
    assert script.calls("exit")
    assert script.calls("trap")
    assert not script.calls("echo 1")
    assert [command.nested for command in script.commands()] == [True, True, False, True]


def test_words_behind_a_redirection_belong_to_the_command() -> None:
    command = parse_script("echo a > b c").items[0].command
    assert command is not None
    assert command.argv == ("echo", "a", "c")
    assert [(r.operator, r.target) for r in command.redirections] == [(">", "b")]


def test_unquoted_text_is_not_a_command() -> None:
    script = parse_script("echo 'apt-get install x' && echo \"rm -rf /\"")
    assert script.command_names == {"echo"}


@pytest.mark.parametrize("text", ["if a", "a 'b", "a\r\nb", "a \0 b", "echo a; >> b"])
def test_opaque(text: str) -> None:
    script = parse_script(text)
    assert script.opaque
    assert script.items == ()


def test_a_long_list_is_no_matter_of_recursion() -> None:
    assert len(parse_script(" && ".join(['echo "x"'] * 20_000)).items) == 20_000


def test_tail() -> None:
    assert parse_script("a; b ;").tail == ";"
    assert parse_script("a 'x'").tail == ""


def test_replace_refuses_overlap() -> None:
    script = parse_script("a b c")
    assert script.replace([(2, 3, "x"), (4, 5, "y")]) == "a x y"
    with pytest.raises(ValueError, match="overlap"):
        script.replace([(0, 3, "x"), (2, 5, "y")])


plain_words = st.from_regex(r"[A-Za-z0-9_./:=@,+%^-]{1,6}", fullmatch=True)
plain_scripts = st.lists(
    st.lists(plain_words, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=4
).map(" && ".join)


@given(plain_scripts)
def test_the_short_way_reads_as_the_parser_does(text: str) -> None:
    short = shell._read_plain(text)
    if short is None:
        return
    full = shell._Reader(text, text.encode()).read()
    # The parser gives up on names such as `00@`, which the shell accepts.
    assume(full.opaque is None)
    assert full.items == short.items
    assert full.assigned == short.assigned


pieces = st.one_of(
    st.text("ab \\$*~", max_size=4).filter(lambda x: not x.endswith("\\")).map("'{}'".format),
    st.text("ab '*~é", max_size=4).map('"{}"'.format),
    st.text("abc.-/é", min_size=1, max_size=3),
    st.sampled_from(["\\ ", "\\*", "\\$", "\\'", '"\\$"', '"\\a"']),
)


@given(st.lists(pieces, min_size=1, max_size=4).map("".join))
def test_words_have_the_value_that_bash_gives_them(word: str) -> None:
    script = parse_script(f"printf %s {word}")
    # It also gives up on an escaped blank at the very end.
    assume(script.opaque is None)
    (item,) = script.items
    assert item.command is not None
    read = item.command.words[2]
    assert read.text == word
    assert read.value is not None
    bash = shutil.which("bash")
    assert bash, "bash is needed to run this test"
    done = subprocess.run([bash, "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert done.stdout.decode() == read.value


@given(st.text("ab '\"\\$&|;()<>#{}\n", max_size=12))
def test_any_text_is_read_or_opaque(text: str) -> None:
    script = parse_script(text)
    position = 0
    for item in script.items:
        assert text[item.start : item.end] == item.text
        assert item.start >= position
        position = item.end
