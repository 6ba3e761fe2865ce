"""What stands between a registry and those who ask: a proxy that misbehaves as networks do."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.registry import MANIFESTS

WRONG = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    authorization: str | None
    condition: str | None


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


#: What is done to an answer; None breaks the connection off.
Fault = Callable[[Response], Response | None]


def drop(_: Response) -> None:
    return None


def delay(seconds: float) -> Fault:
    def fault(response: Response) -> Response:
        time.sleep(seconds)
        return response

    return fault


def truncate(response: Response) -> Response:
    """The length says more than comes."""
    return Response(response.status, response.headers, response.body[: len(response.body) // 2])


def status(code: int, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(code, {"Content-Length": "0", **named}, b"")


def redirect(target: str) -> Fault:
    return lambda _: Response(307, {"Content-Length": "0", "Location": target}, b"")


def wrong_digest(response: Response) -> Response:
    """The header says another digest."""
    return Response(
        response.status, {**response.headers, "Docker-Content-Digest": WRONG}, response.body
    )


def other_bytes(response: Response) -> Response:
    """The body is another one, as long as before; the header is not."""
    return Response(response.status, response.headers, response.body.replace(b"linux", b"LINUX"))


def other_type(response: Response) -> Response:
    return Response(
        response.status, {**response.headers, "Content-Type": "text/html"}, response.body
    )


def no_digest(response: Response) -> Response:
    headers = {k: v for k, v in response.headers.items() if k.lower() != "docker-content-digest"}
    return Response(response.status, headers, response.body)


def portal(_: Response) -> Response:
    """The page to log in to a network, in place of everything."""
    body = b"<html>Welcome to our hotel</html>"
    return Response(200, {"Content-Length": str(len(body)), "Content-Type": "text/html"}, body)


def endless(_: Response) -> Response:
    body = b'{"tags": ["' + b"1" * (5 * 1024 * 1024) + b'"]}'
    kind = "application/vnd.oci.image.index.v1+json"
    return Response(200, {"Content-Length": str(len(body)), "Content-Type": kind}, body)


@dataclass
class Faulty:
    """The proxy; `address` is where it is asked, `target` the registry behind it."""

    target: str
    address: str = ""
    #: For the coming answers, each used once; or for all that a function chooses.
    faults: list[Fault | None] = field(default_factory=list)
    always: Callable[[Request], Fault | None] | None = None
    #: Tags on a page; the registry of Debian knows no pages.
    page: int = 0
    #: Requests in a second; more get 429.
    rate: int = 0
    refused: int = 0
    seen: list[Request] = field(default_factory=list)
    _times: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Response | None:
        with self._lock:
            self.seen.append(request)
            limited = self._is_limited()
            fault = self.faults.pop(0) if self.faults else None
        if limited:
            return Response(429, {"Content-Length": "0", "Retry-After": "1"}, b"")
        if fault is None and self.always is not None:
            fault = self.always(request)
        response = self._forward(request)
        return response if fault is None else fault(response)

    def _is_limited(self) -> bool:
        now = time.monotonic()
        self._times = [moment for moment in self._times if now - moment < 1]
        if not self.rate or len(self._times) < self.rate:
            self._times.append(now)
            return False
        self.refused += 1
        return True

    def _forward(self, request: Request) -> Response:
        connection = http.client.HTTPConnection(self.target, timeout=10)
        headers = {"Host": self.address, "Accept": ", ".join(MANIFESTS)}
        if request.authorization:
            headers["Authorization"] = request.authorization
        if request.condition:
            headers["If-None-Match"] = request.condition
        connection.request(request.method, request.path, headers=headers)
        found = connection.getresponse()
        body = found.read()
        connection.close()
        hops = ("connection", "date", "transfer-encoding")
        kept = {k: v for k, v in found.getheaders() if k.lower() not in hops}
        kept.setdefault("Content-Length", str(len(body)))
        response = Response(found.status, kept, body)
        return self._paged(request, response) if "/tags/list" in request.path else response

    def _paged(self, request: Request, response: Response) -> Response:
        if not self.page or response.status != 200:
            return response
        url = urlsplit(request.path)
        tags = sorted(json.loads(response.body)["tags"])
        last = parse_qs(url.query).get("last", [""])[0]
        rest = [tag for tag in tags if tag > last]
        body = json.dumps({"tags": rest[: self.page]}).encode()
        headers = {**response.headers, "Content-Length": str(len(body))}
        if len(rest) > self.page:
            headers["Link"] = f'<{url.path}?n={self.page}&last={rest[self.page - 1]}>; rel="next"'
        return Response(200, headers, body)


@contextmanager
def before(target: str) -> Iterator[Faulty]:
    """A proxy before a registry."""
    faulty = Faulty(target)
    with serve(faulty.answer) as address:
        faulty.address = address
        yield faulty


@contextmanager
def serve(answer: Callable[[Request], Response | None]) -> Iterator[str]:
    """A server on loopback that answers by a function; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            self.rfile.read(length)
            asked = self.headers
            request = Request(
                self.command, self.path, asked.get("Authorization"), asked.get("If-None-Match")
            )
            self.reply(answer(request))

        do_HEAD = do_POST = do_GET  # noqa: N815 - the names that http.server calls

        def reply(self, response: Response | None) -> None:
            if response is None:
                self.close_connection = True
                return
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
                said = response.headers.get("Content-Length", "")
                self.close_connection = said != str(len(response.body))

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Who asked is gone: that is what the tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def tunnel(target: str) -> Iterator[tuple[str, list[str]]]:
    """A proxy for TLS (`CONNECT`) that leads to one place; gives its address and what was asked."""
    asked: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = [self.rfile.readline().decode()]
            while head[-1].strip():
                head.append(self.rfile.readline().decode())
            asked.extend(line.strip() for line in head if line.strip())
            host, _, port = target.partition(":")
            with socket.create_connection((host, int(port))) as there:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=pump, args=(there, self.connection), daemon=True)
                back.start()
                pump(self.connection, there)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
