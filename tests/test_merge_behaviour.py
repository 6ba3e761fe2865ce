"""Merged RUN instructions do what the separate ones did, in real shells."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dockerfix

#: Scripts that succeed or fail by what earlier ones left, and change what a shell remembers.
SCRIPTS = (
    "mkdir a",
    "mkdir -p b",
    "mkdir c || true",
    "mkdir c || mkdir d",
    "cd b",
    "cd b && mkdir inner",
    "(cd b && mkdir inner)",
    "mkdir a && mkdir e || mkdir f",
    "mkdir a; mkdir g",
    "{ mkdir h; mkdir h2; }",
    "! mkdir a",
    "umask 077",
    "umask 077 && mkdir i",
    "NAME=x",
    "NAME=x && mkdir $NAME",
    'mkdir "n$NAME"',
    "for name in j k; do mkdir -p $name; done",
    'mkdir "for$name"',
    "if test -d a; then mkdir l; fi",
    "test -d a",
    "test -d a && mkdir m",
    "export NAME=exported",
    "set -e",
    "set -f && mkdir o",
    "echo * > listing",
    "exit 0",
    "mkdir p && exit 0",
    "exec mkdir q",
    "trap 'mkdir trapped' EXIT",
    "echo $? > status",
    "f() { mkdir $1; }; f r",
    "mkdir s && chmod 700 s",
    "rm -rf a",
    "rm -r b",
    "mkdir t # with a comment",
    "true &",
)
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def run_all(scripts: list[str], shell: str) -> tuple[bool, list[tuple[str, int, str]]]:
    """Run scripts as RUN instructions would: a shell each, until one fails."""
    with tempfile.TemporaryDirectory() as folder:
        succeeded = all(
            subprocess.run(
                [shell, "-c", script], cwd=folder, capture_output=True, check=False
            ).returncode
            == 0
            for script in scripts
        )
        return succeeded, sorted(
            (
                str(path.relative_to(folder)),
                path.stat().st_mode,
                path.read_text() if path.is_file() else "",
            )
            for path in Path(folder).rglob("*")
        )


def scripts_of(code: str) -> list[str]:
    runs = [i for i in dockerfix.parse(code).instructions if i.keyword == "RUN"]
    return [run.argument_text for run in runs]


def check(scripts: list[str], shell: str) -> bool:
    """Compare both; say whether anything was merged."""
    shell_line = f'SHELL ["/bin/{shell}", "-c"]\n' if shell != "dash" else ""
    before = f"FROM debian:12\n{shell_line}" + "".join(f"RUN {script}\n" for script in scripts)
    result = dockerfix.refactor(before, select=("merge-runs",))
    merged = scripts_of(result.code)
    succeeded, files = run_all(scripts, shell)
    succeeded_merged, files_merged = run_all(merged, shell)
    assert succeeded == succeeded_merged, result.code
    if succeeded:
        assert files == files_merged, result.code
    return len(merged) < len(scripts)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_pair(shell: str) -> None:
    merged = [check(["mkdir b", *pair], shell) for pair in itertools.product(SCRIPTS, repeat=2)]
    assert sum(merged) > len(merged) // 10, "the test has to see merges"


@pytest.mark.parametrize("shell", SHELLS)
@given(scripts=st.lists(st.sampled_from(SCRIPTS), min_size=3, max_size=6))
@example(scripts=["for name in j k; do mkdir $name; done", "mkdir a", 'mkdir "for$name"'])
@example(scripts=["for name in j k; do mkdir $name; done", "mkdir a", 'mkdir "for${name}"'])
@settings(max_examples=60, deadline=None)
def test_rows(shell: str, scripts: list[str]) -> None:
    check(scripts, shell)
