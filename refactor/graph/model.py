"""Stages and steps, what each touches, and what an edit of one source makes run again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.effects.instructions import Effects, effects_of
from dockerfix.effects.reach import Reach, is_within
from dockerfix.knowledge.command_effects import Kind
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

#: Instructions that make a layer; the others only note something down (Dockerfile reference).
LAYERS = frozenset(("RUN", "COPY", "ADD", "WORKDIR"))
_SOURCES = (
    *(".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".vue", ".svelte", ".go", ".java"),
    *(".kt", ".scala", ".rs", ".rb", ".php", ".cs", ".fs", ".ex", ".c", ".cc", ".cpp", ".swift"),
    *(".html", ".css", ".erl", ".hs", ".clj", ".pl", ".sh"),
)
#: They configure tools, or are read by installs.
_NO_SOURCE = pattern(r".*\.config\.[cm]?[jt]s|setup\.py|\..*|gulpfile.*|Gruntfile.*|conftest\.py")
_MAX_NAMES = 3000
_GAP = pattern(r"\s+")


class Step(NamedTuple):
    """One instruction."""

    line: int
    keyword: str
    #: On one line.
    text: str
    kinds: tuple[Kind, ...]
    #: Paths of the build context, image paths.
    context: Reach
    reads: Reach
    writes: Reach
    #: Names of stages and images that it takes files from.
    takes_from: tuple[str, ...]
    #: The numbers of those that are stages of the file.
    origins: tuple[int, ...]
    runs_again: bool

    @property
    def is_layer(self) -> bool:
        """Whether it makes a layer."""
        return self.keyword in LAYERS


class StageSteps(NamedTuple):
    """One stage."""

    name: str
    #: The image or stage it stands on.
    base: str
    steps: tuple[Step, ...]
    #: Whether its layers are in the image.
    is_shipped: bool
    #: Numbers of the stages that it stands on or takes files from.
    needs: tuple[int, ...]

    @property
    def layers(self) -> tuple[Step, ...]:
        """The steps that make a layer."""
        return tuple(step for step in self.steps if step.is_layer)


class Graph(NamedTuple):
    """One Dockerfile."""

    stages: tuple[StageSteps, ...]
    #: The file whose edit is followed; "" where none is known.
    edit: str

    @property
    def layers(self) -> tuple[Step, ...]:
        """The layers that the file adds to its base image."""
        return tuple(step for stage in self.stages if stage.is_shipped for step in stage.layers)

    @property
    def all_layers(self) -> tuple[Step, ...]:
        """The steps of all stages that a build runs."""
        return tuple(step for stage in self.stages for step in stage.layers)

    @property
    def again(self) -> tuple[Step, ...]:
        """The steps that run again after the edit."""
        return tuple(step for step in self.all_layers if step.runs_again)


def read_graph(workspace: Workspace, edit: str | None = None) -> Graph:
    """What the stages do; `edit` is a path in the context, by default one of a source."""
    if edit is None:
        edit = find_source(workspace) or ""
    stages: list[StageSteps] = []
    changed: set[int] = set()
    for stage in workspace.dockerfile.stages:
        found = _read_stage(stage, changed, edit, workspace)
        stages.append(found)
        if any(step.runs_again for step in found.steps) or changed & set(found.needs[:1]):
            changed.add(stage.index)
    return Graph(tuple(stages), edit)


def _read_stage(stage: Stage, changed: set[int], edit: str, workspace: Workspace) -> StageSteps:
    parent = workspace.dockerfile.parent(stage)
    again = parent is not None and parent.index in changed
    needs = [parent.index] if parent is not None else []
    steps: list[Step] = []
    for instruction in stage.instructions[1:]:
        effects = effects_of(instruction, workspace)
        found = (_stage_index(name, stage, workspace) for name in effects.takes_from)
        origins = tuple(index for index in found if index is not None)
        needs += origins
        again = again or _reads_edit(effects, edit) or not changed.isdisjoint(origins)
        steps.append(_step(effects, origins, again))
    return StageSteps(
        stage.name or f"stage {stage.index}",
        stage.base,
        tuple(steps),
        stage in workspace.shipped_stages,
        tuple(dict.fromkeys(needs)),
    )


def _step(effects: Effects, origins: tuple[int, ...], again: bool) -> Step:
    instruction = effects.instruction
    return Step(
        instruction.line,
        instruction.keyword,
        _one_line(instruction),
        effects.kinds,
        effects.context,
        effects.reads,
        effects.writes,
        effects.takes_from,
        origins,
        again and instruction.keyword in LAYERS,
    )


def _one_line(instruction: Instruction) -> str:
    """The instruction on one line; mounts say how it runs, not what it does."""
    text = instruction.logical
    for flag in reversed(instruction.flags):
        if flag.name == "mount":
            text = text.replace(f"--mount={flag.value}", "", 1)
    return _GAP.sub(" ", text).strip()


def _stage_index(name: str, stage: Stage, workspace: Workspace) -> int | None:
    found = workspace.dockerfile.find_stage(name, stage.index)
    return found.index if found is not None else None


# The edit


def _reads_edit(effects: Effects, edit: str) -> bool:
    if effects.context.everything:
        return True
    if not edit:
        return "." in effects.context.paths
    return any(_brings(source, edit) for source in effects.context.paths)


def _brings(source: str, path: str) -> bool:
    if is_within(path, source):
        return True
    if not any(char in source for char in "*?["):
        return False
    parts = path.split("/")
    depth = source.count("/") + 1
    return fnmatchcase("/".join(parts[:depth]), source)


def find_source(workspace: Workspace) -> str | None:
    """A source that a COPY brings with a folder; None when there is none to be seen."""
    context = workspace.context
    if context is None:
        return None
    copied = _copied_paths(workspace)
    for path in _walk(context):
        if any(_brings(source, path) and source != path for source in copied):
            return path
    return None


def _copied_paths(workspace: Workspace) -> list[str]:
    return [
        path
        for stage in workspace.dockerfile.stages
        for instruction in stage.instructions[1:]
        if instruction.keyword in ("COPY", "ADD", "RUN")
        for path in effects_of(instruction, workspace).context.paths
    ]


def _walk(context: BuildContext) -> Iterator[str]:
    """Sources of the context, those near its root first."""
    waiting, seen = [""], 0
    while waiting and seen < _MAX_NAMES:
        folder = waiting.pop(0)
        for name in context.names(folder or "."):
            seen += 1
            path = f"{folder}/{name}" if folder else name
            if name.endswith(_SOURCES) and not _NO_SOURCE.fullmatch(name):
                if context.sends(path) and context.is_file(path):
                    yield path
            elif _may_hold_sources(name) and context.is_folder(path) and context.sends(path):
                waiting.append(path)


def _may_hold_sources(name: str) -> bool:
    return "." not in name and not _is_test(name)


def _is_test(name: str) -> bool:
    return bool(re.match(r"tests?$|__tests__$|spec$|docs?$|node_modules$|vendor$", name))
