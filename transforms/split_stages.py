"""split-stages: build in one stage, run in another."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from dockerfix.context.usage.usage import built_services
from dockerfix.entry import UnknownEntryError, read_entry
from dockerfix.knowledge.system_packages import runtime_packages
from dockerfix.manifest_copies import is_within
from dockerfix.packages import read_package_command
from dockerfix.reasons import ReasonError
from dockerfix.splitting.dotnet import plan_dotnet
from dockerfix.splitting.go import plan_go
from dockerfix.splitting.java import plan_java
from dockerfix.splitting.node import plan_node
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step, call_kind, read_steps
from dockerfix.splitting.python import plan_python
from dockerfix.splitting.rust import plan_rust
from dockerfix.splitting.static_site import plan_static_site
from dockerfix.syntax.edits import (
    Edit,
    blank_above,
    end_with_gap,
    head_of,
    with_comments,
)
from dockerfix.syntax.tree import Blank, Instruction, Stage
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

#: Who knows how programs of a kind are split; the first that recognises one decides.
_PLANNERS: tuple[Callable[[Program], Plan | None], ...] = (
    plan_go,
    plan_java,
    plan_dotnet,
    plan_rust,
    plan_node,
    plan_python,
)
#: What describes the container, and belongs to the stage that runs.
_MOVES = frozenset(
    (
        *("EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("CMD", "ENTRYPOINT"),
    )
)
#: What holds in both stages.
_REPEATS = frozenset(("WORKDIR", "ENV", "ARG", "USER"))
_DEVELOPMENT = frozenset(
    (
        *("nodemon", "--reload", "dev", "start:dev", "serve:dev", "watch", "ts-node-dev"),
        *("air", "reflex"),
    )
)


class SplitStages(Transform):
    """Build the program in a stage of its own; only what runs it is shipped.

    Build context:
        go.mod: module example.com/app
        main.go: package main

    Before:
        FROM golang:1.24
        WORKDIR /src
        COPY . .
        RUN CGO_ENABLED=0 go build -o /usr/local/bin/app .
        EXPOSE 8080
        CMD ["/usr/local/bin/app"]

    After:
        FROM golang:1.24 AS build
        WORKDIR /src
        COPY . .
        RUN CGO_ENABLED=0 go build -o /usr/local/bin/app .

        FROM gcr.io/distroless/static-debian12 AS runtime
        WORKDIR /src
        COPY --from=build /usr/local/bin/app /usr/local/bin/app
        EXPOSE 8080
        CMD ["/usr/local/bin/app"]
    """

    name = "split-stages"
    level = Level.REVIEW

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Look at a file of one stage."""
        stages = workspace.dockerfile.stages
        if len(stages) != 1 or not _builds(stages[0], workspace):
            return
        try:
            found = _split(stages[0], workspace)
        except ReasonError as error:
            yield Declined(f"one stage stays: {error.reason}", stages[0].start.line, error.detail)
            return
        if found is not None:
            yield found


def _builds(stage: Stage, workspace: Workspace) -> bool:
    """Whether any step installs dependencies or builds."""
    for instruction in stage.instructions:
        run = workspace.run(instruction)
        kinds = {call_kind(command) for _, command in run.top_commands} if run else set()
        if not kinds.isdisjoint(("install", "build")):
            return True
    return False


def _split(stage: Stage, workspace: Workspace) -> Change | None:
    program = _program(stage, workspace)
    plan = _plan(program)
    if plan is None:
        return None
    text, removed = _runtime_stage(program, plan)
    edits = [_name_edit(stage, program), *plan.edits]
    edits += _move_edits(removed, text, workspace)
    return Change(
        "the image ships what it was built with",
        f"Build in one stage, run on `{plan.base}` in another: {plan.gain} stay behind",
        tuple(edits),
        stage.start.line,
        plan.level,
        evidence=(_entry_evidence(program), *plan.evidence),
        removed=tuple(i.keyword for i in removed),
        added=(*plan.added, *_keywords(text)),
        files=plan.files,
    )


def _entry_evidence(program: Program) -> Evidence:
    words = " ".join(program.entry.main[:3])
    return Evidence(f"line {program.entry.instruction.line}", f"runs `{words}`")


