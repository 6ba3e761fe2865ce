"""A real registry on loopback (Debian's `docker-registry`), filled over its own API.

Several servers may stand on one storage: open, with basic authentication, with tokens, with TLS.
A program that is not installed is taken out of its Debian package; where that cannot be had, the
tests fail.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
MANIFESTS = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST)
PLATFORMS = ("linux/amd64", "linux/arm64/v8")
USER, PASSWORD = "robot", "s3cret-Pa55"
#: bcrypt of PASSWORD, at the least cost.
HTPASSWD = f"{USER}:$2b$04$DT2/U8h4FFl3HX9DHkHJHu.2p1iyqAU7JOUvOCAb4wEsl94DcLqUG\n"


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class Server:
    """A registry that runs; `address` is `127.0.0.1:PORT`."""

    address: str
    requests: http.client.HTTPConnection = field(repr=False)
    _blobs: set[tuple[str, str]] = field(default_factory=set)

    def call(
        self, method: str, path: str, body: bytes = b"", kind: str = "", expected: int = 0
    ) -> http.client.HTTPResponse:
        headers = {"Accept": ", ".join(MANIFESTS), **({"Content-Type": kind} if kind else {})}
        self.requests.request(method, path, body, headers)
        answer = self.requests.getresponse()
        text = answer.read()
        done = answer.status == expected if expected else answer.status < 300
        assert done, (method, path, answer.status, text)
        return answer

    def blob(self, repository: str, body: bytes) -> str:
        digest = digest_of(body)
        if (repository, digest) not in self._blobs:
            answer = self.call("POST", f"/v2/{repository}/blobs/uploads/")
            place = answer.headers["Location"].partition(self.address)[2]
            self.call("PUT", f"{place}&digest={digest}", body, "application/octet-stream")
            self._blobs.add((repository, digest))
        return digest

    def manifest(self, repository: str, tag: str, manifest: dict[str, Any]) -> str:
        body = json.dumps(manifest).encode()
        digest = digest_of(body)
        path = f"/v2/{repository}/manifests/{tag or digest}"
        self.call("PUT", path, body, manifest["mediaType"])
        return digest

    def image(self, repository: str, tag: str, seed: str, *, docker: bool = False) -> str:
        """One image for one platform."""
        config = json.dumps({"seed": seed, "os": "linux", "architecture": "amd64"}).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
            "config": {
                "mediaType": DOCKER_CONFIG if docker else OCI_CONFIG,
                "digest": self.blob(repository, config),
                "size": len(config),
            },
            "layers": [],
        }
        return self.manifest(repository, tag, manifest)

    def index(
        self,
        repository: str,
        tags: tuple[str, ...],
        seed: str,
        *,
        docker: bool = False,
        attested: bool = False,
    ) -> str:
        """A multi-platform image under several tags; gives its digest."""
        child = self.image(repository, "", "shared", docker=docker)
        kind = DOCKER_MANIFEST if docker else OCI_MANIFEST
        entries: list[dict[str, Any]] = []
        for text in PLATFORMS:
            names = ("os", "architecture", "variant")
            platform = dict(zip(names, text.split("/"), strict=False))
            entries.append({"mediaType": kind, "digest": child, "size": 1, "platform": platform})
        if attested:
            unknown = {"os": "unknown", "architecture": "unknown"}
            notes = {"vnd.docker.reference.type": "attestation-manifest"}
            entries.append({**entries[0], "platform": unknown, "annotations": notes})
        index = {
            "schemaVersion": 2,
            "mediaType": DOCKER_LIST if docker else OCI_INDEX,
            "manifests": entries,
            # Manifest lists have no annotations; the registry takes them all the same.
            "annotations": {"seed": seed},
        }
        digests = {self.manifest(repository, tag, index) for tag in tags}
        assert len(digests) == 1
        return digests.pop()


def need(program: str) -> str:
    found = shutil.which(program) or unpacked(program)
    assert found, f"{program} is not installed: apt-get install {program}"
    return found


@cache
def unpacked(program: str) -> str | None:
    """A program out of the Debian package of its name, which is not installed; needs no root."""
    folder = Path(tempfile.mkdtemp(prefix="dockerfix-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for command in (("apt-get", "update", "-qq"), ("apt-get", "download", "-qq", program)):
        with suppress(OSError):
            subprocess.run(command, cwd=folder, capture_output=True, check=False)
    for package in folder.glob("*.deb"):
        subprocess.run(("dpkg-deb", "-x", package.name, "."), cwd=folder, check=True)
    place = folder / "usr/bin" / program
    return str(place) if place.exists() else None


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@contextmanager
def serve(storage: Path, work: Path, extra: dict[str, Any] | None = None) -> Iterator[Server]:
    """Start `docker-registry` on a storage; `extra` is put into its configuration."""
    address = f"127.0.0.1:{free_port()}"
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        **(extra or {}),
    }
    config["http"] = {"addr": address, **config.get("http", {})}
    file = work / f"registry-{address.rpartition(':')[2]}.yml"
    # JSON is YAML.
    file.write_text(json.dumps(config))
    log = file.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [need("docker-registry"), "serve", str(file)], stdout=output, stderr=output
        )
    try:
        wait_for(address, process, log)
        yield Server(address, http.client.HTTPConnection(address, timeout=10))
    finally:
        process.terminate()
        process.wait(10)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection((host, int(port)), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"docker-registry does not start: {log.read_text()}")


# Keys, certificates, tokens


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(
        [need("openssl"), *arguments], input=data, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A key, and a certificate that it signs itself, for localhost."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,DNS:r.example"),
        *("-days", "2", "-keyout", str(key), "-out", str(certificate)),
    )
    return key, certificate


def make_token(key: Path, certificate: Path, repository: str) -> str:
    """A token as a registry takes it (distribution.github.io/distribution/spec/auth/jwt)."""
    der = openssl("x509", "-in", str(certificate), "-outform", "DER")
    now = int(time.time())
    header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    access = [{"type": "repository", "name": repository, "actions": ["pull"]}]
    times = {"iat": now - 10, "nbf": now - 10, "exp": now + 600}
    claims = {"iss": "tests", "aud": "registry", "sub": USER, "jti": "1", "access": access, **times}
    signed = b".".join(map(_pack, (json.dumps(header).encode(), json.dumps(claims).encode())))
    signature = openssl("dgst", "-sha256", "-sign", str(key), data=signed)
    return b".".join((signed, _pack(_raw_signature(signature)))).decode()


def _pack(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _raw_signature(der: bytes) -> bytes:
    """ASN.1 to the two numbers side by side (RFC 7518, section 3.4)."""
    parts: list[bytes] = []
    position = 2
    while position < len(der):
        length = der[position + 1]
        number = der[position + 2 : position + 2 + length].lstrip(b"\0")
        parts.append(number.rjust(32, b"\0"))
        position += 2 + length
    return b"".join(parts)


# Many tags at once


def fill(storage: Path, repository: str, tags: dict[str, str]) -> dict[str, str]:
    """Put images under many tags, given their seeds, where a registry keeps them; gives digests.

    Over the API one takes 15 ms. The layout: distribution's registry/storage/paths.go.
    """
    root = storage / "docker" / "registry" / "v2"
    place = root / "repositories" / repository
    digests: dict[str, str] = {}
    for tag, seed in tags.items():
        body = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": OCI_INDEX,
                "manifests": [
                    {
                        "mediaType": OCI_MANIFEST,
                        "digest": digest_of(b"child"),
                        "size": 5,
                        "platform": dict(
                            zip(("os", "architecture"), text.split("/"), strict=False)
                        ),
                    }
                    for text in PLATFORMS
                ],
                "annotations": {"seed": seed},
            }
        ).encode()
        digests[tag] = digest_of(body)
        hexadecimal = digests[tag].partition(":")[2]
        _put(root / "blobs" / "sha256" / hexadecimal[:2] / hexadecimal / "data", body)
        link = digests[tag].encode()
        _put(place / "_layers" / "sha256" / hexadecimal / "link", link)
        _put(place / "_manifests" / "revisions" / "sha256" / hexadecimal / "link", link)
        _put(place / "_manifests" / "tags" / tag / "current" / "link", link)
        _put(place / "_manifests" / "tags" / tag / "index" / "sha256" / hexadecimal / "link", link)
    return digests


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
