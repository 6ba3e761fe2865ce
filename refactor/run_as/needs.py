"""What keeps a service at root: its program, its steps, what runs it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.usage.facts import Service
from dockerfix.context.usage.usage import Usage, usage_of
from dockerfix.image.copies import lineage, origin_of
from dockerfix.image.entry import Entry
from dockerfix.knowledge.data import names, table
from dockerfix.patterns import pattern
from dockerfix.run_as.account import StaysError
from dockerfix.run_as.placed import find_program
from dockerfix.run_as.ports import FIRST_FREE_PORT
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

#: What a script may not do when another user is going to run it.
_ROOT_WORK = pattern(
    r"\b(?:chown|chmod|gosu|su-exec|sudo|apt-get|apk|useradd|usermod|adduser|setcap|iptables)\b"
    r"|>\s*/(?:etc|usr|opt|root|var/run|run)\b|\b(?:mkdir|cp|mv|ln|touch|sed -i)\b[^\n]*\s/(?!tmp)"
)
#: How a Linux program begins.
_ELF = b"\x7fELF"
_OF_PROGRAMS = ("", ".bin", ".out", ".run", ".exe", ".linux", ".amd64", ".sh")
#: What they run is a service, whatever the file says.
_SERVERS = frozenset(
    (
        *("java", "dotnet", "gunicorn", "uvicorn", "hypercorn", "daphne", "puma", "rackup"),
        *("celery", "locust", "streamlit", "next", "serve", "sidekiq", "unicorn", "flask"),
    )
)
#: Modes under which others may not read.
_MODES = pattern(r"\bumask\b|chmod\s+(?:-R\s+)?(?:0?[4-7][0-7]0\b|go-|o-|u=)")
_FETCHES = pattern(r"\b(?:git (?:clone|fetch)|(?:go|cargo) install|curl|wget)\b")
_MAKES_USER = pattern(r"\b(?:useradd|adduser)\b")
_HOME = ("/root", "~/", "$HOME", "${HOME}")
_BUILDERS = frozenset(
    ("cargo", "go", "mvn", "mvnw", "gradle", "gradlew", "mix", "sbt", "lein", "make", "swift")
)
#: Mounted for reading alone, by custom.
_READ_ONLY = ("/etc/", "/run/secrets", "/var/run/secrets", "/usr/share", "/proc", "/sys")


class Running(NamedTuple):
    """The program that stays, those that only start it left out."""

    words: tuple[str, ...]
    #: Whether it is compiled, and put there by the file.
    is_own: bool

    @property
    def name(self) -> str:
        """The program's name."""
        return posixpath.basename(self.words[0])


def check_program(entry: Entry, stage: Stage, workspace: Workspace) -> Running:
    """The program that stays. Raises StaysError when it, or a script before it, needs root."""
    for script in entry.scripts:
        match = _ROOT_WORK.search(script)
        if match:
            raise StaysError("a script at start does work of root's", match[0].strip())
    for call in entry.calls:
        _check_call(unwrap(call))
    words = unwrap(entry.main)
    name = posixpath.basename(words[0])
    if name in _BUILDERS or words[:2] in (("dotnet", "run"), ("dotnet", "watch")):
        raise StaysError("the program is built when it starts", " ".join(words[:2]))
    if words[:2] == ("uv", "run"):
        raise StaysError("the program may be installed when it starts", " ".join(words[:3]))
    anybody = name in names("services", "runs_as_anybody")
    if anybody and len(words) == 1 and len(entry.calls) == 1 and len(entry.main) == 1:
        raise StaysError("an interpreter alone: the image is a base for others", name)
    if name == "next" and "start" not in words:
        raise StaysError("a development server", " ".join(words[:2]))
    if anybody or name == "next":
        return Running(words, False)
    _check_own(words[0], stage, workspace)
    return Running(words, True)


