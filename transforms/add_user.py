"""add-user: the service runs as a user without rights over the system."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockerfix.context.usage.usage import built_services
from dockerfix.entry import Entry, UnknownEntryError, read_entry
from dockerfix.knowledge.run_as import (
    NEEDS_ROOT,
    RUNS_AS_ANYBODY,
    WRITES_TO_SOURCES,
    RunAs,
    run_as,
)
from dockerfix.knowledge.shell_commands import FETCHES_FILES
from dockerfix.manifest_copies import is_within
from dockerfix.patterns import pattern
from dockerfix.reasons import ReasonError
from dockerfix.syntax.edits import Edit, head_of, insert_after
from dockerfix.syntax.tree import Instruction, Stage
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

#: What a script may not do when another user is going to run it.
_ROOT_WORK = pattern(
    r"\b(?:chown|chmod|gosu|su-exec|sudo|apt-get|apk|useradd|usermod|adduser|setcap|iptables)\b"
    r"|>\s*/(?:etc|usr|opt|root|var/run|run)\b|\b(?:mkdir|cp|mv|ln|touch|sed -i)\b[^\n]*\s/(?!tmp)"
)
_LOW_PORT = pattern(r"(?:^|[\s:=])(?:0\.0\.0\.0:|:)?([1-9]\d{0,2})$")
_PORT_OPTIONS = ("--port", "-p", "--bind", "-b", "--server.port", "--listen", "--http-port")
#: Below these, folders that a RUN makes are for programs, not for data.
_SYSTEM_FOLDERS = (
    *("/etc", "/usr/local", "/usr/share", "/usr/lib", "/usr/bin", "/bin", "/sbin", "/lib"),
    *("/tmp", "/root", "/home", "/run"),
)
#: Programs that bring files from elsewhere, which then belong to root.
_FETCHES = FETCHES_FILES | {"git", "svn", "hg", "cp", "mv"}
#: Steps that make files the program is going to change: a database, a cache.
_WRITES_DATA = pattern(r"\b(?:migrate|db:|syncdb|seed|createsuperuser|flask db|initdb|bootsnap)\b")


#: Where the usual databases keep their data, in images of their own.
_DATABASES = (
    *("/var/lib/mysql", "/var/lib/postgresql", "/data/db", "/data/configdb", "/bitnami"),
    *("/var/lib/rabbitmq", "/usr/share/elasticsearch", "/var/lib/mongodb", "/var/lib/redis"),
    *("/data", "/var/lib/grafana", "/prometheus"),
)
_ENV_PORT = pattern(r"PORTS?[= ][\"']?(\d+)|://[^:/\s]*:(\d+)")
#: Modes under which others may not read.
_MODES = pattern(r"\bumask\b|chmod\s+(?:-R\s+)?(?:0?[4-7][0-7]0\b|go-|o-|u=)")
_MAKES_USER = pattern(r"\b(?:useradd|adduser)\b")
#: Ports below it are root's, unless the engine's settings say otherwise.
_FIRST_FREE_PORT = 1024


class AddUser(Transform):
    """Run the service as a user that is not root, and give it the folder of its program.

    Where the image has a user for the purpose, that one is named. Otherwise one is made; USER then
    has its number, so that orchestrators can see that it is not root.

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
        USER node
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
            yield _add(stage, workspace)
        except _StaysError as error:
            yield Declined(f"root stays: {error.reason}", stage.start.line, error.detail)


class _StaysError(ReasonError):
    """Why nothing is done: fixed words, and what is special about this case."""


def _add(stage: Stage, workspace: Workspace) -> Change:
    user = _user(workspace)
    entry = _entry(stage, workspace)
    _check_entry(entry)
    _check_stages(workspace)
    _check_compose(stage, workspace)
    owned = _owned_copies(stage, user, workspace)
    _check_folder(stage, entry, user, owned, workspace)
    folders = _folders(stage, workspace) if owned and user.owns else {}
    setup = _set_up(stage, user, folders, workspace)
    edits = [setup] if setup is not None else []
    edits.append(_user_edit(stage, user, setup, workspace))
    if user.owns:
        edits += [_chown_edit(copy, user) for copy in owned if copy.flag("chown") is None]
    return Change(
        "the service runs as root",
        f"Run it as `{user.user}`",
        tuple(edits),
        stage.start.line,
        Level.REVIEW,
        evidence=(
            Evidence(f"line {entry.instruction.line}", f"runs `{' '.join(entry.main[:3])}`"),
            Evidence(workspace.shipped_stages[0].base, user.source),
        ),
        added=("USER",) + (("RUN",) if setup is not None else ()),
    )


def _check_folder(
    stage: Stage, entry: Entry, user: RunAs, owned: list[Instruction], workspace: Workspace
) -> None:
    """What the program writes beside itself has to go on working."""
    interpreted = posixpath.basename(entry.main[0]) in RUNS_AS_ANYBODY
    if not user.owns and interpreted and entry.main[0] != "dotnet":
        raise _StaysError("the program may write beside itself", entry.main[0])
    folder = workspace.state(stage.instructions[-1]).workdir
    if not owned and folder not in (None, "/"):
        raise _StaysError("the program's folder is not filled by a COPY", folder or "")


