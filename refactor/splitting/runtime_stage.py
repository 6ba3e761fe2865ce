"""The text of the stage that runs, and what goes there from the stage that builds."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.effects.reach import is_within
from dockerfix.image.copies import read_copy
from dockerfix.patterns import pattern
from dockerfix.splitting.owners import check_owners, owner_on
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.splitting.repeats import Repeats
from dockerfix.syntax.edits import blank_above, with_comments
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

#: What describes the container, and belongs to the stage that runs.
MOVES = frozenset(
    (
        *("EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("CMD", "ENTRYPOINT"),
    )
)
#: What stands where it stood among the others; the rest of them comes at the end.
_IN_PLACE = frozenset(("LABEL", "MAINTAINER"))
#: What holds in both stages.
_REPEATS = frozenset(("WORKDIR", "ENV", "ARG", "USER", "SHELL"))
_DOES = frozenset(("RUN", "COPY", "ADD"))
_NAME = pattern(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
#: Set by images that build, and by no other. Source: the Dockerfiles of docker-library.
_OF_TOOL_CHAINS = frozenset(
    (
        *("GOPATH", "GOROOT", "GOLANG_VERSION", "CARGO_HOME", "RUSTUP_HOME", "RUST_VERSION"),
        *("MAVEN_HOME", "MAVEN_CONFIG", "GRADLE_HOME", "DOTNET_SDK_VERSION"),
    )
)
#: Where only programs and settings of the image lie, which no build of the sources reads.
_OF_IMAGE = ("/usr/local/bin", "/usr/bin", "/bin", "/etc", "/docker-entrypoint.d")


class RuntimeStage(NamedTuple):
    """The stage that runs."""

    text: str
    #: Instructions that are no longer in the stage that builds.
    removed: tuple[Instruction, ...]
    #: Comments whose subject is gone.
    dropped: tuple[str, ...] = ()


class _Piece(NamedTuple):
    text: str
    #: Name that an ARG declares: it is kept where a later piece uses it.
    declares: str = ""


def runtime_stage(program: Program, plan: Plan, name: str) -> RuntimeStage:
    """Write it. Raises NotSplitError."""
    if any(source == "/" for source, _ in plan.copies):
        raise NotSplitError("the program has no folder of its own")
    return _Writer(program, plan, name).write()


class _Writer:
    def __init__(self, program: Program, plan: Plan, name: str) -> None:
        self.program = program
        self.plan = plan
        self.name = name
        self.stage: Stage = program.stage
        self.workspace: Workspace = program.workspace
        self.owner = owner_on(plan.base, program)
        self.placed = tuple(self._placed_copies())
        check_owners(plan.base, (*plan.moved, *self.placed), program)
        self.repeats = Repeats(program, plan, self.placed)
        self.removed: list[Instruction] = []
        self.tail: list[_Piece] = []
        done = [i for i in self.stage.instructions if i.keyword in _DOES]
        self.last_done = self.stage.index_of(done[-1]) if done else 0
        self.last_step = self.stage.index_of(program.steps[-1].instruction)

    def write(self) -> RuntimeStage:
        style = self.workspace.style
        platform = self.stage.start.flag("platform")
        flag = f" --platform={platform}" if platform else ""
        head = f"{style.keyword('FROM')}{flag} {self.plan.base} {style.keyword('AS')} {self.name}"
        if self.plan.lines:
            return self._fixed(head)
        before = [_Piece(head + style.newline), *self._lines(self.plan.first)]
        after: list[_Piece] = []
        last: list[_Piece] = []
        for instruction in self.stage.instructions[1:]:
            late = instruction in self.plan.moved or self._comes_last(instruction)
            where = last if instruction.keyword == "USER" else after
            (where if late else before).extend(self._pieces(instruction))
        built = self._lines(self.plan.after)
        kept = _used([*before, *self._from_build(), *after, *built, *last, *self.tail])
        return RuntimeStage("".join(piece.text for piece in kept), tuple(self.removed))

    def _comes_last(self, instruction: Instruction) -> bool:
        """Whether it belongs behind the files: it works on them, or it is the final user."""
        if instruction.keyword == "RUN":
            return self.repeats.works_on_sources(instruction)
        return instruction.keyword == "USER" and self.stage.index_of(instruction) > self.last_done

    def _fixed(self, head: str) -> RuntimeStage:
        """Where the image has a program of its own."""
        newline = self.workspace.style.newline
        described = [i for i in self.stage.instructions if i.keyword in MOVES]
        labels = [self._text(i) for i in described if i.keyword in _IN_PLACE]
        lines = [line + newline for line in self.plan.lines]
        gone = [i for i in described if i.keyword not in _IN_PLACE]
        comments = [c for i in gone for c in self.workspace.dockerfile.comments_of(i)]
        dropped = tuple(comment.text for comment in comments)
        return RuntimeStage("".join([head + newline, *labels, *lines]), tuple(described), dropped)

    def _lines(self, lines: tuple[str, ...]) -> list[_Piece]:
        return [_Piece(line + self.workspace.style.newline) for line in lines]

    # One instruction

    def _pieces(self, instruction: Instruction) -> Iterator[_Piece]:
        keyword = instruction.keyword
        if keyword in MOVES:
            self.removed.append(instruction)
            self._check_variables(instruction)
            piece = _Piece(self._described(instruction))
            if keyword in _IN_PLACE:
                yield piece
            else:
                self.tail.append(piece)
        elif keyword in _REPEATS:
            yield from self._repeated(instruction)
        elif keyword == "RUN":
            text, goes = self.repeats.text(instruction), self.repeats.goes(instruction)
            if text:
                yield _Piece(self._with_comments(instruction, text) if goes else text)
            if goes:
                self.removed.append(instruction)
        elif instruction in self.plan.moved:
            self.removed.append(instruction)
            yield _Piece(self._moved_copy(instruction))
        elif instruction in self.placed:
            yield self._placed_copy(instruction)

    def _with_comments(self, instruction: Instruction, text: str) -> str:
        """The comments above a RUN that goes, over what it has become."""
        return self._text(instruction).removesuffix(self._plain(instruction)) + text

    def _described(self, instruction: Instruction) -> str:
        text = self._text(instruction)
        if self.plan.main is None or instruction is not self.plan.main[0]:
            return text
        place = text.rindex(instruction.code.rstrip())
        end = text[place + len(instruction.code.rstrip()) :]
        return f"{text[:place]}{instruction.keyword_text} {json.dumps(self.plan.main[1])}{end}"

    def _repeated(self, instruction: Instruction) -> Iterator[_Piece]:
        keyword, index = instruction.keyword, self.stage.index_of(instruction)
        moves = index > self.last_step
        if keyword == "SHELL" and self.plan.bare:
            raise NotSplitError("another shell is set")
        if moves:
            self.removed.append(instruction)
        if keyword == "WORKDIR" and instruction is not self.stage.last("WORKDIR"):
            return
        if keyword == "USER" and not self._is_last_user(index):
            return
        if keyword == "ENV":
            self._check_variables(instruction)
        text = self._text(instruction) if moves else self._plain(instruction)
        text = self._absolute(text, instruction)
        names = [word.partition("=")[0] for word in instruction.arguments]
        yield _Piece(text, names[0] if keyword == "ARG" and len(names) == 1 else "")

    def _is_last_user(self, index: int) -> bool:
        """Whether a USER counts: for a step that is done again, a folder, or the container."""
        following = self.stage.instructions[index + 1 :]
        until = next((i for i, x in enumerate(following) if x.keyword == "USER"), len(following))
        between = following[:until]
        return until == len(following) or any(
            i.keyword == "WORKDIR" or (i.keyword == "RUN" and self.repeats.text(i)) for i in between
        )

    def _absolute(self, text: str, instruction: Instruction) -> str:
        """A WORKDIR that counted on the one before says its folder in full."""
        path = instruction.argument_text
        if instruction.keyword != "WORKDIR" or self._is_absolute(path, instruction):
            return text
        return text.replace(path, self.program.folder)

    def _is_absolute(self, path: str, instruction: Instruction) -> bool:
        """Whether a path means the same in the stage that runs."""
        if path.startswith("$") and self._of_base(path, instruction):
            return False
        return path.startswith(("/", "$", '"', "'"))

    def _of_base(self, text: str, instruction: Instruction) -> list[str]:
        """The variables in a text that only the image may set that is left."""
        if self.plan.base == self.program.base:
            return []
        before = self.stage.instructions[: self.stage.index_of(instruction)]
        known = {"PATH", "HOME", "LANG", "TZ"}
        for other in before:
            if other.keyword in ("ENV", "ARG"):
                known.update(word.partition("=")[0] for word in other.arguments)
        return [name for name in _NAME.findall(text) if name not in known]

    def _check_variables(self, instruction: Instruction) -> None:
        """An ENV or a command must not count on what only the other image sets."""
        text = instruction.argument_text
        found = self._of_base(text, instruction)
        if instruction.keyword != "ENV":
            found = [name for name in found if name in _OF_TOOL_CHAINS]
        elif text.startswith(("PATH=", "PATH ")):
            found = []
        if found:
            raise NotSplitError("a variable of the image that builds", found[0])

    # COPY

    def _from_build(self) -> list[_Piece]:
        owned = [(path, path, owner) for path, owner in self.repeats.owned_inside]
        copies = [(source, target, self._owner_of(target)) for source, target in self.plan.copies]
        copies += [entry for entry in owned if self._is_copied(entry[0])]
        lines = [line for entry in copies for line in self._copy_lines(*entry)]
        return [*self._lines(self.plan.extra), *self._lines(tuple(lines))]

    def _copy_lines(self, source: str, target: str, owner: str | None) -> Iterator[str]:
        beside, keyword = self.plan.beside, self.workspace.style.keyword("COPY")
        if beside and beside.sources and source == self.program.folder:
            yield self._owned(beside.sources)
            for output in beside.outputs:
                yield from self._copy_lines(output, output, owner)
            return
        flag = f" --chown={owner}" if owner else ""
        yield f"{keyword} --from={self._stage_of(source)}{flag} {source} {target}"

    def _stage_of(self, source: str) -> str:
        beside = self.plan.beside
        return beside.name if beside and source in beside.paths else self.plan.stage_name

    def _owner_of(self, target: str) -> str | None:
        """The owner of what is copied; beside the program's folder everything is root's."""
        return self.owner if is_within(target, self.program.folder) else None

    def _is_copied(self, path: str) -> bool:
        return any(is_within(path, target) for _, target in self.plan.copies)

    def _placed_copies(self) -> Iterator[Instruction]:
        """COPY instructions whose files lie outside of where the program is built."""
        work = Repeats(self.program, self.plan, ()).work
        for copy in self.program.copies:
            if copy in self.plan.moved or copy.flag("from") is not None:
                continue
            copied = read_copy(copy, self.workspace)
            target = copied[0].destination if copied else self._target(copy)
            if target is None:
                raise NotSplitError("a COPY that cannot be followed", f"line {copy.line}")
            if target == "/":
                continue
            if not any(is_within(target, place) or is_within(place, target) for place in work):
                yield copy

    def _target(self, copy: Instruction) -> str | None:
        words = copy.arguments
        directory = self.workspace.state(copy).workdir
        if len(words) < 2 or "$" in words[-1] or (directory is None and words[-1][:1] != "/"):
            return None
        return posixpath.normpath(posixpath.join(directory or "/", words[-1]))

    def _placed_copy(self, instruction: Instruction) -> _Piece:
        target = self._target(instruction) or ""
        of_image = any(is_within(target, place) for place in _OF_IMAGE)
        if of_image and not self.repeats.needs(target):
            self.removed.append(instruction)
            return _Piece(self._text(instruction))
        return _Piece(self._plain(instruction))

    def _moved_copy(self, instruction: Instruction) -> str:
        """A COPY, with the owner that its files had in the end."""
        text, code = self._text(instruction), instruction.code.rstrip()
        return self._owned(instruction).join(text.rsplit(code, 1))

    def _owned(self, copy: Instruction) -> str:
        """A COPY alone, without its line end, with the owner that its files had in the end."""
        code, place = copy.code.rstrip(), len(copy.keyword_text)
        if self.owner is None or copy.flag("chown") is not None:
            return code
        return f"{code[:place]} --chown={self.owner}{code[place:]}"

    # Text

    def _text(self, instruction: Instruction) -> str:
        """An instruction with its comments, set off as it was, ending in a line end."""
        dockerfile, newline = self.workspace.dockerfile, self.workspace.style.newline
        gap = newline if blank_above(dockerfile, instruction) else ""
        return gap + with_comments(dockerfile, instruction, newline)

    def _plain(self, instruction: Instruction) -> str:
        """An instruction alone: its comments stay where it stays."""
        code = instruction.code
        return code if code.endswith("\n") else code + self.workspace.style.newline


def _used(pieces: list[_Piece]) -> list[_Piece]:
    """All pieces but the ARGs that no later piece uses."""
    kept: list[_Piece] = []
    names: set[str] = set()
    for piece in reversed(pieces):
        if piece.declares and piece.declares not in names:
            continue
        names.update(_NAME.findall(piece.text))
        kept.append(piece)
    return kept[::-1]
