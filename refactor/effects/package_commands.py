"""What a call of a package manager touches."""

from __future__ import annotations

import posixpath

from dockerfix.effects.reach import Reach
from dockerfix.effects.touched import ALL, KEPT, Touched
from dockerfix.knowledge.command_effects import command_facts
from dockerfix.knowledge.package_managers import GEM, PIP
from dockerfix.packages import PackageCommand

#: Settings of the package managers of Node.js that an install by name reads, too.
_NODE_SETTINGS = (".npmrc", ".yarnrc", ".yarnrc.yml")
_PACKAGE_FILES = (".deb", ".rpm", ".apk", ".spec", ".dsc")
#: Endings of files, which are no names in a registry; `.txt` of lists whose option is not known.
_FILES = (".whl", ".gem", ".gz", ".zip", ".tgz", ".txt")


def touched_by_package(package: PackageCommand, directory: str | None) -> Touched:
    """Image paths that a package manager reads and writes when called in a directory."""
    facts = command_facts()
    if package.manager.system:
        if package.action is None or any(_may_be_file(w.value) for w in package.packages):
            return ALL
        return Touched(Reach(facts.package_settings), Reach(facts.system))
    if package.action == "clean":
        return Touched(writes=Reach((*KEPT, "/tmp", *package.manager.caches)))
    if not _installs_apart(package):
        return ALL
    settings = [posixpath.join(directory, name) for name in _NODE_SETTINGS] if directory else []
    # What npm installs globally, it installs without the project's settings (tried: npm 6 to 11).
    reads = () if package.manager in (PIP, GEM) or _is_npm(package) else tuple(settings)
    return Touched(Reach(reads), Reach((*facts.system, *KEPT)))


def _is_npm(package: PackageCommand) -> bool:
    return package.command.literal_name == "npm"


def _may_be_file(name: str | None) -> bool:
    """Whether a package is named by a file: `./x.deb`, `x.spec` for builddep, `.`."""
    return not name or "/" in name or name == "." or name.endswith(_PACKAGE_FILES)


def _installs_apart(package: PackageCommand) -> bool:
    """Whether it installs named packages from a registry, and not into the project."""
    if package.action not in ("install", "upgrade"):
        return False
    if package.manager is GEM:
        return all(_is_registry_name(word.value) for word in package.packages)
    words = [word.value for word in package.command.words]
    apart = (
        package.manager is PIP or package.has_option("-g", "--global") or words[1:2] == ["global"]
    )
    reads = package.manager is PIP and package.has_option(
        "-c", "--constraint", "-f", "--find-links", "-t", "--target", "-e", "--editable"
    )
    names = [word for word in package.packages if word.value not in ("add", "install")]
    return (
        bool(names) and apart and not reads and all(_is_registry_name(word.value) for word in names)
    )


def _is_registry_name(text: str | None) -> bool:
    if not text:
        return False
    scoped = text[1:].replace("/", "", 1) if text.startswith("@") else text
    return "/" not in scoped and not scoped.startswith((".", "~")) and not text.endswith(_FILES)
