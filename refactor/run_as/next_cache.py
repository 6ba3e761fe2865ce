"""The folder `.next`: `next start` writes to it what the build made.

Sources: nextjs.org (`.next/cache`, incremental static regeneration), the Dockerfile of its example
"with-docker".
"""

from __future__ import annotations

from collections.abc import Sequence

from dockerfix.context.json_files import load_object, table
from dockerfix.image.copies import lineage, source_of
from dockerfix.run_as.account import Account, StaysError
from dockerfix.run_as.needs import Running, unwrap
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Workspace

_PACKAGE_RUNNERS = ("npm", "yarn", "pnpm", "bun")


def give_cache(
    running: Running,
    stage: Stage,
    account: Account,
    owned: Sequence[Instruction],
    workspace: Workspace,
) -> Edit | None:
    """Give `.next` away in the layer that makes it; None where a COPY brings it.

    `owned` are the COPYs whose files belong to the account.
    Raises StaysError when it is not known what makes it.
    """
    for instruction in reversed(stage.instructions):
        if instruction.keyword in ("COPY", "ADD") and ".next" in instruction.code:
            return None
        if instruction in owned and _brings_build(instruction, workspace):
            return None
        run = workspace.run(instruction) if instruction.keyword == "RUN" else None
        if run is not None and _builds(run, instruction, workspace):
            if run.script.tail or not run.script.is_and_list:
                break
            end = len(run.script.text.rstrip())
            return run.insert(end, f" && chown -R {account.owner} .next")
    raise StaysError("the program writes beside its dependencies", running.name)


def _brings_build(copy: Instruction, workspace: Workspace) -> bool:
    """Whether a COPY brings a folder of another stage in which `next build` ran."""
    reference, stage = copy.flag("from"), workspace.dockerfile.stage_of(copy)
    maker = workspace.dockerfile.find_stage(reference, stage.index) if reference and stage else None
    steps = (
        [i for entry in lineage(workspace.dockerfile, maker) for i in entry.instructions]
        if maker
        else []
    )
    return any(
        (run := workspace.run(step)) is not None
        and workspace.state(step).workdir == copy.arguments[0].rstrip("/")
        and _builds(run, step, workspace)
        for step in steps
        if step.keyword == "RUN"
    )


def _builds(run: RunScript, instruction: Instruction, workspace: Workspace) -> bool:
    for _, command in run.top_commands:
        words = unwrap(tuple(word.value or "" for word in command.words))
        if words[:2] == ("next", "build"):
            return True
        if words[0] in _PACKAGE_RUNNERS:
            # yarn and pnpm also call a program of the dependencies by its name.
            rest = [w for w in words[1:] if w not in ("run", "exec") and not w.startswith("-")]
            name = rest[0] if rest else ""
            if rest[:2] == ["next", "build"]:
                return True
            if "next build" in _script(name, instruction, workspace):
                return True
    return False


def _script(name: str, instruction: Instruction, workspace: Workspace) -> str:
    context, folder = workspace.context, workspace.state(instruction).workdir
    if context is None or folder is None:
        return ""
    source = source_of(f"{folder.rstrip('/')}/package.json", instruction, workspace)
    manifest = load_object(context.read(source)) if source is not None else None
    return str(table(manifest or {}, "scripts").get(name, ""))
