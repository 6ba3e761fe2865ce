"""Who may run what: users of images for a service, and programs that have to be root.

Sources: the Dockerfiles behind docker-library/official-images (node: uid 1000 `node`), Debian's
useradd(8) and busybox's adduser, GoogleContainerTools/distroless (`nonroot`, uid 65532),
dotnet/dotnet-docker (`$APP_UID`, from .NET 8 on).
"""

from __future__ import annotations

from dataclasses import dataclass

from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.data import names, table
from dockerfix.patterns import pattern
from dockerfix.syntax.values import read_image

#: Number of the user and group that a pass makes; above those that distributions give out.
NEW_ID = "10001"


@dataclass(frozen=True, slots=True)
class RunAs:
    """Who a service runs as on some base image."""

    #: As it stands in USER.
    user: str
    #: As it stands in --chown and chown.
    owner: str
    #: The command that makes user and group; empty where the image has them.
    create: str = ""
    source: str = ""
    #: Whether files can be given to it: not where the image lacks a shell, or sets the number.
    owns: bool = True


_DEBIAN = RunAs(
    f"{NEW_ID}:{NEW_ID}",
    f"{NEW_ID}:{NEW_ID}",
    f"groupadd --system --gid {NEW_ID} app"
    f" && useradd --system --uid {NEW_ID} --gid app --create-home --no-log-init app",
    "useradd(8)",
)
_ALPINE = RunAs(
    f"{NEW_ID}:{NEW_ID}",
    f"{NEW_ID}:{NEW_ID}",
    f"addgroup -S -g {NEW_ID} app && adduser -S -u {NEW_ID} -G app app",
    "busybox adduser",
)
_NODE = RunAs("node", "node:node", source="the image's own user")
_DISTROLESS = RunAs("65532:65532", "65532:65532", source="nonroot of distroless images", owns=False)
_SCRATCH = RunAs("65532:65532", "65532:65532", source="a number: scratch has no users", owns=False)
_DOTNET = RunAs("$APP_UID", "$APP_UID", source="the image's own user", owns=False)

_OTHER_SYSTEMS = pattern(r"windows|nano|oracle|ubi|al2|amazon|centos|fedora|alpinelinux|-ol\d")
#: openjdk's tags without a distribution are Oracle Linux from 12 on.
_OPENJDK_ON_DEBIAN = pattern(
    r"(?:7|8|11)(?:[.u-].*)?|.*(?:slim|buster|bullseye|stretch|bookworm).*"
)
#: The user came with Node.js 4 and 6, in 2016.
_BEFORE_USER_NODE = pattern(r"(?:0|[1-5])(?:\.|-|$)|argon|onbuild")
_DOTNET_RUNTIME = pattern(r"mcr\.microsoft\.com/dotnet/(?:aspnet|runtime|runtime-deps)")
_NEW_DOTNET = pattern(r"(?:8|9|10)\.0(?:[.-].*)?")

#: Programs that start as root by design, change users themselves, or manage the system.
NEEDS_ROOT = names("services", "needs_root")
#: Programs of which it is known that any user may run them.
RUNS_AS_ANYBODY = names("services", "runs_as_anybody")
#: They write into the folder of the program's own dependencies or build output.
WRITES_TO_SOURCES = names("services", "writes_to_sources")


def run_as(image: str) -> RunAs | None:
    """Who a service should run as on an image that runs as root; None when not known."""
    if image.lower() == "scratch":
        return _SCRATCH
    found = read_image(image)
    if found.repository.startswith("gcr.io/distroless/"):
        return None if found.tag.endswith("nonroot") else _DISTROLESS
    if _DOTNET_RUNTIME.fullmatch(found.repository):
        return _DOTNET if _NEW_DOTNET.fullmatch(found.tag) else None
    name = official_name(found.repository)
    if name is None or _OTHER_SYSTEMS.search(found.tag):
        return None
    family = table("images/official", "families").get(name, {})
    if "own_user" in family:
        return None if _BEFORE_USER_NODE.match(found.tag) else _NODE
    system = family.get("new_user")
    if system == "alpine" or (system and "alpine" in found.tag):
        return _ALPINE
    if name == "openjdk" and not _OPENJDK_ON_DEBIAN.fullmatch(found.tag):
        return None
    return _DEBIAN if system == "debian" else None
