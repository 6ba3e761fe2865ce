"""order-copies: manifests first, then the install, then the sources."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from dockerfix.copies import Copied, instructions_before, read_copy
from dockerfix.installs.install import Install, UnknownInstallError
from dockerfix.installs.read import install_words, read_install
from dockerfix.knowledge.package_managers import GEM, PIP
from dockerfix.manifest_copies import CannotMoveError, is_within, keep_out, manifest_lines
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.syntax.edits import (
    Edit,
    blank_below,
    end_with_gap,
    head_of,
    insert_after,
    with_comments,
)
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell import Command
from dockerfix.syntax.tree import Instruction, Stage
from dockerfix.transform import Change, Declined, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

#: Instructions that an install and a COPY may pass each other across.
_TRANSPARENT = frozenset(
    (
        *("ENV", "ARG", "LABEL", "MAINTAINER", "EXPOSE", "USER", "WORKDIR", "SHELL", "STOPSIGNAL"),
        *("CMD", "ENTRYPOINT", "HEALTHCHECK"),
    )
)
#: Commands that read nothing a COPY brings, as long as their words name nothing of it.
_HARMLESS = frozenset(
    (
        *("mkdir", "echo", "true", ":", "export", "apt-key", "gpg", "locale-gen", "useradd"),
        *("groupadd", "adduser", "addgroup", "usermod", "update-ca-certificates", "corepack"),
        *("rm", "chmod", "chown", "curl", "wget", "ldconfig", "node", "set"),
    )
)
#: They write the tool's own settings, outside of the project.
_CONFIGURES = (
    *(("poetry", "config"), ("bundle", "config"), ("pip", "config"), ("go", "env")),
    *(("python", "-m", "venv", "/opt/venv"), ("python3", "-m", "venv", "/opt/venv")),
)
#: What shows that an earlier step fetched the dependencies of a tool that also builds.
_FETCHES = {"go": ("go mod", "go get", "vendor"), "maven": ("dependency:",)}
_CACHES = ("/root/.npm", "/root/.cache", "/var/cache", "/var/lib/apt", "/tmp", "/go/pkg")


class OrderCopies(Transform):
    """Copy what an install of dependencies reads before it, and everything else after it.

    An edit of the sources then no longer makes the install run again. Where the COPY of the
    sources would bring the host's copy of what the install leaves, `.dockerignore` keeps it out.

    Build context:
        package.json: {"dependencies": {"express": "^4.18.0"}}
        package-lock.json: {}
        .dockerignore: node_modules

    Before:
        FROM node:22
        WORKDIR /app
        COPY . .
        RUN npm ci
        CMD ["node", "index.js"]

    After:
        FROM node:22
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        CMD ["node", "index.js"]
    """

    name = "order-copies"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Look at every stage that copies before it installs."""
        for stage in workspace.dockerfile.stages:
            yield from _order(stage, workspace)


@dataclass(frozen=True)
class _Step:
    """An install, and where in its RUN it ends."""

    run: RunScript
    index: int
    install: Install


@dataclass
class _Group:
    """COPY instructions and the installs behind them, with nothing between that needs both."""

    copies: list[Instruction] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)

    @property
    def last(self) -> _Step:
        return self.steps[-1]


def _order(stage: Stage, workspace: Workspace) -> _Found:
    last = _last_install(stage, workspace)
    if last is None:
        return
    group = _Group()
    for instruction in stage.instructions[1:]:
        wall = ""
        if instruction.keyword in ("COPY", "ADD"):
            if instruction.flag("from") is not None:
                continue
            if read_copy(instruction, workspace) is None or (
                instruction.keyword == "ADD" and ("://" in instruction.argument_text)
            ):
                wall = "a COPY that cannot be read"
            else:
                group.copies.append(instruction)
        elif instruction.keyword == "RUN":
            wall = yield from _take_run(instruction, group, workspace)
        elif instruction.keyword not in _TRANSPARENT:
            wall = f"{instruction.keyword} stands between"
        if wall:
            yield from _finish(group, stage, workspace)
            explains = not group.steps and group.copies and wall != "-"
            if explains and instruction.keyword == "RUN" and instruction.start <= last.start:
                yield Declined(f"order stays: {_general(wall)}", instruction.line, wall)
            group = _Group()
    yield from _finish(group, stage, workspace)


