"""What Python sources do, and which module an entry starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.manifests.setup_py import read_setup_script
from dockerfix.context.python_entry import EntryModule, entry_module, module_file
from dockerfix.context.python_source import read_python_source

SOURCE = """
import os, subprocess
import a.b as c
from .models import Base, User as U
from flask import (Flask,
    request)
from . import db

def work(name):
    with open("out/report.txt", "w") as file:
        file.write("x")
    open("in.txt").read()
    open(name, mode="ab")
    Path("uploads").mkdir(exist_ok=True)
    sqlite3.connect("app.db")
    subprocess.run(["ffmpeg", "-i", name])
    os.system("convert a b")
    subprocess.Popen(name)
    image.save("pictures/" + name)

app.run(host="0.0.0.0", port=80)
socket.bind(("", 8080))
"""


def test_what_a_source_does() -> None:
    found = read_python_source("app.py", SOURCE)
    assert found.imports == (
        *("os", "subprocess", "a.b", ".models", ".models.Base", ".models.User"),
        *("flask", "flask.Flask", ".", ".db"),
    )
    assert found.top_modules == {"os", "subprocess", "a", "flask"}
    assert sorted((use.line, use.text) for use in found.writes) == [
        (10, "out/report.txt"),
        (13, None),
        (14, "uploads"),
        (15, "app.db"),
        (19, None),
    ]
    assert sorted((use.line, use.text) for use in found.programs) == [
        (16, "ffmpeg"),
        (17, "convert"),
        (18, None),
    ]
    assert sorted(use.text or "" for use in found.ports) == ["80", "8080"]
    assert str(min(found.writes, key=lambda use: use.line)) == "app.py:10: open(out/report.txt)"


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(BrokenManifestError) as caught:
        read_python_source("app.py", "import os\n\nprint 'x', open(1)\n")
    assert caught.value.line == 3


def test_a_source_that_only_computes_is_not_parsed() -> None:
    assert read_python_source("a.py", "import math\nprint 'x'\n").imports == ("math",)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python app.py", EntryModule("", "app.py")),
        ("python3 -u -W ignore src/main.py --port 1", EntryModule("", "src/main.py")),
        ("python -m web.main", EntryModule("web.main", "")),
        ("python -m uvicorn web.main:app", EntryModule("web.main", "", "app")),
        ("python manage.py runserver", EntryModule("", "manage.py")),
        ("flask run --host 0.0.0.0", EntryModule("app", "")),
        ("flask --app web.wsgi run", EntryModule("web.wsgi", "")),
        ("uvicorn main:app --host 0.0.0.0:80", EntryModule("main", "", "app")),
        (
            "gunicorn -b 0.0.0.0:8000 -w 4 site.wsgi:application",
            EntryModule("site.wsgi", "", "application"),
        ),
        ("gunicorn web:create_app()", EntryModule("web", "", "create_app()")),
        ("celery -A jobs worker", EntryModule("jobs", "")),
        ("celery worker --app=jobs.tasks", EntryModule("jobs.tasks", "")),
        ("poetry run uvicorn a:b", EntryModule("a", "", "b")),
        ("streamlit run ui.py", EntryModule("", "ui.py")),
        ("fastapi run", EntryModule("", "main.py", "app")),
        ("./worker.py", EntryModule("", "./worker.py")),
        ("python", None),
        ("python -c pass", None),
        ("gunicorn -b $HOST:$PORT", None),
        ("node index.js", None),
    ],
)
def test_the_module_of_an_entry(command: str, expected: EntryModule | None) -> None:
    assert entry_module(tuple(command.split())) == expected


def test_the_file_of_a_module(tmp_path: Path) -> None:
    for name in ("src/web/__init__.py", "web2/__main__.py", "a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    context = BuildContext(tmp_path)
    assert module_file(context, "", "web") == "src/web/__init__.py"
    assert module_file(context, "", "web2") == "web2/__main__.py"
    assert module_file(context, "", "a") == "a.py"
    assert module_file(context, "", "b") is None


def test_setup_script(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(
        "from setuptools import setup, Extension\n"
        "setup(name='a', install_requires=['Flask>=2', 'zope.x'], ext_modules=[])\n"
    )
    found = read_setup_script(BuildContext(tmp_path))
    assert found is not None
    assert found.dependencies == ("flask", "zope-x")
    assert found.compiles
    assert not found.computes
    (tmp_path / "setup.py").write_text("import x\nsetup(install_requires=x.y)\n")
    found = read_setup_script(BuildContext(tmp_path))
    assert found is not None
    assert found.dependencies is None
