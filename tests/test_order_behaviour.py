"""Another order brings the same files to the same places, and each install finds what it reads.

The COPY instructions are carried out on a model of the image, before and after, for every case of
order-copies and for the repositories of the corpus.
"""

from __future__ import annotations

import posixpath
from pathlib import Path

import pytest

import dockerfix
from dockerfix.context.build_context import BuildContext
from dockerfix.context.locate import find_context
from dockerfix.effects.instructions import effects_of
from dockerfix.image.copies import read_copy
from dockerfix.job import read_text
from dockerfix.transform import Workspace
from tests.corpus import application_files

CASES = sorted(
    (Path(__file__).parents[1] / "fixtures" / "order-copies").glob("*/before/Dockerfile")
)
#: Where something lies in the image, and what of the context it is.
Image = dict[str, str]


def files_of(context: BuildContext) -> list[str]:
    root = context.root
    found = (p for p in sorted(root.rglob("*")) if p.is_file() and ".git" not in p.parts)
    paths = (path.relative_to(root).as_posix() for path in found)
    return [path for path in paths if context.sends(path)]


def copy(image: Image, instruction: dockerfix.Instruction, workspace: Workspace) -> None:
    context = workspace.context
    assert context is not None
    files = files_of(context)
    for entry in read_copy(instruction, workspace) or ():
        for source in context.find(entry.source):
            if context.is_file(source):
                into = entry.into_folder or any(
                    p.startswith(f"{entry.destination}/") for p in image
                )
                name = posixpath.basename(source) if into else ""
                image[posixpath.normpath(posixpath.join(entry.destination, name))] = source
                continue
            for path in files:
                if source == "." or path.startswith(f"{source}/"):
                    inner = posixpath.relpath(path, source)
                    image[posixpath.normpath(posixpath.join(entry.destination, inner))] = path


def carry_out(workspace: Workspace) -> tuple[list[Image], list[str]]:
    """What each stage holds in the end, and what installs did not find."""
    images: list[Image] = []
    missing: list[str] = []
    for stage in workspace.dockerfile.stages:
        parent = workspace.dockerfile.parent(stage)
        image = dict(images[parent.index]) if parent is not None else {}
        for instruction in stage.instructions[1:]:
            if instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is None:
                copy(image, instruction, workspace)
            elif instruction.keyword == "RUN":
                missing += not_found(image, instruction, workspace)
        images.append(image)
    return images, missing


def not_found(image: Image, instruction: dockerfix.Instruction, workspace: Workspace) -> list[str]:
    step = effects_of(instruction, workspace).step
    missing = []
    for call in step.calls if step is not None else ():
        if call.kind != "install":
            continue
        if call.problem is not None:
            missing.append(f"{' '.join(call.words)}: {call.problem.reason} {call.problem.detail}")
        if call.install is None:
            continue
        for path in call.install.files:
            inner = posixpath.relpath(path, call.install.folder or ".")
            place = posixpath.normpath(posixpath.join(call.install.directory, inner))
            if not path.endswith("*") and image.get(place) != path:
                missing.append(f"{' '.join(call.words)}: {path} at {place}")
    return missing


def check(file: Path, context: Path, repository: Path | None = None) -> bool:
    """`repository`: a case is one of its own, whatever git knows of it in this checkout."""
    text = read_text(file)
    result = dockerfix.refactor(
        text, context=context, name=file.name, select=("order-copies",), repository=repository
    )
    if not result.changed:
        return False
    ignores = {file.path: file.content for file in result.files}
    folder = BuildContext(context, file.name, repository=repository).overlaid(ignores)
    before, _ = carry_out(Workspace(dockerfix.parse(text), folder))
    after, missing = carry_out(Workspace(dockerfix.parse(result.code), folder))
    assert before == after
    known = set(carry_out(Workspace(dockerfix.parse(text), folder))[1])
    assert [entry for entry in missing if entry not in known] == []
    return True


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.parts[-3])
def test_case(file: Path) -> None:
    after = file.parents[1] / "after" / "Dockerfile"
    assert (
        check(file, file.parent, file.parent)
        or not after.exists()
        or (after.parents[1] / "options.toml").exists()
    )


def test_repositories() -> None:
    changed = 0
    for file in application_files():
        try:
            changed += check(file, find_context(file) or file.parent)
        except dockerfix.DockerfileSyntaxError:
            continue
    assert changed >= 20
