"""A graph as text and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockerfix.effects.reach import Reach
from dockerfix.graph.gain import Gain, gain_document, gain_lines
from dockerfix.graph.model import Graph, StageSteps, Step

_WIDTH = 64


def render_text(path: str, gain: Gain, changed: bool) -> str:
    """Both graphs, one below the other; only the first when nothing changes."""
    lines = [f"{path}: {_headline(gain.before)}", *_graph(gain.before)]
    if changed:
        lines += ["", f"refactored: {_headline(gain.after)}", *_graph(gain.after), ""]
        lines += gain_lines(gain)
    return "\n".join(lines) + "\n"


def _headline(graph: Graph) -> str:
    steps, again = len(graph.all_layers), len(graph.again)
    what = graph.edit or "a source"
    return f"{steps} steps, {again} of them run again after an edit of {what} (marked *)"


def _graph(graph: Graph) -> Iterator[str]:
    for stage in graph.stages:
        yield ""
        yield f"  {_title(stage)}"
        for step in stage.steps:
            mark = "*" if step.runs_again else " "
            text = shorten(step.text, _WIDTH)
            facts = "; ".join(facts_of(step))
            yield f"  {mark} {step.line:>4}  {text:<{_WIDTH}}  {facts}".rstrip()


def _title(stage: StageSteps) -> str:
    shipped = ", in the image" if stage.is_shipped else ""
    return f"{stage.name} (from {stage.base}{shipped})"


def facts_of(step: Step) -> Iterator[str]:
    """What a step is for and what it touches, in few words."""
    if step.kinds:
        yield ", ".join(step.kinds)
    if step.takes_from:
        yield f"from {', '.join(step.takes_from)}"
    if step.context:
        yield f"context {paths_of(step.context)}"
    if not step.is_layer:
        return
    if step.keyword == "RUN" and step.reads:
        yield f"reads {paths_of(step.reads)}"
    if step.writes:
        yield f"writes {paths_of(step.writes)}"


def paths_of(reach: Reach, most: int = 3) -> str:
    """The paths of a reach; what cannot be known is everything."""
    if reach.everything:
        return "everything"
    shown = _without_system(reach.paths)
    more = len(shown) - most
    return ", ".join(shown[:most]) + (f" and {more} more" if more > 0 else "")


def _without_system(paths: tuple[str, ...]) -> list[str]:
    """The paths, those of the operating system under one name."""
    from dockerfix.knowledge.command_effects import command_facts

    facts = command_facts()
    own = list(paths)
    for folders, name in (
        (facts.system, "system folders"),
        (facts.package_settings, "package sources"),
    ):
        if set(folders) <= set(own):
            own = [path for path in own if path not in folders and not path.startswith("/root/.")]
            own.append(name)
    return own


def shorten(text: str, width: int) -> str:
    """A text that is not longer than a width."""
    return text if len(text) <= width else text[: width - 3] + "..."


def document(path: str, gain: Gain) -> dict[str, Any]:
    """Both graphs and the gain, for JSON."""
    return {
        "path": path,
        "before": _graph_document(gain.before),
        "after": _graph_document(gain.after),
        "gain": gain_document(gain),
    }


def _graph_document(graph: Graph) -> dict[str, Any]:
    return {"edit": graph.edit, "stages": [_stage_document(stage) for stage in graph.stages]}


def _stage_document(stage: StageSteps) -> dict[str, Any]:
    return {
        "name": stage.name,
        "base": stage.base,
        "shipped": stage.is_shipped,
        "needs": list(stage.needs),
        "steps": [_step_document(step) for step in stage.steps],
    }


def _step_document(step: Step) -> dict[str, Any]:
    return {
        "line": step.line,
        "text": step.text,
        "kinds": list(step.kinds),
        "context": _reach_document(step.context),
        "reads": _reach_document(step.reads),
        "writes": _reach_document(step.writes),
        "from": list(step.takes_from),
        "layer": step.is_layer,
        "runs_again": step.runs_again,
    }


def _reach_document(reach: Reach) -> list[str] | str:
    return "everything" if reach.everything else list(reach.paths)
