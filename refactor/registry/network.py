"""How registries are reached: time limits, mirrors, plain connections, certificates, proxies."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerfix.patterns import pattern

#: docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
DAEMON_FILE = Path("/etc/docker/daemon.json")
#: docs.docker.com/engine/security/certificates, and the same of rootless Docker and of podman.
CERTIFICATE_FOLDERS = (
    Path("/etc/docker/certs.d"),
    Path("~/.config/docker/certs.d").expanduser(),
    Path("/etc/containers/certs.d"),
    Path("~/.config/containers/certs.d").expanduser(),
)

_LOOPBACK = pattern(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Network:
    """What is configured; the same for all requests of a run."""

    #: Registries that are asked over http, besides those on this machine.
    insecure: tuple[str, ...] = ()
    #: By registry: what to ask first, as a URL or a host.
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    certificate_folders: tuple[Path, ...] = CERTIFICATE_FOLDERS
    #: Seconds.
    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    #: Seconds for one answer as a whole.
    answer_timeout: float = 60.0
    #: How often a request is tried again after a fault that may pass.
    retries: int = 3
    #: Longer waits are not waited for; the message says when it may go on. Seconds.
    longest_wait: float = 10.0

    def is_plain(self, host: str) -> bool:
        """Whether a host is asked over http: on this machine, or where that is configured."""
        return is_loopback(host) or host in self.insecure

    def bases(self, domain: str) -> tuple[str, ...]:
        """Where a registry's repositories are asked for, mirrors first: `https://host`."""
        host = "registry-1.docker.io" if domain == "docker.io" else domain
        return tuple(self._url(place) for place in (*self.mirrors.get(domain, ()), host))

    def certificates(self, host: str) -> Path | None:
        """The folder with the certificates for a host, `certs.d/HOST`."""
        folders = (folder / host for folder in self.certificate_folders)
        return next((folder for folder in folders if folder.is_dir()), None)

    def _url(self, place: str) -> str:
        """A URL without user name; what a mirror needs to know is asked for as for registries."""
        scheme, found, rest = place.rpartition("://")
        host, slash, path = rest.rstrip("/").rpartition("@")[2].partition("/")
        if found:
            return f"{scheme}://{host}{slash}{path}"
        plain = self.is_plain(host) and self.certificates(host) is None
        return f"{'http' if plain else 'https'}://{host}"


def is_loopback(host: str) -> bool:
    """Whether a host, with or without port, is this machine."""
    return _LOOPBACK.fullmatch(host) is not None


def read_network(
    insecure: tuple[str, ...], mirrors: Mapping[str, tuple[str, ...]], daemon: Path = DAEMON_FILE
) -> Network:
    """What the settings say, and what the Docker daemon of this machine is told."""
    table = _read_json(daemon)
    hub = (*mirrors.get("docker.io", ()), *_strings(table.get("registry-mirrors")))
    found = {**mirrors, "docker.io": hub} if hub else mirrors
    return Network((*insecure, *_strings(table.get("insecure-registries"))), found)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def find_proxy(scheme: str, host: str, environment: Mapping[str, str] | None = None) -> str | None:
    """The proxy that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name for a host.

    Nothing on this machine is asked through a proxy, as Docker does.
    """
    if is_loopback(host):
        return None
    known = os.environ if environment is None else environment
    values = {name.lower(): value for name, value in known.items() if value}
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if any(_matches(entry.strip(), host, name) for entry in values.get("no_proxy", "").split(",")):
        return None
    return values.get(f"{scheme}_proxy") or values.get("all_proxy")


def _matches(entry: str, host: str, name: str) -> bool:
    """Whether an entry of `NO_PROXY` means a host: by its name, the end of that, a network."""
    if entry == "*":
        return True
    if "/" in entry:
        return _is_in(name, entry)
    suffix = entry.removeprefix("*").lstrip(".").lower()
    exact = suffix in (name.lower(), host.lower())
    return bool(suffix) and (exact or name.lower().endswith(f".{suffix}"))


def _is_in(name: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(name.strip("[]")) in ip_network(network, strict=False)
    except ValueError:
        return False