def _check_own(word: str, stage: Stage, workspace: Workspace) -> None:
    """A compiled program that the file builds or brings. Raises StaysError for anything else."""
    placed = find_program(word, stage, workspace)
    if placed is None and not _is_built_here(word):
        raise StaysError("the program is not known", word)
    if placed is not None and _is_fetched(placed.instruction, workspace):
        raise StaysError("the program's sources are not in the repository", word)
    suffix = posixpath.splitext(word)[1]
    if suffix not in _OF_PROGRAMS and not suffix[1:].isdigit():
        raise StaysError("the program is not known", word)
    directory = workspace.state(stage.instructions[-1]).workdir or "/"
    path = posixpath.normpath(posixpath.join(directory, word))
    source = origin_of(path, stage, workspace)
    if source is not None and workspace.context is not None:
        head = workspace.context.head(source, 4)
        if head != _ELF:
            raise StaysError("a script that cannot be followed", source)


def _is_fetched(copy: Instruction, workspace: Workspace) -> bool:
    """Whether a program's stage gets its sources from elsewhere alone: it may write anywhere."""
    reference = copy.flag("from") if copy.keyword == "COPY" else None
    stage = workspace.dockerfile.stage_of(copy)
    maker = workspace.dockerfile.find_stage(reference, stage.index) if reference and stage else None
    if maker is None:
        return False
    steps = [i for entry in lineage(workspace.dockerfile, maker) for i in entry.instructions]
    if any(i.keyword in ("COPY", "ADD") or "type=bind" in (i.flag("mount") or "") for i in steps):
        return False
    return any(i.keyword == "RUN" and _FETCHES.search(i.argument_text) for i in steps)


def check_command(entry: Entry, running: Running, workspace: Workspace) -> None:
    """Raises StaysError for a command that people run on files of theirs, which they mount.

    That is: an ENTRYPOINT that waits for arguments, no port, and nothing that runs it as a service.
    """
    if running.name in _SERVERS or entry.instruction.keyword != "ENTRYPOINT":
        return
    keywords = {i.keyword for stage in workspace.shipped_stages for i in stage.instructions}
    waits = keywords.isdisjoint(("CMD", "EXPOSE", "HEALTHCHECK")) and len(entry.main) <= 2
    if waits and not usage_of(workspace.context).services:
        raise StaysError("a command that may work on files of its user's", running.name)


def unwrap(words: tuple[str, ...]) -> tuple[str, ...]:
    """A call without the programs that only start another: `npx`, `bundle exec`."""
    runners = table("services", "runners")
    for _ in range(4):
        runner = runners.get(posixpath.basename(words[0]))
        if runner is None:
            return words
        rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        if "first" in runner:
            if rest[:1] != [runner["first"]]:
                return words
            rest = rest[1:]
        if not rest:
            return words
        words = words[words.index(rest[0], 1) :]
    return words


def _check_call(words: tuple[str, ...]) -> None:
    name = posixpath.basename(words[0])
    if name in names("services", "needs_root"):
        raise StaysError("the program may need root", name)
    if name in names("services", "writes_to_sources"):
        raise StaysError("the program writes beside its dependencies", name)


def _is_built_here(word: str) -> bool:
    """A path outside of the system's folders: what the file builds or copies."""
    return "/" in word and not word.startswith(("/bin", "/sbin", "/usr/sbin", "/usr/bin", "/etc"))


def check_steps(workspace: Workspace) -> None:
    """Raises StaysError for a step after which another user cannot go on."""
    for stage in workspace.shipped_stages:
        for instruction in stage.instructions:
            _check_step(instruction, workspace)


