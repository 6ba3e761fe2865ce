"""What this machine has, and how it reaches the package registries.

Container builds must reach the same registries in the same way. What the machine's own clients are
told goes into configuration files of the base images, never into their environment: a Dockerfile
under test then meets the environment that the published images have.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

#: State of the engine and its images: kept from run to run, so that bases are made once.
STATE = Path(os.environ.get("DOCKERFIX_BUILDS_DIR", "/var/lib/dockerfix-builds"))
#: Where a base image holds all certificates of this machine, for clients of their own bundle.
BUNDLE = "/usr/local/share/builds/ca-bundle.pem"

_HOST_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


class MachineError(Exception):
    """Something that the builds need is not there; the message says what, and what to do."""


def run(*command: str, cwd: Path | None = None, timeout: float = 900) -> str:
    """What a command printed. Raises MachineError with the end of its output."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise MachineError(f"{' '.join(command)}\n{done.stdout[-2000:]}")
    return done.stdout


def install(*packages: str) -> None:
    """Install Debian packages. Raises MachineError."""
    if os.geteuid() != 0:
        raise MachineError(f"install {' '.join(packages)}, or run this as root")
    run("apt-get", "update", "-qq")
    run(
        *("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq"),
        *("--no-install-recommends", *packages),
    )


def need(program: str, package: str) -> None:
    """Have a program, from a Debian package if it is not there."""
    if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        install(package)


def debian_mirror() -> str:
    """The first archive that apt is told to use."""
    for file in Path("/etc/apt/sources.list.d").glob("*.sources"):
        for line in file.read_text().splitlines():
            if line.startswith("URIs:"):
                return line.split()[1]
    for line in Path("/etc/apt/sources.list").read_text().splitlines():
        words = [word for word in line.split() if word.startswith("http")]
        if line.startswith("deb ") and words:
            return words[0]
    raise MachineError("no Debian archive is named in /etc/apt")


def write_settings(root: Path) -> None:
    """Write the settings of apt, pip, npm and the machine's certificates below a root folder."""
    _write_apt(root)
    certificates = root / "usr/local/share/ca-certificates"
    certificates.mkdir(parents=True, exist_ok=True)
    for file in Path("/usr/local/share/ca-certificates").glob("*.crt"):
        shutil.copy(file, certificates)
    bundle = root / BUNDLE.lstrip("/")
    bundle.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_HOST_BUNDLE, bundle)
    _write(root / "etc/pip.conf", ["[global]", f"cert = {BUNDLE}", *_pip_settings()])
    _write(root / "etc/uv/uv.toml", ["native-tls = true"])
    # Poetry knows certificates by the name of the source that a project gives.
    poetry = root / "root/.config/pypoetry/config.toml"
    _write(poetry, ["[certificates.index]", f'cert = "{BUNDLE}"'])
    # Yarn's first version reads no npmrc of a prefix, but the one of its user. Native modules are
    # compiled with the headers of the image: node-gyp would fetch them from outside a registry. npm
    # would wait five minutes for a download that stands still.
    for place in ("usr/local/etc/npmrc", "root/.npmrc"):
        patience = ("fetch-timeout=60000", "fetch-retries=4")
        _write(
            root / place, [f"cafile={BUNDLE}", "nodedir=/usr/local", *patience, *_npm_settings()]
        )


def go_settings() -> str:
    """Lines for `$GOROOT/go.env`: what `go env` says of proxies on this machine."""
    if shutil.which("go") is None:
        return ""
    names = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE")
    told = json.loads(run("go", "env", "-json", *names))
    return "".join(f"{name}={told[name]}\n" for name in names if told.get(name))


def cargo_settings() -> str:
    """The machine's own `config.toml` of cargo; nothing where it has none."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    found = (home / name for name in ("config.toml", "config"))
    return next((path.read_text() for path in found if path.is_file()), "")


def maven_settings() -> str:
    """The machine's own `settings.xml` of Maven, of its user or of the whole machine."""
    places = (Path.home() / ".m2/settings.xml", Path("/etc/maven/settings.xml"))
    return next((path.read_text() for path in places if path.is_file()), "<settings/>\n")


def _write_apt(root: Path) -> None:
    sources = root / "etc/apt/sources.list.d"
    sources.mkdir(parents=True, exist_ok=True)
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    own = Path("/etc/apt/sources.list.d/debian.sources")
    if own.is_file():
        shutil.copy(own, sources)
    else:
        shutil.copy("/etc/apt/sources.list", root / "etc/apt/sources.list")
    wanted = ("Acquire::Check-", "Acquire::http", "Acquire::https")
    told = run("apt-config", "dump").splitlines()
    lines = [line for line in told if line.startswith(wanted) and '""' not in line]
    _write(root / "etc/apt/apt.conf.d/99builds", lines)


def _pip_settings() -> list[str]:
    names = {"global.index-url", "global.proxy", "global.trusted-host"}
    pairs = (
        line.partition("=") for line in run("python3", "-m", "pip", "config", "list").split("\n")
    )
    return [
        f"{name.split('.')[1]} = {value.strip(chr(39))}"
        for name, _, value in pairs
        if name in names
    ]


def _npm_settings() -> list[str]:
    need("npm", "npm")
    found = ((name, run("npm", "config", "get", name, cwd=Path("/")).strip()) for name in _NPM)
    return [f"{name}={value}" for name, value in found if value not in ("", "null", "undefined")]


_NPM = ("registry", "proxy", "https-proxy")


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
