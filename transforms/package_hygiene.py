"""package-hygiene: package managers that never ask and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dockerfix.hygiene.answers import apt_get, never_ask
from dockerfix.hygiene.apk_clean_up import useless_clean_up
from dockerfix.hygiene.apk_index import apk_update, apk_update_alone, apk_update_option
from dockerfix.hygiene.clean_up import clean_up
from dockerfix.hygiene.locked import follow_lock
from dockerfix.hygiene.no_cache import no_cache
from dockerfix.hygiene.recommends import no_recommends
from dockerfix.hygiene.renamed_options import no_document, omit_dev
from dockerfix.hygiene.run import Found, PackageRun, Surroundings, read_run
from dockerfix.hygiene.update_apart import update_apart
from dockerfix.knowledge.package_managers import MANAGERS
from dockerfix.patterns import pattern
from dockerfix.transform import Level, Transform, Workspace

_PROGRAMS = pattern("|".join(sorted(p for m in MANAGERS for p in m.programs)))
_RULES: tuple[Callable[[PackageRun], Found], ...] = (
    never_ask,
    apt_get,
    no_recommends,
    no_cache,
    clean_up,
    apk_update,
    apk_update_alone,
    apk_update_option,
    follow_lock,
    omit_dev,
    no_document,
)


class PackageHygiene(Transform):
    """Call package managers so that they never ask, and so that no cache stays in the image.

    Before:
        FROM debian:12
        RUN apt-get update
        RUN apt-get install --no-install-recommends curl
        RUN pip install flask

    After:
        FROM debian:12
        RUN apt-get update && apt-get install -y --no-install-recommends curl \\
            && rm -rf /var/lib/apt/lists/*
        RUN pip install --no-cache-dir flask
    """

    name = "package-hygiene"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Found:
        """Look at every RUN that calls a package manager."""
        if not _PROGRAMS.search(workspace.dockerfile.code):
            return
        surroundings = Surroundings(workspace)
        for stage in workspace.dockerfile.stages:
            shipped = stage in workspace.shipped_stages
            runs = [
                read_run(instruction, surroundings, shipped) for instruction in stage.instructions
            ]
            for previous, run, following in zip(
                [None, *runs], runs, [*runs[1:], None], strict=False
            ):
                if run is not None:
                    run = replace(run, following=following.run if following else None)
                    yield from _look(run, previous)


def _look(run: PackageRun, previous: PackageRun | None) -> Found:
    yield from useless_clean_up(run)
    if not run.commands:
        return
    for rule in _RULES:
        yield from rule(run)
    if previous is not None:
        yield from update_apart(previous, run)
