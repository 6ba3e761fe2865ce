"""Reading the files of an image: what is kept, what is bounded, what hostile names can do."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from dockerfix.verify.compare import Judge, TreeDifference, compare_trees
from dockerfix.verify.elf import read_elf
from dockerfix.verify.packages import compare_packages, owners, read_packages
from dockerfix.verify.tree import TreeError, read_tree
from tests.images import elf, file, folder, image, jar, link, program, tar, tree

ROOT = Path(__file__).parent.parent


def test_reads_files_links_and_modes() -> None:
    found = tree(
        file("bin/sh", b"\x7fELF", 0o755),
        file("app/run", "#!/bin/sh\n", 0o755, uid=1000),
        link("usr/bin/python", "python3"),
    )
    assert found.nodes["app/run"].owner == (1000, 0)
    assert found.texts["app/run"] == "#!/bin/sh\n"
    assert found.nodes["usr/bin/python"].target == "python3"


def test_hostile_names_stay_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    outside = tmp_path / "outside"
    found = tree(
        file("../../outside", "x"),
        file("/etc/shadow", "y"),
        file(f"..{outside}", elf()),
        link("loop", "loop"),
        link("a", "b/x"),
        link("b", "a/y"),
        link("escape", "../../../../outside"),
        link("app", str(tmp_path)),
        file("app/written", elf(), 0o755),
        ("dev/sda", {"type": tarfile.BLKTYPE, "devmajor": 8}),
        ("hard", {"type": tarfile.LNKTYPE, "linkname": "../../outside"}),
        ("pipe", {"type": tarfile.FIFOTYPE}),
    )
    assert "etc/shadow" in found.nodes
    assert not any(path.startswith("..") for path in found.nodes)
    assert found.resolve("loop") is None
    assert found.resolve("a") is None
    assert found.nodes["dev/sda"].kind == "device"
    assert os.listdir(tmp_path) == []


def test_a_link_cannot_lead_above_the_root() -> None:
    found = tree(link("escape", "../../../../etc/passwd"), file("etc/passwd", "root"))
    assert found.resolve("escape") == "etc/passwd"


def test_a_hard_link_is_the_file() -> None:
    found = tree(
        file("a", "same", 0o755),
        ("b", {"type": tarfile.LNKTYPE, "linkname": "a"}),
        file("c", "same"),
    )
    assert found.nodes["b"].digest == found.nodes["a"].digest == found.nodes["c"].digest


def test_what_is_no_archive_is_an_error() -> None:
    with pytest.raises(TreeError):
        read_tree(io.BytesIO(b"x" * 2000))
    cut = tar(file("a", b"x" * 100_000)).getvalue()[:5000]
    with pytest.raises(TreeError):
        read_tree(io.BytesIO(cut))


def test_programs_say_what_they_need() -> None:
    octets = elf(("libpq.so.5",), "/lib64/ld.so", "$ORIGIN/lib", (("libc.so.6", "GLIBC_2.34"),))
    found = read_elf(io.BytesIO(octets))
    assert found is not None
    assert (found.machine, found.interpreter) == ("x86_64", "/lib64/ld.so")
    assert (found.needed, found.runpath) == (("libpq.so.5",), ("$ORIGIN/lib",))
    assert found.versions == {("libc.so.6", "GLIBC_2.34")}
    offered = read_elf(io.BytesIO(elf(offers=("GLIBC_2.17", "GLIBC_2.34"))))
    assert offered is not None
    assert offered.offers == {"GLIBC_2.17", "GLIBC_2.34"}


@pytest.mark.parametrize("size", [4, 20, 63, 65, 150, 230])
def test_a_cut_program_is_none(size: int) -> None:
    octets = elf(("libpq.so.5",), "/lib64/ld.so")
    found = read_elf(io.BytesIO(octets[:size]))
    assert found is None or found.needed == ()


def test_any_octets_are_no_crash() -> None:
    octets = bytearray(elf(("libpq.so.5",), "/ld", "x", (("a", "b"),), ("c",)))
    for place in range(16, len(octets)):
        for value in (0, 0xFF):
            wrong = bytes(octets[:place]) + bytes([value]) + bytes(octets[place + 1 :])
            read_elf(io.BytesIO(wrong))


def test_archives_say_what_they_start() -> None:
    found = tree(file("app/a.jar", jar("demo.Main", "demo/Main.class", "readme.txt")))
    assert found.jars["app/a.jar"].main_class == "demo.Main"
    assert found.jars["app/a.jar"].names == {"demo/Main.class"}
    assert tree(file("app/b.jar", b"PK\x03\x04 nothing")).jars == {}


def judged(*passes: str) -> Judge:
    return Judge("/app", frozenset(passes), {})


def compare(
    before: list[tuple[str, dict[str, object]]],
    after: list[tuple[str, dict[str, object]]],
    *passes: str,
) -> TreeDifference:
    return compare_trees(tree(*before), tree(*after), judged(*passes))


def test_lost_added_changed() -> None:
    before = [file("app/a", "1"), file("app/b", "2"), file("proc/x", "3"), file("app/d", uid=0)]
    after = [file("app/a", "9"), file("app/c", "2"), file("app/d", uid=7)]
    found = compare(before, after)
    assert (found.lost, found.added, found.changed) == (["app/b"], ["app/c"], ["app/a", "app/d"])
    assert [change.path for change in found.unexplained] == ["app/b", "app/d"]
    assert compare(before, after, "split-stages").unexplained == []
    assert [change.path for change in compare(before, after, "merge-runs").unexplained]


def test_an_install_that_cleans_up_takes_caches_only() -> None:
    before = [file("app/.cache/x"), file("app/node_modules/a/b.js"), file("app/data")]
    found = compare(before, [file("x")], "package-hygiene")
    assert [change.path for change in found.unexplained] == ["app/data"]


def test_an_ignore_file_keeps_files_out() -> None:
    judge = Judge("/app", frozenset(("order-copies",)), {}, ignores=True)
    before, after = tree(file("app/.git/x")), tree(file("app/y"))
    assert compare_trees(before, after, judge).unexplained == []


def test_times_do_not_matter() -> None:
    assert compare([file("app/a", mtime=1)], [file("app/a", mtime=2)]).changes == []


def test_a_lost_mode_is_never_explained() -> None:
    before, after = [file("app/run", mode=0o755)], [file("app/run", mode=0o644)]
    found = compare(before, after, "split-stages", "add-user", "chown-copies")
    assert [(change.what, change.detail) for change in found.unexplained] == [
        ("mode", "0755 -> 0644")
    ]


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("app/node_modules/a/b.js", "dependencies"),
        ("usr/local/lib/python3.11/site-packages/flask/app.py", "dependencies"),
        ("app/index.js", "sources"),
        ("app/logo.png", "program"),
        ("var/cache/x", "caches"),
        ("app/.cache/x", "caches"),
        ("var/lib/dpkg/status", "package database"),
        ("usr/lib/gcc/x", "tool chain"),
        ("usr/bin/git", "system"),
        ("srv/x", "other"),
    ],
)
def test_causes(path: str, cause: str) -> None:
    assert judged().cause_of(path) == cause


def test_files_of_packages_have_an_owner() -> None:
    found = tree(
        file("var/lib/dpkg/info/git.list", "/.\n/usr/bin/git\n"),
        file("lib/apk/db/installed", "P:musl\nV:1.2\nF:lib\nR:ld-musl.so\n\n"),
    )
    assert owners(found)["usr/bin/git"] == "git"
    assert owners(found)["lib/ld-musl.so"] == "musl"


STATUS = """Package: curl
Status: install ok installed
Version: 7.88

