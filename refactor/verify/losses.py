"""What the new image lacks that the entry of the old one had: one function for each check."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.verify.compare import TreeDifference
from dockerfix.verify.findings import Finding
from dockerfix.verify.image import READ, WRITE, Image
from dockerfix.verify.jars import unpacked
from dockerfix.verify.node_modules import NodeModules
from dockerfix.verify.packages import PackageChange
from dockerfix.verify.trace import Need, Trace

_CHECKS = {
    "program": "entry",
    "file": "entry",
    "right": "rights",
    "library": "libraries",
    "Python module": "modules",
    "Node module": "modules",
}
_LIMIT = 10
#: Where programs for the machine lie that a language loads.
_MODULES = ("node_modules/", "site-packages/", "dist-packages/")
_EXTENSIONS_OF_PYTHON = "lib-dynload/"


def entry_losses(before: Trace, after: Trace) -> Iterator[Finding]:
    """What the entry needs and had, and has no more."""
    for key, need in after.needs.items():
        old = before.needs.get(key)
        if need.found or (old is not None and not old.found):
            continue
        if old is None and need.kind not in ("library", "right"):
            continue
        yield Finding(_CHECKS[need.kind], _sentence(need))


def _sentence(need: Need) -> str:
    if need.kind == "right":
        return f"{need.by} may not {need.name}"
    return f"{need.by} needs the {need.kind} {need.name}, which is not there"


def library_losses(before: Image, after: Image) -> Iterator[Finding]:
    """Programs and modules of machine code that do not find a library that they found before."""
    known = {
        (path.rpartition("/")[2], missing.name)
        for path in before.tree.elves
        for missing in before.loader.missing(path)
    }
    told: set[str] = set()
    for path in sorted(after.tree.elves):
        module = any(part in path for part in _MODULES)
        if (path not in before.tree.elves and not module) or _EXTENSIONS_OF_PYTHON in path:
            continue
        for missing in after.loader.missing(path):
            if (path.rpartition("/")[2], missing.name) not in known and missing.name not in told:
                told.add(missing.name)
                yield Finding("libraries", f"/{path} needs {missing.name}, which is not there")


def package_losses(before: Image, after: Image) -> Iterator[Finding]:
    """Installed packages of npm that do not find what they depend on, and found it before."""
    had = {(module.by, module.name) for module in NodeModules(before).lacking() if module.found}
    for module in NodeModules(after).lacking():
        if not module.found and (module.by, module.name) in had:
            yield Finding("modules", f"{module.by} depends on {module.name}, which is not there")


def version_changes(changes: list[PackageChange]) -> Iterator[Finding]:
    """Dependencies of the program that are there in another version."""
    for change in changes:
        came = set(change.after.split(", ")) - set(change.before.split(", "))
        known = change.before and change.after and change.name not in _OF_BASE
        if change.manager in ("pip", "npm") and known and came:
            text = f"{change.name} {change.before} -> {change.after}"
            yield Finding("packages", f"{change.manager}: {text}")


#: They come with the base image, in the version of that image.
_OF_BASE = frozenset(("pip", "setuptools", "wheel", "npm", "corepack", "yarn", "pnpm"))


def archive_losses(before: Image, after: Image, old: Trace, new: Trace) -> Iterator[Finding]:
    """A Java archive that is not the one that ran before."""
    one, two = before.tree.jars.get(old.jar), after.tree.jars.get(new.jar)
    if one is None or two is None:
        return
    if one.main_class != two.main_class:
        yield Finding(
            "archive", f"/{new.jar} starts {two.main_class or 'nothing'}, before {one.main_class}"
        )
    lost = sorted(one.names - two.names)
    if lost and not any(name.startswith("BOOT-INF/") for name in two.names):
        folder = posixpath.dirname(new.jar)
        beside = {name for name in after.tree.nodes if name.startswith(f"{folder}/lib/")}
        there = two.names | {posixpath.relpath(name, folder) for name in beside}
        lost = sorted(unpacked(one.names) - there)
    if lost:
        count = f"{len(lost)} of {len(one.names)} classes and archives"
        yield Finding("archive", f"/{new.jar} lacks {count}, among them {lost[0]}")


def right_losses(before: Image, after: Image) -> Iterator[Finding]:
    """Files of the program that its user could read before, and volumes that he could write."""
    unreadable = [
        path
        for path, node in after.tree.nodes.items()
        if node.kind == "file"
        and _is_in(path, after.folder)
        and not after.may(path, READ)
        and path in before.tree.nodes
        and before.may(path, READ)
    ]
    user = after.account().name
    for path in unreadable[:_LIMIT]:
        yield Finding("rights", f"user {user} may not read /{path}")
    for volume in sorted(after.config.get("Volumes") or ()):
        place = after.tree.resolve(volume.lstrip("/"))
        if place is not None and not after.may(place, WRITE) and before.may(place, WRITE):
            yield Finding("rights", f"user {user} may not write to the volume {volume}")


def file_changes(files: TreeDifference) -> Iterator[Finding]:
    """Files of the program that are lost or changed without a reason."""
    wrong = files.unexplained
    for change in wrong[:_LIMIT]:
        detail = f" {change.detail}" if change.detail else ""
        yield Finding("files", f"/{change.path}: {change.what}{detail}")
    if len(wrong) > _LIMIT:
        yield Finding("files", f"and {len(wrong) - _LIMIT} more files")


def _is_in(path: str, folder: str) -> bool:
    root = folder.strip("/")
    return bool(root) and path.startswith(f"{root}/")
