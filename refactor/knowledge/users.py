"""Users and groups that base images bring along."""

from __future__ import annotations

from dockerfix.knowledge.data import names, table

_OFFICIAL = "images/official"
_EVERYWHERE = names(_OFFICIAL, "everywhere_users")
_EVERY_GROUP = names(_OFFICIAL, "everywhere_groups")


def has_user(image: str, tag: str, name: str) -> bool:
    """Whether an official image holds a user of that name."""
    if name.isdigit() or name in _EVERYWHERE:
        return True
    family = table(_OFFICIAL, "families").get(image, {})
    if "alpine" in tag and "users_only_on_debian" in family:
        return False
    return name in family.get("users", ())


def has_group(image: str, tag: str, name: str) -> bool:
    """Whether an official image holds a group of that name."""
    return name.isdigit() or name in _EVERY_GROUP or has_user(image, tag, name)
