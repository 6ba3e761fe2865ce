"""Which packages the installs of a Python program bring, and whether a slim image is enough.

Sources: pip.pypa.io (requirements file format), PEP 508, python-poetry.org and docs.astral.sh/uv
(lock files), pipenv.pypa.io (Pipfile.lock).
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import load_object, table
from dockerfix.context.manifests.pyproject import canonical
from dockerfix.context.manifests.requirements import logical_lines
from dockerfix.knowledge.python_packages import (
    compiles_when_it_runs,
    embeds_python,
    has_wheel,
    is_known,
    libraries_for,
    python_version,
)
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Call, NotSplitError
from dockerfix.syntax.image_name import read_image

_REQUIREMENT = pattern(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(?:(?:===?|~=|<=?)\s*([\w.]+))?"
)
_VALUED = frozenset(
    (
        *("-r", "-c", "-i", "--requirement", "--constraint", "--index-url", "--extra-index-url"),
        *("--trusted-host", "--timeout", "--retries", "--cache-dir", "--root-user-action"),
        *("--default-timeout", "--progress-bar", "--find-links", "-f", "--only-binary"),
        *("--no-binary", "--python", "-p", "--prefer-binary-for"),
    )
)


class Package(NamedTuple):
    """A package that an install names."""

    name: str
    extras: tuple[str, ...] = ()
    #: Where it is pinned, or bound from above; "" otherwise.
    version: str = ""
    #: Whether it is fetched from somewhere else than an index.
    is_direct: bool = False

    def __str__(self) -> str:
        return f"{self.name}[{','.join(self.extras)}]" if self.extras else self.name


def named_packages(call: Call) -> Iterator[Package]:
    """What a command names itself: `pip install flask gunicorn`."""
    start = call.words.index("install") + 1 if "install" in call.words else len(call.words)
    takes_value = False
    for word in call.words[start:]:
        if not word.startswith("-") and not takes_value:
            yield _read(word)
        takes_value = word in _VALUED


def installed_packages(call: Call, context: BuildContext) -> tuple[Package, ...]:
    """All packages of an install of dependencies. Raises NotSplitError."""
    if call.install is None:
        raise NotSplitError("what the install reads is not known", call.text)
    files = call.install.files
    found: list[Package] = []
    for path in files:
        name = posixpath.basename(path)
        text = context.read(path.rstrip("*")) or ""
        if name in ("poetry.lock", "uv.lock", "poetry.lock*", "uv.lock*"):
            found += _of_lock(text, path)
        elif name.rstrip("*") == "Pipfile.lock":
            data = load_object(text) or {}
            development = table(data, "develop") if "--dev" in call.words else {}
            names = [*table(data, "default"), *development]
            found += [Package(canonical(entry)) for entry in names]
        elif name not in ("pyproject.toml", "Pipfile", "poetry.toml", "uv.toml", ".python-version"):
            found += [_read(line) for line in logical_lines(text) if not line.startswith("-")]
    if call.install.tool in ("poetry", "uv", "pipenv") and not found:
        raise NotSplitError("no lock shows what is installed", files[0])
    return tuple(found)


def _of_lock(text: str, path: str) -> Iterator[Package]:
    try:
        entries = tomllib.loads(text).get("package", [])
    except tomllib.TOMLDecodeError as error:
        raise NotSplitError("a manifest cannot be read", path) from error
    for entry in entries:
        source = entry.get("source")
        local = isinstance(source, dict) and not {"virtual", "editable"}.isdisjoint(source)
        if not local:
            yield Package(canonical(entry.get("name", "")), (), str(entry.get("version", "")))


def _read(text: str) -> Package:
    match = _REQUIREMENT.match(text)
    if match is None:
        return Package(text, is_direct=True)
    extras = tuple(part.strip().lower() for part in (match[2] or "").split(",") if part.strip())
    direct = "://" in text or text.startswith((".", "/"))
    return Package(canonical(match[1]), extras, match[3] or "", direct)


# What they need


def needed_libraries(packages: tuple[Package, ...], image: str, slim: str) -> tuple[str, ...]:
    """The system packages that they need on the slim image. Raises NotSplitError."""
    python = python_version(read_image(image).tag)
    found: list[str] = []
    for package in packages:
        libraries = None if package.is_direct else libraries_for(package.name, package.extras, slim)
        if libraries is None:
            raise NotSplitError("packages that may need libraries of the full image", str(package))
        pinned = bool(package.version)
        if pinned and (python is None or not has_wheel(package.name, package.version, python)):
            raise NotSplitError(
                "a package that is compiled with libraries of the full image",
                f"{package.name} {package.version}",
            )
        found += libraries
    return tuple(dict.fromkeys(found))


def check_packages(packages: tuple[Package, ...]) -> None:
    """Raises NotSplitError for a package that an environment in a smaller image does not suit."""
    for package in packages:
        if embeds_python(package.name):
            raise NotSplitError("a package brings a Python that knows no environment", package.name)
        if compiles_when_it_runs(package.name):
            raise NotSplitError("a package compiles when it runs", package.name)


def unknown_packages(packages: tuple[Package, ...]) -> tuple[str, ...]:
    """Those that may be compiled, with whatever is there."""
    return tuple(
        package.name
        for package in packages
        if package.is_direct or not is_known(package.name, package.extras)
    )
