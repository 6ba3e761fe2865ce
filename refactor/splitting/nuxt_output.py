"""Nuxt 3: its build gathers the server and all that it needs in `.output`.

Source: nuxt.com/docs/getting-started/deployment ("Node.js Server"): `.output` is the only folder
that has to be deployed; nitro.build/deploy/runtimes/node: `node .output/server/index.mjs`.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from dockerfix.splitting.next_standalone import OPENS_FILES
from dockerfix.splitting.node_base import dependencies
from dockerfix.splitting.node_command import NodeProject, script_of
from dockerfix.splitting.node_files import needs_more
from dockerfix.splitting.plan import Plan, Program
from dockerfix.transform import Evidence

_SERVER = ".output/server/index.mjs"
_READS_FILES = frozenset(("prisma", "@prisma/client", "dotenv", "config", "sharp"))


def nuxt_output(program: Program, project: NodeProject, plan: Plan) -> Plan | None:
    """The plan that ships the output alone; None where another program runs, or files are read."""
    script = script_of(program.entry.main)
    wanted = dependencies(project) | project.development
    if script is None or posixpath.normpath(script) != _SERVER or "nuxt" not in wanted:
        return None
    if len(program.entry.calls) > 1 and plan.main is None:
        return None
    if project.directory != program.folder or wanted & _READS_FILES:
        return None
    if needs_more(program):
        return None
    if any(OPENS_FILES.search(text) for _, text in project.sources):
        return None
    output = f"{program.folder}/.output"
    return replace(
        plan,
        copies=((output, output),),
        gain="all dependencies, the sources and what builds them",
        evidence=(*plan.evidence, Evidence(script, "holds all that the server needs")),
        last=(),
        beside=None,
        files=(),
    )