Package: old
Status: deinstall ok config-files
Version: 1
"""


def test_packages_of_all_managers() -> None:
    before = tree(
        file("var/lib/dpkg/status", STATUS),
        file("lib/apk/db/installed", "P:musl\nV:1.2.5\nF:lib\n\nP:busybox\nV:1.36\n\n"),
        file("opt/venv/lib/python3.11/site-packages/Flask_Login-0.6.3.dist-info/METADATA"),
        file("app/node_modules/@types/node/package.json", '{"name":"@types/node","version":"20"}'),
        file("app/node_modules/a/test/package.json", '{"name":"fixture","version":"1"}'),
        file("app/package.json", '{"name":"mine"}'),
    )
    found = read_packages(before)
    assert found["dpkg"] == {"curl": "7.88"}
    assert found["apk"] == {"musl": "1.2.5", "busybox": "1.36"}
    assert found["pip"] == {"flask-login": "0.6.3"}
    assert found["npm"] == {"@types/node": "20"}
    changes = compare_packages(found, read_packages(tree(file("x"))))
    assert ("dpkg", "curl", "7.88", "") in [(c.manager, c.name, c.before, c.after) for c in changes]


def rpm_header(**strings: str) -> bytes:
    tags = {"name": 1000, "version": 1001, "release": 1002}
    index, data = b"", b""
    for name, value in strings.items():
        index += struct.pack(">IIII", tags[name], 6, len(data), 1)
        data += value.encode() + b"\0"
    return struct.pack(">II", len(strings), len(data)) + index + data


def rpm_database(path: Path, *headers: bytes) -> bytes:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", [(h,) for h in headers])
        database.commit()
    return path.read_bytes()


def test_packages_of_rpm(tmp_path: Path) -> None:
    good = rpm_header(name="bash", version="5.2", release="1.fc40")
    key = rpm_header(name="gpg-pubkey", version="1", release="2")
    octets = rpm_database(tmp_path / "db", good, key)
    found = read_packages(tree(file("usr/lib/sysimage/rpm/rpmdb.sqlite", octets)))
    assert found["rpm"] == {"bash": "5.2-1.fc40"}


def test_a_database_that_is_made_up(tmp_path: Path) -> None:
    place = "var/lib/rpm/rpmdb.sqlite"
    assert tree(file(place, b"SQLite format 3\0 nonsense")).rpm == {}
    cut = rpm_database(tmp_path / "db", b"\0\0\xff\xff\0\0\0\1")
    assert tree(file(place, cut)).rpm == {}
    with contextlib.closing(sqlite3.connect(tmp_path / "endless")) as database:
        database.execute(
            "CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob + 1 "
            "FROM n) SELECT blob FROM n"
        )
        database.commit()
    assert tree(file(place, (tmp_path / "endless").read_bytes())).rpm == {}


def test_follows_links_to_the_program() -> None:
    found = image(
        link("bin", "usr/bin"),
        program("usr/bin/dash"),
        link("usr/bin/sh", "/usr/bin/dash"),
        link("usr/bin/loop", "loop"),
        file("app/data"),
        Env=["PATH=/sbin:/bin:/usr/bin"],
    )
    assert found.find_program("sh") == "usr/bin/dash"
    assert found.find_program("loop") is None
    assert found.find_program("/app/data") is None


def test_rights_of_a_user() -> None:
    found = image(
        file("etc/passwd", "root:x:0:0::/:\nweb:x:1000:1000::/:\n"),
        file("etc/group", "web:x:1000:\nlogs:x:5:web\n"),
        folder("app"),
        file("app/open", mode=0o644),
        file("app/own", mode=0o600, uid=1000),
        file("app/group", mode=0o640, gid=5),
        file("app/closed", mode=0o600),
        folder("secret", 0o700),
        file("secret/open", mode=0o644),
        User="web",
    )
    allowed = [path for path in found.tree.nodes if found.may(path, 4)]
    assert {"app/open", "app/own", "app/group"} <= set(allowed)
    assert {"app/closed", "secret/open"}.isdisjoint(allowed)
    assert found.may("app/own", 2)
    assert not found.may("app/open", 2)


@pytest.mark.parametrize(("files", "size"), [(1, 300_000_000), (20_000, 600)])
def test_memory_is_bounded(files: int, size: int) -> None:
    """`python -m tests.memory` does the same with 5 GB in 300,000 files."""
    command = [sys.executable, "-m", "tests.memory", str(files), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    peak = int(done.stdout.split()[0])
    assert peak < 120, done.stdout
