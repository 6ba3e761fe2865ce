"""add-user: the service runs as a user without rights over the system."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.effects.reach import is_within
from dockerfix.image.entry import Entry, UnknownEntryError, read_entry
from dockerfix.run_as.account import (
    Account,
    DropsRootError,
    OtherUserError,
    StaysError,
    account_beside_server,
    account_of,
    named_account,
)
from dockerfix.run_as.at_home import check_home
from dockerfix.run_as.folders import (
    Home,
    check_sources_are_there,
    check_steps_of_php,
    comes_along,
    data_folders,
    home_of,
    owned_copies,
    volumes,
)
from dockerfix.run_as.needs import (
    Running,
    check_command,
    check_program,
    check_steps,
    check_usage,
    unwrap,
)
from dockerfix.run_as.next_cache import give_cache
from dockerfix.run_as.ports import check_ports
from dockerfix.run_as.sources import Written, check_sources
from dockerfix.syntax.edits import Edit, blank_above, head_of, insert_after, replace_arguments
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

#: They install what belongs to the distribution.
_SYSTEM = frozenset(("apt-get", "apt", "apk", "dnf", "microdnf", "yum", "tdnf", "zypper"))


class AddUser(Transform):
    """Run the service as a user that is not root, and give it the folder of its program.

    USER holds numbers, so that orchestrators see that it is not root (`runAsNonRoot`): those of the
    image's own user where it has one for the purpose, else those of a user that is made here.

    Build context:
        index.js: // a server

    Before:
        FROM node:22
        WORKDIR /app
        COPY . .
        EXPOSE 3000
        CMD ["node", "index.js"]

    After:
        FROM node:22
        WORKDIR /app
        RUN chown node:node /app
        COPY --chown=node:node . .
        EXPOSE 3000
        USER 1000:1000
        CMD ["node", "index.js"]
    """

    name = "add-user"
    level = Level.REVIEW

    def apply(self, workspace: Workspace) -> _Found:
        """Look at the stage that is shipped."""
        if not workspace.shipped_stages:
            return
        stage = workspace.shipped_stages[-1]
        if any(i.keyword == "USER" for s in workspace.shipped_stages for i in s.instructions):
            return
        try:
            yield _change(_plan(stage, workspace), workspace)
        except OtherUserError:
            return
        except StaysError as error:
            yield Declined(f"root stays: {error.reason}", stage.start.line, error.detail)


class _Plan(NamedTuple):
    """All that is needed to run a stage as another user."""

    stage: Stage
    account: Account
    entry: Entry
    home: Home
    #: COPY instructions whose files belong to it.
    owned: list[Instruction]
    #: Folders that belong to it, each with what makes it.
    folders: dict[str, Instruction]
    volumes: dict[str, Instruction]
    cache: Edit | None
    evidence: tuple[str, ...]


def _plan(stage: Stage, workspace: Workspace) -> _Plan:
    try:
        account = _account(stage, workspace)
    except DropsRootError as error:
        account = _beside_server(error, stage, workspace)
    entry = _entry(stage, workspace)
    _check_filled(workspace)
    running = check_program(entry, stage, workspace)
    check_ports(entry.main, workspace)
    check_steps(workspace)
    check_home(entry, workspace)
    check_command(entry, running, workspace)
    home = home_of(stage, running, workspace)
    owned = owned_copies(stage, home, running, account, workspace)
    _check_folder(home, running, account, owned)
    if not running.is_own:
        check_sources_are_there(owned, workspace)
    if running.name == "php":
        check_steps_of_php(workspace)
    evidence = tuple(check_usage(home.path or "/", workspace))
    found = volumes(stage, workspace)
    if found and not account.owns:
        raise StaysError("a volume may hold files of root's", next(iter(found)))
    folders = data_folders(stage, home.path, workspace) if account.owns else {}
    room = home.path or next(iter(found), None) if account.owns else None
    _check_written(check_sources(room, running.name, workspace), (*folders, *found))
    is_made = home.path is None or comes_along(stage, home, workspace)
    if account.owns and owned and home.path is not None and not is_made:
        folders = {home.path: _maker(home, stage), **folders}
    is_next = running.name == "next"
    cache = give_cache(running, stage, account, owned, workspace) if is_next else None
    return _Plan(stage, account, entry, home, owned, folders, found, cache, evidence)


def _beside_server(error: StaysError, stage: Stage, workspace: Workspace) -> Account:
    """The account where an image of php-fpm or Apache is told to run a program in PHP instead.

    Raises the error where it is not.
    """
    try:
        name = posixpath.basename(unwrap(_entry(stage, workspace).main)[0])
    except StaysError:
        raise error from None
    root = workspace.shipped_stages[0]
    account = account_beside_server(root.resolved_base or root.base) if name == "php" else None
    if account is None:
        raise error
    return account


def _check_filled(workspace: Workspace) -> None:
    """An image into which nothing is put holds no program of the file's."""
    stages = workspace.shipped_stages
    if not any(i.keyword in ("RUN", "COPY", "ADD") for s in stages for i in s.instructions):
        raise StaysError("nothing is put into the image")


