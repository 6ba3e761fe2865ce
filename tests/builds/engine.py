"""A container engine for the builds: one of our own, else the one that DOCKER_HOST names.

It gets images called `node:20` and the like that are not the published ones, so an engine that
somebody uses for other things is taken only when it is named.

Docker's own packages are not needed: a newer Debian suite has the engine, and its Go programs run
on Debian 12 when they are unpacked, not installed. No package of that suite gets onto the machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.builds import bridge
from tests.builds.machine import STATE, MachineError, debian_mirror, need, run

#: Newest first: what "testing" holds moves, and may one day not start here.
_SUITES = ("forky", "trixie")
_PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "containerd")
_PROGRAMS = (
    *("usr/sbin/dockerd", "usr/sbin/docker-proxy", "usr/bin/containerd"),
    *("usr/bin/containerd-shim-runc-v2", "usr/bin/docker"),
)
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_HOST = f"unix://{STATE}/docker.sock"


def answers() -> bool:
    """Whether the engine that the environment names answers."""
    if shutil.which("docker") is None:
        return False
    told = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        check=False,
    )
    return told.returncode == 0


@contextmanager
def engine_for_builds() -> Iterator[str]:
    """An engine that answers, and what it is; one that was started here is stopped at the end.

    Raises MachineError when the one that DOCKER_HOST names does not answer, or none can be started.
    """
    os.environ["BUILDX_NO_DEFAULT_ATTESTATIONS"] = "1"
    host = os.environ.get("DOCKER_HOST")
    if host and not answers():
        raise MachineError(f"no engine answers at {host}, which DOCKER_HOST names")
    daemon = None if host else start()
    try:
        yield run("docker", "version", "--format", "engine {{.Server.Version}}").strip()
    finally:
        if daemon is not None:
            _stop(daemon)


def start() -> subprocess.Popen[bytes] | None:
    """Start our own engine and name it in the environment; None if it runs already."""
    if os.geteuid() != 0:
        raise MachineError("only root can start an engine; or name one by DOCKER_HOST")
    programs = _unpacked()
    os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
    os.environ["DOCKER_HOST"] = _HOST
    os.environ["DOCKER_CONFIG"] = str(STATE / "client")
    if answers():
        return None
    bridge.open_bridge()
    for leftover in ("docker.pid", "docker.sock"):
        (STATE / leftover).unlink(missing_ok=True)
    with (STATE / "dockerd.log").open("ab") as log:
        daemon = subprocess.Popen(
            _command(programs),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    for _ in range(240):
        if answers():
            return daemon
        if daemon.poll() is not None:
            break
        time.sleep(0.25)
    _stop(daemon)
    told = (STATE / "dockerd.log").read_text(errors="replace")[-2000:]
    raise MachineError(f"the engine does not start:\n{told}")


def _command(programs: Path) -> list[str]:
    return [
        *(str(programs / "dockerd"), "--host", _HOST, "--log-level", "warn"),
        *("--data-root", str(STATE / "data"), "--exec-root", str(STATE / "exec")),
        *("--pidfile", str(STATE / "docker.pid"), "--storage-driver", "overlay2"),
        *("--bridge", bridge.NAME, "--iptables=false", "--ip6tables=false"),
    ]


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        daemon.wait(30)
    bridge.close_bridge()


def _unpacked() -> Path:
    """The engine's programs, unpacked when they are not there. Raises MachineError."""
    need("runc", "runc")
    programs = STATE / "programs"
    if _runs(programs):
        return programs
    tried: list[str] = []
    for suite in _SUITES:
        try:
            _unpack(suite, programs)
        except MachineError as error:
            tried.append(f"{suite}: {error}")
            continue
        if _runs(programs):
            return programs
        tried.append(f"{suite}: its engine does not run on this machine")
    raise MachineError("no engine could be had\n" + "\n".join(tried))


def _runs(programs: Path) -> bool:
    for name in ("dockerd", "containerd", "docker"):
        try:
            done = subprocess.run([programs / name, "--version"], capture_output=True, check=False)
        except OSError:
            return False
        if done.returncode != 0:
            return False
    return True


def _unpack(suite: str, programs: Path) -> None:
    root, apt = STATE / "root", STATE / "apt"
    for folder in (root, apt, programs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for part in ("lists/partial", "cache/archives/partial", "packages"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(
        f"deb [signed-by={_KEYRING}] {debian_mirror()} {suite} main\n"
    )
    options = [
        *("-qq", "-o", f"Dir::Etc::sourcelist={apt}/sources.list"),
        *("-o", "Dir::Etc::sourceparts=/dev/null", "-o", f"Dir::State::lists={apt}/lists"),
        *("-o", f"Dir::State::status={apt}/status", "-o", f"Dir::Cache={apt}/cache"),
        *("-o", "APT::Sandbox::User=root"),
    ]
    run("apt-get", *options, "update")
    run("apt-get", *options, "download", *_PACKAGES, cwd=apt / "packages")
    for package in sorted((apt / "packages").glob("*.deb")):
        run("dpkg", "-x", str(package), str(root))
    shutil.rmtree(apt)
    for name in _PROGRAMS:
        (programs / Path(name).name).symlink_to(root / name)
    plugins = STATE / "client/cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    for plugin in root.rglob("cli-plugins/docker-*"):
        (plugins / plugin.name).unlink(missing_ok=True)
        (plugins / plugin.name).symlink_to(plugin)
