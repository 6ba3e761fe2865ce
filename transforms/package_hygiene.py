"""package-hygiene: package managers that never ask and leave nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from dockerfix.knowledge.package_managers import (
    APK,
    APT,
    GEM,
    MANAGERS,
    NPM,
    PIP,
    YARN,
    Manager,
)
from dockerfix.knowledge.recommended import debian_releases, is_held, missed_without_recommends
from dockerfix.lock_installs import NotLockedError, find_lock_install, node_major
from dockerfix.package_index import IndexUse, trace_index_use
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit, blank_below, end_with_gap, head_of, remove, remove_alone
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell import Command, Word
from dockerfix.syntax.tree import Comment, Instruction, Stage
from dockerfix.syntax.values import read_image
from dockerfix.syntax.word_list import WordList
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

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
_PROGRAMS = pattern("|".join(sorted(p for m in MANAGERS for p in m.programs)))


class PackageHygiene(Transform):
    """Call package managers so that they never ask, and so that no cache stays in the image.

    Before:
        FROM debian:12
        RUN apt-get update
        RUN apt-get install --no-install-recommends curl
        RUN pip install flask

    After:
        FROM debian:12
        RUN apt-get update && apt-get install -y --no-install-recommends curl \\
            && rm -rf /var/lib/apt/lists/*
        RUN pip install --no-cache-dir flask
    """

    name = "package-hygiene"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Look at every RUN that calls a package manager."""
        if not _PROGRAMS.search(workspace.dockerfile.code):
            return
        surroundings = _Surroundings(workspace)
        for stage in workspace.dockerfile.stages:
            shipped = stage in workspace.shipped_stages
            runs = [_read(instruction, surroundings, shipped) for instruction in stage.instructions]
            for previous, run, following in zip(
                [None, *runs], runs, [*runs[1:], None], strict=False
            ):
                if run is not None:
                    run = replace(run, following=following.run if following else None)
                    yield from _look(run, previous)


@dataclass
class _Surroundings:
    """What the rules ask about the rest of the file, found out once."""

    workspace: Workspace
    _uses: dict[str, IndexUse] = field(default_factory=dict)

    def index_use(self, manager: Manager) -> IndexUse:
        if manager.name not in self._uses:
            self._uses[manager.name] = trace_index_use(self.workspace, manager)
        return self._uses[manager.name]

    @cached_property
    def leaves_apk_cache(self) -> bool:
        """Whether any step of the shipped stages lets apk fill its cache, or may do so."""
        return self._fill_apk_cache(self.workspace.shipped_stages)

    @cached_property
    def leaves_apk_cache_anywhere(self) -> bool:
        """Whether a step of any stage does."""
        return self._fill_apk_cache(self.workspace.dockerfile.stages)

    def _fill_apk_cache(self, stages: Iterable[Stage]) -> bool:
        runs = (i for stage in stages for i in stage.instructions if i.keyword == "RUN")
        return any(_fills_apk_cache(run, self.workspace) for run in runs)


@dataclass(frozen=True)
class _Run:
    """A RUN that can be read, with the package commands of its top-level list."""

    surroundings: _Surroundings
    run: RunScript
    commands: tuple[tuple[int, PackageCommand], ...]
    shipped: bool
    #: The next instruction, when that is a RUN that can be read too.
    following: RunScript | None = None

    @property
    def workspace(self) -> Workspace:
        return self.surroundings.workspace

    @property
    def instruction(self) -> Instruction:
        return self.run.instruction

    def change(self, message: str, help_text: str, *edits: Edit, removed: str = "") -> Change:
        return Change(
            message,
            help_text,
            edits,
            self.instruction.line,
            Level.SAFE,
            removed=(removed,) if removed else (),
        )

    def declined(self, reason: str, detail: str = "") -> Declined:
        return Declined(reason, self.instruction.line, detail)

    def mounts_cache(self, manager: Manager) -> bool:
        """Whether a mount covers the manager's cache: it wants to be filled, and is not shipped."""
        targets = [
            part.partition("=")[2].rstrip("/")
            for flag in self.instruction.flags
            if flag.name == "mount" and flag.value
            for part in flag.value.split(",")
            if part.partition("=")[0] in ("target", "dst", "destination")
        ]
        return any(
            f"{cache}/".startswith(f"{target}/")
            or f"{target}/".startswith(f"{cache}/")
            or "$" in target
            for target in targets
            for cache in manager.caches
        )


def _read(instruction: Instruction, surroundings: _Surroundings, shipped: bool) -> _Run | None:
    if instruction.keyword != "RUN":
        return None
    run = surroundings.workspace.run(instruction)
    if run is None:
        return None
    found = ((index, read_package_command(command)) for index, command in run.top_commands)
    commands = tuple((index, package) for index, package in found if package is not None)
    return _Run(surroundings, run, commands, shipped)


def _look(run: _Run, previous: _Run | None) -> _Found:
    yield from _useless_clean_up(run)
    if not run.commands:
        return
    for rule in _RULES:
        yield from rule(run)
    if previous is not None:
        yield from _update_apart(previous, run)


# Answers


def _never_ask(run: _Run) -> _Found:
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


def _apt_get(run: _Run) -> _Found:
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


def _use_apt_get(run: _Run, package: PackageCommand, action: Word) -> Change:
    edits = [run.run.replace(package.program.start, package.program.end, "apt-get")]
    name = _IN_APT_GET.get(action.text, action.text)
    if name != action.text:
        edits.append(run.run.replace(action.start, action.end, name))
    return run.change(
        "`apt` is for people; its options may change", "Use `apt-get` in scripts", *edits
    )


# Recommended packages

#: More than these an author would hardly name one by one.
_MAX_NAMED = 3
_PACKAGE_NAME = pattern(r"([a-z0-9][a-z0-9+.-]*?)(?::[a-z0-9]+)?(?:=\S+)?")


def _no_recommends(run: _Run) -> _Found:
    """Install what is asked for, and name what would be missed."""
    settled = run.workspace.mentions("-recommends") or run.workspace.mentions("-Recommends")
    if settled or not run.shipped:
        return
    for _, package in run.commands:
        if package.manager is not APT or package.action != "install" or not package.never_asks:
            continue
        if package.program.text == "apt" or not package.packages:
            continue
        found = _missed(run, package)
        if isinstance(found, str):
            yield from _drop_recommends(run, package, (), Level.RISKY, found)
        else:
            level = Level.REVIEW if len(found) <= _MAX_NAMED else Level.RISKY
            detail = f"{', '.join(found[:5]) or 'nothing'} would be missed"
            named = found if level is Level.REVIEW else ()
            yield from _drop_recommends(run, package, named, level, detail)


def _missed(run: _Run, package: PackageCommand) -> tuple[str, ...] | str:
    """The recommended packages that have to be named, or why that is not known."""
    root = run.workspace.shipped_stages[0]
    releases = debian_releases(root.base)
    if not releases:
        return f"no package index of {root.base} at hand"
    names = [_PACKAGE_NAME.fullmatch(word.value or "") for word in package.packages]
    if not all(names) or package.has_option("-t", "--target-release"):
        return "packages that no index names"
    found = missed_without_recommends(
        tuple(name[1] for name in names if name), releases, run.workspace.mentions
    )
    if found is None:
        return "packages that the index does not know, or that recommend many"
    # Who speaks of a package may take it out again.
    return tuple(
        name for name in found if run.workspace.mentions(name) or not is_held(name, root.base)
    )


def _drop_recommends(
    run: _Run, package: PackageCommand, named: tuple[str, ...], level: Level, detail: str
) -> _Found:
    if level > run.workspace.level:
        yield run.declined("recommended packages stay", detail)
        return
    word = package.action_word
    assert word is not None
    behind = [
        w for w in package.options if w.start > word.end and w.end < package.packages[0].start
    ]
    places = WordList(run.run, package.packages[-1], run.workspace.style)
    places.add(list(named))
    also = f", and name {', '.join(f'`{name}`' for name in named)}" if named else ""
    yield Change(
        f"`{package.program.text} {word.text}` installs what packages recommend as well",
        f"Add `--no-install-recommends`{also}",
        (
            run.run.insert((behind[-1] if behind else word).end, " --no-install-recommends"),
            *([run.run.insert(package.packages[-1].end, "".join(places.text))] if named else []),
        ),
        run.instruction.line,
        level,
        evidence=(Evidence("Debian package index", detail),),
    )


# Caches


def _no_cache(run: _Run) -> _Found:
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
        elif manager is APK and (reason := _keeps_index(run, package)):
            yield run.declined("cache stays: a later step counts on the index", reason)
        elif _is_too_old(run, manager):
            yield run.declined("cache stays: the tool is too old for the option", manager.name)
        else:
            yield _add_no_cache(run, package)


#: Fetches the index first (apk(8)).
_APK_UPDATES = ("--update", "-U", "--update-cache")


def _add_no_cache(run: _Run, package: PackageCommand) -> Change:
    option = package.manager.no_cache[0]
    what = "documentation" if package.manager is GEM else "a cache"
    word = package.action_word
    assert word is not None
    # `--update` fetches the index, as `--no-cache` does.
    old = [w for w in package.options if w.text in _APK_UPDATES]
    if package.manager is APK and old:
        edit = run.run.replace(old[0].start, old[0].end, option)
    else:
        edit = run.run.insert(word.end, f" {option}")
    return run.change(
        f"`{package.program.text} {word.text}` leaves {what} in the layer", f"Add `{option}`", edit
    )


def _keeps_index(run: _Run, package: PackageCommand) -> str:
    """Which later step uses the index that this one fetches and leaves; "" for none."""
    apk = [(index, other) for index, other in run.commands if other.manager is APK]
    if not package.has_option(*_APK_UPDATES) and all(o.action != "update" for _, o in apk):
        return ""
    return run.surroundings.index_use(APK).after_command(run.run, apk[-1][0]) or ""


def _keeps_no_cache(run: _Run, package: PackageCommand) -> bool:
    manager = package.manager
    text = run.run.script.text
    if any(run.workspace.mentions(name) for name in manager.no_cache_variables):
        return True
    if manager is PIP:
        return "cache purge" in text or (".cache" in text and "rm " in text)
    return False


def _is_too_old(run: _Run, manager: Manager) -> bool:
    root = run.workspace.shipped_stages[0]
    image = read_image(root.resolved_base or root.base)
    return any(image.last == name and image.tag.startswith(tag) for name, tag in manager.too_old)


def _clean_up(run: _Run) -> _Found:
    """A clean-up at the end of what a manager does in a layer."""
    if not run.shipped:
        return
    last = {package.manager.name: (index, package) for index, package in run.commands}
    for index, package in last.values():
        manager = package.manager
        if not manager.clean_up or not _fills_cache(run, manager) or _is_cleaned(run, manager):
            continue
        if run.following is not None and _only_cleans(run.following, manager):
            yield run.declined("no clean-up: the next RUN is one", manager.name)
            continue
        if run.mounts_cache(manager):
            yield run.declined("cache stays: a mount keeps it", manager.name)
        elif not run.run.script.is_and_list or run.run.script.tail:
            yield run.declined("no clean-up: not a plain and-list", manager.name)
        elif reason := _needed_later(run, manager, index):
            yield run.declined("no clean-up: needed later", reason)
        else:
            yield _append_clean_up(run, index, package)


def _fills_cache(run: _Run, manager: Manager) -> bool:
    """Whether this layer gets something to clean up; an index that an earlier one holds stays."""
    actions = {p.action for _, p in run.commands if p.manager is manager}
    if manager.needs_index and "update" not in actions:
        return False
    return not actions.isdisjoint(("install", "upgrade"))


def _append_clean_up(run: _Run, index: int, package: PackageCommand) -> Change:
    manager = package.manager
    clean_up = manager.clean_up.format(program=package.program.text)
    if package.command.words[0].text == "sudo":
        clean_up = f"sudo {clean_up}"
    return run.change(
        f"`{package.program.text}` leaves its package index in the layer",
        f"End with `{clean_up}`",
        _append(run, index, clean_up),
    )


def _append(run: _Run, index: int, command: str) -> Edit:
    """Behind an element, on a line of its own as the script or else the file does it."""
    items = run.run.script.items
    end = items[index].end
    for place in range(min(index, len(items) - 2), -1, -1):
        joint = _joint(run, items[place].end, items[place + 1].start)
        if joint.count("\n") == 1 and "#" not in joint:
            return run.run.insert(end, f"{joint}{command}")
    style = run.workspace.style.local(run.instruction.code)
    first = style.operator_first
    following = items[index + 1].start if index + 1 < len(items) else None
    # With the first character of what follows, or the line end in front of it is not in sight.
    behind = _joint(run, end, following + 1) if following is not None else ""
    if following is not None:
        first = _operator_is_first(behind, first)
    link = f"{style.continuation}&& " if first else f" &&{style.continuation}"
    if following is not None and "\n" not in behind:
        return run.run.replace(end, following, f"{link}{command}{link}")
    return run.run.insert(end, f"{link}{command}")


def _joint(run: _Run, begin: int, end: int) -> str:
    """What stands in the source between two elements of a script."""
    edit = run.run.replace(begin, end, "")
    offset = run.instruction.start
    return run.instruction.code[edit.start - offset : edit.end - offset]


def _operator_is_first(joint: str, otherwise: bool) -> bool:
    return "\n" in joint.partition("&&")[0] if "\n" in joint else otherwise


def _is_cleaned(run: _Run, manager: Manager) -> bool:
    # `apt-get clean` removes packages, not the lists.
    cleaned = any(p.manager is manager and p.action == "clean" for _, p in run.commands)
    if cleaned and manager is not APT:
        return True
    text = run.run.script.text
    return any(cache in text for cache in manager.caches if cache != "/var/cache/apt")


def _only_cleans(run: RunScript, manager: Manager) -> bool:
    """Whether a script does nothing but remove what the manager left; merge-runs joins it."""
    return all(_cleans(command, manager) for command in run.script.commands())


def _cleans(command: Command, manager: Manager) -> bool:
    package = read_package_command(command)
    if package is not None:
        return package.manager is manager and package.action == "clean"
    return command.literal_name == "rm" and any(
        cache in word.text for word in command.words for cache in manager.caches
    )


def _needed_later(run: _Run, manager: Manager, index: int) -> str | None:
    if not manager.needs_index:
        return None
    return run.surroundings.index_use(manager).after_command(run.run, index)


# Locks


def _follow_lock(run: _Run) -> _Found:
    """Installs that take just what the lock says."""
    for _, package in run.commands:
        if package.manager not in (NPM, YARN):
            continue
        try:
            found = find_lock_install(run.run, package, run.workspace)
        except NotLockedError as error:
            yield run.declined(error.reason, error.detail)
            continue
        if found is not None:
            yield Change(
                f"`{found.before}` may install other versions than the lock file names",
                f"Use `{found.after}`",
                (found.edit,),
                run.instruction.line,
                Level.REVIEW,
                evidence=found.evidence,
            )


#: Says since npm 8 (Node.js 16) in a warning that `--omit=dev` has replaced it (npm-install(1)).
_PRODUCTION = ("--production", "--production=true", "--only=production", "--only=prod")
_FIRST_NODE_WITH_OMIT = 16


def _omit_dev(run: _Run) -> _Found:
    """The option that npm's own warning recommends."""
    for _, package in run.commands:
        old = [word for word in package.options if word.text in _PRODUCTION]
        if package.manager is not NPM or package.action != "install" or len(old) != 1:
            continue
        try:
            node = node_major(run.run, run.workspace)
        except NotLockedError as error:
            yield run.declined(error.reason, error.detail)
            continue
        if node is None or node >= _FIRST_NODE_WITH_OMIT:
            yield run.change(
                f"`{old[0].text}` is deprecated",
                "Use `--omit=dev`",
                run.run.replace(old[0].start, old[0].end, "--omit=dev"),
            )


def _no_document(run: _Run) -> _Found:
    """RubyGems 3 refuses the two options that `--no-document` replaced in RubyGems 2."""
    for _, package in run.commands:
        old = [word for word in package.options if word.text in ("--no-rdoc", "--no-ri")]
        if package.manager is not GEM or {word.text for word in old} != {"--no-rdoc", "--no-ri"}:
            continue
        if len(old) != 2 or _is_too_old(run, GEM):
            continue
        words = package.command.words
        before = words[words.index(old[1]) - 1]
        cut = run.run.replace(before.end, old[1].end, "")
        if not any(cut.start <= c.start < cut.end for c in run.instruction.inner_comments):
            yield run.change(
                "`--no-rdoc --no-ri` is gone from RubyGems 3",
                "Use `--no-document`",
                run.run.replace(old[0].start, old[0].end, "--no-document"),
                cut,
            )


# apk's index


def _apk_update(run: _Run) -> _Found:
    """`apk update` is for nothing where every `apk add` fetches the index itself."""
    apk = [(index, package) for index, package in run.commands if package.manager is APK]
    for index, package in apk:
        if not _is_plain_update(package) or run.mounts_cache(APK):
            continue
        others = [p for _, p in apk if p is not package and p.action in ("install", "upgrade")]
        if not others or not all(p.has_option("--no-cache") for p in others):
            continue
        reason = run.surroundings.index_use(APK).after_command(run.run, index)
        edit = run.run.remove_item(index)
        if reason:
            yield run.declined("apk update stays: needed later", reason)
        elif edit is None:
            yield run.declined("apk update stays: not a plain and-list")
        else:
            yield run.change(
                "`apk update` stores an index that `--no-cache` does not use", "Remove it", edit
            )


def _apk_update_alone(run: _Run) -> _Found:
    """A RUN of its own that fetches an index which no later `apk add` uses."""
    if len(run.commands) != 1 or len(run.run.script.items) != 1 or run.mounts_cache(APK):
        return
    package = run.commands[0][1]
    if package.manager is not APK or not _is_plain_update(package):
        return
    if run.instruction.inner_comments or not _installs_below(run):
        return
    reason = run.surroundings.index_use(APK).after_command(run.run, 0)
    if reason:
        yield run.declined("apk update stays: needed later", reason)
        return
    dockerfile, instruction = run.workspace.dockerfile, run.instruction
    comments = dockerfile.comments_of(instruction) if _has_own_comment(run) else ()
    begin = head_of(dockerfile, instruction) if comments else instruction.start
    end = instruction.end
    if comments or not dockerfile.comments_of(instruction):
        end = end_with_gap(dockerfile, instruction)
    yield Change(
        "`apk update` stores an index that no `apk add` below uses",
        "Remove it",
        (Edit(begin, end, ""),),
        instruction.line,
        Level.SAFE,
        removed=("RUN",),
        dropped_comments=tuple(comment.text for comment in comments),
    )


def _is_plain_update(package: PackageCommand) -> bool:
    """Whether it is `apk update` alone: with more behind it, an `&&` may have been forgotten."""
    return package.action == "update" and not package.options and not package.packages


def _has_own_comment(run: _Run) -> bool:
    """Whether the comment above speaks of this RUN, not of an install that follows at once."""
    dockerfile = run.workspace.dockerfile
    comments = dockerfile.comments_of(run.instruction)
    if blank_below(dockerfile, run.instruction) is not None:
        return bool(comments)
    return any("update" in comment.text.lower() for comment in comments)


def _installs_below(run: _Run) -> bool:
    stage = run.workspace.dockerfile.stage_of(run.instruction)
    below = stage.instructions[stage.index_of(run.instruction) + 1 :] if stage else ()
    scripts = (run.workspace.run(i) for i in below if i.keyword == "RUN")
    commands = (c for script in scripts if script for c in script.script.commands())
    packages = (read_package_command(command) for command in commands)
    return any(p is not None and p.manager is APK and p.action == "install" for p in packages)


def _apk_update_option(run: _Run) -> _Found:
    """`--no-cache` fetches the index by itself, whatever `--update` says."""
    for _, package in run.commands:
        old = [word for word in package.options if word.text in _APK_UPDATES]
        if package.manager is not APK or len(old) != 1 or not package.has_option("--no-cache"):
            continue
        words = package.command.words
        before = words[words.index(old[0]) - 1]
        cut = run.run.replace(before.end, old[0].end, "")
        if not any(cut.start <= c.start < cut.end for c in run.instruction.inner_comments):
            yield run.change(
                f"`{old[0].text}` stores an index that `--no-cache` does not use", "Remove it", cut
            )


def _useless_clean_up(run: _Run) -> _Found:
    """`rm -rf /var/cache/apk/*` has nothing to remove after `apk add --no-cache`."""
    if "/var/cache/apk" not in run.run.script.text:
        return
    around = run.surroundings
    if around.leaves_apk_cache if run.shipped else around.leaves_apk_cache_anywhere:
        return
    for index, command in run.run.top_commands:
        if not _removes_apk_cache(command):
            continue
        message = "`apk add --no-cache` leaves nothing in `/var/cache/apk`"
        if len(run.run.script.items) == 1:
            comments = run.workspace.dockerfile.comments_of(run.instruction)
            if run.instruction.inner_comments:
                continue
            yield _remove_instruction(run, message, comments)
            continue
        edit = run.run.remove_item(index)
        if edit is not None:
            yield run.change(message, "Remove the clean-up", edit)


def _remove_instruction(run: _Run, message: str, comments: tuple[Comment, ...]) -> Change:
    return Change(
        message,
        "Remove the clean-up",
        (remove(run.workspace.dockerfile, run.instruction),),
        run.instruction.line,
        Level.SAFE,
        removed=("RUN",),
        dropped_comments=tuple(comment.text for comment in comments),
    )


def _removes_apk_cache(command: Command) -> bool:
    words = [word.text for word in command.words]
    return words[:1] == ["rm"] and all(
        word.startswith("-") or re.fullmatch(r"/var/cache/apk(?:/\*?)?", word) for word in words[1:]
    )


def _fills_apk_cache(instruction: Instruction, workspace: Workspace) -> bool:
    if "apk" not in instruction.code:
        return False
    run = workspace.run(instruction)
    if run is None:
        return True
    packages = (read_package_command(command) for command in run.script.commands())
    return any(
        package.manager is APK
        and package.action in ("install", "update", "upgrade")
        and not package.has_option("--no-cache")
        for package in packages
        if package is not None
    )


# An update in a layer of its own


def _update_apart(previous: _Run, run: _Run) -> _Found:
    """`RUN apt-get update` is cached while the install below it changes."""
    if len(previous.commands) != 1 or len(previous.run.script.items) != 1:
        return
    update = previous.commands[0][1]
    installs = [p for _, p in run.commands if p.manager is update.manager]
    if update.action != "update" or update.manager is not APT or not installs:
        return
    if any(p.action == "update" for p in installs):
        return
    reason = _why_apart(previous, run)
    if reason:
        yield run.declined(f"update stays apart: {reason}")
        return
    text = previous.run.script.text
    yield Change(
        f"`{text}` is cached apart from the install that needs it",
        "Update and install in one instruction",
        (
            remove_alone(previous.instruction),
            run.run.insert(run.run.script.items[0].start, f"{text} && "),
        ),
        previous.instruction.line,
        Level.SAFE,
        removed=("RUN",),
    )


def _why_apart(previous: _Run, run: _Run) -> str:
    if not run.run.script.is_and_list or run.run.script.tail or previous.run.script.tail:
        return "not a plain and-list"
    if _flags(previous.instruction) != _flags(run.instruction):
        return "the flags differ"
    if previous.instruction.has_inner_lines:
        return "a comment stands within it"
    return ""


def _flags(instruction: Instruction) -> set[tuple[str, str | None]]:
    return {(flag.name, flag.value) for flag in instruction.flags}


_RULES: tuple[Callable[[_Run], _Found], ...] = (
    _never_ask,
    _apt_get,
    _no_recommends,
    _no_cache,
    _clean_up,
    _apk_update,
    _apk_update_alone,
    _apk_update_option,
    _follow_lock,
    _omit_dev,
    _no_document,
)
