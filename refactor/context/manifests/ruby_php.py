"""Gemfile and composer.json.

Sources: bundler.io/man/gemfile.5, getcomposer.org/doc/04-schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.reading import (
    Place,
    Table,
    parse_json,
    read_text,
    table_at,
    text_at,
)
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

_COMMENT = pattern(r"(?:^|\s)#[^\n]*")
_GEM = pattern(r"^\s*gem[ (]+[\"']([\w.-]+)[\"']([^\n]*)", 8)
_PATH = pattern(r"(?:\bpath:|:path\s*=>)\s*[\"']([^\"']+)")
_PATH_BLOCK = pattern(r"^\s*path[ (]+[\"']([^\"']+)", 8)
_RUBY = pattern(r"^\s*ruby[ (]+[\"']([^\"']+)", 8)
_READS = pattern(r"^\s*(?:gemspec\b|eval_gemfile\b|instance_eval\b)|File\.(?:read|exist)", 8)


class Gemfile(NamedTuple):
    """A Gemfile, as far as its lines are plain."""

    path: str
    gems: tuple[str, ...]
    #: Folders of gems that lie in the repository.
    local_paths: tuple[str, ...]
    ruby: str | None
    #: Whether it reads other files: a gemspec, another Gemfile.
    reads_files: bool


def read_gemfile(context: BuildContext, folder: str = "") -> Gemfile | None:
    """The Gemfile of a folder; None when there is none."""
    found = read_text(context, folder, "Gemfile")
    if found is None:
        return None
    text = _COMMENT.sub("", found[1])
    gems = list(_GEM.finditer(text))
    paths = [path[1] for gem in gems if (path := _PATH.search(gem[2]))]
    paths += [match[1] for match in _PATH_BLOCK.finditer(text)]
    ruby = _RUBY.search(text)
    return Gemfile(
        found[0],
        tuple(gem[1] for gem in gems),
        tuple(paths),
        ruby[1] if ruby else None,
        bool(_READS.search(text)),
    )


class ComposerJson(NamedTuple):
    """A composer.json."""

    path: str
    data: Table

    def place(self, key: str) -> Place:
        """Where a key is, to show."""
        return Place(self.path, key)

    @property
    def requires(self) -> Mapping[str, str]:
        """`require`, the platform's packages (`php`, `ext-...`) among them."""
        return {name: str(value) for name, value in table_at(self.data, "require").items()}

    @property
    def scripts(self) -> frozenset[str]:
        """The names of events and commands in `scripts`."""
        return frozenset(table_at(self.data, "scripts"))

    @property
    def class_files(self) -> bool:
        """Whether the autoloader is made by looking through sources (`classmap`, `files`)."""
        tables = (table_at(self.data, "autoload"), table_at(self.data, "autoload-dev"))
        return any(table.get(key) for table in tables for key in ("classmap", "files"))

    @property
    def path_repositories(self) -> tuple[str, ...]:
        """Repositories that are folders, as they are written."""
        found = self.data.get("repositories")
        entries = found.values() if isinstance(found, dict) else found
        return tuple(
            text_at(entry, "url") or ""
            for entry in entries or ()
            if isinstance(entry, dict) and entry.get("type") == "path"
        )


def read_composer(context: BuildContext, folder: str = "") -> ComposerJson | None:
    """The composer.json of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "composer.json")
    return ComposerJson(found[0], parse_json(*found)) if found is not None else None
