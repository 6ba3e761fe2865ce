"""Users and groups that base images bring along.

Sources: the passwd and group files of Debian (base-passwd), Alpine (alpine-baselayout), and the
Dockerfiles of the official images that add a user of their own.
"""

from __future__ import annotations

#: In every image of Debian, Ubuntu and Alpine.
_EVERYWHERE = frozenset(("root", "daemon", "bin", "nobody", "mail"))
_EVERY_GROUP = frozenset(("root", "daemon", "bin", "mail", "www-data", "adm", "tty", "users"))
#: Official images on Debian (or with their own user) by the name that is there besides.
_OF_IMAGE = {
    "node": frozenset(("node",)),
    "nginx": frozenset(("nginx",)),
    "httpd": frozenset(("www-data",)),
    "php": frozenset(("www-data",)),
    "wordpress": frozenset(("www-data",)),
    "redis": frozenset(("redis",)),
    "postgres": frozenset(("postgres",)),
    "mysql": frozenset(("mysql",)),
    "gradle": frozenset(("gradle",)),
    "jetty": frozenset(("jetty",)),
    "debian": frozenset(("www-data",)),
    "ubuntu": frozenset(("www-data",)),
    "python": frozenset(("www-data",)),
    "ruby": frozenset(("www-data",)),
}
#: Those of them that lack `www-data` as a user in their Alpine variant.
_DEBIAN_ONLY = frozenset(("httpd", "python", "ruby"))


def has_user(image: str, tag: str, name: str) -> bool:
    """Whether an official image holds a user of that name."""
    if name.isdigit() or name in _EVERYWHERE:
        return True
    if "alpine" in tag and image in _DEBIAN_ONLY:
        return False
    return name in _OF_IMAGE.get(image, frozenset())


def has_group(image: str, tag: str, name: str) -> bool:
    """Whether an official image holds a group of that name."""
    return name.isdigit() or name in _EVERY_GROUP or has_user(image, tag, name)