def _take_run(
    instruction: Instruction, group: _Group, workspace: Workspace
) -> Generator[Declined, None, str]:
    """Add the installs of a RUN to the group; give why nothing may pass it, "" if that may be."""
    run = workspace.run(instruction)
    if run is None:
        return "a RUN that cannot be read"
    if not run.script.is_and_list or run.script.tail:
        return "a RUN that is no plain and-list"
    directory = workspace.state(instruction).workdir
    for index, item in enumerate(run.script.items):
        command = item.command
        if command is None:
            return "a step that may need the files"
        if command.literal_name == "cd":
            directory = _change_directory(directory, command)
            continue
        words = install_words(command)
        if words is not None and not command.redirections:
            try:
                install = read_install(words, directory, instruction, workspace)
            except UnknownInstallError as error:
                if group.copies:
                    yield Declined(f"order stays: {error.reason}", instruction.line, error.detail)
                return "-"
            if install.fetch and _fetched_before(install, run, index, workspace):
                return "-"
            group.steps.append(_Step(run, index, install))
            if install.fetch:
                return "-"
        elif not _is_harmless(command, group, directory, workspace):
            return f"`{' '.join(word.text for word in command.words[:2])}` may need the files"
    return ""


def _fetched_before(install: Install, run: RunScript, index: int, workspace: Workspace) -> bool:
    """Whether the dependencies are there already, or a cache mount keeps them."""
    if any(flag.name == "mount" for flag in run.instruction.flags):
        return True
    before = run.script.text[: run.script.items[index].start]
    steps = tuple(instructions_before(workspace.dockerfile, run.instruction))
    texts = (before, *(step.code for step in steps if step.keyword == "RUN"))
    brought = any(step.flag("from") is not None for step in steps if step.keyword == "COPY")
    return brought or any(text in code for text in _FETCHES[install.tool] for code in texts)


def _change_directory(directory: str | None, command: Command) -> str | None:
    words = [word.value for word in command.words[1:]]
    if len(words) != 1 or words[0] is None or words[0] == "-":
        return None
    if words[0].startswith("/"):
        return posixpath.normpath(words[0])
    return posixpath.normpath(posixpath.join(directory, words[0])) if directory else None


def _is_harmless(
    command: Command, group: _Group, directory: str | None, workspace: Workspace
) -> bool:
    """Whether a command reads nothing that the copies bring."""
    package = read_package_command(command)
    if package is not None and package.manager.system:
        return not any("/" in (word.value or "/") for word in package.packages)
    if any(redirection.target != "/dev/null" for redirection in command.redirections):
        return False
    if package is not None:
        return package.action == "clean" or _configures(command) or _installs_apart(package)
    known = command.argv or ()
    if any(known[: len(head)] == head for head in _CONFIGURES):
        return True
    if command.literal_name not in _HARMLESS or not all(word.value for word in command.words):
        return False
    return not any(
        _names_copied(word.value or "", group, directory, workspace) for word in command.words[1:]
    )


def _installs_apart(package: PackageCommand) -> bool:
    """Whether it installs named packages from a registry, and not into the project."""
    if package.manager is GEM:
        return package.action in ("install", "upgrade")
    apart = package.manager is PIP or package.has_option("-g", "--global")
    reads = package.has_option("-c", "--constraint", "-f", "--find-links", "-t", "--target", "-e")
    named = package.action in ("install", "upgrade") and bool(package.packages)
    return (
        named
        and apart
        and not reads
        and all(_is_registry_name(word.value) for word in package.packages)
    )


def _is_registry_name(text: str | None) -> bool:
    if not text:
        return False
    scoped = text[1:].replace("/", "", 1) if text.startswith("@") else text
    return (
        "/" not in scoped
        and not scoped.startswith((".", "~"))
        and not scoped.endswith((".whl", ".gz", ".zip", ".tgz"))
    )


