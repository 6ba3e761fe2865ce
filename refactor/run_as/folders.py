"""What has to belong to the service: its program's folder, data folders, volumes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.json_files import load_object, table
from dockerfix.effects.instructions import effects_of
from dockerfix.effects.reach import is_within
from dockerfix.image.copies import read_copy, source_of
from dockerfix.installs.install import Install
from dockerfix.knowledge.shell_commands import FETCHES_FILES
from dockerfix.patterns import pattern
from dockerfix.run_as.account import Account, StaysError
from dockerfix.run_as.needs import Running
from dockerfix.run_as.placed import resolve_path
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.shell.script import Command
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

#: Below these, folders that a RUN makes are for programs, not for data.
_SYSTEM_FOLDERS = (
    *("/etc", "/usr/local", "/usr/share", "/usr/lib", "/usr/bin", "/bin", "/sbin", "/lib"),
    *("/tmp", "/root", "/home", "/run"),
)
#: Folders of the system itself: who owns one may replace the programs in it.
_OF_SYSTEM = frozenset(
    (
        *("/", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/usr", "/usr/bin", "/usr/sbin"),
        *("/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib"),
        *("/usr/local/share", "/usr/share", "/boot", "/dev", "/proc", "/sys", "/run", "/tmp"),
        *("/var", "/var/lib", "/var/run", "/var/tmp", "/home"),
    )
)
#: Anybody may write there in every image, and so in a volume that is made from it.
_FOR_ALL = ("/tmp", "/var/tmp")
#: Programs that bring files from elsewhere, which then belong to root.
_FETCHES = FETCHES_FILES | {"git", "svn", "hg", "cp"}
#: Steps that make files the program is going to change: a database, a cache.
_WRITES_DATA = pattern(
    r"\b(?:migrate|db:|db push|drizzle-kit push|syncdb|seed|createsuperuser|flask db|initdb)\b"
    r"|\b(?:bootsnap|artisan|bin/console)\b"
    # Rails leaves its log and its caches with whatever it is asked to do.
    r"|(?:^|\bexec |bin/)(?:rails|rake) \w"
)


_RUN_SCRIPTS = frozenset(("npm", "yarn", "pnpm", "bun"))
#: They run one archive, which needs no folder around it.
_NEEDS_NO_FOLDER = ("java", "dotnet")
#: What root's home becomes where it is the program's folder.
_NEW_HOME = "/app"


#: Kinds of work that leave no files for which a program in PHP looks.
_LEAVES_NOTHING = frozenset(("packages", "tool", "set-up", "clean", "user"))


class Home(NamedTuple):
    """The folder of the program."""

    #: Absolute; None for a program without one, that is compiled.
    path: str | None
    #: The WORKDIR that names root's home, and has to name another folder.
    moved: Instruction | None = None


def home_of(stage: Stage, running: Running, workspace: Workspace) -> Home:
    """The folder of the program. Raises StaysError when an interpreted program has none."""
    folder = workspace.state(stage.instructions[-1]).workdir
    last = stage.instructions[-1]
    if last.keyword == "WORKDIR":
        folder = resolve_path(last.argument_text, last, workspace)
    if folder == "/root":
        return Home(_NEW_HOME, _movable(stage, workspace))
    if folder is not None and folder not in _OF_SYSTEM:
        return Home(folder)
    script = next((w for w in running.words[1:] if w.startswith("/") and "." in w), None)
    found = posixpath.dirname(script or "")
    if found not in ("", "/") and not found.startswith(_SYSTEM_FOLDERS):
        return Home(found)
    if running.is_own or running.name in _NEEDS_NO_FOLDER:
        return Home(None)
    raise StaysError("the program has no folder of its own", folder or "")


def _movable(stage: Stage, workspace: Workspace) -> Instruction:
    """The one WORKDIR that is root's home, when nothing else counts on it.

    Raises StaysError when something does.
    """
    named = [
        i
        for i in workspace.dockerfile.instructions
        if workspace.dockerfile.stage_of(i) is stage and "/root" in i.code
    ]
    workdirs = [i for i in stage.instructions if i.keyword == "WORKDIR"]
    if len(workspace.shipped_stages) > 1 or len(workdirs) != 1 or named != workdirs:
        raise StaysError("something lies in the home of root", "WORKDIR /root")
    return workdirs[0]


def owned_copies(
    stage: Stage, home: Home, running: Running, account: Account, workspace: Workspace
) -> list[Instruction]:
    """The COPYs into the program's folder; those of another owner are a reason to stay."""
    found: list[Instruction] = []
    for instruction in stage.instructions:
        if instruction.keyword not in ("COPY", "ADD"):
            continue
        path = resolve_path(instruction.arguments[-1], instruction, workspace)
        if path is None:
            raise StaysError("where files are copied to is not known", instruction.arguments[-1])
        owner = instruction.flag("chown")
        if owner is not None and owner not in account.owners:
            raise StaysError("a COPY names another owner", f"line {instruction.line}")
        inside = home.path is not None and is_within(path, home.path)
        moves = home.moved is not None and is_within(path, "/root")
        if inside or moves or _brings_home(path, home, instruction, workspace):
            found.append(instruction)
        elif not running.is_own and _is_whole(path, home, instruction, workspace):
            raise StaysError("the program has no folder of its own", path)
        else:
            _check_readable(instruction, workspace)
    return found


