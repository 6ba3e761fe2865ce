"""All checks on two images that were built."""

from __future__ import annotations

import subprocess
import zlib
from typing import Any

from dockerfix.pipeline import Result
from dockerfix.verify import losses
from dockerfix.verify.compare import Judge, compare_trees
from dockerfix.verify.configuration import compare_configurations, read_configuration
from dockerfix.verify.data_files import data_losses, words_of
from dockerfix.verify.engine import BuildOptions, Engine, EngineError
from dockerfix.verify.explain import Explainer
from dockerfix.verify.findings import Finding
from dockerfix.verify.image import Image
from dockerfix.verify.measure import Bench
from dockerfix.verify.packages import compare_packages, owners, read_packages
from dockerfix.verify.process import streaming
from dockerfix.verify.runs import Observation, compare_runs, observe, works
from dockerfix.verify.scope import Scope
from dockerfix.verify.surroundings import lost_surroundings
from dockerfix.verify.trace import Trace, trace_entry
from dockerfix.verify.tree import Tree, read_tree
from dockerfix.verify.verdict import SIDES, Side, Verdict, Wishes

_NEEDS = ("program", "file", "library", "Python module", "Node module")


def compare_images(
    verdict: Verdict,
    result: Result,
    engine: Engine,
    scope: Scope,
    wishes: Wishes,
    bench: Bench,
    options: BuildOptions,
) -> None:
    """Fill in the verdict from both images. Raises EngineError, TreeError."""
    inspected = {side: engine.inspect(scope.image(side)) for side in SIDES}
    images = _read_images(engine, scope, inspected)
    explainer = Explainer(result.before, result.code, result.changes, options.target)
    _compare_configurations(verdict, images, explainer)
    _compare_files(verdict, images["before"], images["after"], bool(result.files))
    _judge_versions(verdict, cold=wishes.no_cache or wishes.measure)
    observed: dict[str, Observation] = {}
    if wishes.run:
        config = images["before"].config
        for side in SIDES:
            name = scope.container()
            observed[side] = observe(engine, scope.image(side), name, config, wishes.run_settings)
        _compare_runs(verdict, observed)
    sides = {
        side: _side(side, inspected[side], images[side].tree, bench, observed, wishes, scope)
        for side in SIDES
    }
    verdict.before, verdict.after = sides["before"], sides["after"]


def _read_images(
    engine: Engine, scope: Scope, inspected: dict[str, dict[str, Any]]
) -> dict[str, Image]:
    """Files and configuration of both; in the second, what the first has is looked for."""
    images: dict[str, Image] = {}
    words: dict[str, bytes] = {}
    for side in SIDES:
        with engine.exported(scope.image(side), scope.container()) as stream:
            tree = read_tree(stream, words)
        images[side] = Image(tree, read_configuration(inspected[side]))
        words = words_of(images[side])
    return images


def _judge_versions(verdict: Verdict, *, cold: bool) -> None:
    """Other versions are a fault only of builds that asked the index at the same time."""
    drift = list(losses.version_changes(verdict.packages))
    if cold:
        verdict.findings += drift
    else:
        verdict.notes += [f"{entry} (build with --no-cache to be sure)" for entry in drift]


def _compare_configurations(
    verdict: Verdict, images: dict[str, Image], explainer: Explainer
) -> None:
    before, after = images["before"], images["after"]
    verdict.folder = before.folder
    verdict.configuration = compare_configurations(before.config, after.config, explainer)
    for entry in verdict.configuration:
        if not entry.explained_by:
            text = f"{entry.field}: {entry.before or 'not set'} -> {entry.after or 'not set'}"
            verdict.findings.append(Finding("configuration", text))


def _compare_files(verdict: Verdict, before: Image, after: Image, ignores: bool) -> None:
    """The checks that read files, those first that name the cause."""
    passes = frozenset(verdict.passes)
    owned = {**owners(after.tree), **owners(before.tree)}
    judge = Judge(before.folder, passes, owned, ignores)
    verdict.files = compare_trees(before.tree, after.tree, judge)
    verdict.packages = compare_packages(read_packages(before.tree), read_packages(after.tree))
    old, new = trace_entry(before), trace_entry(after)
    found = [
        *losses.entry_losses(old, new),
        *losses.archive_losses(before, after, old, new),
        *losses.library_losses(before, after),
        *losses.package_losses(before, after),
        *data_losses(before, after, new),
        *lost_surroundings(before, after, old, new),
        *losses.right_losses(before, after),
        *losses.file_changes(verdict.files),
    ]
    verdict.findings += dict.fromkeys(found)
    verdict.notes.append(_traced(new))


def _traced(trace: Trace) -> str:
    """How far the entry was followed, for people."""
    counts = [
        f"{number} {kind}{'' if number == 1 else 's'}".replace("librarys", "libraries")
        for kind in _NEEDS
        if (number := sum(1 for n in trace.needs.values() if n.kind == kind and n.found))
    ]
    return f"the entry was followed: found {', '.join(counts) or 'nothing'}"


def _compare_runs(verdict: Verdict, observed: dict[str, Observation]) -> None:
    verdict.findings += compare_runs(observed["before"], observed["after"])
    if not works(observed["before"]):
        verdict.notes.append(f"the original does not answer: {observed['before'].answer}")


def _side(
    side: str,
    inspected: dict[str, Any],
    tree: Tree,
    bench: Bench,
    observed: dict[str, Observation],
    wishes: Wishes,
    scope: Scope,
) -> Side:
    layers = len((inspected.get("RootFS") or {}).get("Layers") or ())
    size = int(inspected.get("Size") or sum(node.size for node in tree.nodes.values()))
    timings = bench.timings(side)
    first = next(iter(timings.values())).seconds[0]
    compressed = None
    if wishes.measure and wishes.compressed and bench.engine.runs:
        compressed = _compressed(bench.engine, scope.image(side))
    measured = timings if wishes.measure else {}
    return Side(size, layers, first, observed.get(side), measured, compressed)


def _compressed(engine: Engine, image: str) -> int | None:
    """What a registry would hold of an image, nearly: its layers, packed as fast as gzip can."""
    packer, size = zlib.compressobj(1), 0
    try:
        with streaming([engine.program, "save", image]) as stream:
            while chunk := stream.read(1 << 20):
                size += len(packer.compress(chunk))
    except (EngineError, OSError, subprocess.SubprocessError):
        return None
    return size + len(packer.flush())