def _configures(command: Command) -> bool:
    words = [word.text for word in command.words]
    return words[1:2] == ["config"] and len(words) > 2


def _names_copied(word: str, group: _Group, directory: str | None, workspace: Workspace) -> bool:
    """Whether a word may be the path of something that was copied."""
    if word.startswith(("-", *_CACHES)) or word == "":
        return False
    if "/" not in word and word not in (".", ".."):
        return bool(
            workspace.context
            and any(
                workspace.context.exists(_join(c.source, word)) for c in _copied(group, workspace)
            )
        )
    path = posixpath.normpath(posixpath.join(directory or "/", word))
    return any(is_within(path, c.destination) for c in _copied(group, workspace))


def _join(source: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(source, name))


def _copied(group: _Group, workspace: Workspace) -> Iterator[Copied]:
    for copy in group.copies:
        yield from read_copy(copy, workspace) or ()


def _last_install(stage: Stage, workspace: Workspace) -> Instruction | None:
    """The last RUN of a stage that installs dependencies."""
    for instruction in reversed(stage.instructions):
        if instruction.keyword != "RUN":
            continue
        run = workspace.run(instruction)
        if run is not None and any(install_words(command) for _, command in run.top_commands):
            return instruction
    return None


def _general(wall: str) -> str:
    return "a step in front may need the files" if "`" in wall else wall


# The new order


def _finish(group: _Group, stage: Stage, workspace: Workspace) -> _Found:
    if not group.steps or not group.copies:
        return
    try:
        found = _rewrite(group, workspace)
    except CannotMoveError as error:
        yield Declined(f"order stays: {error.reason}", error.line, error.detail)
        return
    if found is not None:
        yield found


def _rewrite(group: _Group, workspace: Workspace) -> Change | None:
    needed_files = {path for step in group.steps for path in step.install.files}
    needed_folders = {path for step in group.steps for path in step.install.folders}
    early = [copy for copy in group.copies if copy.start < group.last.run.instruction.start]
    movers = _movers(early, needed_files, needed_folders, workspace)
    if not movers:
        return None
    first = movers[0]
    later = [step for step in group.steps if step.run.instruction.start > first.start]
    if not later:
        return None
    _check_movers(movers, early, group, workspace)
    stayers = [copy for copy in early if copy not in movers]
    installs = [step.install for step in later]
    lines = manifest_lines(installs, movers, stayers, workspace)
    files = keep_out(installs, movers, workspace)
    edits = _edits(group, movers, lines, workspace)
    tools = ", ".join(dict.fromkeys(step.install.tool for step in later))
    return Change(
        "an edit of any file makes the install run again",
        f"Copy what {tools} reads first, and the rest behind the install",
        tuple(edits),
        first.line,
        max(_level(step.install) for step in later),
        evidence=tuple(e for step in later for e in step.install.evidence),
        added=_added(lines, group),
        files=files,
    )


def _movers(
    early: list[Instruction], files: set[str], folders: set[str], workspace: Workspace
) -> list[Instruction]:
    """The COPYs of whole folders that no install reads, and what has to stay behind those."""
    movers: list[Instruction] = []
    for copy in early:
        if _is_needed(copy, files, folders, workspace):
            continue
        if _brings_folder(copy, workspace) or any(
            _overtakes_wrongly(mover, copy, workspace) for mover in movers
        ):
            movers.append(copy)
    return movers


def _brings_folder(copy: Instruction, workspace: Workspace) -> bool:
    context = workspace.context
    assert context is not None
    sources = (path for c in read_copy(copy, workspace) or () for path in context.find(c.source))
    return any(path == "." or context.is_folder(path) for path in sources)


def _level(install: Install) -> Level:
    # go-offline resolves more than a build does: rarely, a repository lacks some of that.
    return Level.REVIEW if install.tool == "maven" and install.fetch else Level.SAFE