def comes_along(stage: Stage, home: Home, workspace: Workspace) -> bool:
    """Whether a COPY of a folder above makes the program's folder, with its owner."""
    for instruction in stage.instructions:
        path = (
            resolve_path(instruction.arguments[-1], instruction, workspace)
            if (instruction.keyword in ("COPY", "ADD", "WORKDIR") and instruction.arguments)
            else None
        )
        if path is None or home.path is None:
            continue
        if instruction.keyword == "WORKDIR":
            if is_within(path, home.path):
                return False
        elif _brings_home(path, home, instruction, workspace):
            return True
    return False


def _brings_home(target: str, home: Home, copy: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY of a folder above brings the program's folder along."""
    context = workspace.context
    if context is None or home.path is None or target in ("/", home.path):
        return False
    if not is_within(home.path, target):
        return False
    inner = posixpath.relpath(home.path, target)
    sources = [c.source for c in read_copy(copy, workspace) or ()]
    return any(context.is_folder(posixpath.normpath(posixpath.join(s, inner))) for s in sources)


def check_sources_are_there(owned: list[Instruction], workspace: Workspace) -> None:
    """Raises StaysError when only manifests are copied: people mount the program itself."""
    installs = list(_installs(workspace))
    files = {path for install in installs for path in install.files}
    if not installs or workspace.context is None or not owned:
        return
    for copy in owned:
        copied = read_copy(copy, workspace)
        if copied is None or copy.flag("from") is not None:
            return
        sources = (path for entry in copied for path in workspace.context.find(entry.source))
        if not all(path in files or f"{path}*" in files for path in sources):
            return
    raise StaysError("the program's sources are not in the image")


def check_steps_of_php(workspace: Workspace) -> None:
    """Raises StaysError for a step that may fill caches of the program, or open its log, as root.

    Scripts of a project's packages do so when composer installs them.
    """
    for stage in workspace.shipped_stages:
        for instruction in stage.instructions:
            step = effects_of(instruction, workspace).step if instruction.keyword == "RUN" else None
            known = step is not None and all(c.kind in _LEAVES_NOTHING for c in step.calls)
            if instruction.keyword == "RUN" and not known:
                raise StaysError("a step writes data of the program", f"line {instruction.line}")


def _installs(workspace: Workspace) -> Iterator[Install]:
    for stage in workspace.shipped_stages:
        for instruction in stage.instructions:
            step = effects_of(instruction, workspace).step if instruction.keyword == "RUN" else None
            for call in step.calls if step is not None else ():
                if call.install is not None:
                    yield call.install


def _check_readable(instruction: Instruction, workspace: Workspace) -> None:
    """What stays root's has to be readable for others."""
    context = workspace.context
    for copied in read_copy(instruction, workspace) or ():
        for source in context.find(copied.source) if context is not None else ():
            mode = context.mode(source) if context is not None else None
            if mode is not None and not mode & 0o004:
                raise StaysError("a file that only its owner may read", source)


def _is_whole(path: str, home: Home, instruction: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY fills the root of the image, or may bring more than single files there."""
    if path == "/":
        return True
    context = workspace.context
    if home.path is not None:
        return False
    if instruction.flag("from") is not None:
        return instruction.arguments[-1].endswith("/")
    sources = (source.strip("./") or "." for source in instruction.arguments[:-1])
    return context is None or any(context.is_folder(source) for source in sources)


def data_folders(stage: Stage, folder: str | None, workspace: Workspace) -> dict[str, Instruction]:
    """Folders outside of the system that RUN instructions make, by what makes them."""
    found: dict[str, Instruction] = {}
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            for path in _made(instruction, folder, workspace):
                found.setdefault(path, instruction)
    return found


def volumes(stage: Stage, workspace: Workspace) -> dict[str, Instruction]:
    """The folders that VOLUME names. Raises StaysError for one whose name is not known."""
    found: dict[str, Instruction] = {}
    for instruction in stage.instructions:
        if instruction.keyword != "VOLUME":
            continue
        for word in instruction.arguments:
            if word.startswith("["):
                # No JSON, so a path with brackets in its name, which no program asks for.
                continue
            path = resolve_path(word, instruction, workspace)
            if path in _FOR_ALL:
                continue
            if path is None or path == "/" or path.startswith(_SYSTEM_FOLDERS):
                raise StaysError("a volume may hold files of root's", word)
            found[path] = instruction
    return found


def _is_about(words: list[str], directory: str | None, folder: str) -> bool:
    """Whether a command may put files into a folder: it works there, or names it."""
    if any(folder in word for word in words):
        return True
    if directory != folder:
        return False
    return not (words[0] == "cp" and words[-1].startswith("/"))


def _scripts(words: list[str], instruction: Instruction, workspace: Workspace) -> Iterator[str]:
    """What a script of a package.json does that a command runs."""
    directory = workspace.state(instruction).workdir
    if workspace.context is None or not words or words[0] not in _RUN_SCRIPTS or not directory:
        return
    path = source_of(posixpath.join(directory, "package.json"), instruction, workspace)
    manifest = load_object(workspace.context.read(path)) if path else None
    scripts = table(manifest or {}, "scripts")
    for word in words[1:]:
        if isinstance(scripts.get(word), str):
            yield from (str(scripts.get(f"{kind}{word}", "")) for kind in ("pre", "", "post"))


def _made(instruction: Instruction, folder: str | None, workspace: Workspace) -> Iterator[str]:
    where = f"line {instruction.line}"
    state = workspace.state(instruction)
    run = workspace.run(instruction)
    if run is None:
        raise StaysError("a step that cannot be read", where)
    for index, command in enumerate(run.script.all_commands):
        words = [word.text if word.value is None else word.value for word in command.words]
        gone = tuple(_removed(run.script.all_commands[index:], instruction, workspace))
        fetches = bool(words) and words[0] in _FETCHES
        if words[:1] == ["cp"] and _is_gone(words[-1], gone, instruction, workspace):
            continue
        if fetches and folder is not None and _is_about(words, state.workdir, folder):
            raise StaysError("a step fetches files of the program", where)
        texts = (" ".join(words), *_scripts(words, instruction, workspace))
        if any(_WRITES_DATA.search(text) for text in texts):
            raise StaysError("a step writes data of the program", where)
        if command.literal_name != "mkdir":
            continue
        for word in (word for word in words[1:] if not word.startswith("-")):
            path = resolve_path(word, instruction, workspace) if word else None
            if path is None:
                raise StaysError("a folder whose name is not known", where)
            if not path.startswith(_SYSTEM_FOLDERS) and not any(is_within(path, p) for p in gone):
                yield path


def _is_gone(
    word: str, gone: tuple[str, ...], instruction: Instruction, workspace: Workspace
) -> bool:
    path = resolve_path(word, instruction, workspace)
    return path is not None and any(is_within(path, place) for place in gone)


def _removed(
    commands: tuple[Command, ...], instruction: Instruction, workspace: Workspace
) -> Iterator[str]:
    """What commands remove."""
    for command in commands:
        words = command.argv if command.literal_name == "rm" and not command.nested else None
        for word in words[1:] if words else ():
            path = None if word.startswith("-") else resolve_path(word, instruction, workspace)
            if path is not None:
                yield path
