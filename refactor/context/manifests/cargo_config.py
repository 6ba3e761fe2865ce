"""Files that steer cargo from a folder and from those above it: `.cargo/config.toml`, tool chain.

Source: doc.rust-lang.org/cargo/reference/config.html, rust-lang.github.io/rustup/overrides.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dockerfix.context.manifests.reading import CannotTellError, parse_toml, table_at, text_at
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

#: Where they lie in a folder.
CARGO_CONFIGS = (".cargo/config.toml", ".cargo/config")
TOOLCHAIN_FILES = ("rust-toolchain.toml", "rust-toolchain")
#: Tables that name no file of the project, or only where the output goes.
_HARMLESS = frozenset(
    (
        *("alias", "build", "cache", "cargo-new", "doc", "env", "future-incompat-report", "http"),
        *("install", "net", "profile", "registries", "registry", "resolver", "source", "target"),
        *("term", "unstable"),
    )
)
_PROGRAMS = ("rustc", "rustc-wrapper", "rustc-workspace-wrapper", "linker", "ar", "cainfo")
_ELSEWHERE = ("local-registry", "target-dir", "build-dir")
#: Options of the compiler that name a file, such as a script of the linker.
_NAMES_FILE = pattern(r"-T|[\w.]/\w|\.json\b|\.(?:ld|x)\b")


def check_cargo_config(context: BuildContext, path: str) -> tuple[str, ...]:
    """The vendored folders that a configuration names, in its own terms.

    Raises BrokenManifestError, and CannotTellError where it names other files of the project.
    """
    data = parse_toml(path, context.read(path) or "")
    for name in data:
        if name not in _HARMLESS:
            raise CannotTellError(path, name)
    for key, value in _values(data):
        if key in _PROGRAMS and isinstance(value, str) and "/" in value.lstrip("/"):
            raise CannotTellError(path, key)
        if key == "rustflags" and _NAMES_FILE.search(str(value)):
            raise CannotTellError(path, key)
        if (key == "relative" and value is True) or key == "local-registry":
            raise CannotTellError(path, key)
        if key == "target" and isinstance(value, str) and "." in value:
            raise CannotTellError(path, key)
    sources = (text_at(table_at(entry), "directory") for entry in table_at(data, "source").values())
    return tuple(folder for folder in sources if folder is not None)


def _values(data: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401
    """Every key of a table and of those within, with its value."""
    for key, value in data.items() if isinstance(data, dict) else ():
        yield key, value
        yield from _values(value)
