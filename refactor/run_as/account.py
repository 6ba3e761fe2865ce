"""Who a service should run as on a base image.

One rule for all: USER holds numbers, so that an orchestrator that is told `runAsNonRoot` can see
that it is not root; the image's own user where it has one for services, else one that is made as
the distribution does, else a number alone. `--chown` holds the name of a user that the image has.

Sources: the Dockerfiles behind docker-library/official-images, Debian's useradd(8) and busybox's
adduser, GoogleContainerTools/distroless (`nonroot`, uid 65532), dotnet/dotnet-docker (`$APP_UID`,
from .NET 8 on), kubernetes.io (`runAsNonRoot`).
"""

from __future__ import annotations

from typing import NamedTuple

from dockerfix.knowledge.base_images import begins_with_any, is_workplace, official_name
from dockerfix.knowledge.data import names, table
from dockerfix.patterns import pattern
from dockerfix.reasons import ReasonError
from dockerfix.syntax.image_name import read_image

#: Number of the user and group that a pass makes; above those that distributions give out.
NEW_ID = "10001"
#: Number of the user `nobody` and of its group, on Debian and Alpine.
_NOBODY = "65534"


class StaysError(ReasonError):
    """Why root stays: fixed words, and what is special about this case."""


class DropsRootError(StaysError):
    """The image starts as root, and its own program gives that up."""


class OtherUserError(Exception):
    """The image runs as another user than root already."""


class Account(NamedTuple):
    """Who a service runs as on some base image."""

    #: As it stands in USER.
    user: str
    #: As it stands in --chown and chown.
    owner: str
    #: The commands that make user and group; none where the image has them.
    create: tuple[str, ...] = ()
    source: str = ""
    #: Whether files can be given to it: not where the image lacks a shell, or sets the number.
    owns: bool = True
    #: Whether a home and a name go with it; a program that asks for them fails without.
    has_home: bool = True

    @property
    def owners(self) -> tuple[str, ...]:
        """All the ways in which the file may name it as an owner."""
        name = self.owner.partition(":")[0]
        number = self.user.partition(":")[0]
        return (self.owner, self.user, name, number)


_DEBIAN = Account(
    f"{NEW_ID}:{NEW_ID}",
    f"{NEW_ID}:{NEW_ID}",
    (
        f"groupadd --system --gid {NEW_ID} app",
        f"useradd --system --uid {NEW_ID} --gid app --create-home --no-log-init app",
    ),
    "useradd(8)",
)
_ALPINE = Account(
    f"{NEW_ID}:{NEW_ID}",
    f"{NEW_ID}:{NEW_ID}",
    (f"addgroup -S -g {NEW_ID} app", f"adduser -S -u {NEW_ID} -G app app"),
    "busybox adduser",
)
_NUMBER = Account(
    f"{NEW_ID}:{NEW_ID}",
    f"{NEW_ID}:{NEW_ID}",
    source="a number: the image may have no tool that makes users",
    has_home=False,
)
_DISTROLESS = Account(
    "65532:65532", "65532:65532", source="nonroot of distroless images", owns=False
)
_SCRATCH = Account(
    "65532:65532", "65532:65532", source="a number: scratch has no users", owns=False
)
_DOTNET = Account("$APP_UID", "app:app", source="app, the image's own user")
_SYSTEMS = {"debian": _DEBIAN, "alpine": _ALPINE, "number": _NUMBER}

_OTHER_SYSTEMS = pattern(r"windows|nano|alpinelinux|distroless|chiseled|mariner|azurelinux")
_BY_NUMBER = pattern(r"oracle|ubi|al2|amazon|centos|fedora|-ol\d|rockylinux")
#: openjdk's tags without a distribution are Oracle Linux from 12 on.
_OPENJDK_ON_DEBIAN = pattern(
    r"(?:7|8|11)(?:[.u-].*)?|.*(?:slim|buster|bullseye|stretch|bookworm).*"
)
#: The user came with Node.js 4 and 6, in 2016.
_BEFORE_USER_NODE = pattern(r"(?:0|[1-5])(?:\.|-|$)|argon|onbuild")
_DOTNET_RUNTIME = pattern(r"mcr\.microsoft\.com/dotnet/(?:aspnet|runtime|runtime-deps)")
_NEW_DOTNET = pattern(r"(?:8|9|[1-9]\d)\.0(?:[.-].*)?")


