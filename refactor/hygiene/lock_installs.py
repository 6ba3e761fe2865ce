"""Installs that follow the lock file: `npm ci`, `yarn install --frozen-lockfile`."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import NamedTuple

from dockerfix.context.node_lock import why_npm_lock_differs, why_yarn_lock_differs
from dockerfix.effects.instructions import effects_of
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import instructions_before, source_of
from dockerfix.knowledge.package_managers import NPM, YARN
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.patterns import pattern
from dockerfix.reasons import ReasonError
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command
from dockerfix.transform import Evidence, Workspace

#: Options of `npm install` that `npm ci` knows too, with the same meaning (npm's manual).
_NPM_OPTIONS = frozenset(
    (
        *("--omit", "--include", "--production", "--only", "--prod", "--legacy-peer-deps"),
        *("--strict-peer-deps", "--no-audit", "--audit", "--no-fund", "--fund", "--no-optional"),
        *("--ignore-scripts", "--foreground-scripts", "--unsafe-perm", "--registry", "--force"),
        *("--loglevel", "--silent", "-s", "--quiet", "-q", "--verbose", "-d", "--no-progress"),
        *("--progress", "--prefer-offline", "--cache", "--no-bin-links", "--dev", "--also"),
    )
)
_YARN_OPTIONS = frozenset(
    (
        *("--production", "--prod", "--ignore-engines", "--ignore-optional", "--ignore-scripts"),
        *("--ignore-platform", "--non-interactive", "--network-timeout", "--silent", "-s"),
        *("--no-progress", "--prefer-offline", "--link-duplicates", "--network-concurrency"),
        *("--verbose", "--check-files", "--cache-folder", "--registry", "--no-optional"),
    )
)
#: Which Node.js comes with npm 7 or later, that reads the locks of today (nodejs.org/dist).
_FIRST_NODE = 16
_NODE_TAG = pattern(r"v?(\d+)(?:[.-].*)?|(?:lts|latest|current|stable)(?:-.*)?|alpine|slim|")
_MANIFEST = "package.json"
#: Yarn 1 is in the image of Node.js up to 24 (docker-node's Dockerfiles).
_LAST_NODE_WITH_YARN = 24


class NotLockedError(ReasonError):
    """Why an install stays as it is: fixed words, and what is special about this case."""


class LockInstall(NamedTuple):
    """An install that can follow its lock."""

    edit: Edit
    before: str
    after: str
    evidence: tuple[Evidence, ...]


def find_lock_install(
    run: RunScript, package: PackageCommand, workspace: Workspace
) -> LockInstall | None:
    """How an install of all dependencies follows the lock; None when it is another command.

    Raises NotLockedError when one of the facts is missing.
    """
    if package.manager is NPM and package.action_word and package.action_word.text != "ci":
        return _npm(run, package, workspace) if _installs_all(package) else None
    if package.manager is YARN and (package.action_word is None or _installs_all(package)):
        options = {word.text.partition("=")[0] for word in package.options}
        if options.isdisjoint(("--frozen-lockfile", "--immutable", "--version", "-v", "--help")):
            return _yarn(run, package, workspace)
    return None


def _installs_all(package: PackageCommand) -> bool:
    word = package.action_word
    return (
        package.action == "install"
        and not package.packages
        and word is not None
        and word.text in ("install", "i")
        and not package.has_option("-g", "--global", "--location")
    )


def _npm(run: RunScript, package: PackageCommand, workspace: Workspace) -> LockInstall:
    _check_options(package, _NPM_OPTIONS)
    folder, node = _folder(run, package, workspace), node_major(run, workspace)
    if node is not None and node < _FIRST_NODE:
        raise NotLockedError("npm install stays: npm is too old for the lock", f"node {node}")
    names = ("npm-shrinkwrap.json", "package-lock.json")
    manifest, lock = _sources(folder, names, run, package, workspace)
    reason = why_npm_lock_differs(_read(manifest, workspace), _read(lock, workspace))
    if reason:
        raise NotLockedError("npm install stays: the lock is not in step", f"{lock}: {reason}")
    word = package.action_word
    assert word is not None
    return LockInstall(
        run.replace(word.start, word.end, "ci"),
        f"npm {word.text}",
        "npm ci",
        (Evidence(lock, f"in step with {manifest}"), Evidence("base image", "npm knows `ci`")),
    )


def _yarn(run: RunScript, package: PackageCommand, workspace: Workspace) -> LockInstall:
    _check_options(package, _YARN_OPTIONS)
    folder, node = _folder(run, package, workspace), node_major(run, workspace)
    if node is not None and node > _LAST_NODE_WITH_YARN:
        raise NotLockedError("yarn install stays: its version is not known", f"node {node}")
    manifest, lock = _sources(folder, ("yarn.lock",), run, package, workspace)
    reason = why_yarn_lock_differs(_read(manifest, workspace), _read(lock, workspace))
    if reason:
        raise NotLockedError("yarn install stays: the lock is not in step", f"{lock}: {reason}")
    word = package.action_word or package.program
    text = " --frozen-lockfile" if package.action_word else " install --frozen-lockfile"
    return LockInstall(
        run.insert(word.end, text),
        "yarn install",
        "yarn install --frozen-lockfile",
        (Evidence(lock, f"in step with {manifest}"), Evidence("base image", "yarn 1")),
    )


def _check_options(package: PackageCommand, known: frozenset[str]) -> None:
    if not package.is_plain or package.command.assignments:
        raise NotLockedError("install stays: variables in the command")
    for word in package.options:
        if word.text.startswith("-") and word.text.partition("=")[0] not in known:
            raise NotLockedError("install stays: an option of its own", word.text)


def _folder(run: RunScript, package: PackageCommand, workspace: Workspace) -> str:
    """Where the install runs."""
    if workspace.context is None:
        raise NotLockedError("install stays: no build context to look at")
    folder = workspace.state(run.instruction).workdir
    for _, command in run.top_commands:
        if command is package.command:
            break
        if command.literal_name in ("cd", "pushd", "popd"):
            words = [word.value for word in command.words[1:]]
            if folder is None or len(words) != 1 or words[0] is None or words[0] == "-":
                raise NotLockedError("install stays: its folder is not known")
            folder = posixpath.normpath(posixpath.join(folder, words[0]))
    if folder is None or not run.script.is_and_list:
        raise NotLockedError("install stays: its folder is not known")
    return folder


def node_major(run: RunScript, workspace: Workspace) -> int | None:
    """Major version of Node.js in an official image; None for the newest one.

    Raises NotLockedError for any other image.
    """
    stage = workspace.dockerfile.stage_of(run.instruction)
    while stage is not None and (parent := workspace.dockerfile.parent(stage)) is not None:
        stage = parent
    image = read_image((stage.resolved_base or stage.base) if stage else "")
    match = _NODE_TAG.fullmatch(image.tag)
    if image.repository not in ("node", "library/node", "docker.io/library/node") or not match:
        raise NotLockedError("install stays: the tool's version is not known", image.repository)
    return int(match[1]) if match[1] else None


def _sources(
    folder: str,
    locks: tuple[str, ...],
    run: RunScript,
    package: PackageCommand,
    workspace: Workspace,
) -> tuple[str, str]:
    """The manifest and the lock that lie in the folder when the install runs."""
    paths = [source_of(posixpath.join(folder, name), run.instruction, workspace) for name in locks]
    manifest = source_of(posixpath.join(folder, _MANIFEST), run.instruction, workspace)
    lock = next((path for path in paths if path), None)
    if manifest is None or lock is None:
        raise NotLockedError("install stays: no lock is copied before it", locks[-1])
    _check_not_optional(lock, run, workspace)
    _check_untouched(folder, run, workspace)
    for command in run.script.commands():
        if command.start < package.command.start:
            _check_command(command, run.instruction, folder, workspace)
    return manifest, lock


def _check_not_optional(lock: str, run: RunScript, workspace: Workspace) -> None:
    """The COPY names the lock, or takes it along with the manifest.

    A pattern for the lock alone (`*yarn*`, `yarn.lock*`) says that it may be missing: people then
    build the image to get one.
    """
    folder, file = posixpath.split(lock)
    for instruction in instructions_before(workspace.dockerfile, run.instruction):
        for word in instruction.arguments[:-1] if instruction.keyword == "COPY" else ():
            place, name = posixpath.split(posixpath.normpath(word).lstrip("/"))
            if place != folder or not any(char in name for char in "*?["):
                continue
            if fnmatchcase(file, name) and not fnmatchcase(_MANIFEST, name):
                raise NotLockedError("install stays: the lock may be missing", word)


def _check_untouched(folder: str, run: RunScript, workspace: Workspace) -> None:
    """No step before the install changes the manifest, and none has installed there already."""
    for instruction in instructions_before(workspace.dockerfile, run.instruction):
        if instruction.keyword != "RUN":
            continue
        earlier = workspace.run(instruction)
        if earlier is None or "package" in instruction.argument_text:
            raise NotLockedError("install stays: an earlier step may change the manifest")
        for command in earlier.script.commands():
            _check_command(command, instruction, folder, workspace)


def _check_command(
    command: Command, instruction: Instruction, folder: str, workspace: Workspace
) -> None:
    package = read_package_command(command)
    if not package or package.manager not in (NPM, YARN) or not _may_touch(package):
        return
    if not _is_elsewhere(command, instruction, folder, workspace):
        raise NotLockedError("install stays: an earlier step installs already")


def _is_elsewhere(
    command: Command, instruction: Instruction, folder: str, workspace: Workspace
) -> bool:
    """Whether a command works in a folder that has nothing to do with this one."""
    step = effects_of(instruction, workspace).step
    places = [call.directory for call in step.calls if call.command is command] if step else []
    options = {word.text.partition("=")[0] for word in command.words[1:]}
    return bool(places) and all(
        place is not None
        and not is_within(place, folder)
        and not is_within(folder, place)
        and options.isdisjoint(("--prefix", "-C", "--cwd"))
        for place in places
    )


def _may_touch(package: PackageCommand) -> bool:
    if package.has_option("-g", "--global") or package.action in ("query", "clean"):
        return package.action_word is not None and package.action_word.text == "set"
    return True


def _read(path: str, workspace: Workspace) -> str:
    return (workspace.context.read(path) if workspace.context else None) or ""