def _account(stage: Stage, workspace: Workspace) -> Account:
    """Who it should run as: the owner that the file names for its files, else by the image."""
    root = workspace.shipped_stages[0]
    base = root.resolved_base or root.base
    if "$" in base or ("$" in root.base and "$" in root.base.partition(":")[0]):
        raise StaysError("the base image is given from outside", root.base)
    account = account_of(base)
    owners = {i.flag("chown") for i in stage.instructions if i.keyword in ("COPY", "ADD")}
    named = {owner for owner in owners if owner} - set(account.owners)
    if len(named) == 1:
        name, _, group = named.pop().partition(":")
        return named_account(name, group, base) or account
    return account


def _entry(stage: Stage, workspace: Workspace) -> Entry:
    try:
        return read_entry(stage, workspace)
    except UnknownEntryError as error:
        raise StaysError(error.reason, error.detail) from error


def _check_folder(home: Home, running: Running, account: Account, owned: list[Instruction]) -> None:
    """What the program writes beside itself has to go on working."""
    if not account.owns and not running.is_own:
        raise StaysError("the program may write beside itself", running.name)
    if not account.has_home and running.name not in ("java", "dotnet") and not running.is_own:
        raise StaysError("a user cannot be made on this image", running.name)
    if not owned and home.path is not None and not running.is_own:
        raise StaysError("the program's folder is not filled by a COPY", home.path)


def _check_written(written: tuple[Written, ...], known: tuple[str, ...]) -> None:
    for entry in written:
        if any(is_within(entry.path, folder) for folder in known):
            continue
        raise StaysError("the program writes outside of its folder", f"{entry.where}: {entry.path}")


def _maker(home: Home, stage: Stage) -> Instruction:
    """What makes the program's folder: its last WORKDIR, or what copies to it."""
    workdirs = [i for i in stage.instructions if i.keyword == "WORKDIR"]
    return workdirs[-1] if workdirs else stage.start


# Edits


def _change(plan: _Plan, workspace: Workspace) -> Change:
    stage, account = plan.stage, plan.account
    setup = _set_up(plan, workspace)
    edits = [setup] if setup is not None else []
    edits.append(_user_edit(plan, setup, workspace))
    if account.owns:
        edits += [_chown_edit(copy, account) for copy in plan.owned if copy.flag("chown") is None]
    if plan.cache is not None:
        edits.append(plan.cache)
    if plan.home.moved is not None:
        edits.append(replace_arguments(plan.home.moved, plan.home.path or ""))
    running = " ".join(plan.entry.main[:3])
    evidence = [
        Evidence(f"line {plan.entry.instruction.line}", f"runs `{running}`"),
        Evidence(workspace.shipped_stages[0].base, account.source),
    ]
    evidence += [
        Evidence(
            f"line {i.line}", f"a new volume at {path} belongs to it; one that exists does not"
        )
        for path, i in plan.volumes.items()
    ]
    if plan.home.moved is not None:
        where = f"line {plan.home.moved.line}"
        evidence.append(Evidence(where, "only root may enter /root; nothing else names it"))
    evidence += [Evidence("repository", text) for text in plan.evidence]
    return Change(
        "the service runs as root",
        f"Run it as `{account.user}`",
        tuple(edits),
        stage.start.line,
        Level.REVIEW,
        evidence=tuple(evidence),
        added=("USER",) + (("RUN",) if setup is not None else ()),
    )


