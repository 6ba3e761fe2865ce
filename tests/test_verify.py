"""Comparing two images, without an engine; `python -m tests.builds` does it with one."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dockerfix.cli import main
from dockerfix.report.verify import render_html, render_json, render_text
from dockerfix.verify import engine
from dockerfix.verify.configuration import compare_configurations
from dockerfix.verify.tree import Node, cause_of, compare_trees, find_program, read_tree
from dockerfix.verify.verdict import Side, Verdict


def tar(*entries: tuple[str, dict[str, Any]]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, options in entries:
            member = tarfile.TarInfo(name)
            content = options.pop("content", b"")
            member.size = len(content)
            for key, value in options.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    stream.seek(0)
    return stream


def tree(*entries: tuple[str, dict[str, Any]]) -> dict[str, Node]:
    return read_tree(tar(*entries))


def test_reads_files_links_and_modes() -> None:
    found = tree(
        ("bin/sh", {"content": b"\x7fELF", "mode": 0o755}),
        ("app/run", {"content": b"#!/bin/sh\n", "mode": 0o755, "uid": 1000}),
        ("usr/bin/python", {"type": tarfile.SYMTYPE, "linkname": "python3"}),
    )
    assert found["app/run"].owner == (1000, 0)
    assert found["app/run"].head == b"#!/bin/sh\n"
    assert found["usr/bin/python"].target == "python3"


def test_hostile_names_stay_names() -> None:
    found = tree(("../../etc/passwd", {"content": b"x"}), ("/etc/shadow", {"content": b"y"}))
    assert list(found) == ["etc/shadow"]


def test_lost_added_changed() -> None:
    before = tree(
        ("app/a", {"content": b"1"}), ("app/b", {"content": b"2"}), ("proc/x", {"content": b"3"})
    )
    after = tree(("app/a", {"content": b"9"}), ("app/c", {"content": b"2"}))
    found = compare_trees(before, after, "/app", ())
    assert (found.lost, found.added, found.changed) == (["app/b"], ["app/c"], ["app/a"])
    assert found.unexplained == ["app/b"]
    assert compare_trees(before, after, "/app", ("split-stages",)).unexplained == []


def test_a_lost_mode_is_never_explained() -> None:
    before = tree(("app/run", {"content": b"x", "mode": 0o755}))
    after = tree(("app/run", {"content": b"x", "mode": 0o644}))
    found = compare_trees(before, after, "/app", ("split-stages",))
    assert found.unexplained == ["app/run"]


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("app/node_modules/a/b.js", "dependencies"),
        ("app/index.js", "program"),
        ("var/cache/x", "caches"),
        ("usr/lib/gcc/x", "tool chain"),
        ("usr/bin/git", "system"),
        ("srv/x", "other"),
    ],
)
def test_causes(path: str, cause: str) -> None:
    assert cause_of(path, "/app") == cause


def test_follows_links_to_the_program() -> None:
    found = tree(
        ("bin", {"type": tarfile.SYMTYPE, "linkname": "usr/bin"}),
        ("usr/bin/dash", {"content": b"\x7fELF", "mode": 0o755}),
        ("usr/bin/sh", {"type": tarfile.SYMTYPE, "linkname": "/usr/bin/dash"}),
        ("usr/bin/loop", {"type": tarfile.SYMTYPE, "linkname": "loop"}),
        ("app/data", {"content": b"x", "mode": 0o644}),
    )
    assert find_program(found, "sh", "/", "/sbin:/bin") == "/usr/bin/dash"
    assert find_program(found, "loop", "/", "/usr/bin") is None
    assert find_program(found, "./data", "/app", "") is None


def test_configurations() -> None:
    before = {"User": "", "Cmd": ["/bin/sh", "-c", "node a"], "Env": ["A=1", "NODE_VERSION=20"]}
    after = {"User": "node", "Cmd": ["node", "a"], "Env": ["NODE_VERSION=20"]}
    found = {
        entry.field: entry.explained_by
        for entry in compare_configurations(before, after, ("add-user", "exec-form"))
    }
    assert found == {"User": ("add-user",), "Cmd": ("exec-form",), "Env": ()}


def test_a_port_may_come_but_not_go() -> None:
    one, two = {"ExposedPorts": {"80/tcp": {}}}, {"ExposedPorts": {"80/tcp": {}, "81/tcp": {}}}
    assert compare_configurations(one, two, ("split-stages",))[0].explained_by
    assert not compare_configurations(two, one, ("split-stages",))[0].explained_by


def test_root_by_any_name_is_root() -> None:
    assert compare_configurations({"User": "0"}, {"User": "root"}, ()) == []


def verdict() -> Verdict:
    found = Verdict("<b>Dockerfile</b>", "differs", ("add-user",), problems=["<script>"])
    found.before, found.after = Side(100_000_000, 5, 2.0), Side(40_000_000, 3, 1.0)
    return found


def test_reports() -> None:
    assert "100 MB -> 40 MB (-60 %)" in render_text(verdict())
    assert '"state": "differs"' in render_json([verdict()])
    page = render_html([verdict()])
    assert "<script>" not in page
    assert "http" not in page


def test_no_engine_is_a_clear_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.shutil, "which", lambda _: None)
    (tmp_path / "Dockerfile").write_text("FROM node:20\n")
    result = CliRunner().invoke(main, ["verify", str(tmp_path)])
    assert result.exit_code == 2
    assert "docker is not installed" in result.output
