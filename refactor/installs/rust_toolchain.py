"""Which cargo runs: from 1.45 on, `cargo clean --package` finds all that was built of a package.

Source: Cargo's changelog, 1.45 (rust-lang/cargo#8210): "rewritten so that it can more accurately
remove the files for a specific package".
"""

from __future__ import annotations

import re

from dockerfix.installs.install import UnknownInstallError
from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.data import table
from dockerfix.patterns import pattern
from dockerfix.syntax.image_name import read_image

_FIRST = (1, 45)
_VERSION = pattern(r"(?<![\d.])1\.(\d+)")
_NIGHTLY = pattern(r"nightly-(\d{4})")
#: Repositories of images that bring Rust, of whatever publisher.
_RUST_IMAGE = pattern(r"(?:.*[/-])?(?:rust|muslrust|rust-musl\w*|cargo-chef)(?:-.*)?")


def check_cargo_version(base: str, code: str) -> None:
    """UnknownInstallError unless the cargo of an image, or of its Dockerfile, is new enough."""
    image = read_image(base)
    name = official_name(image.repository) or ""
    if _RUST_IMAGE.fullmatch(name or image.repository):
        _check(image.tag)
    elif "rustup" in code:
        for line in code.splitlines():
            if "toolchain" in line:
                _check(line)
    elif not _is_new(name, image.tag):
        raise UnknownInstallError("it is not known which cargo runs", base)


def _is_new(distribution: str, tag: str) -> bool:
    tags: str | None = table("packages/rust", "brings_cargo").get(distribution)
    return tags is not None and re.fullmatch(tags, tag) is not None


def check_toolchain_file(text: str) -> None:
    """UnknownInstallError when a rust-toolchain file names a tool chain that is too old."""
    _check(text)


def _check(text: str) -> None:
    version, nightly = _VERSION.search(text), _NIGHTLY.search(text)
    old = version is not None and (1, int(version[1])) < _FIRST
    if old or (nightly is not None and int(nightly[1]) < 2021):
        raise UnknownInstallError("a cargo that leaves files behind", text.strip().splitlines()[0])