def account_of(image: str) -> Account:
    """Who a service should run as on an image that runs as root.

    Raises StaysError when that is not known or makes no sense (DropsRootError where the image's
    own program needs root no longer), and OtherUserError for an image that runs as somebody else.
    """
    if image.lower() == "scratch":
        return _SCRATCH
    found = read_image(image)
    repository = found.repository.removeprefix("docker.io/")
    tag = found.tag.partition("@")[0]
    if found.repository.startswith("gcr.io/distroless/"):
        return _distroless(image)
    name = official_name(found.repository) or repository
    if is_workplace(image):
        raise StaysError("a development image", image)
    _check_other_user(name, image)
    program = table("images/accounts", "drops_root").get(name)
    if program is not None:
        raise DropsRootError("the image gives up root itself", program)
    if name == "php" and ("apache" in tag or "fpm" in tag):
        server = "apache2" if "apache" in tag else "php-fpm"
        raise DropsRootError("the image gives up root itself", server)
    account = _on(name, tag)
    if account is None:
        raise StaysError("it is not known which users the image has", image)
    return account


def account_beside_server(image: str) -> Account | None:
    """Who runs a program in PHP on an image that holds php-fpm or Apache, too."""
    found = read_image(image)
    return _on("php", found.tag) if official_name(found.repository) == "php" else None


def image_port(image: str) -> int | None:
    """The port on which the image makes programs listen; None when it names none."""
    found = read_image(image)
    port = table("images/accounts", "ports").get(found.repository)
    new = _DOTNET_RUNTIME.fullmatch(found.repository) and _NEW_DOTNET.fullmatch(found.tag)
    return int(port) if port is not None and not new else None


def named_account(name: str, group: str, image: str) -> Account | None:
    """The account for a user that the file itself gives its files to; None when not known."""
    if name == "nobody":
        owner = f"{name}:{group}" if group else name
        return Account(f"{_NOBODY}:{_NOBODY}", owner, source="the owner that the file names")
    own = table("images/accounts", "own").get(official_name(read_image(image).repository) or "")
    if own is not None and own["name"] == name:
        return _own(own)
    if name.isdigit() and name != "0":
        user = f"{name}:{group}" if group else name
        return Account(user, user, source="the owner that the file names", has_home=False)
    return None


def _distroless(image: str) -> Account:
    if "nonroot" in image.partition("@")[0]:
        raise OtherUserError
    return _DISTROLESS


def _check_other_user(name: str, image: str) -> None:
    # bitnami/minideb is what the images of that publisher are made of: it runs as root.
    makes_users = name in table("images/accounts", "new_user")
    if not makes_users and begins_with_any(name, names("images/accounts", "other_user")):
        raise OtherUserError
    if "nonroot" in image or "unprivileged" in image or "rootless" in image:
        raise OtherUserError


def _on(name: str, tag: str) -> Account | None:
    if _DOTNET_RUNTIME.fullmatch(name):
        if "chiseled" in tag or "distroless" in tag:
            raise OtherUserError
        if _NEW_DOTNET.fullmatch(tag):
            return _DOTNET
    if _OTHER_SYSTEMS.search(tag):
        return None
    own = table("images/accounts", "own").get(name)
    if own is not None:
        return None if name == "node" and _BEFORE_USER_NODE.match(tag) else _own(own)
    family = table("images/official", "families").get(name, {})
    system = family.get("new_user") or table("images/accounts", "new_user").get(name)
    if system is None:
        return None
    if "alpine" in tag:
        return _ALPINE
    openjdk = name == "openjdk" and not _OPENJDK_ON_DEBIAN.fullmatch(tag)
    return _NUMBER if openjdk or _BY_NUMBER.search(tag) else _SYSTEMS[system]


def _own(fact: dict[str, str]) -> Account:
    name, number = fact["name"], fact["id"]
    return Account(f"{number}:{number}", f"{name}:{name}", source=f"{name}, the image's own user")
