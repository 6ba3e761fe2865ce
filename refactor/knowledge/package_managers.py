"""What the package managers' commands, options and caches are called.

Sources: apt-get(8), apt(8), apk(8), dnf(8), yum(8), zypper(8), the manuals of pip, npm, yarn, gem
and conda. A fact that holds from some version on says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Action: TypeAlias = Literal["install", "update", "upgrade", "remove", "clean", "query"]


@dataclass(frozen=True, slots=True)
class Manager:
    """One package manager."""

    name: str
    #: What the command may be called.
    programs: frozenset[str]
    actions: Mapping[str, Action]
    #: Options whose value is a word of its own.
    valued: frozenset[str] = frozenset()
    #: Options by which it does not ask; the first is the one to write.
    yes: tuple[str, ...] = ()
    #: The same as a letter among other short options (`-qy`).
    yes_letter: str = ""
    #: Whether the option has to stand in front of the action (zypper).
    yes_first: bool = False
    #: Options by which it keeps no cache; the first is the one to write.
    no_cache: tuple[str, ...] = ()
    #: Environment variables that say the same.
    no_cache_variables: frozenset[str] = frozenset()
    #: The command that removes what it leaves behind.
    clean_up: str = ""
    #: Folders that hold what it leaves behind; a cache mount there wants to be filled.
    caches: tuple[str, ...] = ()
    #: Its installs do not work without an update before, once the index is gone.
    needs_index: bool = False
    #: Other programs that read the index, or install by it.
    index_readers: frozenset[str] = frozenset()
    #: Packages of the operating system, not of a program.
    system: bool = True
    #: Base images (repository, tag prefix) whose version is too old for the options above.
    too_old: tuple[tuple[str, str], ...] = field(default=())


def _actions(**names: str) -> dict[str, Action]:
    return {word: action for action, words in names.items() for word in words.split()}  # type: ignore[misc]


def _options(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DNF_ACTIONS = _actions(
    install="install reinstall localinstall groupinstall group-install builddep",
    update="makecache check-update",
    upgrade="update upgrade distro-sync update-minimal upgrade-minimal",
    remove="remove erase autoremove",
    clean="clean",
    query="list info search provides repolist repoquery",
)
_DNF_VALUED = _options(
    "-c -d -e -x --enablerepo --disablerepo --releasever --installroot --setopt --exclude"
    " --repo --repoid --config"
)

#: Ubuntu 12.04 and 14.04, Debian 7 and 8, CentOS 6: pip 1.5 and RubyGems 1.8 at best.
_FIRST_RELEASES = (
    *(("ubuntu", tag) for tag in ("10.", "12.", "14.", "precise", "trusty", "lucid")),
    *(("debian", tag) for tag in ("6", "7", "8", "squeeze", "wheezy", "jessie")),
    *(("centos", tag) for tag in ("5", "6", "centos5", "centos6")),
)

APT = Manager(
    "apt",
    frozenset(("apt-get", "apt", "aptitude")),
    _actions(
        install="install reinstall build-dep satisfy",
        update="update",
        upgrade="upgrade dist-upgrade full-upgrade",
        remove="remove purge autoremove autopurge",
        clean="clean autoclean",
        query="list search show policy changelog download source",
    ),
    valued=_options("-o -t -c -a --option --target-release --config-file"),
    # "-qq implies -y" (apt-get(8), --quiet).
    yes=("-y", "--yes", "--assume-yes", "-qq"),
    yes_letter="y",
    clean_up="rm -rf /var/lib/apt/lists/*",
    caches=("/var/lib/apt", "/var/lib/apt/lists", "/var/cache/apt"),
    needs_index=True,
    index_readers=_options(
        "apt-cache apt-file apt-src dselect gdebi mk-build-deps pbuilder rosdep tasksel wajig"
        " ubuntu-drivers unattended-upgrade"
    ),
)
APK = Manager(
    "apk",
    frozenset(("apk",)),
    _actions(
        install="add fix",
        update="update",
        upgrade="upgrade",
        remove="del",
        clean="cache",
        query="info list search policy version",
    ),
    valued=_options(
        "-t -X -p --virtual --repository --root --keys-dir --arch --cache-dir"
        " --repositories-file --wait --cache-max-age"
    ),
    no_cache=("--no-cache",),
    caches=("/var/cache/apk", "/etc/apk/cache"),
)
DNF = Manager(
    "dnf",
    frozenset(("dnf", "dnf5")),
    _DNF_ACTIONS,
    valued=_DNF_VALUED,
    yes=("-y", "--assumeyes", "--yes"),
    yes_letter="y",
    clean_up="dnf clean all",
    caches=("/var/cache/dnf", "/var/cache/libdnf5"),
)
MICRODNF = Manager(
    "microdnf",
    frozenset(("microdnf",)),
    _DNF_ACTIONS,
    valued=_DNF_VALUED,
    yes=("-y", "--assumeyes"),
    yes_letter="y",
    clean_up="microdnf clean all",
    caches=("/var/cache/yum", "/var/cache/dnf"),
)
YUM = Manager(
    "yum",
    frozenset(("yum",)),
    _DNF_ACTIONS,
    valued=_DNF_VALUED,
    yes=("-y", "--assumeyes"),
    yes_letter="y",
    clean_up="yum clean all",
    caches=("/var/cache/yum", "/var/cache/dnf"),
)
ZYPPER = Manager(
    "zypper",
    frozenset(("zypper",)),
    _actions(
        install="install in source-install si",
        update="refresh ref",
        upgrade="update up dist-upgrade dup patch",
        remove="remove rm",
        clean="clean cc",
        query="search se info if",
    ),
    valued=_options("-R --root -t --type -r --repo"),
    yes=("--non-interactive", "-n", "-y", "--no-confirm"),
    yes_letter="y",
    yes_first=True,
    clean_up="zypper clean --all",
    caches=("/var/cache/zypp",),
)
PIP = Manager(
    "pip",
    frozenset(("pip", "pip2", "pip3")),
    _actions(
        install="install",
        remove="uninstall",
        clean="cache",
        query="list show freeze download wheel check config debug",
    ),
    valued=_options(
        "-r -c -e -i -f -t --requirement --constraint --editable --index-url --extra-index-url"
        " --find-links --target --prefix --trusted-host --timeout --retries --root --src --proxy"
        " --cert --platform --python-version --implementation --abi --no-binary --only-binary"
        " --cache-dir --progress-bar --config-settings --log --upgrade-strategy --global-option"
        " --install-option --default-timeout"
    ),
    no_cache=("--no-cache-dir",),
    no_cache_variables=frozenset(("PIP_NO_CACHE_DIR",)),
    caches=("/root/.cache", "/root/.cache/pip"),
    system=False,
    too_old=_FIRST_RELEASES,
)
GEM = Manager(
    "gem",
    frozenset(("gem",)),
    _actions(
        install="install", upgrade="update", remove="uninstall", clean="cleanup", query="list"
    ),
    valued=_options(
        "-v -i -n -P -s -p --version --install-dir --bindir --source --http-proxy --platform"
        " --trust-policy"
    ),
    # From RubyGems 2.0 on, which came with Ruby 2.0.
    no_cache=("--no-document", "--no-doc", "-N", "--no-rdoc", "--no-ri"),
    system=False,
    too_old=(*_FIRST_RELEASES, ("ruby", "1.")),
)
CONDA = Manager(
    "conda",
    frozenset(("conda", "mamba", "micromamba")),
    _actions(
        install="install create",
        upgrade="update upgrade",
        remove="remove uninstall",
        clean="clean",
        query="list info search",
    ),
    valued=_options("-c -n -p -f --channel --name --prefix --file --solver"),
    yes=("-y", "--yes"),
    yes_letter="y",
    clean_up="{program} clean --all --yes",
    caches=("/opt/conda/pkgs",),
    system=False,
)
NPM = Manager(
    "npm",
    frozenset(("npm",)),
    _actions(
        install="install i add ci clean-install install-clean",
        upgrade="update up upgrade",
        remove="uninstall remove rm prune",
        clean="cache",
        query="ls list view config run run-script start test exec version audit pack set",
    ),
    valued=_options("--prefix --registry --loglevel --cache --userconfig -C"),
    caches=("/root/.npm",),
    system=False,
)
YARN = Manager(
    "yarn",
    frozenset(("yarn", "yarnpkg")),
    _actions(
        install="install add",
        upgrade="upgrade up",
        remove="remove",
        clean="cache",
        query="run build start test config set workspaces workspace global why list info",
    ),
    valued=_options("--cwd --registry --cache-folder --modules-folder --mutex"),
    caches=("/usr/local/share/.cache",),
    system=False,
)

MANAGERS = (APT, APK, DNF, MICRODNF, YUM, ZYPPER, PIP, GEM, CONDA, NPM, YARN)
#: Every manager by the names of its programs.
BY_PROGRAM = {program: manager for manager in MANAGERS for program in manager.programs}