def _program(stage: Stage, workspace: Workspace) -> Program:
    keywords = {i.keyword for i in stage.instructions}
    if "ONBUILD" in keywords:
        raise NotSplitError("the image is a base for others")
    if "SHELL" in keywords:
        raise NotSplitError("another shell is set")
    if any(i.flag("from") is not None for i in stage.instructions if i.keyword == "COPY"):
        raise NotSplitError("files come from another image")
    if any(i.keyword == "ADD" and "://" in i.code for i in stage.instructions):
        raise NotSplitError("files are fetched")
    if "$" in stage.base or "--platform" in stage.start.code:
        raise NotSplitError("the base image is given from outside", stage.base)
    steps = read_steps(stage, workspace)
    try:
        entry = read_entry(stage, workspace)
    except UnknownEntryError as error:
        raise NotSplitError(error.reason, error.detail) from error
    folder = _folder(stage, workspace)
    return Program(workspace, stage, entry, steps, folder)


def _folder(stage: Stage, workspace: Workspace) -> str:
    workdirs = [i for i in stage.instructions if i.keyword == "WORKDIR"]
    if not workdirs:
        raise NotSplitError("the program has no folder of its own")
    following = stage.instructions[stage.index_of(workdirs[-1]) + 1 :]
    folder = workspace.state(following[0]).workdir if following else None
    if folder in (None, "/"):
        raise NotSplitError("the program has no folder of its own")
    return str(folder)


def _check_compose(program: Program) -> None:
    """A compose file may run the image for development, with what a split leaves behind."""
    for service in built_services(program.workspace.context):
        where = f"{service.file}: {service.name}"
        if service.command:
            raise NotSplitError("compose runs another command", where)
        for host, path in service.mounts:
            if is_within(path, program.folder) and host.startswith((".", "/", "~", "$")):
                raise NotSplitError("the host's files are mounted over the program", where)


def _plan(program: Program) -> Plan | None:
    _check_compose(program)
    if program.workspace.level >= Level.RISKY:
        found = plan_static_site(program)
        if found is not None:
            return found
    for call in program.entry.calls:
        if not _DEVELOPMENT.isdisjoint(call):
            raise NotSplitError("a development image", " ".join(call[:3]))
    return next(filter(None, (planner(program) for planner in _PLANNERS)), None)


# The stage that builds


def _name_edit(stage: Stage, program: Program) -> Edit:
    start, end = stage.start.argument_span
    keyword = program.workspace.style.keyword("AS")
    if stage.name is None:
        return Edit(end, end, f" {keyword} build")
    code = program.workspace.dockerfile.code[start:end]
    return Edit(start + code.rindex(stage.name), end, "build")


def _move_edits(removed: list[Instruction], text: str, workspace: Workspace) -> Iterator[Edit]:
    """Take instructions out, and put the new stage behind what is left."""
    dockerfile, newline = workspace.dockerfile, workspace.style.newline
    gone: set[object] = set(removed)
    gone.update(comment for i in removed for comment in dockerfile.comments_of(i))
    kept = [n for n in dockerfile.nodes if n not in gone and not isinstance(n, Blank)]
    end = kept[-1].end
    for entry in removed:
        if entry.start < end:
            yield Edit(head_of(dockerfile, entry), end_with_gap(dockerfile, entry), "")
    gap = newline if kept[-1].code.endswith("\n") else newline * 2
    yield Edit(end, len(dockerfile.code), f"{gap}{text}")


# The stage that runs


