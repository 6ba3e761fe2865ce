"""Reading RUN scripts: operators, words, features, spans; held against real shells."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dockerfix.syntax.shell import parse, reader
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.syntax.shell.script import Script


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
        (
            "a && b 2>&1 | c && d",
            [("", "command", "a"), ("&&", "pipeline", "b 2>&1 | c"), ("&&", "command", "d")],
        ),
        ("! a && (b) 2>&1 | c", [("", "negated", "! a"), ("&&", "pipeline", "(b) 2>&1 | c")]),
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
        ("for f in *.c; do a; done", "uses_globs"),
        ("a > *.c", "uses_globs"),
        ("x=~/a", "uses_tilde"),
        ("((x = 1))", "uses_arithmetic"),
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


def test_a_redirection_belongs_to_the_last_command_of_a_pipeline() -> None:
    first, second = parse_script("a | b > c").commands()
    assert first.redirections == ()
    assert [(r.operator, r.target) for r in second.redirections] == [(">", "c")]


def test_a_here_document_keeps_to_its_command() -> None:
    (command,) = parse_script("cat <<EOF > f x\nbody\nEOF\n").commands()
    assert command.argv == ("cat", "x")
    assert [(r.operator, r.target) for r in command.redirections] == [("<<", "EOF"), (">", "f")]
    assert command.end == len("cat <<EOF > f x\nbody\nEOF")


def test_a_continuation_inside_a_word_does_not_split_it() -> None:
    command = parse_script("echo fo\\\no b").items[0].command
    assert command is not None
    assert command.argv == ("echo", "foo", "b")


def test_only_assignments_without_a_command_set_a_name() -> None:
    assert parse_script("A=1 b && C=2 && export D=3").assigned == {"C", "D"}


@pytest.mark.parametrize("text", ["é > ü && 'ñ' b", "\udcff > \udcfe && '\udcff' b", "😀 > x && y"])
def test_spans_count_characters(text: str) -> None:
    script = parse_script(text)
    assert [item.text for item in script.items] == text.split(" && ")
    for command in script.commands():
        assert all(text[word.start : word.end] == word.text for word in command.words)


def test_parsing_is_loaded_only_when_wanted() -> None:
    code = (
        "import sys; from dockerfix.syntax.shell.parse import parse_script;"
        "parse_script('a b && c');"
        "sys.exit('tree_sitter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "if a",
        "a 'b",
        "a\r\nb",
        "a \0 b",
        "echo a; >> b",
        "cat <<E && b\nx\nE",
        "a; } b",
        "a } ]",
        "a `b` \n `c`",
        "a | ! b",
        "a; then b",
        "echo '\ud800'",
    ],
)
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
plain_blanks = st.sampled_from([" ", "  ", "\t", " \\\n", " \\\n  ", "\\\n"])
plain_scripts = st.lists(
    st.tuples(st.lists(plain_words, min_size=1, max_size=4), plain_blanks).map(
        lambda drawn: drawn[1].join(drawn[0])
    ),
    min_size=1,
    max_size=4,
).flatmap(lambda parts: st.sampled_from(["&&", " && ", " \\\n&& "]).map(lambda op: op.join(parts)))


@given(plain_scripts)
def test_the_short_way_reads_as_the_parser_does(text: str) -> None:
    if not parse._PLAIN_SCRIPT.fullmatch(text):
        return
    short = parse._read_plain(text)
    if short is None:
        return
    full = reader.read_script(text, text.encode())
    # The parser gives up on names such as `00@`, which the shell accepts.
    assume(full.opaque is None)
    assert full.items == short.items
    assert full.assigned == short.assigned


simple = st.sampled_from(
    ["a", "b c", "a > f", "b 2>&1", "X=1 c", "(a && b)", "{ a || b; }", "a > f 2>&1", "! b", "'|&'"]
)
operators = st.sampled_from([" && ", " || ", " ; ", " \\\n && "])


@given(st.lists(st.tuples(operators, st.lists(simple, min_size=1, max_size=3)), min_size=1))
def test_operators_bind_as_in_the_shell(parts: list[tuple[str, list[str]]]) -> None:
    # `!` may only begin a pipeline.
    pipes = [[members[0], *(m.removeprefix("! ") for m in members[1:])] for _, members in parts]
    texts = [" | ".join(members) for members in pipes]
    joins = ["", *(operator for operator, _ in parts[1:])]
    text = "".join(f"{join}{part}" for join, part in zip(joins, texts, strict=True))
    script = parse_script(text)
    assert script.opaque in (None, "a list inside a pipeline")
    if script.opaque is None:
        assert [item.text for item in script.items] == texts
        assert [item.operator for item in script.items] == [join.strip(" \\\n") for join in joins]
        for item, members in zip(script.items, pipes, strict=True):
            assert (item.kind in ("pipeline", "negated")) == (len(members) > 1 or "! " in item.text)


@pytest.mark.parametrize(
    "text",
    [
        "set -eux; a && b | c > d || { e; f; }",
        "for x in a b; do echo $x; done && case y in y) a ;; *) b ;; esac",
        "if [ -f a ]; then b; elif c; then d; else e; fi; f() { a; }; f",
        "cat <<'E' > f\n$x\nE\nwhile read l; do a \"$l\"; done < f",
        "a &&\n# why\nb \\\n  c # d\ne &",
    ],
)
def test_what_bash_reads_is_read(text: str) -> None:
    bash = shutil.which("bash")
    assert bash, "bash is needed to run this test"
    assert subprocess.run([bash, "-n", "-c", text]).returncode == 0
    assert parse_script(text).opaque is None


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