def _is_needed(copy: Instruction, files: set[str], folders: set[str], workspace: Workspace) -> bool:
    """Whether all that a COPY brings is what the installs read."""
    context = workspace.context
    assert context is not None
    for copied in read_copy(copy, workspace) or ():
        for source in context.find(copied.source) or [copied.source]:
            known = source in files or any(fnmatchcase(source, text) for text in files)
            if context.is_folder(source):
                known = any(is_within(source, folder) for folder in folders)
            if not known:
                return False
    return True


def _check_movers(
    movers: list[Instruction], early: list[Instruction], group: _Group, workspace: Workspace
) -> None:
    end = workspace.state(group.last.run.instruction).workdir
    for copy in movers:
        if "$" in copy.code:
            raise CannotMoveError("a variable in the COPY", copy.line)
        if copy.heredocs or copy.has_inner_lines:
            raise CannotMoveError("a comment stands within the COPY", copy.line)
        target = copy.arguments[-1]
        if not target.startswith("/") and workspace.state(copy).workdir != end:
            raise CannotMoveError("the directory changes in between", copy.line)
        for other in early:
            stays = other not in movers and other.start > copy.start
            if stays and _overtakes_wrongly(copy, other, workspace):
                raise CannotMoveError("another COPY goes to the same folder", other.line)
    _check_other_stages(movers, group, workspace)


def _check_other_stages(movers: list[Instruction], group: _Group, workspace: Workspace) -> None:
    """A COPY --from in between must go elsewhere: which of the two comes last decides."""
    stage = workspace.dockerfile.stage_of(movers[0])
    assert stage is not None
    folders = [c.destination for copy in movers for c in read_copy(copy, workspace) or ()]
    begin, end = stage.index_of(movers[0]), stage.index_of(group.last.run.instruction)
    for instruction in stage.instructions[begin:end]:
        if instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is not None:
            target = _destination(instruction, workspace)
            if target is None or any(_touches(target, folder) for folder in folders):
                raise CannotMoveError(
                    "a COPY from another stage goes to the same folder", instruction.line
                )


def _destination(instruction: Instruction, workspace: Workspace) -> str | None:
    target = instruction.arguments[-1] if instruction.arguments else ""
    directory = workspace.state(instruction).workdir
    if "$" in target or (directory is None and not target.startswith("/")):
        return None
    return posixpath.normpath(posixpath.join(directory or "/", target))


def _touches(first: str, second: str) -> bool:
    return is_within(first, second) or is_within(second, first)


def _meets(copied: Copied, actual: str, entry: Copied, workspace: Workspace) -> bool:
    """Whether two COPYs may write the same file; a single file is only where it lies."""
    context = workspace.context
    if context is not None and context.is_file(copied.source):
        return is_within(actual, entry.destination)
    return _touches(copied.destination, entry.destination)


def _overtakes_wrongly(mover: Instruction, stayer: Instruction, workspace: Workspace) -> bool:
    """Whether a file that is copied again later would be another one than before."""
    for copied in read_copy(stayer, workspace) or ():
        name = posixpath.basename(copied.source) if copied.into_folder else ""
        actual = posixpath.normpath(posixpath.join(copied.destination, name))
        for entry in read_copy(mover, workspace) or ():
            if not _meets(copied, actual, entry, workspace):
                continue
            inside = posixpath.relpath(copied.source, entry.source)
            expected = posixpath.normpath(posixpath.join(entry.destination, inside))
            if inside.startswith("..") or expected != actual:
                return True
    return False


def _added(lines: list[str], group: _Group) -> tuple[str, ...]:
    step = group.last
    divided = step.index + 1 < len(step.run.script.items) or bool(step.install.fetch)
    return ("COPY",) * len(lines) + (("RUN",) if divided and _divides(step) else ())


def _divides(step: _Step) -> bool:
    """Whether the RUN of the last install becomes two."""
    return bool(step.install.fetch) or bool(_rest(step))


def _rest(step: _Step) -> bool:
    """Whether what follows the install in its RUN does more than remove caches."""
    items = step.run.script.items[step.index + 1 :]
    return not all(item.command is not None and _only_cleans(item.command) for item in items)


