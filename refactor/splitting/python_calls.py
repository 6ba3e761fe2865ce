"""Whether a Python program, or what it starts, counts on programs or places of the full image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.python_source import read_python_source
from dockerfix.context.sources import read_sources
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import IN_EVERY_IMAGE
from dockerfix.splitting.missing_programs import installed_packages, missing_programs
from dockerfix.splitting.plan import NotSplitError, Program

_STARTS = pattern(r"\bsubprocess\b|\bos\.(?:system|popen|exec|spawn)|\bctypes\b|\bcffi\b")
_LOADS = pattern(r"\bfind_library\(|\bCDLL\(|\bLoadLibrary\(|\bdlopen\(")
#: Where the image's own Python keeps programs and packages.
_PLACES = pattern(
    r"/usr/local/(?:bin/(?:python|pip|gunicorn|uvicorn|celery|flask|django|uwsgi)|lib/python)"
    r"|\bsite-packages\b"
)
_SETTINGS = (".sh", ".conf", ".ini", ".cfg", ".toml", ".yml", ".yaml", ".service", "Procfile")
_NOT_RUN = frozenset(("node_modules", "tests", "test", "venv", "env", "docs", "site-packages"))
#: Programs of every Debian image and of Python's own.
_THERE = frozenset(
    (
        *("python", "python3", "pip", "bash", "cp", "mv", "rm", "tar", "gzip", "uname", "hostname"),
        *("chmod", "chown", "kill", "df", "du", "whoami", "find", "grep", "sed", "awk", "head"),
        *("tail", "sort", "wc", "touch", "ln", "tee", "stat", "nproc", "sync", "ldconfig"),
    )
)
#: Programs that people start, and the package of each where it is called otherwise.
PROGRAMS = {
    "gunicorn": "gunicorn",
    "uvicorn": "uvicorn",
    "hypercorn": "hypercorn",
    "daphne": "daphne",
    "waitress-serve": "waitress",
    "flask": "flask",
    "celery": "celery",
    "alembic": "alembic",
    "django-admin": "django",
    "fastapi": "fastapi",
    "streamlit": "streamlit",
    "chainlit": "chainlit",
    "uwsgi": "uwsgi",
    "rq": "rq",
    "dramatiq": "dramatiq",
    "arq": "arq",
    "scrapy": "scrapy",
    "supervisord": "supervisor",
    "jupyter": "jupyter",
    "dagster": "dagster",
    "granian": "granian",
    "ddtrace-run": "ddtrace",
    "opentelemetry-instrument": "opentelemetry-distro",
    "newrelic-admin": "newrelic",
    "sanic": "sanic",
    "mlflow": "mlflow",
}


def check_places(program: Program, context: BuildContext) -> None:
    """Raises NotSplitError where something names the place of the image's own packages."""
    texts = [("Dockerfile", program.workspace.dockerfile.code)]
    texts += [("the start script", text) for text in program.entry.scripts]
    texts += read_sources(context, "", _is_setting, _NOT_RUN.__contains__)
    for path, text in texts:
        if _PLACES.search(text):
            raise NotSplitError("a file names the place of the image's own packages", path)


def called_beside(program: Program, context: BuildContext, names: frozenset[str]) -> str | None:
    """What is called or loaded that a slim image may lack; None when nothing is.

    `names` are the packages that the installs bring.
    """
    missing = missing_programs(program)
    if missing:
        return missing[0]
    known = _THERE | IN_EVERY_IMAGE | set(installed_packages(program))
    for call in program.entry.calls:
        name = posixpath.basename(call[0])
        brought = PROGRAMS.get(name) in names or name in names or name.endswith(".py")
        if name not in known and not brought:
            return name
    return next(_called_by_sources(context, known), None)


def _called_by_sources(context: BuildContext, known: set[str] | frozenset[str]) -> Iterator[str]:
    for path, text in read_sources(context, "", _is_source, _NOT_RUN.__contains__):
        if not _STARTS.search(text):
            continue
        if _LOADS.search(text):
            yield path
        try:
            programs = read_python_source(path, text).programs
        except BrokenManifestError:
            yield path
            continue
        for use in programs:
            if posixpath.basename(use.text or "?") not in known:
                yield str(use)


def _is_source(name: str) -> bool:
    return name.endswith(".py")


def _is_setting(name: str) -> bool:
    return name.endswith(_SETTINGS) or name.startswith("crontab")
