"""Both builds, side by side."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dockerfix.pipeline import Result
from dockerfix.verify.configuration import Difference, compare_configurations
from dockerfix.verify.engine import BuildError, BuildOptions, Engine
from dockerfix.verify.runs import Observation, observe
from dockerfix.verify.tree import Node, TreeDifference, compare_trees, find_program, read_tree

#: Files whose edit is what a developer does all day.
_SOURCES = frozenset(
    (
        ".py",
        ".js",
        ".mjs",
        ".ts",
        ".jsx",
        ".tsx",
        ".go",
        ".java",
        ".kt",
        ".cs",
        ".rs",
        ".rb",
        ".php",
    )
)
_LEFT_OUT = shutil.ignore_patterns(".git", "node_modules", ".venv")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two images."""

    size: int
    layers: int
    #: Seconds; of a build that may have used the engine's cache.
    build_time: float
    observed: Observation | None = None
    #: Seconds of a build after an edit of one source; None when that was not measured.
    rebuild_time: float | None = None


@dataclass
class Verdict:
    """The answer for one file."""

    path: str
    #: "equal", "differs", "broken" (the refactored one does not build), "original broken",
    #: "unchanged".
    state: str
    passes: tuple[str, ...] = ()
    before: Side | None = None
    after: Side | None = None
    configuration: list[Difference] = field(default_factory=list)
    files: TreeDifference = field(default_factory=TreeDifference)
    #: Where the program's folder is, for people.
    folder: str = "/"
    #: Why it is not equal.
    problems: list[str] = field(default_factory=list)
    diff: str = ""

    @property
    def exit_code(self) -> int:
        """0 equal, 1 not, 3 the original does not build."""
        return {"equal": 0, "unchanged": 0, "original broken": 3}.get(self.state, 1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to do besides building."""

    run: bool = False
    probe: str | None = None
    no_cache: bool = False
    #: Build once more after an edit of one source.
    measure: bool = False


def verify(
    path: str, result: Result, engine: Engine, options: BuildOptions, wishes: Wishes
) -> Verdict:
    """Build before and after, compare, clean up. Raises EngineError."""
    passes = tuple(dict.fromkeys(change.pass_name for change in result.changes))
    verdict = Verdict(path, "unchanged", passes, diff=result.diff(path))
    if not result.changed:
        return verdict
    name = f"dockerfix-verify-{uuid.uuid4().hex[:12]}"
    tags = {"before": f"{name}:before", "after": f"{name}:after"}
    try:
        with tempfile.TemporaryDirectory(prefix="dockerfix-") as folder:
            _build_both(verdict, result, engine, options, wishes, tags, Path(folder))
    finally:
        for tag in tags.values():
            engine.remove("image", "rm", "--force", tag)
            if wishes.measure:
                engine.remove("image", "rm", "--force", f"{tag}-again")
    return verdict


def _build_both(
    verdict: Verdict,
    result: Result,
    engine: Engine,
    options: BuildOptions,
    wishes: Wishes,
    tags: dict[str, str],
    folder: Path,
) -> None:
    times: dict[str, float] = {}
    if wishes.measure:
        shutil.copytree(options.context, folder / "context", symlinks=True, ignore=_LEFT_OUT)
        options = replace(options, context=folder / "context")
    for side, code in (("before", result.before), ("after", result.code)):
        place = folder / side / "Dockerfile"
        place.parent.mkdir()
        place.write_bytes(code.encode("utf-8", "surrogateescape"))
        for file in result.files if side == "after" else ():
            ignore = place.with_name("Dockerfile.dockerignore")
            ignore.write_bytes(file.content.encode("utf-8", "surrogateescape"))
        try:
            times[side] = engine.build(place, tags[side], options, wishes.no_cache)
        except BuildError as error:
            verdict.state = "original broken" if side == "before" else "broken"
            verdict.problems.append(f"the {side} build fails:\n{error}")
            return
    rebuilds = _rebuild(engine, options, folder, tags) if wishes.measure else {}
    _compare(verdict, engine, wishes, tags, times, rebuilds)


def _rebuild(
    engine: Engine, options: BuildOptions, folder: Path, tags: dict[str, str]
) -> dict[str, float]:
    """How long both builds take after an edit of one source; nothing when there is none."""
    source = _source(options.context)
    if source is None:
        return {}
    with source.open("a", encoding="utf-8") as file:
        # Another number each time: the engine may hold the build of an earlier edit.
        file.write("\n" * (1 + secrets.randbelow(500)))
    return {
        side: engine.build(folder / side / "Dockerfile", f"{tag}-again", options)
        for side, tag in tags.items()
    }


def _source(context: Path) -> Path | None:
    """A source of the program; empty lines at its end change nothing but its content."""
    found = (
        path
        for path in sorted(context.rglob("*"))
        if path.suffix in _SOURCES and path.is_file() and not path.name.startswith(".")
    )
    return next((path for path in found if ".config." not in path.name), None)


def _compare(
    verdict: Verdict,
    engine: Engine,
    wishes: Wishes,
    tags: dict[str, str],
    times: dict[str, float],
    rebuilds: dict[str, float],
) -> None:
    found = {side: engine.inspect(tag) for side, tag in tags.items()}
    configs = {side: dict(entry.get("Config") or {}) for side, entry in found.items()}
    verdict.folder = str(configs["before"].get("WorkingDir") or "/")
    verdict.configuration = compare_configurations(
        configs["before"], configs["after"], verdict.passes
    )
    for entry in verdict.configuration:
        if not entry.explained_by:
            verdict.problems.append(f"{entry.field}: {entry.before} -> {entry.after}")
    trees: dict[str, dict[str, Node]] = {}
    for side, tag in tags.items():
        with engine.exported(tag) as stream:
            trees[side] = read_tree(stream)
    verdict.files = compare_trees(trees["before"], trees["after"], verdict.folder, verdict.passes)
    verdict.problems += [f"/{path} is lost or changed" for path in verdict.files.unexplained[:20]]
    _check_entry(verdict, configs, trees)
    sides: dict[str, Side] = {}
    for side, tag in tags.items():
        observed = None
        if wishes.run:
            observed = observe(engine, tag, wishes.probe, _port(configs["before"]))
        layers = len((found[side].get("RootFS") or {}).get("Layers") or ())
        size = int(found[side].get("Size") or 0)
        sides[side] = Side(size, layers, times[side], observed, rebuilds.get(side))
    verdict.before, verdict.after = sides["before"], sides["after"]
    _compare_runs(verdict)
    verdict.state = "differs" if verdict.problems else "equal"


def _check_entry(
    verdict: Verdict, configs: dict[str, dict[str, Any]], trees: dict[str, dict[str, Node]]
) -> None:
    """The program of the entry must be there, with its interpreter, as it was before."""
    places = {side: _program(configs[side], trees[side]) for side in configs}
    if places["before"] and not places["after"]:
        verdict.problems.append(f"{places['before']} is not in the new image, or cannot be run")
        return
    if not places["after"]:
        return
    head = trees["after"][places["after"].lstrip("/")].head
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n", 1)[0].decode("utf-8", "replace").split()
        name = words[1] if words and words[0].endswith("/env") and len(words) > 1 else words[0]
        search = _search(configs["after"])
        if find_program(trees["after"], name, "/", search) is None:
            verdict.problems.append(f"{places['after']} wants {name}, which is not there")


def _program(config: dict[str, Any], tree: dict[str, Node]) -> str | None:
    words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    if not words:
        return None
    return find_program(tree, words[0], str(config.get("WorkingDir") or "/"), _search(config))


def _search(config: dict[str, Any]) -> str:
    for entry in config.get("Env") or ():
        name, _, value = entry.partition("=")
        if name == "PATH":
            return str(value)
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _port(config: dict[str, Any]) -> int | None:
    ports = sorted(config.get("ExposedPorts") or ())
    return int(ports[0].partition("/")[0]) if ports else None


def _compare_runs(verdict: Verdict) -> None:
    before = verdict.before.observed if verdict.before else None
    after = verdict.after.observed if verdict.after else None
    if before is None or after is None:
        return
    if before.answer != after.answer:
        verdict.problems.append(f"it answers {after.answer!r}, before {before.answer!r}")
    if after.stop_time > before.stop_time + 2:
        verdict.problems.append(f"it takes {after.stop_time:.1f} s to stop")
    for line in after.denied:
        if line not in before.denied:
            verdict.problems.append(f"a write fails: {line.strip()[:200]}")
