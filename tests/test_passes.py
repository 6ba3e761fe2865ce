"""All passes together: on generated files and on every file of the corpus.

What must hold for each result: BuildKit's own parser takes it, a second run changes nothing, and
`git apply` of the diff gives it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given

import dockerfix
from dockerfix.catalogue import BUILT_IN, built_in
from tests import corpus, oracle
from tests.dockerfiles import dockerfiles

LEVELS = ("safe", "review", "risky")
CHUNKS = 8


def check(text: str, level: str, context: Path | None = None) -> dockerfix.Result:
    result = dockerfix.refactor(text, level=level, context=context)
    if result.code != text:
        again = dockerfix.refactor(result.code, level=level, context=context)
        assert again.code == result.code, "a second run changes something"
        assert accepted_by_buildkit(result.code) or not accepted_by_buildkit(text)
    return result


def accepted_by_buildkit(text: str) -> bool:
    try:
        oracle.buildkit_shapes(text.encode("utf-8", "replace").decode())
    except oracle.RefusedError:
        return False
    return True


@given(dockerfiles())
def test_generated_files(text: str) -> None:
    for level in LEVELS:
        check(text, level)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("level", ["review", "risky"])
def test_corpus(level: str, chunk: int) -> None:
    changed = 0
    for path in corpus.flat_files()[chunk::CHUNKS]:
        text = corpus.read(path)
        if dockerfix.parse(text).errors:
            continue
        try:
            changed += check(text, level).changed
        except Exception as error:
            raise AssertionError(f"{path}: {error!r}") from error
    assert changed > 100


@pytest.mark.parametrize("level", ["review", "risky"])
def test_applications(level: str) -> None:
    for path in corpus.application_files():
        text = corpus.read(path)
        if dockerfix.parse(text).errors:
            continue
        try:
            check(text, level, path.parent)
        except Exception as error:
            raise AssertionError(f"{path}: {error!r}") from error


def test_diffs_apply(tmp_path: Path) -> None:
    """Of every twentieth file of the corpus, all diffs in one patch."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    patch = []
    results: dict[Path, str] = {}
    for number, path in enumerate(corpus.flat_files()[::20]):
        text = corpus.read(path)
        if dockerfix.parse(text).errors:
            continue
        name = f"{number}/Dockerfile"
        target = tmp_path / name
        target.parent.mkdir()
        target.write_bytes(text.encode("utf-8", "surrogateescape"))
        result = dockerfix.refactor(text)
        patch.append(result.diff(name))
        results[target] = result.code
    data = "".join(patch).encode("utf-8", "surrogateescape")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=data, check=True)
    for target, code in results.items():
        assert target.read_bytes() == code.encode("utf-8", "surrogateescape"), target


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_pass_says_nothing_where_what_it_looks_for_is_missing(name: str) -> None:
    """The catalogue leaves a pass unloaded there: that must not lose a change or a decline."""
    looks_for = BUILT_IN[name].looks_for
    for path in corpus.flat_files()[::10]:
        dockerfile = dockerfix.parse(corpus.read(path))
        if dockerfile.errors or any(word in dockerfile.folded for word in looks_for):
            continue
        assert list(built_in(name).apply(dockerfix.Workspace(dockerfile))) == [], path


def test_work_grows_with_the_length_of_a_file_not_with_its_square() -> None:
    short, long = (calls_of(long_file(count)) for count in (200, 1000))
    assert long < 7 * short


def long_file(count: int) -> str:
    """A file in which every step stands behind every COPY; an install makes them worth a look."""
    steps = "".join(
        f"COPY conf/{number} /etc/app/{number}\nENV A{number}=b\nRUN touch /tmp/{number}\n"
        for number in range(count)
    )
    return f"FROM node:20\nWORKDIR /app\n{steps}COPY . .\nRUN npm ci\nRUN apt-get install curl\n"


def calls_of(text: str) -> int:
    """How many functions refactoring calls: the same on every machine, whatever else it does."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    dockerfix.refactor(long_file(1))  # what is loaded late does not count
    sys.setprofile(seen)
    try:
        dockerfix.refactor(text)
    finally:
        sys.setprofile(None)
    return count
