"""Programs in Ruby: gems that are compiled in one stage and copied to the other.

Sources: bundler.io/man (`bundle install`, BUNDLE_PATH), the Dockerfiles of docker-library/ruby
(gems go to /usr/local/bundle; the slim image holds the headers that Ruby itself needs),
guides.rubyonrails.org ("The Asset Pipeline").
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from dockerfix.context.build_context import BuildContext
from dockerfix.context.sources import read_sources
from dockerfix.effects.reach import is_within
from dockerfix.knowledge.base_images import official_name
from dockerfix.knowledge.ruby_gems import libraries_for
from dockerfix.knowledge.runtime_images import slim_sibling
from dockerfix.knowledge.system_packages import runtime_packages
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import dependency_stage
from dockerfix.splitting.missing_programs import (
    installed_packages,
    missing_programs,
    packages_left,
)
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step
from dockerfix.syntax.image_name import read_image
from dockerfix.transform import Evidence

_GEMS = "/usr/local/bundle"
_SPEC = pattern(r"^    ([\w.-]+) \(([^)]+)\)", 8)
_RUNS = pattern(r"(?<![\w.:])(?:system|exec|spawn|popen3?)[ (]|\bOpen3\.|(?:=|\()\s*`|%x[\[({]")
#: Steps of the program that write into its own folder.
_OWN_STEPS = frozenset(
    ("assets:precompile", "assets:clean", "tmp:clear", "bootsnap", "assets:clobber")
)
_PROGRAMS = frozenset(
    ("ruby", "bundle", "rails", "rake", "rackup", "puma", "unicorn", "thin", "sidekiq", "foreman")
)


def plan_ruby(program: Program) -> Plan | None:
    """How it is split; None when bundler installs nothing, or nothing would stay behind.

    Raises NotSplitError.
    """
    installs = [(s, c) for s, c in program.calls("install") if _is_bundler(c)]
    if not installs:
        return None
    if official_name(read_image(program.base).repository) != "ruby":
        raise NotSplitError("no image of Ruby's", program.base)
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    others = [c for _, c in program.calls("install") if not _is_bundler(c)]
    if others:
        raise NotSplitError("another installer than bundler", others[0].text)
    main = posixpath.basename(program.entry.main[0])
    if main not in _PROGRAMS and not program.entry.main[0].startswith(("bin/", "./bin/")):
        raise NotSplitError("the entry is no plain call of Ruby", main)
    gems = _gems(program)
    base, libraries, evidence = _base(program, context)
    if base == program.base and not packages_left(program, base):
        return None
    plan = _copied(program, installs, base, gems, evidence)
    kept = {k for name in installed_packages(program) for k in runtime_packages(name, base)}
    libraries = tuple(name for name in libraries if name not in kept)
    return replace(plan, extra=_install(libraries, program))


def _is_bundler(call: Call) -> bool:
    return posixpath.basename(call.words[0]) in ("bundle", "bundler")


def _gems(program: Program) -> str:
    """The image path of the gems. Raises NotSplitError."""
    if any(name in program.variables for name in ("GEM_HOME", "GEM_PATH", "BUNDLE_APP_CONFIG")):
        raise NotSplitError("where gems are is not known", "ENV")
    said = program.variables.get("BUNDLE_PATH")
    calls = [c for _, c in program.calls("install", "configure") if _is_bundler(c)]
    for call in calls:
        for word, following in zip(call.words, (*call.words[1:], ""), strict=True):
            if word in ("path", "--path"):
                said = following
            if word in ("deployment", "--deployment") and said is None:
                said = "vendor/bundle"
    if said is None:
        return _GEMS
    if "$" in said or any(call.directory is None for call in calls):
        raise NotSplitError("where gems are is not known", said)
    return posixpath.normpath(posixpath.join(calls[0].directory or "/", said.strip("\"'")))


def _copied(
    program: Program,
    installs: list[tuple[Step, Call]],
    base: str,
    gems: str,
    evidence: tuple[Evidence, ...],
) -> Plan:
    gain = "compilers, headers and what the installs leave"
    steps = [call for _, call in program.calls("build")]
    for call in steps:
        if _OWN_STEPS.isdisjoint(call.words) or call.directory is None:
            raise NotSplitError("a step runs the program while it is built", call.text)
    unknown = any(call.install is None for _, call in installs)
    inside = is_within(gems, program.folder)
    if not steps and not unknown and not inside:
        return dependency_stage(program, installs[-1], base, gems, "", gain, evidence)
    if program.folder == "/":
        raise NotSplitError("the program has no folder of its own")
    paths = [program.folder] if inside else [gems, program.folder]
    return Plan(base, tuple((path, path) for path in paths), gain, evidence)


# The image


def _base(
    program: Program, context: BuildContext
) -> tuple[str, tuple[str, ...], tuple[Evidence, ...]]:
    """The image to run on, the packages that it lacks, and why."""
    slim = slim_sibling(program.base)
    if slim is None or slim == program.base:
        if slim is None and not packages_left(program, program.base):
            raise NotSplitError("the slim image of the release is not known", program.base)
        return program.base, (), (Evidence(program.base, "the image stays the same"),)
    libraries = tuple(dict.fromkeys(_libraries(context, slim)))
    missing = missing_programs(program)
    if missing:
        raise NotSplitError("the program calls others, which the slim image may lack", missing[0])
    for path, text in read_sources(context, "", _is_source, _is_skipped):
        if _RUNS.search(text):
            raise NotSplitError("the program calls others, which the slim image may lack", path)
    fact = f"its gems need {', '.join(libraries) or 'no library of the full image'}"
    return slim, libraries, (Evidence("Gemfile.lock", fact),)


def _libraries(context: BuildContext, slim: str) -> Iterator[str]:
    specs = dict(_SPEC.findall(context.read("Gemfile.lock") or ""))
    if not specs:
        raise NotSplitError("no lock shows what is installed", "Gemfile.lock")
    for gem in specs:
        libraries = libraries_for(gem, slim)
        if libraries is None:
            raise NotSplitError("packages that may need libraries of the full image", gem)
        yield from libraries


def _install(libraries: tuple[str, ...], program: Program) -> tuple[str, ...]:
    if not libraries:
        return ()
    style = program.workspace.style
    install = f"apt-get install -y --no-install-recommends {' '.join(libraries)}"
    commands = ["apt-get update", install, "rm -rf /var/lib/apt/lists/*"]
    return (f"{style.keyword('RUN')} {style.join_commands(commands)}",)


def _is_source(name: str) -> bool:
    return name.endswith((".rb", ".rake", ".ru"))


def _is_skipped(name: str) -> bool:
    return re.fullmatch(r"node_modules|spec|test|features|vendor|tmp|log|public", name) is not None
