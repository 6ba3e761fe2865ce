"""Ask a registry what a tag means, by the OCI distribution API.

On the standard library: what is needed are HEAD and GET with a token, and redirects that never
take credentials to another host. `urllib` brings proxies and the system's certificates along.
Sources: github.com/opencontainers/distribution-spec, distribution.github.io/distribution/spec/auth.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

from dockerfix.registry.credentials import Credentials
from dockerfix.registry.reference import DEFAULT_DOMAIN, Reference, is_digest, is_tag

_HUB = "registry-1.docker.io"
_MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_MAX_MANIFEST = 4 * 1024 * 1024
_MAX_TAGS = 32 * 1024 * 1024
_MAX_PAGES = 200
_TIMEOUT = 15.0
_RETRIES = 3
#: Longer waits are not waited for: the message says when it may go on (seconds).
_MAX_WAIT = 10.0
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class RegistryError(Exception):
    """A question that was not answered; the message names the registry, never a credential."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a tag means."""

    digest: str
    #: `linux/amd64`, sorted; empty when the image does not say.
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    headers: Mapping[str, str]
    body: bytes
    url: str


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follow redirects, without credentials when the host is another one."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request for the new place."""
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is None:
            return None
        here, there = urlsplit(req.full_url), urlsplit(newurl)
        if here.scheme == "https" and there.scheme != "https":
            raise RegistryError(f"{here.netloc} redirects to a plain connection")
        if here.netloc != there.netloc:
            found.remove_header("Authorization")
        found.method = req.get_method()
        return found


