"""Builds of Go programs behind `make`: what they download can be fetched before."""

from __future__ import annotations

from dockerfix.effects.model import Call
from dockerfix.installs.install import UnknownInstallError
from dockerfix.installs.read import read_install
from dockerfix.knowledge.base_images import official_name
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Level, Workspace


def go_install(call: Call, instruction: Instruction, workspace: Workspace) -> Call | None:
    """A `make` in the image of Go, where a `go.mod` lies, with the fetch that may go before it."""
    stage = workspace.dockerfile.stage_of(instruction)
    if call.words[:1] != ("make",) or stage is None:
        return None
    image = read_image(stage.resolved_base or stage.base)
    if official_name(image.repository) != "golang":
        return None
    try:
        install = read_install(("go", "build"), call.directory, instruction, workspace)
    except UnknownInstallError:
        return None
    return call._replace(install=install._replace(level=Level.REVIEW))