def _runtime_stage(program: Program, plan: Plan) -> tuple[str, list[Instruction]]:
    """Its text, and the instructions that go there from the other."""
    workspace, stage = program.workspace, program.stage
    style = workspace.style
    name = stage.name or "runtime"
    parts = [f"{style.keyword('FROM')} {plan.base} {style.keyword('AS')} {name}{style.newline}"]
    if plan.lines:
        described = [i for i in stage.instructions if i.keyword in _MOVES]
        labels = [_text(i, workspace) for i in described if i.keyword in ("LABEL", "MAINTAINER")]
        parts += [*labels, *(line + style.newline for line in plan.lines)]
        return "".join(parts), described
    removed: list[Instruction] = []
    tail: list[str] = []
    packages = _PackageSteps(program, plan)
    last_step = stage.index_of(program.steps[-1].instruction)
    for instruction in stage.instructions[1:]:
        keyword = instruction.keyword
        moves = keyword in _MOVES or instruction in plan.moved
        if keyword in _REPEATS and stage.index_of(instruction) > last_step:
            moves = True
        if moves:
            removed.append(instruction)
        if keyword == "USER" or (keyword in _MOVES and keyword not in ("LABEL", "MAINTAINER")):
            tail.append(_text(instruction, workspace))
        elif keyword == "WORKDIR" and not _is_last(instruction, stage):
            continue
        elif keyword in _REPEATS or keyword in _MOVES:
            text = _text if moves else _plain
            parts.append(_absolute(text(instruction, workspace), instruction, program))
        elif keyword == "RUN":
            parts += packages.repeat(instruction)
            if plan.moved and packages.only_owns(instruction):
                removed.append(instruction)
    parts += [line + style.newline for line in plan.extra]
    parts += _copy_lines(program, plan)
    parts += [_moved_copy(instruction, program) for instruction in plan.moved]
    return "".join([*parts, *tail]), removed


def _is_last(instruction: Instruction, stage: Stage) -> bool:
    return instruction is stage.last(instruction.keyword)


def _absolute(text: str, instruction: Instruction, program: Program) -> str:
    """A WORKDIR that counted on the one before says its folder in full."""
    path = instruction.argument_text
    if instruction.keyword != "WORKDIR" or path.startswith(("/", "$", '"', "'")):
        return text
    return text.replace(path, program.folder)


def _text(instruction: Instruction, workspace: Workspace) -> str:
    """An instruction with its comments, set off as it was, ending in a line end."""
    dockerfile, newline = workspace.dockerfile, workspace.style.newline
    gap = newline if blank_above(dockerfile, instruction) else ""
    return gap + with_comments(dockerfile, instruction, newline)


def _moved_copy(instruction: Instruction, program: Program) -> str:
    """A COPY, with the owner that its files had in the end."""
    text, owner = _text(instruction, program.workspace), _owner(program)
    if owner is None or instruction.flag("chown") is not None:
        return text
    place = text.rindex(instruction.code.rstrip()) + len(instruction.keyword_text)
    return f"{text[:place]} --chown={owner}{text[place:]}"


def _owned_path(call: Call) -> str | None:
    """The path that a `chown -R` gives away."""
    paths = [word for word in call.words[1:] if not word.startswith("-")]
    recursive = any(word in ("-R", "--recursive") for word in call.words)
    if call.words[0] != "chown" or not recursive or len(paths) != 2 or "$" in paths[1]:
        return None
    return posixpath.normpath(posixpath.join(call.directory or "/", paths[1]))


def _plain(instruction: Instruction, workspace: Workspace) -> str:
    """An instruction alone: its comments stay where it stays."""
    code = instruction.code
    return code if code.endswith("\n") else code + workspace.style.newline


def _copy_lines(program: Program, plan: Plan) -> list[str]:
    style = program.workspace.style
    owner = _owner(program)
    flag = f" --chown={owner}" if owner else ""
    return [
        f"{style.keyword('COPY')} --from=build{flag} {source} {target}{style.newline}"
        for source, target in plan.copies
    ]


def _owner(program: Program) -> str | None:
    """Who owns the program's folder in the end, when that is not root."""
    owner: str | None = None
    user: str | None = None
    for instruction in program.stage.instructions:
        if instruction.keyword == "USER":
            user = instruction.argument_text
        elif instruction.keyword in ("COPY", "ADD") and instruction.flag("chown"):
            owner = instruction.flag("chown")
        elif instruction.keyword == "RUN" and user not in (None, "root", "0"):
            owner = owner or user
    for _, call in program.calls("set-up"):
        if _owned_path(call) == program.folder:
            owner = next(word for word in call.words[1:] if not word.startswith("-"))
    return owner


