"""What system packages are for: building only, or running as well.

Sources: Debian's and Alpine's package descriptions; the runtime library of a `-dev` package is the
one it depends on (packages.debian.org, pkgs.alpinelinux.org). Names that differ between Debian 11,
12 and 13 are left out: such a package stays installed.
"""

from __future__ import annotations

#: They compile, link, fetch sources; no program that was built needs them.
BUILD_ONLY = frozenset(
    (
        *("build-essential", "gcc", "g++", "make", "cmake", "automake", "autoconf", "libtool"),
        *("pkg-config", "pkgconf", "binutils", "libc6-dev", "libc-dev", "linux-headers"),
        *("musl-dev", "build-base", "alpine-sdk", "gcc-multilib", "ninja-build", "ninja", "meson"),
        *("python3-dev", "python-dev", "python3-setuptools", "python3-wheel", "gfortran", "nasm"),
        *("m4", "bison", "flex", "patch", "swig", "clang", "llvm", "rustc", "cargo", "gcc-c++"),
        *("py3-setuptools", "libstdc++-dev", "zlib1g-dev", "zlib-dev", "linux-libc-dev"),
    )
)
#: A `-dev` package and what a program that was linked with it needs.
RUNTIME_LIBRARY = {
    # Debian
    "libpq-dev": "libpq5",
    "postgresql-server-dev-all": "libpq5",
    "default-libmysqlclient-dev": "libmariadb3",
    "libmariadb-dev": "libmariadb3",
    "libmariadb-dev-compat": "libmariadb3",
    "libsqlite3-dev": "libsqlite3-0",
    "libxslt1-dev": "libxslt1.1",
    "libxslt-dev": "libxslt1.1",
    "libjpeg-dev": "libjpeg62-turbo",
    "libjpeg62-turbo-dev": "libjpeg62-turbo",
    "libfreetype6-dev": "libfreetype6",
    "libcairo2-dev": "libcairo2",
    "unixodbc-dev": "unixodbc",
    "libgmp-dev": "libgmp10",
    "libyaml-dev": "libyaml-0-2",
    # Alpine
    "postgresql-dev": "libpq",
    "mariadb-dev": "mariadb-connector-c",
    "mariadb-connector-c-dev": "mariadb-connector-c",
    "libffi-dev": "libffi",
    "sqlite-dev": "sqlite-libs",
    "jpeg-dev": "libjpeg-turbo",
    "libxml2-dev": "libxml2",
    "yaml-dev": "yaml",
}
#: Those of the table whose Debian package has another name in each release.
ONLY_ALPINE = frozenset(("libffi-dev", "libxml2-dev"))


def runtime_package(name: str, alpine: bool) -> str | None:
    """What takes a package's place at run time; None when nothing has to."""
    if name in BUILD_ONLY:
        return None
    if name in ONLY_ALPINE and not alpine:
        return name
    return RUNTIME_LIBRARY.get(name, name)
