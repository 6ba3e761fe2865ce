"""Next.js where it is told to gather all that its server needs: `output: "standalone"`.

Source: nextjs.org/docs/app/api-reference/config/next-config-js/output: the folder holds the traced
part of node_modules and a server.js; `public` and `.next/static` are copied beside them by hand.
The server listens on HOSTNAME, which the engine sets to the container's name, and on PORT.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from dockerfix.context.build_context import BuildContext
from dockerfix.patterns import pattern
from dockerfix.splitting.node_base import dependencies
from dockerfix.splitting.node_command import NodeProject, runner_instruction
from dockerfix.splitting.node_files import needs_more
from dockerfix.splitting.plan import Plan, Program
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Evidence

_CONFIGURATIONS = ("next.config.js", "next.config.mjs", "next.config.ts")
_STANDALONE = pattern(r"\boutput\s*:\s*['\"`]standalone['\"`]")
_COMMENT = pattern(r"/\*[\s\S]*?\*/|(?<![:'\"`])//[^\n]*")
#: The output lies elsewhere, or is chosen when it is built.
_UNUSUAL = pattern(
    r"\bdistDir\b|\boutputFileTracing|\bturbopack\b.*root|\bcacheHandler\b|\bbasePath\b"
)
#: Sources that open files: the trace need not know them.
OPENS_FILES = pattern(
    r"['\"](?:node:)?(?:fs|fs/promises)['\"]|\bprocess\.cwd\(|\b__dirname\b|\bimport\.meta\.(?:url|dirname)"
)
#: They read files of the project by name, or bring engines that are not traced.
_READS_FILES = frozenset(
    (
        *("next-i18next", "next-translate", "prisma", "@prisma/client", "dotenv", "config"),
        *("next-mdx-remote", "gray-matter", "sharp", "keystone", "payload", "@payloadcms/next"),
    )
)


def standalone(program: Program, project: NodeProject, plan: Plan) -> Plan | None:
    """The plan that ships the gathered server alone; None where that is not known to be all."""
    context = program.workspace.context
    assert context is not None
    name = _configuration(context, project)
    instruction = _start(program)
    wanted = dependencies(project)
    if name is None or instruction is None or "next" not in wanted or wanted & _READS_FILES:
        return None
    if project.is_workspace or project.directory != program.folder or needs_more(program):
        return None
    if any(OPENS_FILES.search(text) for _, text in project.sources):
        return None
    folder, style = program.folder, program.workspace.style
    copies = [(f"{folder}/.next/standalone", folder), (f"{folder}/.next/static",) * 2]
    if context.is_folder(posixpath.join(project.folder, "public")):
        copies.insert(0, (f"{folder}/public",) * 2)
    environment = [f"{style.keyword('ENV')} HOSTNAME=0.0.0.0"]
    if _port(program) is not None:
        environment.append(f"{style.keyword('ENV')} PORT={_port(program)}")
    return replace(
        plan,
        copies=tuple(copies),
        gain="all dependencies that the server does not load, the sources and what builds them",
        evidence=(*plan.evidence, Evidence(name, "output is standalone; no source opens files")),
        last=(),
        beside=None,
        files=(),
        extra=tuple(environment),
        main=(instruction, ("node", "server.js")),
    )


def _configuration(context: BuildContext, project: NodeProject) -> str | None:
    for name in _CONFIGURATIONS:
        path = posixpath.join(project.folder, name)
        text = context.read(path) if context.sends(path) else None
        if text is not None:
            plain = _COMMENT.sub("", text)
            usual = _STANDALONE.search(plain) and not _UNUSUAL.search(plain)
            return path if usual else None
    return None


def _start(program: Program) -> Instruction | None:
    """The instruction that is `next start`, with nothing but a port, or a script that is."""
    main = program.entry.main[1:] if program.entry.main[0] == "npx" else program.entry.main
    names = [posixpath.basename(word) for word in main[:2]]
    if names != ["next", "start"] or len(main) not in (2, 4):
        return None
    if len(main) == 4 and (main[2] not in ("-p", "--port") or not main[3].isdigit()):
        return None
    if len(main) == 4 and program.variables.get("PORT", main[3]) != main[3]:
        return None
    if len(program.entry.calls) == 1:
        return program.entry.instruction
    return runner_instruction(program) if len(program.entry.calls) == 2 else None


def _port(program: Program) -> int | None:
    main = program.entry.main
    return int(main[-1]) if main[-1].isdigit() and "PORT" not in program.variables else None