class _PackageSteps:
    """What of the RUN instructions has to be done in the stage that runs, too."""

    def __init__(self, program: Program, plan: Plan) -> None:
        self.program = program
        self.plan = plan
        self.steps = {step.instruction: step for step in program.steps}

    def repeat(self, instruction: Instruction) -> list[str]:
        """The RUN for the stage that runs; nothing when it has no part in it."""
        step = self.steps[instruction]
        commands = [text for call in step.calls if (text := self._repeat_call(call, step))]
        if step.has("packages") and not any(_installs(call) for call in step.calls):
            commands = []
        if step.has("packages") and not any(
            self._packages(call) for call in step.calls if call.kind == "packages"
        ):
            commands = [c for c in commands if c.startswith(_USERS)]
        if not commands:
            return []
        commands = [*self._missing_update(step), *commands]
        if self.plan.bare:
            raise NotSplitError("the runtime image has no shell", f"line {instruction.line}")
        style = self.program.workspace.style
        return [f"{style.keyword('RUN')} {style.join_commands(commands)}{style.newline}"]

    def only_owns(self, instruction: Instruction) -> bool:
        """Whether a RUN does nothing but give the program's folder away."""
        calls = self.steps[instruction].calls
        return all(_owned_path(call) == self.program.folder for call in calls)

    def _missing_update(self, step: Step) -> list[str]:
        """The update of an earlier RUN, which this one's install counts on."""
        managers = [read_package_command(c.command) for c in step.calls if c.kind == "packages"]
        installs = [p for p in managers if p is not None and p.action == "install"]
        if not installs or not installs[0].manager.needs_index:
            return []
        if any(p is not None and p.action == "update" for p in managers):
            return []
        for other, call in self.program.calls("packages"):
            package = read_package_command(call.command)
            if package is not None and package.action == "update":
                return [other.run.script.text[call.command.start : call.command.end]]
        raise NotSplitError("an install that counts on another's index")

    def _repeat_call(self, call: Call, step: Step) -> str:
        text = step.run.script.text[call.command.start : call.command.end]
        if call.kind == "packages":
            return self._package_text(call, text)
        if call.kind == "clean" and step.has("packages"):
            return text
        if _owned_path(call) == self.program.folder:
            # COPY sets the owner of the files; the folder itself is made by WORKDIR.
            return f"chown {_owner(self.program)} {self.program.folder}"
        if call.words[0] in _USERS or (call.kind == "set-up" and self._is_outside(call)):
            return text
        return ""

    def _is_outside(self, call: Call) -> bool:
        """Whether a folder is made, or given away, that the COPYs do not bring."""
        if call.words[0] not in ("mkdir", "chown", "chmod"):
            return False
        words = [word for word in call.words[1:] if not word.startswith("-")]
        paths = words if call.words[0] == "mkdir" else words[1:]
        return not all(self._is_copied(path, call) for path in paths)

    def _is_copied(self, path: str, call: Call) -> bool:
        if "$" in path or (call.directory is None and not path.startswith("/")):
            return False
        full = posixpath.normpath(posixpath.join(call.directory or "/", path))
        return any(is_within(full, target) for _, target in self.plan.copies)

    def _packages(self, call: Call) -> list[str]:
        package = read_package_command(call.command)
        if package is None or package.action != "install":
            return []
        return [
            kept if kept != word.text.partition("=")[0] else word.text
            for word in package.packages
            for kept in runtime_packages(word.text.partition("=")[0], self.plan.base)
        ]

    def _package_text(self, call: Call, text: str) -> str:
        package = read_package_command(call.command)
        if package is None or package.action != "install":
            return text
        if "$" in text:
            raise NotSplitError("packages that a variable names", text)
        names = list(dict.fromkeys(self._packages(call)))
        dropped = {word.text for word in package.packages}
        head = " ".join(word.text for word in call.command.words if word.text not in dropped)
        return f"{head} {' '.join(names)}" if names else ""


_USERS = ("useradd", "groupadd", "adduser", "addgroup", "usermod")


def _installs(call: Call) -> bool:
    package = read_package_command(call.command)
    return package is not None and package.action == "install"


def _keywords(text: str) -> Iterator[str]:
    """The keywords of the instructions in a piece of a Dockerfile."""
    from dockerfix.syntax.parser import parse

    return (instruction.keyword for instruction in parse(text).instructions)
