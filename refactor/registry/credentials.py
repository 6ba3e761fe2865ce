"""Credentials as `docker login` and `podman login` left them: files, environment, helpers.

Sources: docs.docker.com/reference/cli/docker/login ("Credential stores", "Credential helpers");
github.com/docker/docker-credential-helpers; containers-auth.json(5) for podman's files and for keys
with a path; docs.gitlab.com/ci/docker/using_docker_images for `DOCKER_AUTH_CONFIG`.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerfix.registry.reference import DEFAULT_DOMAIN

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io")
_HELPER_TIMEOUT = 20
#: The user name by which helpers give an identity token.
_TOKEN_USER = "<token>"


@dataclass(frozen=True, slots=True)
class Login:
    """Who one is at a registry; never printed."""

    user: str = ""
    password: str = field(default="", repr=False)
    #: In place of a password: exchanged for a token of the registry.
    identity_token: str = field(default="", repr=False)


@dataclass
class Credentials:
    """Logins by registry, from configurations; the first that knows a registry counts."""

    configs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    _known: dict[tuple[str, str], Login | None] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def of(self, domain: str, path: str = "") -> Login | None:
        """The login for a repository of a registry; None for nobody."""
        with self._lock:
            if (domain, path) not in self._known:
                self._known[(domain, path)] = self._find(domain, path)
            return self._known[(domain, path)]

    def _find(self, domain: str, path: str) -> Login | None:
        keys = tuple(_keys(domain, path))
        found = (_in_config(config, keys) for config in self.configs)
        return next((login for login in found if login is not None), None)


def read_credentials() -> Credentials:
    """From `DOCKER_AUTH_CONFIG`, `REGISTRY_AUTH_FILE`, and the files of docker and podman."""
    texts = [os.environ.get("DOCKER_AUTH_CONFIG", ""), *map(_read, _files())]
    return Credentials(tuple(table for text in texts if (table := _table(text))))


def _files() -> Iterator[Path]:
    if os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(os.environ["REGISTRY_AUTH_FILE"])
    home = os.environ.get("HOME") or "/nonexistent"
    yield Path(os.environ.get("DOCKER_CONFIG") or Path(home, ".docker")) / "config.json"
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(os.environ["XDG_RUNTIME_DIR"], "containers", "auth.json")
    yield Path(os.environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "containers/auth.json")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _table(text: str) -> dict[str, Any]:
    try:
        table = json.loads(text) if text else {}
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}


def _keys(domain: str, path: str) -> Iterator[str]:
    """What a registry may be called in a configuration, the narrowest first."""
    parts = path.split("/") if path else []
    for count in range(len(parts), 0, -1):
        yield "/".join((domain, *parts[:count]))
    yield from _HUB_KEYS if domain == DEFAULT_DOMAIN else ()
    yield from (domain, f"https://{domain}", f"http://{domain}", f"https://{domain}/v1/")


def _in_config(config: Mapping[str, Any], keys: tuple[str, ...]) -> Login | None:
    helpers, auths = _part(config, "credHelpers"), _part(config, "auths")
    for key in keys:
        helper, entry = helpers.get(key), auths.get(key)
        if helper:
            return _ask_helper(str(helper), key)
        found = _decode(entry) if isinstance(entry, dict) else None
        if found is not None:
            return found
    store = config.get("credsStore")
    if not store:
        return None
    # A store is asked about what was logged in to, or, where nothing is listed, about the registry.
    listed = [key for key in keys if key in auths]
    asked = listed or [key for key in keys if key in _HUB_KEYS[:1]] or [_registry_key(keys)]
    return next((login for key in asked if (login := _ask_helper(str(store), key))), None)


def _registry_key(keys: tuple[str, ...]) -> str:
    return next(key for key in keys if f"https://{key}" in keys)


def _part(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = config.get(name)
    return value if isinstance(value, dict) else {}


def _decode(entry: Mapping[str, Any]) -> Login | None:
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Login(identity_token=token)
    try:
        text = base64.b64decode(str(entry.get("auth") or "")).decode()
    except ValueError:
        return None
    user, colon, password = text.partition(":")
    if colon:
        # Docker fills the password up with NUL bytes.
        return Login(user, password.rstrip("\0"))
    if entry.get("username") and entry.get("password"):
        return Login(str(entry["username"]), str(entry["password"]))
    return None


def _ask_helper(name: str, key: str) -> Login | None:
    """The protocol of docker-credential-helpers: the registry goes in, JSON comes out."""
    if not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
        return None
    try:
        answer = subprocess.run(
            [f"docker-credential-{name}", "get"],
            input=key,
            capture_output=True,
            text=True,
            timeout=_HELPER_TIMEOUT,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    data = _table(answer.stdout)
    user, secret = data.get("Username"), data.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        return None
    return Login(identity_token=secret) if user == _TOKEN_USER else Login(user, secret)
