"""Credentials as `docker login` left them: config.json and credential helpers.

Source: docs.docker.com/reference/cli/docker/login ("Credential stores", "Credential helpers").
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerfix.registry.reference import DEFAULT_DOMAIN

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io")
_HELPER_TIMEOUT = 20


@dataclass
class Credentials:
    """User and password by registry."""

    config: dict[str, Any] = field(default_factory=dict, repr=False)
    _known: dict[str, tuple[str, str] | None] = field(default_factory=dict, repr=False)

    def of(self, domain: str) -> tuple[str, str] | None:
        """User name and password for a registry; None for nobody."""
        if domain not in self._known:
            self._known[domain] = self._find(domain)
        return self._known[domain]

    def _find(self, domain: str) -> tuple[str, str] | None:
        keys = _HUB_KEYS if domain == DEFAULT_DOMAIN else (domain, f"https://{domain}")
        helpers = self.config.get("credHelpers") or {}
        auths = self.config.get("auths") or {}
        store = self.config.get("credsStore")
        for key in keys:
            helper = helpers.get(key)
            entry = auths.get(key)
            found = _ask_helper(str(helper), key) if helper else None
            found = found or (_decode(entry) if isinstance(entry, dict) else None)
            found = found or (_ask_helper(str(store), key) if store else None)
            if found is not None:
                return found
        return None


def read_credentials() -> Credentials:
    """From `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`; empty without it."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return Credentials()
    return Credentials(config if isinstance(config, dict) else {})


def _decode(entry: dict[str, Any]) -> tuple[str, str] | None:
    try:
        text = base64.b64decode(str(entry.get("auth", ""))).decode()
    except ValueError:
        return None
    user, colon, password = text.partition(":")
    if colon:
        return user, password
    if entry.get("username") and entry.get("password"):
        return str(entry["username"]), str(entry["password"])
    return None


def _ask_helper(name: str, key: str) -> tuple[str, str] | None:
    """The protocol of docker-credential-helpers: the registry goes in, JSON comes out."""
    if not name.replace("-", "").replace(".", "").isalnum():
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
        data = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    user, password = data.get("Username"), data.get("Secret")
    return (user, password) if user and password else None
