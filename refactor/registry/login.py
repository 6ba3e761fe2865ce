"""Answering a registry's challenge: with the password itself, or with a token of its realm.

Sources: distribution.github.io/distribution/spec/auth/token, .../auth/oauth; RFC 7235 section 4.1.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from dockerfix.patterns import pattern
from dockerfix.registry.credentials import Login
from dockerfix.registry.transport import Answer, Transport, host_of

_TERM = pattern(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = pattern(r"(?:^|,)\s*(basic|bearer)\b", 2)
_MAX_TOKEN = 1024 * 1024
_CLIENT = "dockerfix"


class LoginError(Exception):
    """No way in; the message names no credential."""


class Challenge(NamedTuple):
    """What `WWW-Authenticate` asks for."""

    #: `basic` or `bearer`.
    scheme: str
    realm: str = ""
    service: str = ""


def read_challenge(header: str, host: str) -> Challenge:
    """Read `WWW-Authenticate`; of several schemes a token is preferred. Raises LoginError."""
    schemes = {match[1].lower(): match.end() for match in _SCHEME.finditer(header)}
    if "bearer" in schemes:
        terms = {key: quoted or plain for key, quoted, plain in _TERM.findall(header)}
        return Challenge("bearer", terms.get("realm", ""), terms.get("service", ""))
    if "basic" in schemes:
        return Challenge("basic")
    raise LoginError(f"{host} asks to log in in a way that dockerfix does not know")


def log_in(
    challenge: Challenge,
    login: Login | None,
    path: str,
    transport: Transport,
    count: Callable[[], None],
) -> str:
    """The `Authorization` header for pulling a repository. Raises LoginError, TransportError.

    `count` is called for each request that is made.
    """
    if challenge.scheme == "basic":
        if login is None or not login.user:
            raise LoginError("no access; log in with `docker login`")
        return _basic(login)
    _check_realm(challenge.realm, transport)
    count()
    answer = _ask_realm(challenge, login, f"repository:{path}:pull", transport)
    if answer.status in (400, 401, 403):
        raise LoginError("no access; log in with `docker login`")
    if answer.status != 200:
        raise LoginError(f"logging in failed: {host_of(challenge.realm)} answers {answer.status}")
    data = _object(answer.body)
    token = data.get("token") or data.get("access_token")
    if not isinstance(token, str) or not token.isprintable():
        raise LoginError("logging in gave no token")
    return f"Bearer {token}"


def _check_realm(realm: str, transport: Transport) -> None:
    """A password goes over https, or to this machine."""
    parts = urlsplit(realm)
    plain = parts.scheme == "http" and transport.network.is_plain(host_of(realm))
    if parts.scheme != "https" and not plain:
        raise LoginError("asks to log in over a plain connection")


def _ask_realm(
    challenge: Challenge, login: Login | None, scope: str, transport: Transport
) -> Answer:
    terms = {"service": challenge.service} if challenge.service else {}
    if login is not None and login.identity_token:
        form = {"grant_type": "refresh_token", "refresh_token": login.identity_token}
        named = {**terms, "scope": scope, "client_id": _CLIENT}
        return transport.post(challenge.realm, {**form, **named}, _MAX_TOKEN)
    realm = urlsplit(challenge.realm)
    query = urlencode([*parse_qsl(realm.query), *terms.items(), ("scope", scope)])
    headers = {"Authorization": _basic(login)} if login is not None else {}
    return transport.send("GET", realm._replace(query=query).geturl(), headers, _MAX_TOKEN)


def _basic(login: Login) -> str:
    text = f"{login.user}:{login.password}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
