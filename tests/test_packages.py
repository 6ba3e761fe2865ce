"""What a command asks of a package manager."""

from __future__ import annotations

import pytest

from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.shell.parse import parse_script


def read(text: str) -> PackageCommand | None:
    script = parse_script(text)
    assert not script.opaque
    return read_package_command(next(iter(script.commands())))


@pytest.mark.parametrize(
    ("text", "manager", "action", "packages"),
    [
        ("apt-get install -y curl git", "apt", "install", ["curl", "git"]),
        ("apt-get -o Dpkg::Use-Pty=0 install curl", "apt", "install", ["curl"]),
        ("apt-get install -t bookworm-backports git", "apt", "install", ["git"]),
        ("sudo -E apt-get update", "apt", "update", []),
        ("/usr/bin/apt-get update", "apt", "update", []),
        ("apk add -t .build gcc", "apk", "install", ["gcc"]),
        ("apk del .build", "apk", "remove", [".build"]),
        ("dnf --setopt install_weak_deps=0 install git", "dnf", "install", ["git"]),
        ("yum update", "yum", "upgrade", []),
        ("zypper -n in git", "zypper", "install", ["git"]),
        ("pip3.11 install flask", "pip", "install", ["flask"]),
        ("python3 -m pip install -r requirements.txt flask", "pip", "install", ["flask"]),
        ("npm i -g pm2", "npm", "install", ["pm2"]),
        ("yarn", "yarn", None, []),
        ("conda install -c conda-forge numpy", "conda", "install", ["numpy"]),
    ],
)
def test_reads(text: str, manager: str, action: str | None, packages: list[str]) -> None:
    found = read(text)
    assert found is not None
    assert (found.manager.name, found.action) == (manager, action)
    assert [word.text for word in found.packages] == packages


@pytest.mark.parametrize("text", ["echo apt-get install", "$APT install curl", "python -m venv x"])
def test_other_commands(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apt-get install curl", False),
        ("apt-get install -y curl", True),
        ("apt-get install -yqq curl", True),
        ("apt-get install -qq curl", True),
        ("apt-get install -q curl", False),
        ("apt-get --yes install curl", True),
        ("apt-get install --assume-yes curl", True),
        ("zypper --non-interactive install curl", True),
    ],
)
def test_answers_its_questions(text: str, expected: bool) -> None:
    found = read(text)
    assert found is not None
    assert found.never_asks is expected