def _user(workspace: Workspace) -> RunAs:
    root = workspace.shipped_stages[0]
    if "$" in root.base:
        raise _StaysError("the base image is given from outside", root.base)
    user = run_as(root.base)
    if user is None:
        raise _StaysError("it is not known which users the image has", root.base)
    return user


def _entry(stage: Stage, workspace: Workspace) -> Entry:
    try:
        return read_entry(stage, workspace)
    except UnknownEntryError as error:
        raise _StaysError(error.reason, error.detail) from error


# Proofs


def _check_entry(entry: Entry) -> None:
    for script in entry.scripts:
        match = _ROOT_WORK.search(script)
        if match:
            raise _StaysError("a script at start does work of root's", match[0].strip())
    for call in entry.calls:
        name = posixpath.basename(call[0])
        if name in NEEDS_ROOT:
            raise _StaysError("the program may need root", name)
        if name in WRITES_TO_SOURCES:
            raise _StaysError("the program writes beside its dependencies", name)
    name = posixpath.basename(entry.main[0])
    if name in RUNS_AS_ANYBODY and len(entry.main) == 1 and len(entry.calls) == 1:
        raise _StaysError("an interpreter alone: the image is a base for others", name)
    if name not in RUNS_AS_ANYBODY and not _is_own_program(entry.main[0]):
        raise _StaysError("the program is not known", name)
    _check_ports(entry.main)


def _is_own_program(word: str) -> bool:
    """A path outside of the system's folders: the program that the file builds or copies."""
    return "/" in word and not word.startswith(("/bin", "/sbin", "/usr/sbin", "/usr/bin", "/etc"))


def _check_ports(words: tuple[str, ...]) -> None:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        value = following if word in _PORT_OPTIONS else word.partition("=")[2] or word
        if word in _PORT_OPTIONS or ":" in value or "=" in word:
            match = _LOW_PORT.search(value)
            if match and int(match[1]) < _FIRST_FREE_PORT:
                raise _StaysError("a port below 1024", match[1])


def _check_stages(workspace: Workspace) -> None:
    for stage in workspace.shipped_stages:
        for instruction in stage.instructions:
            _check_instruction(instruction)


def _check_instruction(instruction: Instruction) -> None:
    code = instruction.code
    if instruction.keyword == "EXPOSE":
        for port in instruction.arguments:
            number = port.partition("/")[0].partition("-")[0]
            if not number.isdigit() or int(number) < _FIRST_FREE_PORT:
                raise _StaysError("a port below 1024", port)
    ports = _ENV_PORT.findall(code) if instruction.keyword == "ENV" else []
    if any(int(first or second) < _FIRST_FREE_PORT for first, second in ports):
        raise _StaysError("a port below 1024", f"line {instruction.line}")
    if instruction.keyword == "VOLUME":
        raise _StaysError("a volume may hold files of root's")
    if instruction.keyword == "ONBUILD":
        raise _StaysError("the image is a base for others")
    if "/root" in code or "docker.sock" in code or "~/" in code:
        raise _StaysError("something lies in the home of root", f"line {instruction.line}")
    if instruction.keyword == "RUN" and _MODES.search(code):
        raise _StaysError("a step sets modes", f"line {instruction.line}")
    if instruction.keyword == "RUN" and _MAKES_USER.search(code):
        raise _StaysError("the file makes a user of its own", f"line {instruction.line}")
    if instruction.keyword == "RUN" and "--user" in code and "pip" in code:
        raise _StaysError("something lies in the home of root", f"line {instruction.line}")
    if instruction.flag("chmod") is not None and instruction.keyword in ("COPY", "ADD"):
        raise _StaysError("a step sets modes", f"line {instruction.line}")


def _check_compose(stage: Stage, workspace: Workspace) -> None:
    """What is mounted keeps its owner; a low port may be for this image."""
    folder = workspace.state(stage.instructions[-1]).workdir or "/"
    for service in built_services(workspace.context):
        where = f"{service.file}: {service.name}"
        for host, path in service.mounts:
            if not host.startswith((".", "/", "~", "$")) and not path.startswith(_DATABASES):
                raise _StaysError("a volume may hold files of root's", where)
            if folder != "/" and is_within(path, folder) and host.startswith((".", "/", "~")):
                raise _StaysError("the host's files are mounted over the program", where)
        if any(port < _FIRST_FREE_PORT for port in service.ports):
            raise _StaysError("a port below 1024", where)


# Edits


