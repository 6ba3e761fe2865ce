"""What programs expect of the system without naming it: certificates, time zones, a locale."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockerfix.verify.findings import Finding
from dockerfix.verify.image import Image
from dockerfix.verify.interests import ANY_ZONE, CERTIFICATES
from dockerfix.verify.trace import Trace

#: Where OpenSSL, GnuTLS and crypto/x509 of Go look for the authorities they trust.
_AUTHORITIES = (
    *("etc/ssl/certs/ca-certificates.crt", "etc/ssl/cert.pem", "etc/ssl/certs/ca-bundle.crt"),
    *("etc/pki/tls/certs/ca-bundle.crt", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
    *("etc/ssl/ca-bundle.pem", "usr/share/ca-certificates/mozilla"),
)
#: They bring authorities and time zones of their own: Node.js documentation,
#: `tls.rootCertificates` and "Internationalization support"; keytool(1) and `java.time`.
_SELF_CONTAINED = frozenset(("node", "java"))
#: Libraries and modules that open connections, and read that list.
_TLS = re.compile(r"^(?:libssl|libgnutls|libcurl|libnss3)\b")
_TLS_MODULES = frozenset(
    ("ssl", "requests", "urllib3", "urllib.request", "httpx", "aiohttp", "botocore", "smtplib")
)
_ZONES = "usr/share/zoneinfo"
#: `runtime.GOROOT()`, where time of Go looks last.
_ZONES_OF_GO = "usr/local/go/lib/time/zoneinfo.zip"
_ZONE_MODULES = frozenset(("zoneinfo", "tzlocal"))
#: Always there: built into glibc, or the only one that musl knows.
_PLAIN = re.compile(r"^(?:C|POSIX)(?:\..*)?$")


def lost_surroundings(before: Image, after: Image, old: Trace, new: Trace) -> Iterator[Finding]:
    """What the old image had around the program, and the new one has not."""
    yield from _certificates(before, after, old, new)
    yield from _zones(before, after, old, new)
    yield from _locale(before, after)


def has_certificates(image: Image) -> bool:
    """Whether there is a list of authorities."""
    return any(image.tree.resolve(path) for path in _AUTHORITIES)


def has_zones(image: Image) -> bool:
    """Whether there is a database of time zones."""
    return image.tree.is_folder(_ZONES) or image.tree.is_file(_ZONES_OF_GO)


def has_locale(image: Image, name: str) -> bool:
    """Whether a locale is installed; names are compared as locale(1) writes them."""
    wanted = _plain(name)
    folders = {
        posixpath.basename(folder)
        for folder in image.tree.folders
        if posixpath.dirname(folder) == "usr/lib/locale"
    }
    return any(_plain(entry) == wanted for entry in (*image.tree.locales, *folders))


def _plain(name: str) -> str:
    language, _, encoding = name.partition(".")
    return f"{language}.{re.sub(r'[^a-z0-9]', '', encoding.lower())}"


def _certificates(before: Image, after: Image, old: Trace, new: Trace) -> Iterator[Finding]:
    if not has_certificates(before) or has_certificates(after):
        return
    why = _why_tls(after, new)
    if why:
        yield Finding("certificates", f"no list of authorities any more, and {why}")


def _why_tls(image: Image, trace: Trace) -> str:
    for path in trace.programs:
        if _named(image, path, CERTIFICATES):
            return f"/{path} reads {CERTIFICATES}"
    if not trace.names().isdisjoint(_SELF_CONTAINED):
        return ""
    for path in trace.programs:
        program = image.tree.elves.get(path)
        for name in program.needed if program else ():
            if _TLS.match(name):
                return f"/{path} uses {name}"
    for kind, name in trace.needs:
        if kind == "Python module" and (name in _TLS_MODULES or name.split(".")[0] in _TLS_MODULES):
            return f"the program imports {name}"
    return ""


def _zones(before: Image, after: Image, old: Trace, new: Trace) -> Iterator[Finding]:
    if not has_zones(before) or has_zones(after) or not new.names().isdisjoint(_SELF_CONTAINED):
        return
    zone = after.environment.get("TZ", "")
    if any(_named(after, path, ANY_ZONE) for path in new.programs):
        return
    if zone and zone not in ("UTC", "Etc/UTC"):
        yield Finding("time zones", f"TZ={zone}, and there are no time zones any more")
        return
    for kind, name in new.needs:
        if kind == "Python module" and name in _ZONE_MODULES and "tzdata" not in _modules(after):
            yield Finding("time zones", f"no time zones any more, and the program imports {name}")


def _modules(image: Image) -> set[str]:
    return {path.rpartition("/")[2] for path in image.tree.folders if "-packages/tzdata" in path}


def _locale(before: Image, after: Image) -> Iterator[Finding]:
    for variable in ("LC_ALL", "LANG", "LC_CTYPE"):
        name = before.environment.get(variable, "")
        if not name or _PLAIN.match(name) or not has_locale(before, name):
            continue
        if after.environment.get(variable) == name and not has_locale(after, name):
            yield Finding("locale", f"{variable}={name}, which is not installed any more")


def _named(image: Image, path: str, name: str) -> bool:
    return name in image.tree.names.get(path, ())
