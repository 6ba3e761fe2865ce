"""Options that keep a cache from being written."""

from __future__ import annotations

from dockerfix.hygiene.apk_index import APK_UPDATES, keeps_index
from dockerfix.hygiene.run import Found, PackageRun, is_too_old
from dockerfix.knowledge.package_managers import APK, GEM, PIP
from dockerfix.packages import PackageCommand
from dockerfix.transform import Change


def no_cache(run: PackageRun) -> Found:
    """An option that keeps the cache from being written."""
    for _, package in run.commands:
        manager = package.manager
        actions = ("install", "upgrade") if manager is APK else ("install",)
        if package.action not in actions or not manager.no_cache or not run.shipped:
            continue
        if package.has_option(*manager.no_cache) or _keeps_no_cache(run, package):
            continue
        if manager is PIP and package.has_option("--cache-dir"):
            continue
        if run.mounts_cache(manager):
            yield run.declined("cache stays: a mount keeps it", manager.name)
        elif manager is APK and (reason := keeps_index(run, package)):
            yield run.declined("cache stays: a later step counts on the index", reason)
        elif is_too_old(run, manager):
            yield run.declined("cache stays: the tool is too old for the option", manager.name)
        else:
            yield _add_no_cache(run, package)


def _add_no_cache(run: PackageRun, package: PackageCommand) -> Change:
    option = package.manager.no_cache[0]
    what = "documentation" if package.manager is GEM else "a cache"
    word = package.action_word
    assert word is not None
    # `--update` fetches the index, as `--no-cache` does.
    old = [w for w in package.options if w.text in APK_UPDATES]
    if package.manager is APK and old:
        edit = run.run.replace(old[0].start, old[0].end, option)
    else:
        edit = run.run.insert(word.end, f" {option}")
    return run.change(
        f"`{package.program.text} {word.text}` leaves {what} in the layer", f"Add `{option}`", edit
    )


def _keeps_no_cache(run: PackageRun, package: PackageCommand) -> bool:
    manager = package.manager
    text = run.run.script.text
    if any(run.workspace.mentions(name) for name in manager.no_cache_variables):
        return True
    if manager is PIP:
        return "cache purge" in text or (".cache" in text and "rm " in text)
    return False
