"""One request and its answer, on urllib3: bounded in size and time, redirects without credentials.

urllib3 rather than httpx or oras: it keeps connections open for many references, is thread-safe,
checks lengths, and stands alone (MIT). httpx and oras bring certifi along (MPL), and oras starts in
twice the time; neither knows the Docker configuration's tokens, mirrors and `certs.d` as needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from dockerfix.registry.network import Network, find_proxy

if TYPE_CHECKING:
    import ssl

    import urllib3

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_CHUNK = 64 * 1024
_CONNECTIONS = 8


class TransportError(Exception):
    """No answer; the message names no URL and no credential."""

    def __init__(self, message: str, *, passing: bool, unreachable: bool) -> None:
        super().__init__(message)
        #: Whether trying again may help.
        self.passing = passing
        #: Whether the host cannot be reached at all.
        self.unreachable = unreachable


class Answer(NamedTuple):
    """What came back, whatever the status."""

    status: int
    #: Names as urllib3 gives them: looked up in any case.
    headers: Mapping[str, str]
    body: bytes
    #: Where it came from in the end.
    url: str


def host_of(url: str) -> str:
    """Host and port of a URL, without the user name that may stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


@dataclass
class Transport:
    """Connections to registries; may be used from several threads."""

    network: Network = field(default_factory=Network)
    _pools: dict[tuple[str, str], urllib3.PoolManager] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def send(self, method: str, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        """Send a request; follow redirects. Raises TransportError.

        `Authorization` goes to the host of `url` alone; nothing goes from https to http.
        """
        sent = dict(headers)
        for _ in range(_MOST_REDIRECTS):
            answer = self._send_once(method, url, sent, None, limit)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            following = urljoin(url, target)
            here, there = urlsplit(url).scheme, urlsplit(following).scheme
            if there != "https" and (here == "https" or there != "http"):
                raise _refuse(f"{host_of(url)} redirects to a plain connection")
            if (here, host_of(url)) != (there, host_of(following)):
                sent.pop("Authorization", None)
            url = following
        raise _refuse(f"{host_of(url)} redirects without end")

    def post(self, url: str, form: Mapping[str, str], limit: int) -> Answer:
        """Send a form; redirects are not followed. Raises TransportError."""
        from urllib.parse import urlencode

        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send_once("POST", url, headers, urlencode(form).encode(), limit)

    def _send_once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, limit: int
    ) -> Answer:
        import urllib3
        from urllib3.exceptions import HTTPError

        host = host_of(url)
        network = self.network
        # As it is sent, so that the digest is that of what was received.
        fixed = {"User-Agent": "dockerfix", "Accept-Encoding": "identity"}
        try:
            response = self._pool(url).request(
                method,
                url,
                body=body,
                headers={**fixed, **headers},
                timeout=urllib3.Timeout(connect=network.connect_timeout, read=network.read_timeout),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                data = _read(response, limit, time.monotonic() + network.answer_timeout, host)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        except (HTTPError, OSError) as error:
            raise _explain(error, host) from error
        return Answer(response.status, response.headers, data, url)

    def _pool(self, url: str) -> urllib3.PoolManager:
        key = (urlsplit(url).scheme, host_of(url))
        with self._lock:
            if key not in self._pools:
                self._pools[key] = _make_pool(self.network, *key)
            return self._pools[key]


def _make_pool(network: Network, scheme: str, host: str) -> urllib3.PoolManager:
    import urllib3

    context = _tls(network, host) if scheme == "https" else None
    proxy = find_proxy(scheme, host)
    if proxy is None:
        return urllib3.PoolManager(maxsize=_CONNECTIONS, ssl_context=context)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = f"{parts.username}:{parts.password or ''}" if parts.username else None
    headers = urllib3.make_headers(proxy_basic_auth=login) if login else None
    return urllib3.ProxyManager(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        maxsize=_CONNECTIONS,
        proxy_headers=headers,
        ssl_context=context,
    )


def _tls(network: Network, host: str) -> ssl.SSLContext:
    """The system's authorities (or `SSL_CERT_FILE`, `SSL_CERT_DIR`), and those of `certs.d`."""
    import ssl

    context = ssl.create_default_context()
    folder = network.certificates(host)
    try:
        for path in sorted(folder.glob("*.crt")) if folder else ():
            context.load_verify_locations(path)
        for path in sorted(folder.glob("*.cert")) if folder else ():
            context.load_cert_chain(path, path.with_suffix(".key"))
    except (OSError, ssl.SSLError) as error:
        raise _refuse(f"{folder}: a certificate that cannot be read") from error
    return context


def _read(response: urllib3.BaseHTTPResponse, limit: int, deadline: float, host: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _refuse(f"{host}: an answer larger than {limit} bytes")
        if time.monotonic() > deadline:
            raise TransportError(f"{host} answers too slowly", passing=True, unreachable=False)
    return b"".join(parts)


def _refuse(message: str) -> TransportError:
    return TransportError(message, passing=False, unreachable=False)


def _explain(error: Exception, host: str) -> TransportError:
    """In own words: urllib3's may hold the URL of a proxy with its password."""
    from urllib3 import exceptions as known

    match error:
        case known.ProxyError():
            return TransportError("the proxy does not answer", passing=False, unreachable=True)
        case known.SSLError():
            hint = "SSL_CERT_FILE or certs.d name further authorities"
            text = "has a certificate that nobody vouches for" if _untrusted(error) else "fails TLS"
            return TransportError(f"{host} {text}; {hint}", passing=False, unreachable=True)
        case known.NameResolutionError():
            return TransportError(f"{host} is not found", passing=False, unreachable=True)
        case known.ConnectTimeoutError() | known.NewConnectionError():
            text = f"{host} cannot be reached"
            return TransportError(text, passing=False, unreachable=True)
        case known.TimeoutError():
            return TransportError(f"{host} answers too slowly", passing=True, unreachable=False)
        case _:
            return TransportError(f"{host} breaks off", passing=True, unreachable=False)


def _untrusted(error: Exception) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)
