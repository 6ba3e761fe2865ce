"""A graph as a drawing: before and after, side by side; SVG alone or in a page."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockerfix.graph.gain import Gain, gain_lines
from dockerfix.graph.model import Graph, StageSteps, Step
from dockerfix.graph.text import facts_of, shorten

_COLUMN = 600
_GUTTER = 44
#: A step with what it touches, and one that only notes something down.
_ROW, _LOW = 40, 27
_HEAD = 34
_GAP = 22
_TOP = 64
_PILL = 84
#: Characters that fit behind the keyword, in the two sizes of type.
_TEXT, _FACTS = 60, 82

_STYLE = """
.g{--page:#fff;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--box:#f6f8fa;--again:#fff1d6;
--mark:#bc4c00;--ship:#0969da;--install:#8250df;--packages:#0550ae;--build:#bf3989;--copy:#1a7f37;
--plain:#59636e}
@media(prefers-color-scheme:dark){.g{--page:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;
--box:#151b23;--again:#3a2a10;--mark:#f0883e;--ship:#4493f8;--install:#ab7df8;--packages:#79c0ff;
--build:#f778ba;--copy:#3fb950;--plain:#9198a1}}
.g text{fill:var(--ink);font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.g .title{font:600 17px system-ui,sans-serif}
.g .sub{font:13px system-ui,sans-serif;fill:var(--soft)}
.g .facts{font:11px system-ui,sans-serif;fill:var(--soft)}
.g .stage{font:600 13px system-ui,sans-serif}
.g .key{font:600 10px system-ui,sans-serif;fill:var(--page)}
.g .box{fill:var(--box);stroke:var(--line)}.g .ship{stroke:var(--ship);stroke-width:2}
.g .again{fill:var(--again)}.g .band{fill:var(--mark)}.g .rule{stroke:var(--line)}
.g .edge{fill:none;stroke:var(--soft);stroke-width:1.5}.g .tip{fill:var(--soft)}
.g .tag{font:600 11px system-ui,sans-serif;fill:var(--mark);text-anchor:end}
.g .in{font:600 11px system-ui,sans-serif;fill:var(--ship);text-anchor:end}
.g .page{fill:var(--page)}
"""
_COLOURS = {
    "packages": "packages",
    "install": "install",
    "tool": "install",
    "fetch": "packages",
    "build": "build",
    "unknown": "build",
}


@dataclass(slots=True)
class _Column:
    """One graph, drawn from the top downwards."""

    left: int
    parts: list[str] = field(default_factory=list)
    #: Top and bottom of each stage.
    boxes: list[tuple[int, int]] = field(default_factory=list)
    #: Where a step takes files from a stage: its middle, and the stage's number.
    edges: list[tuple[int, int]] = field(default_factory=list)
    bottom: int = _TOP


def render_svg(path: str, gain: Gain) -> str:
    """One drawing that can stand alone; it follows the reader's choice of light or dark."""
    columns = [_draw(gain.before, "before", 0), _draw(gain.after, "after", 1)]
    height = max(column.bottom for column in columns) + 16
    width = 2 * (_COLUMN + _GUTTER) + 24
    body = "".join("".join(column.parts) for column in columns)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="g" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        f'aria-label="{html.escape(path)}, before and after">'
        f"<style>{_STYLE}</style>"
        f'<rect class="page" width="{width}" height="{height}"/>{body}</svg>\n'
    )


def render_html(drawings: list[tuple[str, Gain]]) -> str:
    """A page of its own with a drawing for each file."""
    sections = "".join(_section(path, gain) for path, gain in drawings)
    return f"{_PAGE}{sections}</main></html>\n"


def _section(path: str, gain: Gain) -> str:
    facts = "".join(f"<li>{html.escape(line)}" for line in gain_lines(gain))
    return (
        f"<section><h2>{html.escape(path)}</h2><ul>{facts}</ul>"
        f"<div class=drawing>{render_svg(path, gain)}</div></section>"
    )


def _draw(graph: Graph, title: str, number: int) -> _Column:
    column = _Column(_GUTTER + number * (_COLUMN + _GUTTER + 12))
    again, steps = len(graph.again), len(graph.all_layers)
    column.parts += [
        _text(column.left, 26, title.capitalize(), "title"),
        _text(
            column.left,
            46,
            f"{again} of {steps} steps run again after an edit of {graph.edit or 'a source'} · "
            f"{len(graph.layers)} layers in the image",
            "sub",
        ),
    ]
    for stage in graph.stages:
        _draw_stage(stage, column)
    column.parts += _edges(column, graph)
    return column


def _draw_stage(stage: StageSteps, column: _Column) -> None:
    top = column.bottom
    height = _HEAD + sum(_height(step) for step in stage.steps) + 4
    shipped = " ship" if stage.is_shipped else ""
    left, right = column.left, column.left + _COLUMN
    column.parts += [
        f'<rect class="box{shipped}" x="{left}" y="{top}" width="{_COLUMN}" height="{height}" '
        'rx="8"/>',
        _text(left + 12, top + 22, shorten(f"{stage.name}  ←  {stage.base}", 72), "stage"),
    ]
    if stage.is_shipped:
        column.parts.append(_text(right - 12, top + 22, "in the image", "in"))
    place = top + _HEAD
    for step in stage.steps:
        column.parts += _row(step, column.left, place)
        column.edges += [(place + _ROW // 2, origin) for origin in step.origins]
        place += _height(step)
    column.boxes.append((top, top + height))
    column.bottom = top + height + _GAP


def _height(step: Step) -> int:
    return _ROW if any(facts_of(step)) else _LOW


def _row(step: Step, left: int, top: int) -> Iterator[str]:
    """A step: its keyword, its text, and below what it touches."""
    if step.runs_again:
        yield (
            f'<rect class="again" x="{left + 1}" y="{top}" width="{_COLUMN - 2}" '
            f'height="{_height(step)}"/>'
            f'<rect class="band" x="{left + 1}" y="{top}" width="4" height="{_height(step)}"/>'
        )
    yield (
        f'<line class="rule" x1="{left}" x2="{left + _COLUMN}" y1="{top}" y2="{top}"/>'
        f'<rect x="{left + 12}" y="{top + 7}" width="{_PILL}" height="16" rx="4" '
        f'fill="var(--{_colour(step)})"/>'
    )
    keyword, _, rest = step.text.partition(" ")
    key = html.escape(keyword.upper())
    yield (
        f'<text class="key" x="{left + 12 + _PILL / 2}" y="{top + 18.5}" '
        f'text-anchor="middle">{key}</text>'
    )
    yield f"<g><title>{html.escape(step.text)}</title>"
    yield _text(left + _PILL + 22, top + 19, shorten(rest, _TEXT), "")
    facts = shorten(" · ".join(facts_of(step)), _FACTS)
    if facts:
        yield _text(left + _PILL + 22, top + 34, facts, "facts")
    yield "</g>"


def _colour(step: Step) -> str:
    if step.keyword in ("COPY", "ADD"):
        return "copy"
    for kind in ("build", "unknown", "install", "tool", "packages", "fetch"):
        if kind in step.kinds:
            return _COLOURS[kind]
    return "plain"


def _edges(column: _Column, graph: Graph) -> Iterator[str]:
    """Lines in the gutter: from a stage to the steps that take files from it, or stand on it."""
    lines = [(middle, origin) for middle, origin in column.edges]
    for (top, _), stage in zip(column.boxes, graph.stages, strict=True):
        lines += [(top + 16, origin) for origin in stage.needs[:1] if _stands_on(stage, graph)]
    for index, (middle, origin) in enumerate(dict.fromkeys(lines)):
        start = column.boxes[origin][1] - 12
        left = column.left - 10 - 7 * (index % 6)
        yield (
            f'<path class="edge" d="M{column.left} {start}H{left}V{middle}H{column.left - 5}"/>'
            f'<path class="tip" d="M{column.left - 7} {middle - 4}l7 4l-7 4z"/>'
        )


def _stands_on(stage: StageSteps, graph: Graph) -> bool:
    return any(other.name == stage.base for other in graph.stages)


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{html.escape(text)}</text>'


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>dockerfix graph</title>
<style>
:root{color-scheme:light dark}
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:#fff;color:#1f2328}
main{padding:1.2rem 1.6rem}h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.6rem 0 .2rem}
ul{margin:.2rem 0 .8rem;padding-left:1.2rem}.drawing{overflow-x:auto}
.drawing svg{max-width:100%;height:auto;min-width:900px}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;color:#59636e;font-size:.85rem}
.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin-right:.4rem;
vertical-align:-1px}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}.legend{color:#9198a1}}
</style><main><h1>What runs again, and what is in the image</h1><div class="legend g">
<style>.legend.g{--again:#ffd48a;--mark:#bc4c00;--ship:#0969da;--install:#8250df;
--packages:#0550ae;--build:#bf3989;--copy:#1a7f37}
@media(prefers-color-scheme:dark){.legend.g{--again:#3a2a10;--mark:#f0883e;--ship:#4493f8;
--install:#ab7df8;--packages:#79c0ff;--build:#f778ba;--copy:#3fb950}}</style>
<span><i style="background:var(--again);border-left:4px solid var(--mark)"></i>runs again after the
edit</span><span><i style="border:2px solid var(--ship)"></i>in the image</span>
<span><i style="background:var(--packages)"></i>system packages, downloads</span>
<span><i style="background:var(--install)"></i>dependencies, tools</span>
<span><i style="background:var(--build)"></i>builds, or may do anything</span>
<span><i style="background:var(--copy)"></i>copies</span></div>
"""
