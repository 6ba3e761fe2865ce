"""Front ends that are files once they are built: nginx serves them in place of a Node.js server.

Sources: create-react-app.dev/docs/deployment, vite.dev/guide/static-deploy, cli.vuejs.org,
hub.docker.com/_/nginx (`/etc/nginx/conf.d`, `/usr/share/nginx/html`).
The servers that go say UTF-8 of what they send; nginx says nothing unless it is told.
"""

from __future__ import annotations

import posixpath
from typing import Any

from dockerfix.context.json_files import load_object, table
from dockerfix.image.copies import origin_of
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.syntax.edits import Edit, insert_after
from dockerfix.transform import Evidence, Level

#: The tool that builds, and the folder it fills unless its configuration says otherwise.
_BUILDERS = {"react-scripts": "build", "vite": "dist", "@vue/cli-service": "dist"}
#: Development servers and servers of files, and the port they listen on.
_SERVERS = {
    "react-scripts": 3000,
    "vite": 5173,
    "vue-cli-service": 8080,
    "serve": 3000,
    "http-server": 8080,
}
#: Frameworks on top that answer requests with a program of their own.
_ANSWERS_ITSELF = ("next", "nuxt", "@remix-run/node", "express", "@sveltejs/kit", "astro")
_CONFIGURATIONS = ("vite.config.js", "vite.config.ts", "vite.config.mjs", "vue.config.js")
_MOVES_OUTPUT = pattern(r"outDir|outputDir|\bssr\b|\bproxy\b")
_IMAGE = "nginx:stable-alpine"
_PAGE = (
    "server { listen %d; charset utf-8; root /usr/share/nginx/html; "
    "location / { try_files $uri $uri/ /index.html; } }"
)


def plan_static_site(program: Program) -> Plan | None:
    """How it is split; None when it is no front end alone. Raises NotSplitError."""
    server = _server(program)
    manifest, folder = _manifest(program)
    tools = {**table(manifest, "dependencies"), **table(manifest, "devDependencies")}
    builder = next((tool for tool in _BUILDERS if tool in tools), None)
    if server is None or builder is None or any(name in tools for name in _ANSWERS_ITSELF):
        return None
    if "build" not in table(manifest, "scripts"):
        raise NotSplitError("no script that builds", "package.json")
    _check_output(program, folder, manifest)
    port = _port(program, server)
    style = program.workspace.style
    builds = [call for _, call in program.calls("build")]
    edits: tuple[Edit, ...] = ()
    added: tuple[str, ...] = ()
    if not builds:
        last = max(
            (i for i in program.stage.instructions if i.keyword in ("RUN", "COPY", "ADD")),
            key=program.stage.index_of,
        )
        line = f"{style.keyword('RUN')} npm run build"
        edits, added = (insert_after(last, line, style.newline),), ("RUN",)
    output = posixpath.join(program.folder, _BUILDERS[builder])
    page = (_PAGE % port).replace("$", "\\$")
    return Plan(
        _IMAGE,
        (),
        "Node.js, all dependencies and the sources",
        (Evidence("package.json", f"{builder} makes files in {_BUILDERS[builder]}"),),
        edits,
        added,
        lines=(
            f'{style.keyword("RUN")} echo "{page}" > /etc/nginx/conf.d/default.conf',
            f"{style.keyword('COPY')} --from=build {output} /usr/share/nginx/html",
            f"{style.keyword('EXPOSE')} {port}",
        ),
        level=Level.RISKY,
    )


def _server(program: Program) -> str | None:
    """The server of files that the entry starts."""
    words = [posixpath.basename(word) for word in program.entry.main]
    words = words[1:] if words[:1] == ["npx"] else words
    return words[0] if words and words[0] in _SERVERS else None


def _manifest(program: Program) -> tuple[dict[str, Any], str]:
    context = program.workspace.context
    path = origin_of(f"{program.folder}/package.json", program.stage, program.workspace)
    data = load_object(context.read(path)) if context and path else None
    return data or {}, posixpath.dirname(path or "")


def _check_output(program: Program, folder: str, manifest: dict[str, Any]) -> None:
    context = program.workspace.context
    for name in _CONFIGURATIONS:
        text = context.read(posixpath.join(folder, name)) if context else None
        if text and _MOVES_OUTPUT.search(text):
            raise NotSplitError("the configuration moves the output, or answers requests", name)
    if manifest.get("proxy"):
        raise NotSplitError("the server passes requests on", "package.json: proxy")


def _port(program: Program, server: str) -> int:
    words = program.entry.main
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-l", "--listen", "-p", "--port") and following.isdigit():
            return int(following)
    for instruction in program.stage.instructions:
        if instruction.keyword == "EXPOSE" and instruction.arguments[0].isdigit():
            return int(instruction.arguments[0])
    return _SERVERS[server]
