"""Workspaces of npm, yarn, pnpm and bun: several packages that one install fills.

Sources: docs.npmjs.com (workspaces), and the pages of the others on their configuration files.
"""

from __future__ import annotations

import posixpath

from dockerfix.context.json_files import Json, load_object
from dockerfix.installs.install import Project, UnknownInstallError

#: More packages than these are not named one by one.
_MAX_WORKSPACES = 12


def check_above(project: Project) -> None:
    """In a package of a workspace, an install works on all of it: raises UnknownInstallError."""
    folder = project.folder
    while folder:
        folder = posixpath.dirname(folder)
        above = Project(project.context, folder)
        manifest = load_object(above.context.read(above.path("package.json"))) or {}
        if "workspaces" in manifest or above.has("pnpm-workspace.yaml"):
            raise UnknownInstallError("a package of a workspace", above.path("package.json"))


def workspaces(tool: str, project: Project, manifest: Json) -> list[tuple[str, Json]]:
    """Folder and manifest of every workspace.

    Raises UnknownInstallError when they cannot be listed.
    """
    found = manifest.get("workspaces") or []
    patterns = found.get("packages", []) if isinstance(found, dict) else found
    if not isinstance(patterns, list):
        raise UnknownInstallError("workspaces that cannot be listed", str(patterns)[:40])
    if tool == "pnpm" and project.has("pnpm-workspace.yaml"):
        patterns = _pnpm_patterns(project.read("pnpm-workspace.yaml"))
    folders: list[str] = []
    for text in patterns:
        if not isinstance(text, str) or "**" in text or text.startswith("!"):
            raise UnknownInstallError("workspaces that cannot be listed", str(text))
        folders += [
            path.removesuffix("/package.json")
            for path in project.context.find(project.path(f"{text}/package.json"))
        ]
    if len(folders) > _MAX_WORKSPACES:
        raise UnknownInstallError("too many workspaces to name", str(len(folders)))
    if patterns and not folders:
        raise UnknownInstallError("workspaces that are not in the build context")
    return [
        (folder, Project(project.context, folder).read_json("package.json"))
        for folder in sorted(set(folders))
    ]


def _pnpm_patterns(text: str) -> list[str]:
    """The list `packages` of a pnpm-workspace.yaml, as people write it."""
    patterns: list[str] = []
    inside = False
    for line in text.splitlines():
        stripped = line.split(" #")[0].strip()
        if not stripped or stripped.startswith("#"):
            continue
        if not line[0].isspace() and not stripped.startswith("-"):
            inside = stripped == "packages:"
            if stripped.startswith("packages:") and not inside:
                raise UnknownInstallError("workspaces that cannot be listed", stripped)
        elif inside and stripped.startswith("- "):
            patterns.append(stripped[2:].strip().strip("'\""))
    return patterns
