"""Programs in Rust: one binary that `cargo build --release` makes.

Sources: doc.rust-lang.org/cargo (build, manifest `[[bin]]`), docs.rs/openssl (vendored feature).
"""

from __future__ import annotations

import posixpath
import tomllib

from dockerfix.knowledge.runtime_images import system_of
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.transform import Evidence

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
#: Crates that link libraries of the system.
_LINKS_SYSTEM = frozenset(
    (
        *("openssl-sys", "pq-sys", "mysqlclient-sys", "libsqlite3-sys", "libz-sys", "curl-sys"),
        *("libssh2-sys", "libgit2-sys", "rdkafka-sys", "zstd-sys", "librocksdb-sys", "x11"),
        *("alsa-sys", "libdbus-sys", "gstreamer-sys", "gtk-sys", "freetype-sys", "fontconfig-sys"),
    )
)
#: What a program may read when it runs, beside itself.
_READ_AT_START = (
    *("static", "templates", "public", "assets", "config", "migrations", "Rocket.toml", ".env"),
    *("settings.toml", "config.toml", "Settings.toml", "log4rs.yaml"),
)


def plan_rust(program: Program) -> Plan | None:
    """How it is split; None when it is no program in Rust. Raises NotSplitError."""
    builds = [call for _, call in program.calls("build") if call.words[:2] == ("cargo", "build")]
    if not builds:
        return None
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    if len(builds) != 1 or "--release" not in builds[0].words:
        raise NotSplitError("several programs are built, or none for release")
    system = system_of(program.base)
    if system is None:
        raise NotSplitError("the system of the base image is not known", program.base)
    try:
        manifest = tomllib.loads(context.read("Cargo.toml") or "")
        lock = tomllib.loads(context.read("Cargo.lock") or "")
    except tomllib.TOMLDecodeError as error:
        raise NotSplitError("a manifest cannot be read", "Cargo.toml") from error
    crates = {entry.get("name") for entry in lock.get("package", [])}
    if not crates:
        raise NotSplitError("no lock shows what is linked", "Cargo.lock")
    linked = sorted(str(name) for name in crates & _LINKS_SYSTEM)
    if linked:
        raise NotSplitError("a crate links libraries of the system", linked[0])
    binary = _binary(program, manifest)
    files = [name for name in _READ_AT_START if context.sends(name)]
    copies = [(_CERTIFICATES, _CERTIFICATES), (binary, binary)]
    copies += [(posixpath.join(program.folder, name),) * 2 for name in files]
    return Plan(
        system,
        tuple(copies),
        "the Rust tool chain, its caches and the sources",
        (
            Evidence("Cargo.lock", "no crate links a library of the system"),
            Evidence(" ".join(builds[0].words), f"makes {binary}, which is what runs"),
        ),
    )


def _binary(program: Program, manifest: dict[str, object]) -> str:
    package = manifest.get("package")
    names = {str(package.get("name"))} if isinstance(package, dict) else set()
    bins = manifest.get("bin")
    for entry in bins if isinstance(bins, list) else []:
        names.add(str(entry.get("name")))
    word = posixpath.normpath(posixpath.join(program.folder, program.entry.main[0]))
    if word not in {posixpath.join(program.folder, "target/release", name) for name in names}:
        raise NotSplitError("the entry is not what is built", program.entry.main[0])
    return word
