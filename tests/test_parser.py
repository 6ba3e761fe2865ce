"""The tree: lossless for any text, and the same instructions as BuildKit's own parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Comment
from dockerfix.syntax.parser import parse
from dockerfix.syntax.tree import Dockerfile
from tests import corpus, oracle
from tests.dockerfiles import dockerfiles

#: Where the package `dockerfile` 3.4 is behind BuildKit's reference; ours follows the reference.
OLDER_PARSER = {
    # json.Unmarshal refuses what follows the array: shell form (line_parsers.go, parseJSON).
    'FROM a\nRUN ["a", "b"] c\n': ('["a", "b"] c',),
    'FROM a\nCMD ["a"] # b\n': ('["a"] # b',),
}


def flat_ids(text: str) -> str:
    return repr(text)[:40]


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert parse(text).code == text


@given(st.binary())
def test_any_bytes_come_back(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert parse(text).code.encode("utf-8", "surrogateescape") == data


@given(dockerfiles())
def test_generated_files_come_back_and_agree_with_buildkit(text: str) -> None:
    tree = parse(text)
    assert tree.code == text
    assert not tree.errors
    assert_tiles(tree)
    assert oracle.our_shapes(tree) == oracle.buildkit_shapes(text)


def assert_tiles(tree: Dockerfile) -> None:
    position = len(tree.bom)
    line = 1
    for node in tree.nodes:
        assert (node.start, node.line) == (position, line)
        position += len(node.code)
        line += node.code.count("\n")
    assert position == len(tree.code)
    for instruction in tree.instructions:
        assert_spans(tree, instruction)


def assert_spans(tree: Dockerfile, instruction: Instruction) -> None:
    """Each character of the logical line is found at its place in the source."""
    for index, char in enumerate(instruction.logical):
        start, end = instruction.span(index, index + 1)
        assert tree.code[start:end] == char
    for flag in instruction.flags:
        assert tree.code[flag.start : flag.start + 2] == "--"
    for heredoc in instruction.heredocs:
        assert tree.code[heredoc.start : heredoc.end] == heredoc.content


@pytest.mark.parametrize("text", OLDER_PARSER, ids=flat_ids)
def test_where_the_older_parser_is_behind(text: str) -> None:
    assert parse(text).instructions[-1].arguments == OLDER_PARSER[text]
    assert oracle.our_shapes(parse(text)) != oracle.buildkit_shapes(text)


def test_the_corpus_comes_back() -> None:
    for path in corpus.flat_files() + corpus.application_files():
        text = corpus.read(path)
        assert parse(text).code == text, path


def test_the_corpus_agrees_with_buildkit() -> None:
    compared = 0
    for path in corpus.flat_files() + corpus.application_files():
        text = corpus.read(path)
        tree = parse(text)
        try:
            expected = oracle.buildkit_shapes(text.encode("utf-8", "surrogateescape").decode())
        except UnicodeDecodeError:
            continue  # That package takes no bytes that are not UTF-8.
        except oracle.RefusedError:
            assert tree.errors, f"{path}: refused by BuildKit only"
            continue
        if tree.errors:
            # It knows keywords no better than a splitter: it lets unknown ones and missing
            # arguments pass, which BuildKit refuses one step later.
            continue
        assert oracle.our_shapes(tree) == expected, path
        compared += 1
    assert compared > 7_000


def test_what_we_refuse_in_the_corpus_buildkit_refuses_too() -> None:
    """Our errors are of the kinds that its later step (`instructions.Parse`) raises."""
    kinds = ("unknown instruction", "no build stage", "needs arguments", "unterminated heredoc")
    for path in corpus.flat_files():
        for error in parse(corpus.read(path)).errors:
            assert any(kind in error.message for kind in kinds), (path, error)


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("FROM a\nRUN <<E cat\nRUN x\nE\nRUN y\n", ["FROM", "RUN", "RUN"]),
        ("FROM a\nRUN <<'E' <<-F\na\nE\n\tb\n\tF\nUSER y", ["FROM", "RUN", "USER"]),
        ("FROM a\nCOPY <<E /x\na\nE\nUSER y", ["FROM", "COPY", "USER"]),
        ("FROM a\nADD <<E <<F /x/\na\nE\nb\nF\nUSER y", ["FROM", "ADD", "USER"]),
        ("FROM a\nONBUILD COPY <<E /x\na\nE\nUSER y", ["FROM", "ONBUILD", "USER"]),
        ("FROM a\nRUN cat <<< x\nUSER y", ["FROM", "RUN", "USER"]),
        ("FROM a\nRUN echo $((1<<2))\nUSER y", ["FROM", "RUN", "USER"]),
        ("FROM a\nRUN echo '<<E'\nUSER y", ["FROM", "RUN", "USER"]),
        ("FROM a\nENV x=<<E\nUSER y", ["FROM", "ENV", "USER"]),
        ("FROM a\nRUN a \\\n# c\n\n  && b\nUSER y", ["FROM", "RUN", "USER"]),
        ("FROM a\nRUN a \\  \n b\nUSER y", ["FROM", "RUN", "USER"]),
        ("FROM a\nRUN a \\\\\nUSER y", ["FROM", "RUN", "USER"]),
        ("# escape=`\nFROM a\nRUN a `\n b\nRUN c:\\\nUSER y", ["FROM", "RUN", "RUN", "USER"]),
        ("FROM a\r\nRUN a \\\r\n b\r\nUSER y\r\n", ["FROM", "RUN", "USER"]),
        ("FROM a\rRUN b\nUSER y", ["FROM", "USER"]),
    ],
    ids=flat_ids,
)
def test_instructions(text: str, keywords: list[str]) -> None:
    tree = parse(text)
    assert [instruction.keyword for instruction in tree.instructions] == keywords
    assert tree.code == text


def test_heredoc() -> None:
    run = parse("FROM a\nRUN <<-'E' cat\n\thi $x\n\tE\nUSER y").instructions[1]
    (heredoc,) = run.heredocs
    assert (heredoc.name, heredoc.content) == ("E", "\thi $x\n")
    assert (heredoc.chomp, heredoc.expand) == (True, False)
    assert run.end_line == 4


def test_directives() -> None:
    tree = parse("#Syntax = a/b:1 \n# escape=`\n# check=skip=all\n# syntax=late\nFROM a\n")
    found = [(directive.name, directive.value) for directive in tree.directives]
    assert found == [("syntax", "a/b:1"), ("escape", "`"), ("check", "skip=all")]
    assert [error.message for error in tree.errors] == [
        "only one syntax parser directive can be used"
    ]


@pytest.mark.parametrize("head", ["# a comment\n", "\n", "# other=1\n", "FROM b\n"])
def test_a_directive_after_anything_else_is_a_comment(head: str) -> None:
    tree = parse(f"{head}# escape=`\nFROM a\n")
    assert tree.directives == ()
    assert tree.escape == "\\"


def test_flags_and_arguments() -> None:
    copy = parse('FROM a\nCOPY --from=b --chown="c d" --link x y z/\n').instructions[1]
    assert [(flag.name, flag.value) for flag in copy.flags] == [
        ("from", "b"),
        ("chown", "c d"),
        ("link", None),
    ]
    assert copy.arguments == ("x", "y", "z/")
    assert copy.flag("from") == "b"


def test_comments_belong_to_the_instruction_below() -> None:
    tree = parse("# far\n\n# one\n# two\nFROM a\nRUN b \\\n  # in\n  c\n")
    start, run = tree.instructions
    assert [comment.text for comment in tree.comments_of(start)] == ["one", "two"]
    assert tree.comments_of(run) == ()
    assert [(c.text, c.line, type(c)) for c in run.inner_comments] == [("in", 7, Comment)]


def test_stages() -> None:
    tree = parse(
        "ARG V=1\nARG W\nFROM a:$V AS One\nARG V\nENV x=y\nFROM one\nFROM b:$W\nFROM ${W:-c}\n"
    )
    assert [stage.name for stage in tree.stages] == ["One", None, None, None]
    assert [stage.base for stage in tree.stages] == ["a:$V", "one", "b:$W", "${W:-c}"]
    assert [stage.resolved_base for stage in tree.stages] == ["a:1", "one", None, None]
    assert tree.parent(tree.stages[1]) is tree.stages[0]
    assert tree.find_stage("ONE") is tree.stages[0]
    assert tree.find_stage("2") is tree.stages[2]
    assert tree.find_stage("9") is None
    assert tree.stages[0].arguments == ("V",)


def test_onbuild_and_healthcheck_nest() -> None:
    tree = parse('FROM a\nONBUILD RUN ["x"]\nHEALTHCHECK --retries=2 CMD ["y"]\nHEALTHCHECK NONE\n')
    _, onbuild, check, none = tree.instructions
    assert onbuild.nested is not None
    assert (onbuild.nested.keyword, onbuild.nested.exec_arguments) == ("RUN", ("x",))
    assert check.is_exec_form
    assert check.arguments == ("CMD", "y")
    assert none.arguments == ("NONE",)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no build stage"),
        ("# only\n", 1, "no build stage"),
        ("RUN a\nFROM b\n", 1, "only ARG may stand before FROM"),
        ("FROM a\n\nRUM b\n", 3, "unknown instruction RUM"),
        ("FROM a\nRUN <<E\nb\n", 2, "unterminated heredoc"),
        ("FROM a\nENV b\n", 2, "needs a name and a value"),
        ("FROM a\nENV b=1 c\n", 2, "no = in c"),
        ("FROM a\nCOPY [1]\n", 2, "strings only"),
        ("FROM a b\n", 1, "FROM takes"),
        ("FROM a\nONBUILD FROM b\n", 2, "ONBUILD does not take"),
        ("# escape=x\nFROM a\n", 1, "escape character"),
        ("\x7fELF\x02\x01\0\0", 1, "unknown instruction"),
    ],
)
def test_errors_carry_the_line(text: str, line: int, message: str) -> None:
    tree = parse(text)
    assert tree.code == text
    error = tree.errors[0]
    assert error.line == line
    assert message in error.message
    assert error.column >= 1
