"""Measuring: which files are edited, in which order both build, what counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dockerfix.verify.engine import Build, BuildOptions
from dockerfix.verify.measure import COLD, Bench, copy_context
from dockerfix.verify.scope import Scope


@dataclass
class Clock:
    """An engine whose builds take 1 s, 2 s, 3 s ... and that notes what it built."""

    builds: list[tuple[str, bool, str]] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    scopes: list[str | None] = field(default_factory=list)

    def build(
        self, place: Path, tag: str, options: BuildOptions, no_cache: bool, log: Path
    ) -> Build:
        self.builds.append((place.parent.name, no_cache, tag.rpartition(":")[2]))
        files = sorted(p for p in options.context.rglob("*") if p.is_file())
        self.contexts.append("|".join(f"{p.name}:{p.stat().st_size}" for p in files))
        self.scopes.append(options.cache_scope)
        return Build(float(len(self.builds)), 2)


def bench(folder: Path, engine: Clock, **options: str) -> Bench:
    places = {side: folder / side / "Dockerfile" for side in ("before", "after")}
    context = folder / "context"
    built = BuildOptions(context, **options)  # type: ignore[arg-type]
    return Bench(engine, Scope(engine), built, places)  # type: ignore[arg-type]


def context(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / "context" / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_both_take_turns(tmp_path: Path) -> None:
    context(tmp_path, app_py="x", requirements_txt="y")
    engine = Clock()
    found = bench(tmp_path, engine)
    for side in ("before", "after"):
        found.note(side, COLD, Build(10, 5))
    found.run(2)
    sides = [side for side, _, _ in engine.builds]
    assert sides == ["after", "before"] * 3 + ["before", "after"] * 4
    assert [cold for _, cold, _ in engine.builds] == [False] * 6 + [True] * 2 + [False] * 6
    timings = found.timings("before")
    assert list(timings) == ["cold", "nothing changed", "source edit", "manifest edit"]
    assert timings["cold"].seconds == (10, 7)
    assert timings["cold"].median == 8.5
    assert timings["source edit"].steps == 2


def test_one_file_is_edited_at_a_time(tmp_path: Path) -> None:
    context(tmp_path, app_py="x", requirements_txt="y", tests__test_py="z")
    engine = Clock()
    bench(tmp_path, engine).run(1)
    again, source, manifest = engine.contexts[0], engine.contexts[2], engine.contexts[4]
    assert again == engine.contexts[1] == "app.py:1|requirements.txt:1|test.py:1"
    assert len({again, source, engine.contexts[3]}) == 3, "each side builds an edit of its own"
    assert source.split("|")[1:] == again.split("|")[1:]
    assert len({again, manifest, engine.contexts[5]}) == 3
    assert manifest.split("|")[0] == engine.contexts[3].split("|")[0]
    assert manifest.split("|")[1] != source.split("|")[1]


def test_what_the_build_does_not_see_is_not_edited(tmp_path: Path) -> None:
    context(tmp_path, a_js="x", src__b_js="y")
    (tmp_path / "context/.dockerignore").write_text("a.js\n")
    engine = Clock()
    bench(tmp_path, engine).run(1)
    assert engine.contexts[2].startswith(".dockerignore:5|a.js:1|")
    assert engine.contexts[2] != engine.contexts[0]


def test_without_sources_only_what_there_is(tmp_path: Path) -> None:
    context(tmp_path, index_html="x")
    found = bench(tmp_path, Clock())
    found.run(1)
    assert list(found.timings("after")) == ["nothing changed"]


def test_each_cold_build_has_caches_of_its_own(tmp_path: Path) -> None:
    context(tmp_path, index_html="x")
    engine = Clock()
    bench(tmp_path, engine, cache_scope="s").run(3)
    cold = [scope for scope, build in zip(engine.scopes, engine.builds, strict=True) if build[1]]
    assert cold == ["s-1", "s-1", "s-2", "s-2"]


def test_the_context_is_copied_with_its_links(tmp_path: Path) -> None:
    context(tmp_path, app_py="x")
    (tmp_path / "context/link").symlink_to("/etc/passwd")
    (tmp_path / "context/broken").symlink_to("nowhere")
    copy_context(tmp_path / "context", tmp_path / "copy")
    assert (tmp_path / "copy/link").is_symlink()
    assert (tmp_path / "copy/broken").is_symlink()
    assert (tmp_path / "copy/app.py").read_text() == "x"