def _check_step(instruction: Instruction, workspace: Workspace) -> None:
    code, where = instruction.code, f"line {instruction.line}"
    if instruction.keyword == "ONBUILD":
        raise StaysError("the image is a base for others")
    if "docker.sock" in code:
        raise StaysError("the program may need root", f"{where}: docker.sock")
    # In `mysql://root@db` it is no folder.
    paths = code.replace("//", " ")
    if any(word in paths for word in _HOME) and _is_at_home(instruction, workspace):
        raise StaysError("something lies in the home of root", where)
    if instruction.keyword == "RUN" and _MODES.search(code):
        raise StaysError("a step sets modes", where)
    if instruction.keyword == "RUN" and _MAKES_USER.search(code):
        raise StaysError("the file makes a user of its own", where)
    if instruction.keyword == "RUN" and "--user" in code and "pip" in code:
        raise StaysError("something lies in the home of root", where)
    mode = instruction.flag("chmod")
    if mode is not None and not (mode.isdigit() and int(mode[-1]) in (4, 5, 6, 7)):
        raise StaysError("a step sets modes", where)


def _is_at_home(instruction: Instruction, workspace: Workspace) -> bool:
    """Whether an instruction puts something into root's home that the program may look for."""
    if instruction.keyword in ("COPY", "ADD"):
        target = instruction.arguments[-1]
        return target.startswith(_HOME) or (instruction.flag("from") is None and "~" in target)
    if instruction.keyword == "WORKDIR":
        # Whether another folder will do is asked where the program's folder is looked for.
        return instruction.argument_text.rstrip("/") != "/root"
    if instruction.keyword in ("CMD", "ENTRYPOINT", "ENV", "VOLUME", "HEALTHCHECK"):
        return True
    run = workspace.run(instruction) if instruction.keyword == "RUN" else None
    if run is None:
        return instruction.keyword == "RUN"
    texts = (c for c in run.script.commands() if c.literal_name not in ("rm", "rmdir"))
    return any(word.text.startswith(_HOME) for command in texts for word in command.words)


def check_usage(folder: str, workspace: Workspace) -> Iterator[str]:
    """What the repository says for the change; raises StaysError for what speaks against it."""
    usage = usage_of(workspace.context)
    for problem in usage.problems:
        raise StaysError(problem.reason, problem.detail)
    workplace = usage.development_of(workspace.shipped_stages[-1].name)
    if workplace is not None:
        raise StaysError("a development image", str(workplace))
    for service in usage.services:
        where = f"{service.file}: {service.name}"
        _check_service(service, where, folder)
        if service.read_only:
            yield f"{where} runs it where it can write to mounts alone"
        if service.non_root:
            yield f"{where} runs it as {service.user or 'another user than root'}"
    for path, where in usage.mounted:
        if folder != "/" and _is_within(path, folder):
            raise StaysError("the host's files are mounted over the program", where)
    _check_commands(usage)


def _check_service(service: Service, where: str, folder: str) -> None:
    if service.privilege and service.privilege != "network_mode: host":
        raise StaysError("it is run with more rights", f"{where}: {service.privilege}")
    if service.user.partition(":")[0] in ("0", "root"):
        raise StaysError("it is run as root on purpose", where)
    for host, path in service.mounts:
        if host.endswith("docker.sock") or path.endswith("docker.sock"):
            raise StaysError("the program may need root", f"{where}: docker.sock")
        if service.gives_volumes or path.startswith("/tmp"):
            continue
        if posixpath.normpath(host) == "." and path in service.unwritten:
            # The repository's own files, which anybody may read and nobody writes there.
            continue
        if host.startswith((".", "/", "~")):
            if folder != "/" and _is_within(path, folder):
                raise StaysError("the host's files are mounted over the program", where)
            # The repository itself is mounted for its sources, which the program does not use.
            sources = posixpath.normpath(host) == "."
            if not (sources or "." in posixpath.basename(path) or path.startswith(_READ_ONLY)):
                raise StaysError("a folder of the host's is mounted", f"{where}: {path}")
        elif not host.startswith("$"):
            raise StaysError("a volume may hold files of root's", f"{where}: {path}")
    if any(port < FIRST_FREE_PORT for port in service.ports):
        raise StaysError("a port below 1024", where)


def _check_commands(usage: Usage) -> None:
    for command in usage.commands:
        if "/root" in command.text or "sudo " in command.text:
            raise StaysError("something lies in the home of root", str(command.place))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
