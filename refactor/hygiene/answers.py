"""Package managers that never ask: the option that answers, and apt-get in place of apt."""

from __future__ import annotations

from dockerfix.hygiene.run import Found, PackageRun
from dockerfix.packages import PackageCommand
from dockerfix.syntax.shell.script import Word
from dockerfix.transform import Change

#: What apt-get and apt understand alike (apt(8), "Script usage and differences").
_SAME_IN_APT_GET = frozenset(
    ("install", "update", "remove", "purge", "autoremove", "clean", "autoclean", "build-dep")
)
#: What apt calls otherwise, or does more of (apt(8); apt-get(8), --with-new-pkgs).
_IN_APT_GET = {
    "upgrade": "upgrade --with-new-pkgs",
    "full-upgrade": "dist-upgrade",
    "dist-upgrade": "dist-upgrade",
}


def never_ask(run: PackageRun) -> Found:
    """The option that answers each question in advance."""
    for _, package in run.commands:
        manager = package.manager
        if not manager.yes or package.action_word is None or not _asks(package):
            continue
        option = manager.yes[0]
        word = package.program if manager.yes_first else package.action_word
        yield run.change(
            f"`{package.program.text} {package.action_word.text}` asks before it goes on",
            f"Answer with `{option}`",
            run.run.insert(word.end, f" {option}"),
        )


def _asks(package: PackageCommand) -> bool:
    if not package.packages and (package.action == "remove" or not package.options):
        return False
    return package.action in ("install", "upgrade", "remove") and not package.never_asks


def apt_get(run: PackageRun) -> Found:
    """`apt-get` in place of `apt`, where both do the same."""
    for _, package in run.commands:
        if package.program.text != "apt" or package.action is None or package.action_word is None:
            continue
        action = package.action_word.text
        if action not in _SAME_IN_APT_GET and action not in _IN_APT_GET:
            if package.action != "query":
                yield run.declined("apt stays: apt-get does not do the same", f"apt {action}")
        elif any(char in word.text for word in package.packages for char in "*?["):
            yield run.declined("apt stays: apt-get reads patterns in another way")
        else:
            yield _use_apt_get(run, package, package.action_word)


def _use_apt_get(run: PackageRun, package: PackageCommand, action: Word) -> Change:
    edits = [run.run.replace(package.program.start, package.program.end, "apt-get")]
    name = _IN_APT_GET.get(action.text, action.text)
    if name != action.text:
        edits.append(run.run.replace(action.start, action.end, name))
    return run.change(
        "`apt` is for people; its options may change", "Use `apt-get` in scripts", *edits
    )
