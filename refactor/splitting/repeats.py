"""What of the steps has to be done in the stage that runs, too.

Every command is asked what it touches: what it makes where files come from the other stage stays
behind, what it makes elsewhere is made again, and what reads the program's files to make something
elsewhere is more than can be told apart here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property

from dockerfix.effects.model import Call, Step
from dockerfix.effects.reach import is_within
from dockerfix.splitting.kept_packages import KeptPackages
from dockerfix.splitting.owners import (
    folder_owner,
    given_paths,
    keeps_no_owner,
    new_owner,
    owned_paths,
)
from dockerfix.splitting.plan import NotSplitError, Plan, Program, written
from dockerfix.splitting.python_environment import made_environment, makes_environment
from dockerfix.splitting.steps import (
    copy_targets,
    is_leftover,
    line_of,
    replaced_calls,
    stops_on_failure,
    text_of,
    tool_names,
    undone_calls,
)
from dockerfix.syntax.instruction import Instruction

#: In every image with a shell, as far as these packages do not bring them.
_PLAIN = frozenset(
    (
        *("mkdir", "chown", "chmod", "chgrp", "cp", "mv", "ln", "rm", "touch", "echo", "printf"),
        *("sed", "cat", "tee", "install", "truncate", "test", "[", "cd", "set", "umask", "true"),
    )
)

#: The package of a program that is called otherwise.
_BROUGHT_BY = {
    "locale-gen": "locales",
    "update-locale": "locales",
    "localedef": "locales",
    "update-ca-certificates": "ca-certificates",
}

#: Where no sources lie.
_SYSTEM = ("/bin", "/etc", "/lib", "/opt", "/root", "/run", "/sbin", "/tmp", "/usr", "/var")
#: They change what is there already.
_CHANGE = frozenset(("chmod", "chown", "chgrp", "sed", "rm"))

#: They name a user, who has to be there.
_NAME_USERS = frozenset(("chown", "chgrp", "install", "su", "gosu", "su-exec", "runuser", "sudo"))

#: What they are told is of use to them alone.
_OF_BUILD_TOOLS = frozenset(
    (*("npm", "yarn", "pnpm", "go", "git", "pip", "pip3"), *("poetry", "bundle", "composer"))
)

#: They do nothing while a program is built.
_SERVERS = frozenset(("serve", "http-server", "pm2"))


class Repeats:
    """Decides for each command; raises NotSplitError where it cannot be told."""

    def __init__(self, program: Program, plan: Plan, placed: tuple[Instruction, ...]) -> None:
        self.program = program
        self.plan = plan
        #: COPY instructions to places where nothing is built.
        self.placed = placed
        self.steps = {step.instruction: step for step in program.steps}
        self.packages = KeptPackages(program, plan)

    def text(self, instruction: Instruction) -> str:
        """The RUN for the stage that runs; nothing when it has no part in it."""
        step = self.steps[instruction]
        commands = list(self._commands(step))
        if not commands:
            return ""
        if self.plan.bare:
            raise NotSplitError("the runtime image has no shell", f"line {instruction.line}")
        style = self.program.workspace.style
        if commands == [text_of(call, step) for call in step.calls]:
            code = instruction.code
            return code if code.endswith("\n") else code + style.newline
        if not stops_on_failure(step):
            raise NotSplitError("a part of a step that goes on after a failure", line_of(step))
        flags = "".join(f"--{flag.name}={flag.value} " for flag in instruction.flags)
        return f"{style.keyword('RUN')} {flags}{style.join_commands(commands)}{style.newline}"

    def goes(self, instruction: Instruction) -> bool:
        """Whether a RUN has no part left in the stage that builds."""
        step = self.steps[instruction]
        if self.plan.moved and self.only_owns(instruction):
            return True
        if self._is_for_running_alone(step):
            return True
        return self.works_on_sources(instruction) or self._works_on_placed(step)

    def _works_on_placed(self, step: Step) -> bool:
        """Whether it does nothing but work on files that are not in the stage that builds."""
        places = [place for copy in self.placed for place in copy_targets(copy, self.program)]
        return all(
            self._is_wanted(call, step)
            and bool(written(call).paths)
            and all(any(is_within(p, place) for place in places) for p in written(call).paths)
            for call in step.calls
        )

    def needs(self, path: str) -> bool:
        """Whether a step that stays in the stage that builds works on a path."""
        for step in self.program.steps:
            stays = not self.goes(step.instruction)
            calls = [call for call in step.calls if call.kind in ("set-up", "configure", "clean")]
            touched = [call.reads | written(call) for call in calls if stays]
            if any(not reach.everything and reach.holds(path) for reach in touched):
                return True
        return False

    def works_on_sources(self, instruction: Instruction) -> bool:
        """Whether it works on files that a COPY brings to the stage that runs."""
        step = self.steps[instruction]
        touches = [call for call in step.calls if self._touches_moved(call)]
        if touches and len(touches) != len(step.calls):
            line = f"line {instruction.line}"
            raise NotSplitError("a step that works on sources and on more", line)
        return bool(touches)

    def _is_for_running_alone(self, step: Step) -> bool:
        """Whether it makes users or brings a server, and the stage that builds has none of them."""
        users = all(call.kind == "user" or self._owns_folder(call) for call in step.calls)
        if users and step.has("user"):
            return not self._has_users
        servers = (call.kind == "tool" and set(tool_names(call)) <= _SERVERS for call in step.calls)
        return all(servers) and all(self._is_needed_tool(call) for call in step.calls)

    @cached_property
    def _has_users(self) -> bool:
        """Whether anything in the stage that builds is done by, or given to, another user."""
        stage = self.program.stage
        last = stage.index_of(self.program.steps[-1].instruction)
        early = stage.instructions[:last]
        chowned = [c for c in self.program.copies if c.flag("chown") and c not in self.plan.moved]
        given = any(self._gives_to_user(step) for step in self.program.steps)
        return bool(chowned) or given or any(i.keyword == "USER" for i in early)

    def _gives_to_user(self, step: Step) -> bool:
        """Whether a step that stays gives something to a user, or is done by one."""
        own = all(call.kind == "user" or self._owns_folder(call) for call in step.calls)
        if own and (step.has("user") or self.plan.moved):
            return False
        if self.works_on_sources(step.instruction) or self._works_on_placed(step):
            return False
        return any(posixpath.basename(w) in _NAME_USERS for c in step.calls for w in c.words[:1])

    def only_owns(self, instruction: Instruction) -> bool:
        """Whether a RUN does nothing but give the program's folder away."""
        return all(self._owns_folder(call) for call in self.steps[instruction].calls)

    # One step

    def _commands(self, step: Step) -> Iterator[str]:
        wanted = [call for call in step.calls if self._is_wanted(call, step)]
        packages = any(call.kind == "packages" and self.packages.of(call) for call in step.calls)
        if not packages:
            wanted = [call for call in wanted if call.kind not in ("packages", "clean")]
        if not wanted:
            return
        self._check_directory(step, wanted)
        yield from self.packages.missing_update(step)
        for call in wanted:
            text = self._command_text(call, step)
            if text:
                yield text

    def _command_text(self, call: Call, step: Step) -> str:
        text = text_of(call, step)
        if call.kind == "packages":
            return self.packages.text(call, text)
        if self._owns_folder(call):
            # COPY sets the owner of the files; the folder itself is made by WORKDIR.
            owner = folder_owner(self.program) if owned_paths(call) else new_owner(call)
            return f"chown {owner} {self.program.folder}"
        return text

    def _is_wanted(self, call: Call, step: Step) -> bool:
        if call.kind in ("install", "build") or call in self._undone:
            return False
        if call.kind in ("packages", "user") or self._owns_folder(call):
            return True
        if call.kind == "tool":
            return self._is_needed_tool(call)
        if call.kind == "clean" and step.has("packages"):
            return call.words[0] == "rm"
        if call.kind == "configure" and call.words[0] in _OF_BUILD_TOOLS:
            return self._is_for_needed_tool(call)
        if makes_environment(call):
            path = made_environment(call, self.program)
            return path is None or not self._is_brought(path, is_folder=False)
        return self._is_made_again(call)

    @cached_property
    def _undone(self) -> tuple[Call, ...]:
        undone = (call for step in self.program.steps for call in undone_calls(step))
        return (*undone, *replaced_calls(self.program))

    def _is_made_again(self, call: Call) -> bool:
        """Whether what it makes is needed, and not brought by a COPY."""
        if self._touches_moved(call):
            return True
        where = f"line {self._line(call)}: {call.text}"
        if keeps_no_owner(call, lambda path: self._is_brought(path, is_folder=False)):
            raise NotSplitError("an owner that a COPY does not keep", where)
        writes = written(call)
        if writes.everything and call.words[:1] == ("mkdir",):
            # A folder that a variable names does no harm where it is not needed.
            return True
        if writes.everything:
            raise NotSplitError("a step whose work is not known", where)
        outside = [path for path in writes.paths if not self._is_brought(path, path in call.makes)]
        if call.kind == "clean":
            outside = [path for path in outside if not is_leftover(path)]
        again = [path for path in outside if not self._is_left_behind(path, call)]
        if not again:
            return False
        reads = [path for path in call.reads.paths if path not in outside]
        behind = call.reads.everything or any(self._is_in_work(path) for path in reads)
        if len(again) != len(outside) or behind:
            raise NotSplitError("a step that puts what is built elsewhere", where)
        if not self._has_program(call):
            raise NotSplitError("a step whose work is not known", where)
        return True

    def _is_brought(self, path: str, is_folder: bool) -> bool:
        """Whether a path comes from the other stage; folders above what comes do as well."""
        if is_folder and is_within(self.program.folder, path):
            return not self._is_given_away_early
        if any(is_within(path, place) for pair in self.plan.copies for place in pair):
            return True
        return is_folder and any(is_within(target, path) for _, target in self.plan.copies)

    @cached_property
    def _is_given_away_early(self) -> bool:
        """Whether the program's folder gets its owner before WORKDIR makes it."""
        for instruction in self.program.stage.instructions:
            if instruction.keyword == "WORKDIR":
                place = instruction.argument_text.rstrip("/")
                if place == self.program.folder:
                    return False
            elif instruction in self.steps:
                calls = self.steps[instruction].calls
                if any(self._owns_folder(call) for call in calls):
                    return True
        return False

    def _is_left_behind(self, path: str, call: Call) -> bool:
        """Whether it is a file of the stage that builds, and the command only changes it."""
        changes = posixpath.basename(call.words[0]) in _CHANGE if call.words else False
        return changes and self._is_in_work(path) and not self._was_made_again(path, call)

    def _is_in_work(self, path: str) -> bool:
        """Whether a path lies where the program is built."""
        if self.program.folder == "/" and not any(is_within(path, p) for p in _SYSTEM):
            return True
        return any(is_within(path, place) or is_within(place, path) for place in self.work)

    def _was_made_again(self, path: str, before: Call) -> bool:
        for step in self.program.steps:
            for call in step.calls:
                if call is before:
                    return False
                makes = [*call.makes, *call.writes.paths] if self._sets_up(call) else []
                changes = call.words and posixpath.basename(call.words[0]) in _CHANGE
                if not changes and any(is_within(path, place) for place in makes):
                    return True
        return False

    def _sets_up(self, call: Call) -> bool:
        return call.kind == "set-up" and call not in self._undone

    def _has_program(self, call: Call) -> bool:
        name = posixpath.basename(call.words[0]) if call.words else "echo"
        if self.plan.base == self.program.base or name in _PLAIN:
            return True
        kept = (n for _, other in self.program.calls("packages") for n in self.packages.of(other))
        return _BROUGHT_BY.get(name, name) in set(kept)

    @cached_property
    def work(self) -> tuple[str, ...]:
        """Where the program is built: folders of the stage that builds alone."""
        found = [self.program.folder]
        found += [
            call.directory
            for _, call in self.program.calls("install", "build")
            if call.directory is not None
        ]
        return tuple(dict.fromkeys(folder for folder in found if folder != "/"))

    def _touches_moved(self, call: Call) -> bool:
        """Whether it works on files that a COPY brings to the stage that runs."""
        if not self.plan.moved or call.kind not in ("set-up", "clean"):
            return False
        touched = written(call)
        if touched.everything or not touched.paths:
            return False
        results = [target for _, target in self.plan.copies]
        return any(
            is_within(path, self.program.folder)
            and path != self.program.folder
            and not any(is_within(path, result) for result in results)
            for path in touched.paths
        )

    def _check_directory(self, step: Step, wanted: list[Call]) -> None:
        """A `cd` in the step must not matter for what is done again."""
        changes = any(call.words[:1] == ("cd",) for call in step.calls)
        plain = [call for call in wanted if call.kind in ("set-up", "clean")]
        for call in plain if changes else ():
            touched = (*call.writes.paths, *call.makes, *call.reads.paths)
            inside = call.directory is None or any(is_within(p, call.directory) for p in touched)
            if inside and call.words[0] != "cd":
                where = f"line {step.instruction.line}: {call.text}"
                raise NotSplitError("a step in another directory", where)

    def _line(self, call: Call) -> int:
        step = next(step for step in self.program.steps if call in step.calls)
        return step.instruction.line

    # Packages and tools

    def _is_needed_tool(self, call: Call) -> bool:
        return any(name in self.plan.tools for name in tool_names(call))

    def _is_for_needed_tool(self, call: Call) -> bool:
        """Whether it tells a package manager, such as a registry, that brings a tool here, too."""
        return any(
            other.words[0] == call.words[0] and self._is_needed_tool(other)
            for _, other in self.program.calls("tool")
        )

    # Owners

    def _owns_folder(self, call: Call) -> bool:
        return given_paths(call) == (self.program.folder,)

    @cached_property
    def owned_inside(self) -> tuple[tuple[str, str], ...]:
        """Folders below the program's that a step gives away, with the owner."""
        found: list[tuple[str, str]] = []
        for _, call in self.program.calls("set-up"):
            for path in owned_paths(call):
                inside = path != self.program.folder and is_within(path, self.program.folder)
                if inside and not self._touches_moved(call):
                    found.append((path, new_owner(call)))
        return tuple(found)
