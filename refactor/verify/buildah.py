"""What buildah does in another way than docker and podman: inspect and export."""

from __future__ import annotations

import json
import os
from typing import Any

from dockerfix.verify.process import call

_EXPORT = 'set -e; buildah from --pull-never --name "$2" "$1" >/dev/null; m=$(buildah mount "$2"); '
_EXPORT += 'tar --numeric-owner -C "$m" -cf - .'


def inspect(image: str) -> dict[str, Any]:
    """An image as docker prints it; its size is not known. Raises EngineError."""
    found = json.loads(call(["buildah", "inspect", "--type", "image", image]))
    docker = found.get("Docker") or {}
    return {
        "Config": docker.get("config") or {},
        "Architecture": docker.get("architecture"),
        "Os": docker.get("os"),
        "Author": docker.get("author"),
        "RootFS": {"Layers": (docker.get("rootfs") or {}).get("diff_ids") or []},
    }


def exporting(image: str, name: str) -> list[str]:
    """The command that writes the files of an image as a tar stream; it makes a container."""
    words = ["sh", "-c", _EXPORT, "sh", image, name]
    return words if os.geteuid() == 0 else ["buildah", "unshare", *words]
