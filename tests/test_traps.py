"""Wrong rewrites seen in the wild and in the literature (DESIGN, section 6), and the cases that
show that we do not make them. The cases themselves run with the other fixtures."""

from __future__ import annotations

import pytest

from tests.test_fixtures import FIXTURES

TRAPS = {
    "development dependencies missing in the build": (
        "split-stages/seed-typescript-service",
        "split-stages/node-with-a-build",
    ),
    "node_modules copied from glibc to musl": (
        "split-stages/modules-for-glibc-stay-on-glibc",
        "split-stages/node-alpine-stays-alpine",
    ),
    "a pattern that two jars match": (
        "split-stages/jar-with-others-beside-it",
        "split-stages/jar-by-a-pattern",
        "split-stages/java-gradle-wrapper-with-a-plain-jar",
    ),
    "NODE_ENV=production above the install": (
        "split-stages/seed-typescript-service",
        "split-stages/node-with-a-build",
    ),
    "USER of a user that does not exist": (
        "add-user/node-before-its-user",
        "add-user/unknown-base",
        "add-user/python-gets-a-user",
    ),
    "--chown above the RUN that creates the user": (
        "chown-copies/user-made-afterwards",
        "chown-copies/group-made-afterwards",
    ),
    "npm start kept while the tool of its script is gone": (
        "split-stages/node-development-dependency-that-runs",
        "split-stages/node-runs-typescript-by-a-development-tool",
        "split-stages/vite-preview-is-a-development-server",
    ),
    "node_modules of the host laid over those of the image": (
        "order-copies/npm-without-dockerignore",
        "order-copies/npm-committed-modules",
        "order-copies/npm-host-modules-kept-out-of-git",
    ),
    "a here-document merged with &&": ("merge-runs/heredoc", "merge-runs/heredoc-after"),
    "&& dropped on CRLF": ("merge-runs/crlf", "package-hygiene/crlf"),
    "exec form made from a variable": (
        "exec-form/variable-needs-the-shell",
        "exec-form/variable-names-the-program",
    ),
    "ADD of an archive made a COPY": (
        "modernise/add-archive-by-name",
        "modernise/add-archive-by-content",
        "modernise/add-pattern-with-archive",
    ),
    "text taken for a command": (
        "modernise/heredoc-holds-instructions",
        "modernise/echo-holds-instructions",
        "package-hygiene/echo-names-a-package-manager",
        "package-hygiene/heredoc-is-left-alone",
    ),
    "a line number gone stale": ("merge-runs/edits-above-move-the-lines",),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_case_shows_that_the_trap_is_avoided(trap: str) -> None:
    for case in TRAPS[trap]:
        assert (FIXTURES / case / "before" / "Dockerfile").is_file(), case
