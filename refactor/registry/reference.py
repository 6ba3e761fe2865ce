"""Image references, by the grammar of `distribution/reference`.

Short names mean Docker Hub: `node` is `docker.io/library/node`.
"""

from __future__ import annotations

from typing import NamedTuple

from dockerfix.patterns import pattern

DEFAULT_DOMAIN = "docker.io"
_LEGACY_DOMAIN = "index.docker.io"
_OFFICIAL = "library/"
#: `reference.RepositoryNameTotalLengthMax`, which since v0.6 counts without the host.
_MAX_PATH = 255

_TAG = pattern(r"[\w][\w.-]{0,127}", 256)
_DIGEST = pattern(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_PATH_PART = pattern(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = pattern(rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_IDENTIFIER = pattern(r"[a-f0-9]{64}")
#: Length of the hexadecimal part of the digests that the OCI specification registers.
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


class ReferenceError(ValueError):
    """A text that is no image reference; the message says why."""


class Reference(NamedTuple):
    """An image reference with nothing left out, save tag and digest."""

    #: `docker.io` for short names.
    domain: str
    #: `library/node` for short names.
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The name as people write it: `node`, `quay.io/team/tool`."""
        if self.domain != DEFAULT_DOMAIN:
            return f"{self.domain}/{self.path}"
        # `library/a/b` would be read as another image without its front.
        short = self.path.removeprefix(_OFFICIAL)
        return self.path if "/" in short or _is_domain(short) else short

    def with_tag(self, tag: str) -> Reference:
        """The same image under another tag, without digest."""
        return self._replace(tag=tag, digest="")

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return self.name + tag + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Read an image reference as `docker pull` does; raises ReferenceError."""
    name, tag, digest = split_reference(text)
    if _IDENTIFIER.fullmatch(text):
        raise ReferenceError("64 hexadecimal digits are an identifier, no name")
    domain, path = _split_domain(name)
    _check_name(domain, path)
    if len(path) > _MAX_PATH:
        raise ReferenceError(f"the name is longer than {_MAX_PATH} characters")
    return Reference(domain, path, tag, digest)


def split_reference(text: str) -> tuple[str, str, str]:
    """Name, tag and digest; the parts are checked save the name. Raises ReferenceError."""
    name, at, digest = text.partition("@")
    head, slash, tail = name.rpartition("/")
    last, colon, tag = tail.partition(":")
    if at:
        _check_digest(digest)
    if colon and not _TAG.fullmatch(tag):
        raise ReferenceError(f"{tag!r} is no tag")
    if not head + last:
        raise ReferenceError("there is no name")
    return head + slash + last, tag, digest


def is_digest(text: str) -> bool:
    """Whether a text is a digest of a registered algorithm."""
    try:
        _check_digest(text)
    except ReferenceError:
        return False
    return True


def is_tag(text: str) -> bool:
    """Whether a text may be a tag."""
    return _TAG.fullmatch(text) is not None


def _check_digest(digest: str) -> None:
    algorithm, _, value = digest.partition(":")
    if not _DIGEST.fullmatch(digest) or value != value.lower():
        raise ReferenceError(f"{digest!r} is no digest")
    if len(value) != _DIGEST_LENGTHS.get(algorithm, 0):
        raise ReferenceError(f"{digest!r} is no digest of a known length")


def _is_domain(first: str) -> bool:
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not _is_domain(first):
        domain, path = DEFAULT_DOMAIN, name
    else:
        domain, path = first, rest
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = _OFFICIAL + path
    return domain, path


def _check_name(domain: str, path: str) -> None:
    if path != path.lower():
        raise ReferenceError(f"the repository name {path} is not in lower case")
    if not _DOMAIN.fullmatch(domain):
        raise ReferenceError(f"{domain!r} is no host name")
    for part in path.split("/"):
        if not _PATH_PART.fullmatch(part):
            raise ReferenceError(f"{part!r} is no part of a repository name")
