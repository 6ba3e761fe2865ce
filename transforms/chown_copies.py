"""chown-copies: owner and mode of copied files set by COPY itself, not in a second layer."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Level, Transform, Workspace


class ChownCopies(Transform):
    """Let COPY set owner and mode: a `chown -R` afterwards stores every file twice.

    Before:
        FROM node:22
        WORKDIR /app
        COPY package.json server.js ./
        RUN chown -R node:node /app
        USER node

    After:
        FROM node:22
        WORKDIR /app
        COPY --chown=node:node package.json server.js ./
        RUN chown node:node /app
        USER node
    """

    name = "chown-copies"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Look at each chown and chmod of the stages that are shipped."""
        if not workspace.mentions("chown") and not workspace.mentions("chmod"):
            return
        for stage in workspace.shipped_stages:
            for instruction in stage.instructions:
                if instruction.keyword == "RUN":
                    yield from _look(instruction, stage, workspace)


def _look(
    instruction: Instruction, stage: Stage, workspace: Workspace
) -> Iterator[Change | Declined]:
    run = workspace.run(instruction)
    if run is None or not run.script.calls("chown", "chmod"):
        return
    # Only where there is one: most files have none.
    from dockerfix.owning.call import NothingCopiedError, StaysError, read_call
    from dockerfix.owning.mode import set_mode
    from dockerfix.owning.owner import set_owner

    for index, command in run.top_commands:
        if command.literal_name not in ("chown", "chmod"):
            continue
        try:
            call = read_call(run, index, command, stage, workspace)
            yield set_owner(call) if command.literal_name == "chown" else set_mode(call)
        except NothingCopiedError:
            continue
        except StaysError as error:
            yield Declined(error.reason, instruction.line, error.detail)
