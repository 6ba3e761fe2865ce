"""What a refactoring gains, told from the effects alone: nothing is built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.effects.instructions import effects_of
from dockerfix.graph.model import Graph, Step, read_graph
from dockerfix.knowledge.command_effects import Kind
from dockerfix.packages import read_package_command
from dockerfix.pipeline import Result
from dockerfix.syntax.parser import parse
from dockerfix.transform import Workspace

#: Work whose tools and leftovers an image can do without.
_WORK: tuple[Kind, ...] = ("install", "tool", "build")


#: Other words for the same work: `npm ci` is an `npm install`.
_INSTALL = {"ci": "install", "i": "install", "clean-install": "install"}


class Gain(NamedTuple):
    """Both graphs and what differs between them."""

    before: Graph
    after: Graph
    #: What the final image no longer is made with: base, packages, steps.
    leaves: tuple[str, ...]

    @property
    def edit(self) -> str:
        """The file whose edit is followed, for people."""
        return self.before.edit or "a source"

    @property
    def spared(self) -> tuple[Kind, ...]:
        """Kinds of work that an edit made run again before, and does no longer."""
        return tuple(kind for kind in _kinds(self.before.again) if kind not in self._again_after)

    @property
    def spares_dependencies(self) -> bool:
        """Whether what a build did for its dependencies has got a step that does not run again."""
        return "install" not in self.spared and _lasting(self.after) > _lasting(self.before)

    @property
    def _again_after(self) -> tuple[Kind, ...]:
        return _kinds(self.after.again)


def _kinds(steps: tuple[Step, ...]) -> tuple[Kind, ...]:
    found = (kind for step in steps for kind in step.kinds)
    return tuple(dict.fromkeys(kind for kind in found if kind in (*_WORK, "packages", "fetch")))


def _lasting(graph: Graph) -> int:
    """How many steps that install or build an edit leaves alone."""
    steps = (step for step in graph.all_layers if not step.runs_again)
    return sum(1 for step in steps if "install" in step.kinds or "build" in step.kinds)


def static_gain(
    result: Result,
    context: Path | None,
    name: str = "Dockerfile",
    target: str | None = None,
    edit: str | None = None,
) -> Gain:
    """What a result gains; `context` is the folder of the build, `edit` a path in it."""
    folder = BuildContext(context, name) if context is not None else None
    before = Workspace(parse(result.before), folder, target)
    if folder is not None and result.files:
        folder = folder.overlaid({file.path: file.content for file in result.files})
    after = replace(before, dockerfile=parse(result.code), context=folder)
    first = read_graph(before, edit)
    second = read_graph(after, first.edit)
    return Gain(first, second, tuple(_leaves(before, after)))


def _leaves(before: Workspace, after: Workspace) -> list[str]:
    found: list[str] = []
    old, new = before.shipped_stages, after.shipped_stages
    if old and new and old[0].base != new[0].base:
        found.append(f"{old[0].base} (now {new[0].base})")
    gone = _packages(before) - _packages(after)
    if gone:
        found.append(f"packages {' '.join(sorted(gone))}")
    kept = [_says(words) for words in _work(after)]
    left = (words for words in _work(before) if not any(_says(words) <= other for other in kept))
    found += [f"`{' '.join(words)}`" for words in left]
    return list(dict.fromkeys(found))


def _says(words: tuple[str, ...]) -> set[str]:
    """What a command is about: its words without the options, which may change."""
    plain = {_INSTALL.get(word, word) for word in words if not word.startswith("-")}
    return plain | {"install"} if words[:1] == ("yarn",) and len(plain) == 1 else plain


def _packages(workspace: Workspace) -> set[str]:
    """The system packages that the layers of the image hold, as they are named."""
    found: set[str] = set()
    for stage in workspace.shipped_stages:
        for instruction in stage.instructions[1:]:
            step = effects_of(instruction, workspace).step
            for call in step.calls if step is not None else ():
                package = read_package_command(call.command)
                if package is not None and package.manager.system and package.action == "install":
                    found.update(word.text for word in package.packages)
    return found


def _work(workspace: Workspace) -> list[tuple[str, ...]]:
    """The commands that install and build in the layers of the image."""
    return [
        call.words
        for stage in workspace.shipped_stages
        for instruction in stage.instructions[1:]
        if (step := effects_of(instruction, workspace).step) is not None
        for call in step.calls
        if call.kind in _WORK
    ]


def gain_lines(gain: Gain) -> list[str]:
    """The gain for people, one fact a line."""
    before, after = gain.before.again, gain.after.again
    spared = (*gain.spared, *(("dependencies",) if gain.spares_dependencies else ()))
    lines = [
        f"after an edit of {gain.edit}: {_again(after)}, {len(before)} before ({_runs(before)})"
        + (f"; no longer: {', '.join(spared)}" if spared else ""),
        f"layers in the image: {len(gain.after.layers)}, {len(gain.before.layers)} before",
    ]
    if gain.leaves:
        lines.append(f"no longer in the image: {', '.join(gain.leaves)}")
    return lines


def _again(steps: tuple[Step, ...]) -> str:
    count = "1 step runs" if len(steps) == 1 else f"{len(steps)} steps run"
    return f"{count} again ({_runs(steps)})"


def _runs(steps: tuple[Step, ...]) -> str:
    """How many of them work: a COPY more costs next to nothing."""
    return f"{sum(step.keyword == 'RUN' for step in steps)} RUN"


def gain_document(gain: Gain) -> dict[str, object]:
    """The gain for programs."""
    return {
        "edit": gain.before.edit,
        "steps_again": {"before": len(gain.before.again), "after": len(gain.after.again)},
        "steps": {"before": len(gain.before.all_layers), "after": len(gain.after.all_layers)},
        "work_spared": list(gain.spared),
        "layers": {"before": len(gain.before.layers), "after": len(gain.after.layers)},
        "leaves_the_image": list(gain.leaves),
    }
