"""What the answers of a registry say, checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from dockerfix.patterns import pattern
from dockerfix.registry.cache import Entry
from dockerfix.registry.reference import Reference, is_digest, is_tag
from dockerfix.registry.transport import Answer, host_of

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_NEXT = pattern(r'<([^>]*)>\s*;\s*rel="?next"?')


class RegistryError(Exception):
    """A question that was not answered; the message names the registry, never a credential."""


class NotFoundError(RegistryError):
    """The registry says that there is no such thing."""


class Manifest(NamedTuple):
    """What a tag or digest stands for, checked against what was received."""

    digest: str
    #: `linux/amd64`, sorted; empty when the image does not say.
    platforms: tuple[str, ...]


def read_head(answer: Answer, key: str) -> Entry:
    """The digest that a HEAD names; "" when it names none."""
    digest = answer.headers.get("Docker-Content-Digest", "")
    return Entry(key, "", digest if is_digest(digest) else "", _content_type(answer))


def read_manifest(answer: Answer, key: str) -> Entry:
    """A manifest or index, with the digest of its bytes. Raises RegistryError."""
    host, kind = host_of(answer.url), _content_type(answer)
    if kind not in MEDIA_TYPES:
        raise RegistryError(f"{host}: the answer is {kind or 'of no type'}, not an image")
    digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    said = answer.headers.get("Docker-Content-Digest", digest)
    if said.startswith("sha256:") and said != digest:
        raise RegistryError(f"{host}: the answer has another digest than it says")
    data = _object(answer)
    if data.get("mediaType", kind) != kind:
        raise RegistryError(f"{host}: the answer is {kind} and says that it is another")
    return Entry(key, answer.body.decode(), digest, kind, answer.headers.get("ETag", ""))


def read_tags(answer: Answer, key: str) -> Entry:
    """A page of tags as a JSON list, and the way to the next. Raises RegistryError."""
    names = _object(answer).get("tags") or []
    match = _NEXT.search(answer.headers.get("Link", ""))
    link = urljoin(answer.url, match[1]) if match else ""
    if link and urlsplit(link)[:2] != urlsplit(answer.url)[:2]:
        raise RegistryError(f"{host_of(answer.url)}: the next page is on another host")
    parts = urlsplit(link)
    found = [name for name in names if isinstance(name, str) and is_tag(name)]
    # Relative to the repository: a mirror's next page may be asked of the registry itself.
    rest = f"tags/list?{parts.query}" if link else ""
    body = json.dumps(found)
    return Entry(key, body, etag=answer.headers.get("ETag", ""), link=rest)


def _content_type(answer: Answer) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        data = json.loads(answer.body)
    except ValueError as error:
        raise RegistryError(f"{host_of(answer.url)}: an answer that is no JSON") from error
    if not isinstance(data, dict):
        raise RegistryError(f"{host_of(answer.url)}: an answer that is no JSON object")
    return data


def read_platforms(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The platforms of an index; attestations among its entries have none."""
    found: set[str] = set()
    entries = manifest.get("manifests")
    for entry in entries if isinstance(entries, list) else ():
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if not isinstance(platform, dict) or platform.get("os") in (None, "unknown"):
            continue
        parts = (platform.get(key) for key in ("os", "architecture", "variant"))
        found.add("/".join(str(part) for part in parts if part))
    return tuple(sorted(found))


def failure(status: int, reference: Reference, path: str) -> RegistryError:
    """What a refusal means."""
    name = f"{reference.domain}/{reference.path}"
    match status:
        case 401 | 403:
            return RegistryError(f"{name}: no access; log in with `docker login`")
        case 404 if path.startswith("manifests/"):
            return NotFoundError(f"{name}: there is no {path.removeprefix('manifests/')}")
        case 404 | 405:
            return NotFoundError(f"{name}: the registry lists no tags")
        case 429:
            return RegistryError(
                f"{name}: the registry limits requests and does not say for how long"
            )
        case _:
            return RegistryError(f"{name}: the registry answers {status}")