def _only_cleans(command: Command) -> bool:
    package = read_package_command(command)
    if package is not None:
        return package.action == "clean"
    paths = [word.value or "" for word in command.words[1:] if not word.text.startswith("-")]
    return command.literal_name == "rm" and all(path.startswith(_CACHES) for path in paths)


def _edits(
    group: _Group, movers: list[Instruction], lines: list[str], workspace: Workspace
) -> Iterator[Edit]:
    dockerfile, newline = workspace.dockerfile, workspace.style.newline
    step = group.last
    run = step.run.instruction
    head = head_of(dockerfile, movers[0])
    if step.install.fetch and _may_fetch_above(movers[0], run, workspace):
        lines = [*lines, _run_line(step, step.install.fetch)]
        text = "".join(line + newline for line in lines)
        yield Edit(head, head, text + _gap_below(movers[0], workspace))
        return
    for index, copy in enumerate(movers):
        text = "".join(line + newline for line in lines) if index == 0 else ""
        end = copy.end if text else end_with_gap(dockerfile, copy)
        yield Edit(head_of(dockerfile, copy), end, text)
    moved = _moved_text(movers, workspace)
    if step.install.fetch:
        head = head_of(dockerfile, run)
        fetch = _run_line(step, step.install.fetch)
        yield Edit(head, head, f"{fetch}{newline}{moved}{_gap_below(movers[0], workspace)}")
    elif not _rest(step):
        if run.code.rstrip().endswith(run.escape):
            raise CannotMoveError("the file ends within the RUN", run.line)
        yield insert_after(run, moved.rstrip("\r\n"), newline)
    else:
        yield _divide(step, moved, _gap_below(movers[0], workspace), workspace)


def _may_fetch_above(copy: Instruction, run: Instruction, workspace: Workspace) -> bool:
    """Whether nothing between a COPY and a RUN changes where and how the RUN fetches."""
    stage = workspace.dockerfile.stage_of(copy)
    assert stage is not None
    between = stage.instructions[stage.index_of(copy) + 1 : stage.index_of(run)]
    return all(entry.keyword in ("ARG", "LABEL", "EXPOSE", "COPY") for entry in between)


def _moved_text(movers: list[Instruction], workspace: Workspace) -> str:
    """The moved instructions with their comments, set off as they were before."""
    dockerfile, newline = workspace.dockerfile, workspace.style.newline
    text = "".join(with_comments(dockerfile, copy, newline) for copy in movers)
    return _gap_below(movers[0], workspace) + text


def _gap_below(instruction: Instruction, workspace: Workspace) -> str:
    set_off = blank_below(workspace.dockerfile, instruction) is not None
    return workspace.style.newline if set_off else ""


def _divide(step: _Step, moved: str, gap: str, workspace: Workspace) -> Edit:
    """Cut a RUN in two behind the install, with the moved instructions between them."""
    run, script = step.run, step.run.script
    cut = run.replace(script.items[step.index].end, script.items[step.index + 1].start, "")
    if any(cut.start <= c.start < cut.end for c in run.instruction.inner_comments):
        raise CannotMoveError("a comment stands within the RUN", run.instruction.line)
    return Edit(
        cut.start,
        cut.end,
        f"{workspace.style.newline}{moved}{gap}{_run_line(step, '')}",
    )


def _run_line(step: _Step, command: str) -> str:
    """A RUN as the one of a step, in the same directory."""
    run = step.run.instruction
    before = step.run.script.items[: step.index]
    names = [item.command.literal_name if item.command else None for item in before]
    if any(item.assigned for item in before) or not {"export", "set"}.isdisjoint(names):
        raise CannotMoveError("a variable of the shell is used later", run.line)
    changes = [item.text for item, name in zip(before, names, strict=True) if name == "cd"]
    flags = [_flag_text(run, flag.start, flag.end) for flag in run.flags]
    return " ".join((run.keyword_text, *flags, *(f"{text} &&" for text in changes), command))


def _flag_text(instruction: Instruction, start: int, end: int) -> str:
    return instruction.code[start - instruction.start : end - instruction.start]
