"""npm, yarn, pnpm and bun.

Sources: docs.npmjs.com (npm-install, "lifecycle scripts", package.json, workspaces), yarn's and
pnpm's documentation of their configuration files, bun.sh/docs/install.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.context.json_files import Json, table
from dockerfix.installs.install import Install, Project, UnknownInstallError, lock_or_pattern
from dockerfix.installs.node_workspaces import check_above, workspaces
from dockerfix.knowledge.data import table as table_of_facts
from dockerfix.patterns import pattern
from dockerfix.syntax.shell.parse import parse_script
from dockerfix.transform import Evidence

_REQUIRES_LOCAL = pattern(r"require\(['\"]\.")
_YARN_PATH = pattern(r"(?:yarnPath|path):\s*['\"]?([^'\"\s]+)")
#: Scripts of the project itself that an install runs.
_LIFECYCLE = (
    *("preinstall", "install", "postinstall", "prepublish"),
    *("preprepare", "prepare", "postprepare"),
)
_TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_LOCAL = ("file:", "link:", "portal:", "./", "../", "/", "~/")
#: Dependencies whose own install scripts look into the project: what they read there.
_READS_PROJECT = {"prisma": "prisma", "@prisma/client": "prisma"}
#: Settings that may name any schema, and any other file.
_PRISMA_SETTINGS = tuple(f"prisma.config.{ending}" for ending in ("ts", "mts", "js", "mjs", "cjs"))
#: Dependencies whose install scripts write into the project, or need more of it.
_CHANGES_PROJECT = frozenset(("msw", "pre-commit", "ghooks", "git-hooks", "yorkie", "nuxt-edge"))
_CONFIGURATION = (".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", "bunfig.toml")
_LOCKS = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
    "yarn": ("yarn.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "bun": ("bun.lock", "bun.lockb"),
}
#: docs.npmjs.com/cli/configuring-npm/package-lock-json ("yarn.lock"); bun.sh/docs/install/lockfile.
_LOCKS_OF_OTHERS = {
    "npm": ("yarn.lock",),
    "bun": ("package-lock.json", "yarn.lock", "pnpm-lock.yaml"),
}
_NO_SCRIPT = "no script of its own runs at install"


def read_node_install(words: tuple[str, ...], project: Project) -> Install:
    """What it reads. Raises UnknownInstallError when the sources may be among that."""
    try:
        return _read_install(words, project)
    except UnknownInstallError:
        if words[0] != "pnpm" or not project.has("pnpm-lock.yaml"):
            raise
        return _fetch_by_lock(project)


def _fetch_by_lock(project: Project) -> Install:
    """`pnpm fetch` reads the lock alone (pnpm.io/cli/fetch), so it may go before any source."""
    manifest = project.read_json("package.json")
    if "patchedDependencies" in project.read("pnpm-lock.yaml"):
        raise UnknownInstallError("patches lie in another folder")
    files = (project.path("pnpm-lock.yaml"), *project.present("pnpm-workspace.yaml", ".npmrc"))
    if "packageManager" in manifest:
        # It says which pnpm it is.
        files = (project.path("package.json"), *files)
    evidence = Evidence(project.path("pnpm-lock.yaml"), "pnpm fetch reads nothing else")
    leaves = (project.path("node_modules"),)
    seen = ("pnpm fetch", "pnpm install", "pnpm i")
    return Install("pnpm", files, (), leaves, (evidence,), False, "pnpm fetch", seen)


def _read_install(words: tuple[str, ...], project: Project) -> Install:
    tool = words[0]
    manifest = project.read_json("package.json")
    check_above(project)
    _check_replacements(project, manifest)
    manifests = [(project.folder, manifest), *workspaces(tool, project, manifest)]
    scripts = "--ignore-scripts" not in words
    folders: list[str] = []
    for folder, entry in manifests:
        where = Project(project.context, folder)
        if scripts:
            folders += _read_by_scripts(where, entry)
        folders += _read_by_dependencies(where, entry, len(manifests) > 1)
    files = [project.path("package.json"), *_locks(tool, project)]
    files += [Project(project.context, folder).path("package.json") for folder, _ in manifests[1:]]
    files += project.present(*_CONFIGURATION)
    if tool == "pnpm":
        files += project.present("pnpm-workspace.yaml")
    if tool == "yarn":
        folders += project.present(".yarn")
    folders += _patches(project, manifest)
    return Install(
        tool,
        tuple(dict.fromkeys(files)),
        tuple(dict.fromkeys(folders)),
        (
            *(Project(project.context, folder).path("node_modules") for folder, _ in manifests),
            *(_plug_and_play(project) if tool == "yarn" else ()),
        ),
        (Evidence(project.path("package.json"), _evidence(scripts, manifest)),),
    )


def _check_replacements(project: Project, manifest: Json) -> None:
    """Dependencies of dependencies may be replaced by folders of the project, too."""
    tables = [table(manifest, key) for key in (*_TABLES, "overrides", "resolutions")]
    tables.append(table(table(manifest, "pnpm"), "overrides"))
    for text in _texts(tables):
        patched = text.startswith("patch:") and "#" in text
        if text.startswith(("file:", "link:", "portal:")) or (
            patched and ".yarn/patches/" not in text and "#optional!builtin" not in text
        ):
            raise UnknownInstallError("a dependency is a folder of the project", text[:40])
    if project.has(".pnpmfile.cjs") and _REQUIRES_LOCAL.search(project.read(".pnpmfile.cjs")):
        raise UnknownInstallError("the install reads the project", ".pnpmfile.cjs")
    if project.has(".yarnrc.yml"):
        for path in _YARN_PATH.findall(project.read(".yarnrc.yml")):
            if not path.removeprefix("./").startswith(".yarn/") and "://" not in path:
                raise UnknownInstallError("the install reads the project", ".yarnrc.yml")


def _texts(value: object) -> Iterator[str]:
    """All texts in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _plug_and_play(project: Project) -> tuple[str, ...]:
    """What Yarn leaves in place of node_modules (yarnpkg.com/features/pnp)."""
    if not project.has(".yarnrc.yml") or "nodeLinker" in project.read(".yarnrc.yml"):
        return ()
    names = (".pnp.cjs", ".pnp.loader.mjs", ".yarn/unplugged", ".yarn/install-state.gz")
    return tuple(project.path(name) for name in names)


