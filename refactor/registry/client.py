"""Ask a registry what a tag means, by the OCI distribution API.

Source: github.com/opencontainers/distribution-spec/blob/main/spec.md ("Pull", "Content Discovery").
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dockerfix.registry.answers import (
    MEDIA_TYPES,
    Manifest,
    RegistryError,
    failure,
    read_head,
    read_manifest,
    read_platforms,
    read_tags,
)
from dockerfix.registry.cache import Cache, Entry
from dockerfix.registry.credentials import Credentials
from dockerfix.registry.login import Challenge, LoginError, log_in, read_challenge
from dockerfix.registry.network import Network
from dockerfix.registry.pace import Pace, PausedError
from dockerfix.registry.reference import Reference, is_digest
from dockerfix.registry.transport import Answer, Transport, TransportError, host_of

_MAX_MANIFEST = 4 * 1024 * 1024
_MAX_TAGS = 32 * 1024 * 1024
_MAX_PAGES = 200
#: Seconds that a request may be told to wait in all.
_MOST_WAITING = 60.0
#: Seconds.
_DOWN_FOR = 60.0


@dataclass
class _Host:
    """What is known of one base URL; shared by all threads."""

    #: `https://registry.example`.
    base: str
    #: The name that credentials are kept under.
    domain: str
    pace: Pace
    answered: bool = False
    challenge: Challenge | None = None
    #: By repository.
    authorizations: dict[str, str] = field(default_factory=dict, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def name(self) -> str:
        return host_of(self.base)


@dataclass
class Registry:
    """Registries, asked over the network; may be used from several threads."""

    credentials: Credentials = field(default_factory=Credentials)
    network: Network = field(default_factory=Network)
    cache: Cache = field(default_factory=lambda: Cache(None))
    sleep: Callable[[float], None] = time.sleep
    #: Whether a host that could not be reached a moment ago, by an earlier run, is left in peace.
    remember_down: bool = False
    #: How many requests were made, and how many of them were answered.
    requests: int = 0
    answers: int = 0
    _hosts: dict[str, _Host] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    #: By method and URL: what is asked, and what was answered in this run.
    _asking: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _answered: dict[str, Entry] = field(default_factory=dict, repr=False)

    def digest(self, reference: Reference) -> str:
        """The digest that a tag has now, as the registry says it. Raises RegistryError."""
        entry = self._ask("HEAD", reference, f"manifests/{reference.tag}", read_head)
        return entry.digest or self.manifest(reference).digest

    def manifest(self, reference: Reference) -> Manifest:
        """What a tag stands for; the digest is that of what was received. Raises RegistryError."""
        name = reference.tag or reference.digest
        entry = self._ask("GET", reference, f"manifests/{name}", read_manifest)
        if not reference.tag and entry.digest != reference.digest:
            raise RegistryError(f"{reference.domain}: the answer is not what the digest says")
        return Manifest(entry.digest, read_platforms(json.loads(entry.body)))

    def tags(self, reference: Reference) -> list[str]:
        """All tags of a repository. Raises RegistryError."""
        found: list[str] = []
        path = "tags/list?n=1000"
        for _ in range(_MAX_PAGES):
            entry = self._ask("GET", reference, path, read_tags)
            found += json.loads(entry.body)
            if not entry.link:
                return found
            path = entry.link
        raise RegistryError(f"{reference.domain}: more than {_MAX_PAGES} pages of tags")

    def give_up(self, reason: str) -> None:
        """Ask no host any more that never answered."""
        for base, host in list(self._hosts.items()):
            if not host.answered:
                host.pace.stop(reason)
                self.cache.put(Entry(f"down {base}", f"{host.name}: {reason}"))

    @property
    def transport(self) -> Transport:
        """The connections, made when they are first needed."""
        with self._lock:
            if self._transport is None:
                self._transport = Transport(self.network)
            return self._transport

    _transport: Transport | None = field(default=None, repr=False)

    # Who is asked

    def _ask(
        self, method: str, reference: Reference, path: str, read: Callable[[Answer, str], Entry]
    ) -> Entry:
        failed: RegistryError | None = None
        *mirrors, origin = self.network.bases(reference.domain)
        places = [*((base, host_of(base)) for base in mirrors), (origin, reference.domain)]
        for base, domain in places:
            try:
                return self._ask_base(self._host(base, domain), method, reference, path, read)
            except RegistryError as error:
                # What a mirror lacks or cannot do, the registry itself may.
                failed = error
        raise failed or RegistryError(f"{reference.domain}: nobody to ask")

    def _ask_base(
        self,
        host: _Host,
        method: str,
        reference: Reference,
        path: str,
        read: Callable[[Answer, str], Entry],
    ) -> Entry:
        key = f"{method} {host.base}/v2/{reference.path}/{path}"
        with self._lock:
            lock = self._asking.setdefault(key, threading.Lock())
        # Who asks the same meanwhile waits for the answer.
        with lock:
            if key not in self._answered:
                self._answered[key] = self._ask_once(key, host, method, reference, path, read)
            return self._answered[key]

    def _ask_once(
        self,
        key: str,
        host: _Host,
        method: str,
        reference: Reference,
        path: str,
        read: Callable[[Answer, str], Entry],
    ) -> Entry:
        known = self.cache.get(key)
        if known is not None and (self.cache.is_fresh(known) or _stands(path, known)):
            return known
        answer = self._request(host, method, reference, path, known.etag if known else "")
        if answer.status == 304 and known is not None:
            self.cache.put(known)
            return known
        entry = read(answer, key)
        self.cache.put(entry)
        return entry

    def _host(self, base: str, domain: str) -> _Host:
        with self._lock:
            if base not in self._hosts:
                pace = Pace(host_of(base), self.network.longest_wait, self.sleep)
                known = self.cache.get(f"down {base}") if self.remember_down else None
                if known is not None and self.cache.age(known) < _DOWN_FOR:
                    pace.stop(known.body)
                self._hosts[base] = _Host(base, domain, pace)
            return self._hosts[base]

    # The wire

    def _request(
        self, host: _Host, method: str, reference: Reference, path: str, etag: str
    ) -> Answer:
        faults, waited, logged_in = 0, 0.0, False
        counts = method == "GET" and path.startswith("manifests/")
        while True:
            try:
                host.pace.enter(counts=counts)
                answer = self._send(host, method, reference, path, etag)
            except PausedError as error:
                raise RegistryError(str(error)) from error
            except TransportError as error:
                faults += 1
                self._after_fault(error, faults, host)
                continue
            with self._lock:
                self.answers += 1
            host.answered = True
            host.pace.note(answer.headers)
            # Who knows no HEAD is asked by GET.
            if answer.status in (200, 304) or (method, answer.status) == ("HEAD", 405):
                return answer
            wait = host.pace.limit(answer.headers) if answer.status in (429, 503) else None
            if _wants_tls(answer, host.base):
                host.base = host.base.replace("http://", "https://", 1)
            elif answer.status == 401 and not logged_in:
                logged_in = True
                self._log_in(host, reference, answer.headers.get("WWW-Authenticate", ""))
            elif wait is not None and waited < _MOST_WAITING:
                waited += wait
            elif (answer.status == 429 or answer.status >= 500) and faults < self.network.retries:
                faults += 1
                self._back_off(faults)
            else:
                raise failure(answer.status, reference, path)

    def _send(self, host: _Host, method: str, reference: Reference, path: str, etag: str) -> Answer:
        headers = {"Accept": ", ".join(MEDIA_TYPES if "manifests/" in path else _JSON)}
        authorization = self._authorize(host, reference)
        if authorization:
            headers["Authorization"] = authorization
        if etag:
            headers["If-None-Match"] = etag
        self._count()
        url = f"{host.base}/v2/{reference.path}/{path}"
        limit = _MAX_MANIFEST if path.startswith("manifests/") else _MAX_TAGS
        return self.transport.send(method, url, headers, limit)

    def _after_fault(self, error: TransportError, faults: int, host: _Host) -> None:
        """Wait for the next try; or give up, for all that ask this host."""
        if error.unreachable or (error.passing and faults > self.network.retries):
            host.pace.stop(str(error))
            self.cache.put(Entry(f"down {host.base}", str(error)))
        if not error.passing or faults > self.network.retries:
            raise RegistryError(str(error)) from error
        self._back_off(faults)

    def _back_off(self, times: int) -> None:
        self.sleep(0.2 * 2**times * random.uniform(0.5, 1.0))

    # Logging in

    def _authorize(self, host: _Host, reference: Reference) -> str:
        """What is known already; a host that asked once is not made to ask for each repository."""
        with host.lock:
            known = host.authorizations.get(reference.path)
            challenge = host.challenge
        if known is not None or challenge is None:
            return known or ""
        return self._authorization(host, challenge, reference)

    def _log_in(self, host: _Host, reference: Reference, header: str) -> None:
        try:
            challenge = read_challenge(header, host.name)
        except LoginError as error:
            raise RegistryError(str(error)) from error
        with host.lock:
            host.challenge = challenge
            host.authorizations.pop(reference.path, None)
        self._authorization(host, challenge, reference)

    def _authorization(self, host: _Host, challenge: Challenge, reference: Reference) -> str:
        login = self.credentials.of(host.domain, reference.path)
        try:
            found = log_in(challenge, login, reference.path, self.transport, self._count)
        except (LoginError, TransportError) as error:
            raise RegistryError(f"{reference.domain}/{reference.path}: {error}") from error
        with host.lock:
            host.authorizations[reference.path] = found
        return found

    def _count(self) -> None:
        with self._lock:
            self.requests += 1


_JSON = ("application/json",)


def _stands(path: str, known: Entry) -> bool:
    """Whether what was kept cannot change: what a digest names, found to be that."""
    wanted = path.removeprefix("manifests/")
    if not is_digest(wanted):
        return False
    return f"sha256:{hashlib.sha256(known.body.encode()).hexdigest()}" == wanted


def _wants_tls(answer: Answer, base: str) -> bool:
    """Whether a server that speaks TLS was asked in plain: it refuses without a single header."""
    return base.startswith("http://") and answer.status == 400 and not answer.headers
