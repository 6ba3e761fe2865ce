"""What the README and the page of the library show is what the program does."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import dockerfix

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_first_example_is_what_the_command_beside_it_prints() -> None:
    shown = re.search(r"```diff\n(.*?)```", README, re.DOTALL)
    assert shown
    diff = dockerfix.refactor_path(ROOT / "examples/node-api/Dockerfile").diff()
    lines = diff.splitlines(keepends=True)
    assert shown[1] == "".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def test_every_pass_of_the_catalogue_is_in_the_changelog() -> None:
    from dockerfix.catalogue import BUILT_IN

    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert [name for name in BUILT_IN if f"`{name}`" not in changelog] == []


def test_there_are_two_commands_for_a_fresh_machine() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/dockerfix --diff examples/node-api")
    assert commands[1] in (ROOT / ".ci/run").read_text("utf-8")


def test_the_page_of_the_library_runs() -> None:
    failed, tried = doctest.testfile(str(ROOT / "docs/library.md"), module_relative=False)
    assert tried > 10
    assert not failed


def test_the_page_of_the_library_names_all_that_is_public() -> None:
    page = (ROOT / "docs/library.md").read_text("utf-8")
    assert [name for name in dockerfix.__all__ if not re.search(rf"\b{name}\b", page)] == []
    assert all(hasattr(dockerfix, name) for name in dockerfix.__all__)