def _evidence(scripts: bool, manifest: Json) -> str:
    runs = scripts and any(table(manifest, "scripts").get(name) for name in _LIFECYCLE)
    return "no script that runs at install reads the sources" if runs else _NO_SCRIPT


def _locks(tool: str, project: Project) -> list[str]:
    found = project.present(*_LOCKS[tool])
    if found:
        return list(found)
    # Without a lock of its own, a tool starts from that of another one.
    others = project.present(*_LOCKS_OF_OTHERS.get(tool, ()))
    if tool == "npm":
        return [project.path("package-lock.json*"), *others]
    if others:
        return list(others)
    return [lock_or_pattern(project, _LOCKS[tool][0])]


def _read_by_scripts(project: Project, manifest: Json) -> list[str]:
    """The folders that scripts of the project read which run at install."""
    scripts = table(manifest, "scripts")
    folders: list[str] = []
    for name in _LIFECYCLE:
        if scripts.get(name):
            folders += _read_by_script(str(scripts[name]), name, scripts, project)
    if project.has("binding.gyp"):
        raise UnknownInstallError("the install builds the project", "binding.gyp")
    return folders


def _read_by_script(text: str, name: str, scripts: Json, project: Project) -> list[str]:
    """The folders that one script reads. Raises UnknownInstallError for unknown commands."""
    script = parse_script(text)
    folders: list[str] = []
    known = table_of_facts("install_scripts", "commands")
    for command in script.commands():
        words = tuple(word.value or "" for word in command.words)
        words = words[1:] if words[:1] == ("npx",) else words
        fact = known.get(" ".join(words[:2])) or known.get(words[0] if words else "")
        if fact is None or command.redirections:
            raise UnknownInstallError("the install runs a script of the project", name)
        folders += project.present(*fact.get("folders", ()))
    if script.opaque:
        raise UnknownInstallError("the install runs a script of the project", name)
    return folders


def _read_by_dependencies(project: Project, manifest: Json, in_workspace: bool) -> list[str]:
    folders: list[str] = []
    for kind in _TABLES:
        for name, version in table(manifest, kind).items():
            if str(version).startswith(_LOCAL):
                raise UnknownInstallError("a dependency is a folder of the project", name)
            if str(version).startswith("workspace:") and not in_workspace:
                raise UnknownInstallError("a dependency is a folder of the project", name)
            if name in _CHANGES_PROJECT:
                raise UnknownInstallError("a dependency changes the project", name)
            if name in _READS_PROJECT and project.has(_READS_PROJECT[name]):
                folders.append(project.path(_READS_PROJECT[name]))
    if folders or table(manifest, "prisma").get("schema"):
        folders += _of_prisma(project, manifest)
    return folders


def _of_prisma(project: Project, manifest: Json) -> list[str]:
    """The folder of the schema where the manifest names one (prisma.io/docs: schema location).

    `seed`, which may be there as well, only runs when a database is filled.
    """
    for name in _PRISMA_SETTINGS:
        if project.has(name):
            raise UnknownInstallError("a dependency reads the project", name)
    named = table(manifest, "prisma").get("schema")
    if named is None:
        return []
    path = posixpath.normpath(str(named))
    folder = path if project.context.is_folder(project.path(path)) else posixpath.dirname(path)
    if folder in ("", ".") or folder.startswith(("..", "/")) or not project.has(folder):
        raise UnknownInstallError("a dependency reads the project", "prisma.schema")
    return [project.path(folder)]


def _patches(project: Project, manifest: Json) -> list[str]:
    own, of_pnpm = table(manifest, "patchedDependencies"), table(manifest, "pnpm")
    patched = own or table(of_pnpm, "patchedDependencies")
    if not patched:
        return []
    if not all(str(path).startswith("patches/") for path in patched.values()):
        raise UnknownInstallError("patches lie in another folder")
    return [project.path("patches")]
