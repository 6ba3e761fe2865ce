"""order-copies: manifests first, then the install, then the sources."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.ordering.group import find_groups
from dockerfix.ordering.manifest_copies import CannotMoveError
from dockerfix.ordering.rewrite import rewrite
from dockerfix.ordering.steps import Group
from dockerfix.transform import Change, Declined, Level, Transform, Workspace

_Found = Iterator[Change | Declined]


class OrderCopies(Transform):
    """Copy what an install of dependencies reads before it, and everything else after it.

    An edit of the sources then no longer makes the install run again. System packages, tools and
    downloads that need none of the files go in front as well. Where an install goes on to build
    what it installs for (go, Maven, .NET, uv, Poetry, Composer), what it downloads is fetched in a
    step of its own, and the install itself stays behind the sources. cargo, which fetches nothing
    without sources, compiles the dependencies for stand-ins, and removes what came of these. Where
    the COPY of the sources would bring the host's copy of what the install leaves, `.dockerignore`
    keeps it out.

    Build context:
        package.json: {"dependencies": {"express": "^4.18.0"}}
        package-lock.json: {}
        .dockerignore: node_modules

    Before:
        FROM node:22
        WORKDIR /app
        COPY . .
        RUN npm ci
        CMD ["node", "index.js"]

    After:
        FROM node:22
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        CMD ["node", "index.js"]
    """

    name = "order-copies"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Look at every stage that copies before it installs."""
        for stage in workspace.dockerfile.stages:
            for found in find_groups(stage, workspace):
                yield from (found,) if isinstance(found, Declined) else _order(found, workspace)


def _order(group: Group, workspace: Workspace) -> _Found:
    if not group.passes or not group.copies:
        return
    try:
        change = rewrite(group, workspace)
    except CannotMoveError as error:
        yield Declined(f"order stays: {error.reason}", error.line, error.detail)
        return
    if change is not None:
        yield change