def _user_edit(plan: _Plan, setup: Edit | None, workspace: Workspace) -> Edit:
    """USER above the entry of the stage, or at its end."""
    stage, style = plan.stage, workspace.style
    line = f"{style.keyword('USER')} {plan.account.user}"
    work = [i for i in stage.instructions if i.keyword in ("RUN", "COPY", "ADD")]
    last = max([stage.start, *work], key=stage.index_of).end
    if setup is not None:
        last = max(last, setup.start)
    for entry in stage.instructions:
        head = head_of(workspace.dockerfile, entry)
        if entry.keyword in ("ENTRYPOINT", "CMD") and entry.start >= last:
            apart = head < entry.start and blank_above(workspace.dockerfile, entry)
            return Edit(head, head, line + style.newline * (2 if apart else 1))
    return insert_after(stage.instructions[-1], line, style.newline)


def _chown_edit(copy: Instruction, account: Account) -> Edit:
    if copy.flags:
        end = copy.flags[-1].end
    else:
        end = copy.start + len(copy.code) - len(copy.code.lstrip()) + len(copy.keyword_text)
    return Edit(end, end, f" --chown={account.owner}")


def _set_up(plan: _Plan, workspace: Workspace) -> Edit | None:
    """One RUN that makes the user, and gives it the folders that the file makes for it.

    As early as possible, for it hardly ever changes, but behind the system packages. Volumes are
    made in front of their VOLUME, behind which nothing changes them any more.
    """
    stage, account = plan.stage, plan.account
    commands = list(account.create)
    given = {p: i for p, i in plan.folders.items() if not _is_given(p, stage, account)}
    # A WORKDIR behind the files that it holds: the user is made in front of them all the same.
    copied = min(map(stage.index_of, plan.owned), default=len(stage.instructions))
    early = (i for i in given.values() if i.keyword != "WORKDIR" or stage.index_of(i) < copied)
    place = max([stage.start, *early], key=stage.index_of)
    if plan.volumes:
        first = min(plan.volumes.values(), key=stage.index_of)
        if stage.index_of(place) >= stage.index_of(first):
            place = stage.instructions[stage.index_of(first) - 1]
    place = _behind_set_up(place, stage, workspace)
    exists = {p: i for p, i in given.items() if stage.index_of(i) <= stage.index_of(place)}
    exists = {p: i for p, i in exists.items() if i is not stage.start}
    if exists:
        commands.append(f"chown {account.owner} {' '.join(exists)}")
    missing = [path for path in (*given, *plan.volumes) if path not in exists]
    if missing:
        user, _, group = account.owner.partition(":")
        options = f"-o {user}" + (f" -g {group}" if group else "")
        commands.append(f"install -d {options} {' '.join(dict.fromkeys(missing))}")
    if not commands:
        return None
    style = workspace.style
    line = f"{style.keyword('RUN')} {style.join_commands(commands)}"
    return insert_after(place, line, style.newline)


def _behind_set_up(place: Instruction, stage: Stage, workspace: Workspace) -> Instruction:
    """Behind what describes the image, and behind the system packages, as people write it."""
    for instruction in stage.instructions[stage.index_of(place) + 1 :]:
        describes = instruction.keyword in ("LABEL", "MAINTAINER")
        if not describes and not _is_of_system(instruction, workspace):
            break
        place = instruction
    return place


def _is_of_system(instruction: Instruction, workspace: Workspace) -> bool:
    """Whether a RUN does nothing but install system packages."""
    run = workspace.run(instruction) if instruction.keyword == "RUN" else None
    names = {command.literal_name for command in run.script.commands()} if run else set()
    return bool(names & _SYSTEM) and names <= {*_SYSTEM, "rm", "update-ca-certificates"}


def _is_given(path: str, stage: Stage, account: Account) -> bool:
    """Whether a step gives a folder to the user already."""
    owners = "|".join(re.escape(owner) for owner in account.owners)
    given = re.compile(rf"chown (?:-R )?(?:{owners}) {re.escape(path)}/?(?:\s|$)")
    return any(i.keyword == "RUN" and given.search(i.code) for i in stage.instructions)
