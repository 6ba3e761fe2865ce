"""split-stages: build in one stage, run in another."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.effects.kinds import command_kind
from dockerfix.reasons import ReasonError
from dockerfix.syntax.stage import Stage
from dockerfix.transform import Change, Declined, Level, Transform, Workspace


class SplitStages(Transform):
    """Build the program in a stage of its own; only what runs it is shipped.

    Build context:
        go.mod: module example.com/app
        main.go: package main

    Before:
        FROM golang:1.24
        WORKDIR /src
        COPY . .
        RUN CGO_ENABLED=0 go build -o /usr/local/bin/app .
        EXPOSE 8080
        CMD ["/usr/local/bin/app"]

    After:
        FROM golang:1.24 AS build
        WORKDIR /src
        COPY . .
        RUN CGO_ENABLED=0 go build -o /usr/local/bin/app .

        FROM scratch AS runtime
        WORKDIR /src
        COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
        COPY --from=build /usr/local/bin/app /usr/local/bin/app
        EXPOSE 8080
        CMD ["/usr/local/bin/app"]
    """

    name = "split-stages"
    level = Level.REVIEW

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Look at a file of one stage."""
        stages = workspace.dockerfile.stages
        if len(stages) != 1 or not _builds(stages[0], workspace):
            return
        # Most files are not split: what is only needed for that is loaded late.
        from dockerfix.splitting.rewrite import split

        try:
            found = split(stages[0], workspace)
        except ReasonError as error:
            yield Declined(f"one stage stays: {error.reason}", stages[0].start.line, error.detail)
            return
        if found is not None:
            yield found


def _builds(stage: Stage, workspace: Workspace) -> bool:
    """Whether any step installs dependencies or builds."""
    for instruction in stage.instructions:
        run = workspace.run(instruction)
        kinds = {command_kind(command) for command in run.script.commands()} if run else set()
        if not kinds.isdisjoint(("install", "build", "tool")):
            return True
    return False
