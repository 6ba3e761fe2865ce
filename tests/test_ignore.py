"""`.dockerignore` keeps out what moby/patternmatcher keeps out.

The cases are those of its documentation and of the Docker reference (".dockerignore file").
"""

from __future__ import annotations

import pytest

from dockerfix.context.ignore import parse_ignore_file


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        ("node_modules", "node_modules/a/b.js", True),
        ("node_modules", "web/node_modules/a.js", False),
        ("**/node_modules", "web/node_modules/a.js", True),
        ("**/node_modules", "node_modules", True),
        ("/dist/", "dist/index.js", True),
        ("./dist", "dist", True),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "docs/a/README.md", True),
        ("*/temp*", "a/temporary.txt", True),
        ("*/temp*", "a/b/temporary.txt", False),
        ("*/*/temp*", "a/b/temporary.txt", True),
        ("temp?", "tempa", True),
        ("temp?", "temp", False),
        ("*.md\n!README.md", "README.md", False),
        ("*.md\n!README.md", "OTHER.md", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("*\n!src", "src/a.py", False),
        ("*\n!src", "a.py", True),
        ("*\n!src\nsrc/test", "src/test/a.py", True),
        ("**", "a/b", True),
        ("docs/**", "docs/a/b", True),
        ("docs/**/*.png", "docs/a/b.png", True),
        ("# comment\n\n  a  ", "a", True),
        ("[ab].txt", "a.txt", True),
        ("[ab].txt", "c.txt", False),
        ("[a-c].txt", "b.txt", True),
        ("[^a].txt", "a.txt", False),
        ("[^a].txt", "b.txt", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        ("a.b", "axb", False),
        ("a+b(c)", "a+b(c)", True),
        ("\ufeff*.log", "a.log", True),
        ("../x", "x", False),
        (".git", ".gitignore", False),
        ("foo/../bar", "bar", True),
        # What BuildKit 0.29 of Docker 28.5 sent of such folders.
        ("a?\nab\n./?/b\n!a*", "a/b/f", True),
        ("!?/?/b/\n[ab]/a/*b\n!a*\n?/b/\\*", "a/a/b", True),
        ("!**/\\*/a/\n[^a]/a?/\n/**/[^a]\n!./*b/*b", "ab/ab/b", True),
        ("a\n!a\n", "a/b", False),
        ("a/b\n!a\n", "a/b/c", True),
        ("*\n!a\na/b", "a/b", True),
        ("a\n!a/b", "a/b/c", False),
        ("a\n!a/b", "a/c", True),
    ],
)
def test_ignores(patterns: str, path: str, ignored: bool) -> None:
    assert parse_ignore_file(patterns).ignores(path) is ignored


def test_a_pattern_that_the_builder_refuses_is_left_out() -> None:
    rules = parse_ignore_file("[a\n*.log\n")
    assert [pattern.text for pattern in rules.patterns] == ["*.log"]


def test_says_which_line_decides() -> None:
    decided = parse_ignore_file("# first\n*.md\n!a.md\n").deciding("a.md")
    assert decided is not None
    assert decided.line == 3