def _user_edit(stage: Stage, user: RunAs, setup: Edit | None, workspace: Workspace) -> Edit:
    """USER above the entry of the stage, or at its end."""
    style = workspace.style
    line = f"{style.keyword('USER')} {user.user}"
    work = [i for i in stage.instructions if i.keyword in ("RUN", "COPY", "ADD")]
    last = max([stage.start, *work], key=stage.index_of).end
    if setup is not None:
        last = max(last, setup.start)
    for entry in stage.instructions:
        head = head_of(workspace.dockerfile, entry)
        if entry.keyword in ("ENTRYPOINT", "CMD") and entry.start >= last:
            return Edit(head, head, line + style.newline)
    return insert_after(stage.instructions[-1], line, style.newline)


def _owned_copies(stage: Stage, user: RunAs, workspace: Workspace) -> list[Instruction]:
    """The COPYs into the program's folder; those of another owner are a reason to stay."""
    folder = workspace.state(stage.instructions[-1]).workdir
    found: list[Instruction] = []
    for instruction in stage.instructions:
        if instruction.keyword not in ("COPY", "ADD"):
            continue
        path = _target(instruction, workspace)
        owner = instruction.flag("chown")
        if owner not in (None, user.owner, user.user):
            raise _StaysError("a COPY names another owner", f"line {instruction.line}")
        if folder and folder != "/" and (path == folder or path.startswith(f"{folder}/")):
            found.append(instruction)
        elif path == "/" or (folder in (None, "/") and _may_be_folder(instruction, workspace)):
            raise _StaysError("the program has no folder of its own", path)
    return found


def _target(instruction: Instruction, workspace: Workspace) -> str:
    target = instruction.arguments[-1]
    before = workspace.state(instruction).workdir
    if "$" in target or (before is None and not target.startswith("/")):
        raise _StaysError("where files are copied to is not known", target)
    return posixpath.normpath(posixpath.join(before or "/", target))


def _may_be_folder(instruction: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY may bring more than single files."""
    context = workspace.context
    if instruction.flag("from") is not None:
        return instruction.arguments[-1].endswith("/")
    sources = (source.strip("./") or "." for source in instruction.arguments[:-1])
    return context is None or any(context.is_folder(source) for source in sources)


def _chown_edit(copy: Instruction, user: RunAs) -> Edit:
    end = copy.start + len(copy.code) - len(copy.code.lstrip()) + len(copy.keyword_text)
    return Edit(end, end, f" --chown={user.owner}")


def _set_up(
    stage: Stage, user: RunAs, folders: dict[str, Instruction], workspace: Workspace
) -> Edit | None:
    """One RUN that makes the user, and gives it the folders that the file makes for it.

    As early as possible: it hardly ever changes.
    """
    commands = user.create.split(" && ") if user.create else []
    given = [path for path in folders if not _is_given(path, stage, user)]
    if given:
        commands.append(f"chown {user.owner} {' '.join(given)}")
    if not commands:
        return None
    style = workspace.style
    line = f"{style.keyword('RUN')} {style.join_commands(commands)}"
    place = max([stage.start, *folders.values()], key=stage.index_of)
    return insert_after(place, line, style.newline)


def _is_given(path: str, stage: Stage, user: RunAs) -> bool:
    """Whether a step gives a folder to the user already."""
    given = re.compile(rf"chown (?:-R )?{re.escape(user.owner)} {re.escape(path)}/?(?:\s|$)")
    return any(i.keyword == "RUN" and given.search(i.code) for i in stage.instructions)


def _folders(stage: Stage, workspace: Workspace) -> dict[str, Instruction]:
    """The program's folder and those that RUN instructions make, by what makes them."""
    folder = workspace.state(stage.instructions[-1]).workdir
    workdirs = [i for i in stage.instructions if i.keyword == "WORKDIR"]
    if not folder or not workdirs:
        raise _StaysError("the program has no folder of its own")
    found: dict[str, Instruction] = {folder: workdirs[-1]}
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            for path in _made(instruction, folder, workspace):
                found.setdefault(path, instruction)
    return found


def _is_about(words: list[str], directory: str | None, folder: str) -> bool:
    """Whether a command works in a folder, or names it."""
    return directory == folder or any(folder in word for word in words)


def _made(instruction: Instruction, folder: str, workspace: Workspace) -> Iterator[str]:
    """Folders outside of the system that a RUN makes."""
    state = workspace.state(instruction)
    run = workspace.run(instruction)
    if run is None:
        raise _StaysError("a step that cannot be read", f"line {instruction.line}")
    for command in run.script.commands():
        words = [word.value or "" for word in command.words]
        if words[:1] and words[0] in _FETCHES and _is_about(words, state.workdir, folder):
            raise _StaysError("a step fetches files of the program", f"line {instruction.line}")
        if _WRITES_DATA.search(" ".join(words)):
            raise _StaysError("a step writes data of the program", f"line {instruction.line}")
        if command.literal_name != "mkdir":
            continue
        for word in words[1:]:
            if word.startswith("-"):
                continue
            if not word or (state.workdir is None and not word.startswith("/")):
                raise _StaysError("a folder whose name is not known", f"line {instruction.line}")
            path = posixpath.normpath(posixpath.join(state.workdir or "/", word))
            if not path.startswith(_SYSTEM_FOLDERS):
                yield path
