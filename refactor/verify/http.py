"""Ask a container on a port that it exposes."""

from __future__ import annotations

import hashlib
import http.client
import urllib.parse
from typing import Any, NamedTuple

_MOST = 4 << 20
_TIMEOUT = 10


class Reply(NamedTuple):
    """Status, kind and digest of what a server sent."""

    text: str


def is_address(probe: str) -> bool:
    """Whether a probe is a path or an address, and no command."""
    return probe.startswith(("http://", "https://")) or (probe.startswith("/") and " " not in probe)


def ports(config: dict[str, Any], probes: tuple[str, ...]) -> list[int]:
    """The ports to publish: those that the image exposes for TCP, and those that probes name."""
    found = {
        int(name.partition("/")[0])
        for name in config.get("ExposedPorts") or ()
        if not name.endswith("/udp") and name.partition("/")[0].isdigit()
    }
    for probe in probes:
        if probe.startswith("http"):
            found.add(urllib.parse.urlsplit(probe).port or 80)
    return sorted(found)


def split(address: str, known: list[int]) -> tuple[int, str]:
    """The port and the path of an address; a path alone goes to the first port."""
    if not address.startswith("http"):
        return (known[0] if known else 80), address
    parts = urllib.parse.urlsplit(address)
    path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return parts.port or 80, path


def get(place: str, path: str) -> Reply:
    """Ask a host and port, without following where it points. Raises OSError."""
    connection = http.client.HTTPConnection(place, timeout=_TIMEOUT)
    try:
        connection.request("GET", path, headers={"Accept": "*/*", "Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(_MOST)
        kind = (answer.getheader("Content-Type") or "-").replace(" ", "")
        target = answer.getheader("Location")
        parts = [str(answer.status), kind, *([target] if target else []), digest(body)]
        return Reply(" ".join(parts))
    except http.client.BadStatusLine as error:
        if isinstance(error, http.client.RemoteDisconnected):
            raise
        return Reply("speaks no HTTP")
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def digest(body: bytes) -> str:
    """A short name for a content."""
    return hashlib.sha256(body).hexdigest()[:12]