@dataclass
class Registry:
    """Registries, asked over the network; answers are kept for this run."""

    credentials: Credentials
    #: Registries that are asked over http, besides those on this machine.
    insecure: tuple[str, ...] = ()
    sleep: Callable[[float], None] = time.sleep
    #: How many requests were made.
    requests: int = 0
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _digests: dict[str, str] = field(default_factory=dict, repr=False)

    def digest(self, reference: Reference) -> str:
        """The digest that a tag has now. Raises RegistryError."""
        key = str(reference)
        if key not in self._digests:
            answer = self._ask("HEAD", reference, f"manifests/{reference.tag}")
            digest = answer.headers.get("Docker-Content-Digest", "")
            self._digests[key] = digest if is_digest(digest) else self.describe(reference).digest
        return self._digests[key]

    def describe(self, reference: Reference) -> Described:
        """Digest and platforms of a tag, checked against what was received."""
        answer = self._ask("GET", reference, f"manifests/{reference.tag}")
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if answer.headers.get("Docker-Content-Digest", digest) != digest:
            raise RegistryError(f"{reference.domain}: the answer has another digest than it says")
        self._digests[str(reference)] = digest
        return Described(digest, _platforms(_object(answer.body, reference)))

    def tags(self, reference: Reference) -> list[str]:
        """All tags of a repository. Raises RegistryError."""
        found: list[str] = []
        path: str | None = "tags/list?n=1000"
        for _ in range(_MAX_PAGES):
            if path is None:
                return found
            answer = self._ask("GET", reference, path)
            names = _object(answer.body, reference).get("tags") or []
            found += [name for name in names if isinstance(name, str) and is_tag(name)]
            match = _NEXT.search(answer.headers.get("Link", ""))
            path = urljoin(answer.url, match[1]) if match else None
            if path and urlsplit(path).netloc != urlsplit(answer.url).netloc:
                raise RegistryError(f"{reference.domain}: the next page is on another host")
        raise RegistryError(f"{reference.domain}: more than {_MAX_PAGES} pages of tags")

    # The wire

    def _ask(self, method: str, reference: Reference, path: str) -> _Answer:
        host = _HUB if reference.domain == DEFAULT_DOMAIN else reference.domain
        scheme = "http" if _is_plain(host, self.insecure) else "https"
        url = path if "://" in path else f"{scheme}://{host}/v2/{reference.path}/{path}"
        logged_in = False
        for attempt in range(_RETRIES + 2):
            try:
                return self._send(method, url, (host, reference.path))
            except urllib.error.HTTPError as error:
                if error.code == 401 and not logged_in:
                    self._log_in(error.headers.get("WWW-Authenticate", ""), reference, host)
                    logged_in = True
                    continue
                self._wait_or_fail(error, attempt, reference)
            except (OSError, HTTPException) as error:
                if attempt >= _RETRIES:
                    reason = getattr(error, "reason", error)
                    raise RegistryError(f"{host} does not answer: {reason}") from error
                self.sleep(0.2 * 2**attempt)
        raise RegistryError(f"{host} does not answer")

    def _send(self, method: str, url: str, scope: tuple[str, str]) -> _Answer:
        request = urllib.request.Request(url, method=method)
        request.add_header("Accept", ", ".join(_MEDIA_TYPES))
        request.add_header("User-Agent", "dockerfix")
        if scope in self._tokens:
            request.add_unredirected_header("Authorization", self._tokens[scope])
        self.requests += 1
        limit = _MAX_TAGS if "/tags/list" in url else _MAX_MANIFEST
        with urllib.request.build_opener(_SameHost).open(request, timeout=_TIMEOUT) as answer:
            body = answer.read(limit + 1)
            if len(body) > limit:
                raise RegistryError(f"{scope[0]}: an answer larger than {limit} bytes")
            length = answer.headers.get("Content-Length", "")
            if method == "GET" and length.isdigit() and len(body) != int(length):
                raise OSError("the answer was cut off")
            return _Answer(answer.headers, body, answer.geturl())

    def _wait_or_fail(
        self, error: urllib.error.HTTPError, attempt: int, reference: Reference
    ) -> None:
        name = f"{reference.domain}/{reference.path}"
        if error.code == 429 or error.code >= 500:
            after = error.headers.get("Retry-After", "")
            wait = float(after) if after.isdigit() else 0.2 * 2**attempt
            if attempt < _RETRIES and wait <= _MAX_WAIT:
                self.sleep(wait)
                return
            when = f"; it may go on in {int(wait)} s" if error.code == 429 else ""
            raise RegistryError(f"{name}: the registry answers {error.code}{when}") from error
        if error.code in (401, 403):
            raise RegistryError(f"{name}: no access; log in with `docker login`") from error
        if error.code == 404:
            raise RegistryError(f"{name}: there is no {reference.tag}") from error
        raise RegistryError(f"{name}: the registry answers {error.code}") from error

    def _log_in(self, challenge: str, reference: Reference, host: str) -> None:
        """Answer a challenge: with a token of the realm it names, or with the password itself."""
        login = self.credentials.of(reference.domain)
        if challenge.lower().startswith("basic"):
            if login is None:
                raise RegistryError(f"{host}: no access; log in with `docker login {host}`")
            self._tokens[(host, reference.path)] = _basic(login)
            return
        terms = dict(_CHALLENGE.findall(challenge))
        realm = urlsplit(terms.get("realm", ""))
        plain = realm.scheme == "http" and _is_plain(realm.netloc, self.insecure)
        if realm.scheme != "https" and not plain:
            raise RegistryError(f"{host}: asks to log in over a plain connection")
        query = {"scope": f"repository:{reference.path}:pull"}
        if terms.get("service"):
            query["service"] = terms["service"]
        request = urllib.request.Request(f"{realm.geturl()}?{urlencode(query)}")
        if login is not None:
            request.add_unredirected_header("Authorization", _basic(login))
        self.requests += 1
        try:
            with urllib.request.build_opener(_SameHost).open(request, timeout=_TIMEOUT) as answer:
                data = _object(answer.read(_MAX_MANIFEST), reference)
        except OSError as error:
            raise RegistryError(f"{host}: logging in failed: {error}") from error
        token = data.get("token") or data.get("access_token")
        if not isinstance(token, str):
            raise RegistryError(f"{host}: logging in gave no token")
        self._tokens[(host, reference.path)] = f"Bearer {token}"


def _is_plain(host: str, insecure: tuple[str, ...]) -> bool:
    """Whether a registry is asked over http: on this machine, or where that is configured."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    return name in _LOOPBACK or host in insecure


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


def _object(body: bytes, reference: Reference) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError as error:
        raise RegistryError(f"{reference.domain}: an answer that is no JSON") from error
    if not isinstance(data, dict):
        raise RegistryError(f"{reference.domain}: an answer that is no JSON object")
    return data


def _platforms(manifest: dict[str, Any]) -> tuple[str, ...]:
    """The platforms of an index; attestations among its entries have none."""
    found: set[str] = set()
    for entry in manifest.get("manifests") or []:
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if not isinstance(platform, dict) or platform.get("os") in (None, "unknown"):
            continue
        parts = (platform.get(key) for key in ("os", "architecture", "variant"))
        found.add("/".join(str(part) for part in parts if part))
    return tuple(sorted(found))
