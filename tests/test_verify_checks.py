"""Each check on a pair of images: what it catches, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from dockerfix.verify import losses
from dockerfix.verify.data_files import data_losses, words_of
from dockerfix.verify.findings import Finding
from dockerfix.verify.image import Image
from dockerfix.verify.packages import PackageChange
from dockerfix.verify.surroundings import lost_surroundings
from dockerfix.verify.trace import trace_entry
from dockerfix.verify.tree import read_tree
from tests.images import Entry, elf, file, folder, image, jar, link, program, tar

LIBC = file("lib/x86_64-linux-gnu/libc.so.6", elf(offers=("GLIBC_2.17", "GLIBC_2.34")), 0o755)
SHELL = program("bin/sh", "libc.so.6")
PATH = "PATH=/usr/local/bin:/usr/bin:/bin"


def entry_findings(before: Image, after: Image) -> list[Finding]:
    return list(losses.entry_losses(trace_entry(before), trace_entry(after)))


def container(cmd: list[str], *entries: Entry, **config: Any) -> Image:  # noqa: ANN401
    given = {"Env": [PATH], "WorkingDir": "/app", **config}
    return image(SHELL, LIBC, *entries, Cmd=cmd, **given)


def texts(findings: list[Finding]) -> list[str]:
    return [str(finding) for finding in findings]


# The entry: programs, files, interpreters.


def test_a_program_that_is_gone() -> None:
    before = container(["server"], program("usr/bin/server"))
    found = texts(entry_findings(before, container(["server"])))
    assert found == ["entry: the entry needs the program server, which is not there"]


def test_a_program_that_was_never_there_is_no_loss() -> None:
    assert entry_findings(container(["server"]), container(["server"])) == []


def test_a_program_that_is_not_executable_any_more() -> None:
    before = container(["./run"], file("app/run", "#!/bin/sh\n", 0o755))
    after = container(["./run"], file("app/run", "#!/bin/sh\n", 0o644))
    assert "rights: user 0 may not execute /app/run" in texts(entry_findings(before, after))


def test_a_program_that_the_new_user_may_not_execute() -> None:
    before = container(["./run"], file("app/run", "#!/bin/sh\n", 0o700))
    after = container(["./run"], file("app/run", "#!/bin/sh\n", 0o700), User="1000")
    assert texts(entry_findings(before, after)) == ["rights: user 1000 may not execute /app/run"]


def test_an_interpreter_that_is_gone() -> None:
    script = file("app/run", "#!/usr/bin/env bash\necho\n", 0o755)
    before = container(["./run"], script, program("bin/bash"))
    found = texts(entry_findings(before, container(["./run"], script)))
    assert found == ["entry: /app/run needs the program bash, which is not there"]


def test_an_argument_that_is_a_file() -> None:
    java = program("usr/bin/java")
    before = container(["java", "-jar", "app.jar"], java, file("app/app.jar", "x"))
    found = texts(entry_findings(before, container(["java", "-jar", "app.jar"], java)))
    assert found == ["entry: java needs the file /app/app.jar, which is not there"]


def test_what_a_wrapper_script_calls() -> None:
    script = file("app/start.sh", '#!/bin/sh\nmigrate --all\nexec "$@"\n', 0o755)
    both = [script, program("usr/bin/web"), program("usr/bin/migrate")]
    before = container(["web"], *both, Entrypoint=["/app/start.sh"])
    after = container(["web"], *both[:2], Entrypoint=["/app/start.sh"])
    found = texts(entry_findings(before, after))
    assert found == ["entry: /app/start.sh needs the program migrate, which is not there"]


# Libraries.


def test_a_library_that_is_gone() -> None:
    library = program("usr/lib/x86_64-linux-gnu/libpq.so.5", "libc.so.6")
    server = program("usr/bin/server", "libpq.so.5")
    found = texts(
        entry_findings(container(["server"], server, library), container(["server"], server))
    )
    assert found == ["libraries: /usr/bin/server needs the library libpq.so.5, which is not there"]


def test_a_library_of_a_library() -> None:
    one = program("usr/lib/libone.so", "libtwo.so")
    two = program("usr/lib/libtwo.so")
    server = program("usr/bin/server", "libone.so")
    before, after = container(["server"], server, one, two), container(["server"], server, one)
    assert texts(entry_findings(before, after)) == [
        "libraries: /usr/lib/libone.so needs the library libtwo.so, which is not there"
    ]


def test_a_module_of_python_that_lost_its_library() -> None:
    old = file("usr/local/lib/python3.11/site-packages/psycopg2/_psycopg.so", elf(("libpq.so.5",)))
    new = file("opt/venv/lib/python3.11/site-packages/psycopg2/_psycopg.so", elf(("libpq.so.5",)))
    before = container([], old, program("usr/lib/libpq.so.5"))
    found = texts(list(losses.library_losses(before, container([], new))))
    assert len(found) == 1
    assert "needs libpq.so.5, which is not there" in found[0]


def test_what_was_missing_before_is_no_loss() -> None:
    jvm = file("usr/lib/jvm/lib/libnet.so", elf(("libjvm.so",)))
    assert list(losses.library_losses(container([], jvm), container([], jvm))) == []


def test_modules_of_glibc_under_musl() -> None:
    addon = file(
        "app/node_modules/x/build/x.node",
        elf(("libc.so.6",), versions=(("libc.so.6", "GLIBC_2.17"),)),
    )
    before = container([], addon)
    after = image(program("lib/ld-musl-x86_64.so.1"), addon, WorkingDir="/app")
    assert texts(list(losses.library_losses(before, after))) == [
        "libraries: /app/node_modules/x/build/x.node needs glibc (the image has musl), "
        "which is not there"
    ]


def test_a_program_of_glibc_under_musl() -> None:
    server = program("app/server", "libc.so.6", interpreter="/lib64/ld-linux-x86-64.so.2")
    loader = program("lib64/ld-linux-x86-64.so.2")
    before = container(["./server"], server, loader)
    musl = program("lib/ld-musl-x86_64.so.1")
    after = image(musl, server, Cmd=["./server"], WorkingDir="/app")
    assert any("ld-linux" in text for text in texts(entry_findings(before, after)))


def test_a_library_that_is_too_old() -> None:
    server = program("app/server", "libc.so.6", versions=(("libc.so.6", "GLIBC_2.34"),))
    old = file("lib/x86_64-linux-gnu/libc.so.6", elf(offers=("GLIBC_2.17",)), 0o755)
    after = image(SHELL, old, server, Cmd=["./server"], WorkingDir="/app")
    assert texts(entry_findings(container(["./server"], server), after)) == [
        "libraries: /app/server needs the library libc.so.6 with GLIBC_2.34, which is not there"
    ]


def test_libraries_beside_the_program() -> None:
    server = program("app/bin/server", "libown.so", runpath="$ORIGIN/../lib")
    before = container(["/app/bin/server"], server, program("app/lib/libown.so"))
    assert before.loader.missing("app/bin/server") == ()


def test_folders_of_the_loader() -> None:
    found = container(
        ["/app/server"],
        program("app/server", "libx.so"),
        program("opt/x/libx.so"),
        file("etc/ld.so.conf.d/x.conf", "# x\n/opt/x\n"),
    )
    assert found.loader.missing("app/server") == ()


# Python.

PYTHON = (program("usr/local/bin/python3.11"), link("usr/local/bin/python", "python3.11"))
SITE = "usr/local/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    "cmd",
    [
        ["python", "main.py"],
        ["python", "-m", "main"],
        ["python", "-m", "uvicorn", "main:app"],
        ["uvicorn", "main:app"],
        ["/bin/sh", "-c", "exec gunicorn main:app"],
    ],
)
def test_python_imports(cmd: list[str]) -> None:
    tools = [
        file(f"usr/local/bin/{name}", f"#!/usr/local/bin/python3.11\nimport {name}\n", 0o755)
        for name in ("uvicorn", "gunicorn")
    ]
    packages = [file(f"{SITE}/{name}/__init__.py") for name in ("uvicorn", "gunicorn")]
    own = [
        file("app/main.py", "import os\nfrom lib import db\n"),
        file("app/lib/__init__.py", ""),
        file(
            "app/lib/db.py",
            "import sqlalchemy\ntry:\n    import uvloop\nexcept ImportError: pass\n",
        ),
    ]
    both = [*PYTHON, *tools, *packages, *own]
    extra = [file(f"{SITE}/sqlalchemy/__init__.py"), file(f"{SITE}/uvloop/__init__.py")]
    before, after = container(cmd, *both, *extra), container(cmd, *both)
    assert any("sqlalchemy" in text for text in texts(entry_findings(before, after)))
    assert not any("uvloop" in text for text in texts(entry_findings(before, after)))
    assert entry_findings(before, container(cmd, *both, *extra[:1])) == []


def test_a_virtual_environment() -> None:
    def venv(*packages: str) -> Image:
        return container(
            ["python", "main.py"],
            *PYTHON,
            file("app/main.py", "import flask\n"),
            link("opt/venv/bin/python", "/usr/local/bin/python3.11"),
            file("opt/venv/pyvenv.cfg", "home = /usr/local/bin\n"),
            folder("opt/venv/lib/python3.11/site-packages"),
            *(file(f"opt/venv/lib/python3.11/site-packages/{p}/__init__.py") for p in packages),
            Env=["PATH=/opt/venv/bin:/usr/local/bin:/bin"],
        )

    before = container(
        ["python", "main.py"],
        *PYTHON,
        file("app/main.py", "import flask\n"),
        file(f"{SITE}/flask/__init__.py"),
    )
    assert entry_findings(before, venv("flask")) == []
    assert texts(entry_findings(before, venv())) == [
        "modules: /app/main.py needs the Python module flask, which is not there"
    ]


# Node.js.

NODE = program("usr/local/bin/node")
NPM = program("usr/local/bin/npm")


@pytest.mark.parametrize(
    "cmd", [["node", "dist/index.js"], ["node", "dist"], ["npm", "start"], ["npm", "run", "start"]]
)
def test_node_requires(cmd: list[str]) -> None:
    both = [
        *(NODE, NPM),
        file("app/package.json", '{"name":"a","scripts":{"start":"node dist/index.js"}}'),
        file("app/dist/index.js", 'const e = require("express"); require("./lib/db")\n'),
        file("app/dist/lib/db.js", "import pg from 'pg'; import fs from 'fs'\n"),
        file("app/node_modules/express/package.json", '{"name":"express","version":"4"}'),
    ]
    before = container(cmd, *both, file("app/node_modules/pg/package.json", '{"name":"pg"}'))
    assert texts(entry_findings(before, container(cmd, *both))) == [
        "modules: /app/dist/lib/db.js needs the Node module pg, which is not there"
    ]
    assert entry_findings(before, before) == []


def test_a_source_that_is_gone() -> None:
    main = file("app/index.js", 'require("./lib")\n')
    before = container(["node", "index.js"], NODE, main, file("app/lib/index.js", ""))
    assert texts(entry_findings(before, container(["node", "index.js"], NODE, main))) == [
        "modules: /app/index.js needs the Node module /app/lib, which is not there"
    ]


def test_a_program_of_an_npm_script() -> None:
    both = [NODE, NPM, file("app/package.json", '{"scripts":{"start":"next start"}}')]
    next_js = file("app/node_modules/next/dist/bin/next", "#!/usr/bin/env node\n", 0o755)
    shortcut = link("app/node_modules/.bin/next", "../next/dist/bin/next")
    before = container(["npm", "start"], *both, next_js, shortcut)
    found = texts(entry_findings(before, container(["npm", "start"], *both)))
    assert found == [
        "entry: package.json: scripts.start needs the program next, which is not there"
    ]


def test_dependencies_of_installed_packages() -> None:
    express = file(
        "app/node_modules/express/package.json",
        '{"name":"express","dependencies":{"qs":"1","x":"1"},"optionalDependencies":{"x":"1"}}',
    )
    qs = file("app/node_modules/qs/package.json", '{"name":"qs"}')
    x = file("app/node_modules/x/package.json", '{"name":"x"}')
    before = container([], express, qs, x)
    assert texts(list(losses.package_losses(before, container([], express)))) == [
        "modules: /app/node_modules/express depends on qs, which is not there"
    ]


# Java.


def test_the_wrong_archive() -> None:
    java = program("usr/bin/java")
    names = ("demo/Main.class", "org/spring/A.class", "org/spring/B.class")
    cmd = ["java", "-jar", "/app/app.jar"]
    before = container(cmd, java, file("app/app.jar", jar("demo.Main", *names)))
    after = container(cmd, java, file("app/app.jar", jar("demo.Main", names[0])))
    found = losses.archive_losses(before, after, trace_entry(before), trace_entry(after))
    assert texts(list(found)) == [
        "archive: /app/app.jar lacks 2 of 3 classes and archives, among them org/spring/A.class"
    ]
    plain = container(cmd, java, file("app/app.jar", jar("", *names)))
    found = losses.archive_losses(before, plain, trace_entry(before), trace_entry(plain))
    assert texts(list(found)) == ["archive: /app/app.jar starts nothing, before demo.Main"]


def test_the_layers_of_an_archive() -> None:
    java = program("usr/bin/java")
    cmd = ["java", "-jar", "/app/app.jar"]
    names = (
        "BOOT-INF/classes/demo/Main.class",
        "BOOT-INF/lib/core-1.jar",
        "BOOT-INF/lib/spring-boot-jarmode-tools-3.3.4.jar",
        "org/springframework/boot/loader/launch/JarLauncher.class",
    )
    before = container(cmd, java, file("app/app.jar", jar("demo.Main", *names)))
    small = file("app/app.jar", jar("demo.Main", "demo/Main.class"))
    layered = container(cmd, java, small, file("app/lib/core-1.jar", jar("")))
    trace = trace_entry(before)
    assert not list(losses.archive_losses(before, layered, trace, trace_entry(layered)))
    bare = container(cmd, java, small)
    assert texts(list(losses.archive_losses(before, bare, trace, trace_entry(bare)))) == [
        "archive: /app/app.jar lacks 1 of 4 classes and archives, among them lib/core-1.jar"
    ]


# What lies around the program.

CERTIFICATES = file("etc/ssl/certs/ca-certificates.crt")
GO = program("app/server", text=b"/etc/ssl/certs/ca-certificates.crt")


def around(before: Image, after: Image) -> list[str]:
    return texts(list(lost_surroundings(before, after, trace_entry(before), trace_entry(after))))


def test_certificates_of_a_go_program() -> None:
    before, after = container(["./server"], GO, CERTIFICATES), container(["./server"], GO)
    assert around(before, after) == [
        "certificates: no list of authorities any more, and /app/server reads "
        "/etc/ssl/certs/ca-certificates.crt"
    ]


def test_node_has_certificates_of_its_own() -> None:
    before = container(["node", "a.js"], NODE, CERTIFICATES)
    assert around(before, container(["node", "a.js"], NODE)) == []


def test_certificates_of_a_python_program() -> None:
    both = [*PYTHON, file("app/main.py", "import requests\n")]
    before = container(["python", "main.py"], *both, CERTIFICATES)
    assert around(before, container(["python", "main.py"], *both)) == [
        "certificates: no list of authorities any more, and the program imports requests"
    ]


def test_a_locale_that_is_gone() -> None:
    config = {"Env": ["LANG=de_DE.UTF-8", PATH]}
    archive = file("usr/lib/locale/locale-archive", b"\0x\0de_DE.utf8\0en_US.utf8\0")
    before, after = container([], archive, **config), container([], **config)
    assert around(before, after) == ["locale: LANG=de_DE.UTF-8, which is not installed any more"]
    by_folder = container([], file("usr/lib/locale/de_DE.utf8/LC_TIME"), **config)
    assert around(before, by_folder) == []
    assert around(container([], **config), container([], **config)) == []


def test_time_zones_that_are_gone() -> None:
    config = {"Env": ["TZ=Europe/Berlin", PATH]}
    before = container([], file("usr/share/zoneinfo/Europe/Berlin"), **config)
    assert around(before, container([], **config)) == [
        "time zones: TZ=Europe/Berlin, and there are no time zones any more"
    ]


@pytest.mark.parametrize(
    "own",
    [
        program("app/server", text=b"Pacific/Kiritimati"),
        file("usr/local/go/lib/time/zoneinfo.zip"),
    ],
)
def test_time_zones_of_its_own(own: Entry) -> None:
    config = {"Env": ["TZ=Europe/Berlin", PATH]}
    zones = file("usr/share/zoneinfo/Europe/Berlin")
    before = container(["./server"], own, zones, **config)
    assert around(before, container(["./server"], own, **config)) == []


# Data that a compiled program opens.

PAGE = b"<html><title>A page of the program</title></html>"


def without_page(*entries: Entry, before: tuple[Entry, ...] = ()) -> list[str]:
    page = file("app/templates/index.html", PAGE)
    old = container(["./server"], page, *before, *entries)
    new = Image(read_tree(tar(SHELL, LIBC, *entries), words_of(old)), old.config)
    return texts(list(data_losses(old, new, trace_entry(new))))


def test_a_folder_that_the_program_names() -> None:
    server = program("app/server", text=b"a stringtemplates/index.htmlanother")
    assert without_page(server) == [
        "data: /app/templates/index.html is gone, and /app/server names templates/"
    ]


def test_a_folder_that_is_only_part_of_a_path() -> None:
    assert without_page(program("app/server", text=b"/src/templates/render.go")) == []


def test_a_page_that_the_program_holds_in_itself() -> None:
    assert without_page(program("app/server", text=b"templates/index.html" + PAGE)) == []


def test_sources_are_no_data() -> None:
    sources = (file("app/lib/main.go", "package main // a source"),)
    server = program("app/server", text=b"lib/main.go")
    assert without_page(server, before=sources) == []


def test_manifests_are_no_data() -> None:
    manifest = (file("app/pages/Cargo.toml", '[package]\nname = "pages"\n'),)
    server = program("app/server", text=b"a panic at pages/src/lib.rs")
    assert without_page(server, before=manifest) == []


# Rights, files and versions.


def test_another_version() -> None:
    changes = [
        PackageChange("npm", "ms", "2.0.0, 2.1.3", "2.1.3"),
        PackageChange("npm", "qs", "6.1", "6.2"),
        PackageChange("pip", "pip", "23.2", "24.0"),
        PackageChange("dpkg", "git", "1", "2"),
        PackageChange("pip", "flask", "3.0", ""),
    ]
    assert texts(list(losses.version_changes(changes))) == ["packages: npm: qs 6.1 -> 6.2"]


def test_files_that_the_new_user_may_not_read() -> None:
    secret = file("app/settings.py", mode=0o600)
    before, after = container([], secret), container([], secret, User="1000")
    found = texts(list(losses.right_losses(before, after)))
    assert found == ["rights: user 1000 may not read /app/settings.py"]
    assert list(losses.right_losses(before, before)) == []


def test_a_volume_that_the_new_user_may_not_write() -> None:
    volume: dict[str, Any] = {"Volumes": {"/data": {}}}
    before = container([], folder("data"), **volume)
    after = container([], folder("data"), User="1000", **volume)
    owned = container([], folder("data", uid=1000), User="1000", **volume)
    assert texts(list(losses.right_losses(before, after))) == [
        "rights: user 1000 may not write to the volume /data"
    ]
    assert list(losses.right_losses(before, owned)) == []
