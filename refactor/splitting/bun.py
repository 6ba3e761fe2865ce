"""Services for Bun that it runs from their sources: production dependencies alone.

Sources: bun.sh/docs/guides/ecosystem/docker (one image in all stages, node_modules copied from the
stage that installs), bun.sh/docs/cli/install (`--production`, `--frozen-lockfile`), bun.sh/docs/
cli/run. Tried with Bun 1.4: an install of production dependencies leaves development ones out and
optional ones in, fails where the lock is not in step, and takes nothing away that is there already,
so there is no prune behind a build.
"""

from __future__ import annotations

import posixpath

from dockerfix.context.build_context import BuildContext
from dockerfix.context.node_lock import why_bun_lock_differs
from dockerfix.image.copies import origin_of, source_of
from dockerfix.patterns import pattern
from dockerfix.splitting.builder import dependency_stage
from dockerfix.splitting.node import read_project, with_manifest
from dockerfix.splitting.node_command import NodeProject
from dockerfix.splitting.node_production import left_behind, root_name, runs_scripts
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program, Step
from dockerfix.syntax.image_name import read_image

_IMAGE = "oven/bun"
#: Options of `bun` that change nothing of which files it needs.
_PLAIN = frozenset(("--bun", "-b", "--smol", "--silent", "--no-install", "--prefer-offline"))
_WATCHES = ("--watch", "--hot", "--inspect")
#: What Bun reads of a tsconfig.json at run time (bun.sh/docs/runtime/typescript), and bunfig.toml.
_SETTINGS = {
    "tsconfig.json": pattern(r"\"(?:extends|jsxImportSource)\"\s*:\s*\[?\s*\"([^\"]+)\""),
    "bunfig.toml": pattern(r"['\"]([^'\"\s]+)['\"]"),
}
_FROZEN = ("--frozen-lockfile", "ci")


def plan_bun(program: Program) -> Plan | None:
    """How it is split; None for other images, and without an install. Raises NotSplitError."""
    if read_image(program.base).repository != _IMAGE:
        return None
    installs = [entry for entry in program.calls("install") if entry[1].words[0] == "bun"]
    if not installs:
        return None
    if program.workspace.context is None:
        raise NotSplitError("no build context to look at")
    if len(installs) > 1:
        raise NotSplitError("several installs of dependencies")
    if builds := [call.text for _, call in program.calls("build")]:
        raise NotSplitError("Bun takes no dependencies away behind a build", builds[0])
    step, call = installs[0]
    project = read_project(program, program.workspace.context, call)
    _check_project(program, project, program.workspace.context, step, call)
    _check_main(program)
    left = left_behind(program, project, call)
    if not left:
        raise NotSplitError("nothing would stay behind")
    result = f"{project.directory}/node_modules"
    gain = "development dependencies and the cache of the install"
    plan = dependency_stage(
        program, (step, call), program.base, result, " --production", gain, left
    )
    return with_manifest(program, project, plan)


def _check_project(
    program: Program, project: NodeProject, context: BuildContext, step: Step, call: Call
) -> None:
    if project.is_workspace:
        raise NotSplitError("a workspace of several packages")
    if script := next(runs_scripts(project.manifest), ""):
        raise NotSplitError("the install runs a script of the project", script)
    for name, names in _SETTINGS.items():
        text = context.read(posixpath.join(project.folder, name)) or ""
        if not project.development.isdisjoint(map(root_name, names.findall(text))):
            raise NotSplitError("settings name a development dependency", name)
    if any(word in _FROZEN for word in call.words):
        return
    places = (f"{project.directory}/{name}" for name in ("bun.lock", "bun.lockb"))
    lock = next(
        filter(None, (source_of(p, step.instruction, program.workspace) for p in places)), ""
    )
    manifest = context.read(posixpath.join(project.folder, "package.json")) or ""
    # With `--production` Bun refuses a lock that is not in step.
    why = why_bun_lock_differs(manifest, context.read(lock) or "") if lock else "there is none"
    if why:
        raise NotSplitError("the lock may not be in step", why)


def _check_main(program: Program) -> None:
    """Whether it runs a file of the sources, and nothing else."""
    words = program.entry.main
    text = " ".join(words[:3])
    options = [word for word in words[1:] if word.startswith("-")]
    if any(option.startswith(_WATCHES) for option in options):
        raise NotSplitError("a development image", text)
    rest = [word for word in words[1:] if not word.startswith("-")]
    rest = rest[1:] if rest[:1] == ["run"] else rest
    if posixpath.basename(words[0]) != "bun" or not rest or not _PLAIN.issuperset(options):
        raise NotSplitError("the entry is no plain call of bun", text)
    place = posixpath.normpath(posixpath.join(program.folder, rest[0]))
    if origin_of(place, program.stage, program.workspace) is None:
        raise NotSplitError("the entry is no plain call of bun", text)
