"""A registry on loopback that can misbehave in the ways registries do."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"


def index(seed: str, platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")) -> bytes:
    """A multi-platform index with an attestation among its entries."""
    entries: list[dict[str, Any]] = []
    for text in platforms:
        system, _, architecture = text.partition("/")
        digest = hashlib.sha256(f"{seed}{text}".encode()).hexdigest()
        entries.append(
            {
                "digest": f"sha256:{digest}",
                "platform": {"os": system, "architecture": architecture},
            }
        )
    entries.append({"digest": "sha256:0", "platform": {"os": "unknown", "architecture": "unknown"}})
    return json.dumps({"mediaType": INDEX, "manifests": entries, "seed": seed}).encode()


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class FakeRegistry:
    """Tags by repository, and what goes wrong."""

    images: dict[str, dict[str, bytes]] = field(default_factory=dict)
    page: int = 1000
    #: None, "basic" or "token".
    authentication: str | None = None
    login: tuple[str, str] = ("user", "secret")
    #: Answers before it behaves: ("status", code, headers), ("cut",), ("digest",), ("drop",).
    faults: list[tuple[Any, ...]] = field(default_factory=list)
    redirect: str | None = None
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    address: str = ""

    def tag(self, repository: str, tag: str, seed: str) -> str:
        body = index(seed)
        self.images.setdefault(repository, {})[tag] = body
        return digest_of(body)


@contextmanager
def serve(registry: FakeRegistry) -> Iterator[FakeRegistry]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            answer(self, registry)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.address = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, code: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def answer(handler: BaseHTTPRequestHandler, registry: FakeRegistry) -> None:
    url = urlsplit(handler.path)
    authorization = handler.headers.get("Authorization")
    registry.seen.append((handler.command, handler.path, authorization))
    if url.path == "/token":
        basic = base64.b64encode(":".join(registry.login).encode()).decode()
        if authorization != f"Basic {basic}":
            return send(handler, 401)
        return send(handler, 200, b'{"token": "good"}')
    if not allowed(registry, authorization):
        kind = registry.authentication
        challenge = 'Basic realm="x"'
        if kind == "token":
            challenge = f'Bearer realm="http://{registry.address}/token",service="s"'
        return send(handler, 401, WWW_Authenticate=challenge)
    if registry.redirect:
        return send(handler, 307, Location=registry.redirect + handler.path)
    fault = registry.faults.pop(0) if registry.faults else None
    if fault and fault[0] == "status":
        return send(handler, fault[1], **fault[2])
    if fault and fault[0] == "drop":
        handler.connection.close()
        return None
    repository, _, rest = url.path.removeprefix("/v2/").rpartition("/tags/")
    if rest == "list":
        return send_tags(handler, registry, repository, parse_qs(url.query))
    repository, _, tag = url.path.removeprefix("/v2/").rpartition("/manifests/")
    body = registry.images.get(repository, {}).get(tag)
    if body is None:
        return send(handler, 404)
    digest = digest_of(b"other" if fault and fault[0] == "digest" else body)
    if fault and fault[0] == "cut":
        return send(
            handler, 200, body[:10], Content_Length=str(len(body)), Docker_Content_Digest=digest
        )
    return send(handler, 200, body, Docker_Content_Digest=digest, Content_Type=INDEX)


def allowed(registry: FakeRegistry, authorization: str | None) -> bool:
    if registry.authentication == "basic":
        wanted = base64.b64encode(":".join(registry.login).encode()).decode()
        return authorization == f"Basic {wanted}"
    return registry.authentication is None or authorization == "Bearer good"


def send_tags(
    handler: BaseHTTPRequestHandler,
    registry: FakeRegistry,
    repository: str,
    query: dict[str, list[str]],
) -> None:
    tags = sorted(registry.images.get(repository, {}))
    start = tags.index(query["last"][0]) + 1 if "last" in query else 0
    part = tags[start : start + registry.page]
    headers = {}
    if start + registry.page < len(tags):
        headers["Link"] = f'</v2/{repository}/tags/list?last={part[-1]}>; rel="next"'
    send(handler, 200, json.dumps({"name": repository, "tags": part}).encode(), **headers)
