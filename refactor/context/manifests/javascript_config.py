"""Where a front end or framework puts what it builds, read without running its configuration.

Sources: vite.dev/config/build-options (`outDir`), webpack.js.org/configuration/output,
create-react-app.dev (`BUILD_PATH`), angular.dev (`outputPath`, `builder`), nextjs.org (`output`,
`distDir`), nuxt.com (`.output`), docs.nestjs.com/cli/monorepo, svelte.dev/docs/kit/adapter-node,
docs.astro.build (`outDir`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.package_json import PackageJson
from dockerfix.context.manifests.reading import (
    CannotTellError,
    Place,
    parse_json,
    read_text,
    table_at,
    text_at,
)
from dockerfix.context.manifests.tsconfig import plain_json
from dockerfix.patterns import pattern

if TYPE_CHECKING:
    from dockerfix.context.build_context import BuildContext

_SUFFIXES = (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts")
_COMMENT = pattern(r"(?<![:\"'\w])//[^\n]*|/\*.*?\*/", 16)
_BUILD_PATH = pattern(r"^\s*BUILD_PATH\s*=\s*[\"']?([^\"'\s]+)", 8)
_PATH_OUTPUT = pattern(
    r"path\s*:\s*(?:path\.)?(?:resolve|join)\s*\(\s*__dirname\s*,\s*[\"']([^\"']+)[\"']\s*\)"
)
_ADAPTER = pattern(r"@sveltejs/adapter-([\w-]+)|svelte-adapter-([\w-]+)")


class Output(NamedTuple):
    """What a build leaves, and where."""

    #: `vite`, `next`, ... as the package is called.
    tool: str
    #: Folder in the context.
    folder: str
    #: `static` for pages, `server` for a program, `standalone` for Next's reduced server.
    kind: str
    place: Place


def read_output(context: BuildContext, package: PackageJson) -> Output | None:
    """What the build of a package leaves; None when no tool known here builds it.

    Raises CannotTellError when the configuration does not say it plainly, and BrokenManifestError.
    """
    for tool, reader in _READERS.items():
        if package.uses(tool) is not None:
            return reader(context, package)
    return None


def _vite(context: BuildContext, package: PackageJson) -> Output:
    return _of_key(context, package, "vite", "vite.config", "outDir", "dist")


def _astro(context: BuildContext, package: PackageJson) -> Output:
    return _of_key(context, package, "astro", "astro.config", "outDir", "dist")


def _of_key(
    context: BuildContext, package: PackageJson, tool: str, stem: str, key: str, default: str
) -> Output:
    found = _config(context, package, stem)
    if found is None:
        return Output(tool, _join(package, default), "static", Place(package.path, tool))
    value = _literal(*found, key)
    place = Place(found[0], key if value else f"no {key}")
    return Output(tool, _join(package, value or default), "static", place)


def _webpack(context: BuildContext, package: PackageJson) -> Output:
    found = _config(context, package, "webpack.config")
    if found is None:
        raise CannotTellError(package.path, "webpack without webpack.config.js")
    path = _PATH_OUTPUT.search(found[1])
    if path is None and re.search(r"\bpath\s*:", found[1]):
        raise CannotTellError(found[0], "output.path")
    return Output(
        "webpack",
        _join(package, path[1] if path else "dist"),
        "static",
        Place(found[0], "output.path" if path else "no output.path"),
    )


def _react_scripts(context: BuildContext, package: PackageJson) -> Output:
    for name in (".env.production.local", ".env.local", ".env.production", ".env"):
        found = read_text(context, package.folder, name)
        match = _BUILD_PATH.search(found[1]) if found else None
        if found and match:
            return Output(
                "react-scripts", _join(package, match[1]), "static", Place(found[0], "BUILD_PATH")
            )
    if any("BUILD_PATH" in script for script in package.scripts.values()):
        raise CannotTellError(package.path, "scripts: BUILD_PATH")
    place = Place(package.path, "react-scripts")
    return Output("react-scripts", _join(package, "build"), "static", place)


def _angular(context: BuildContext, package: PackageJson) -> Output:
    found = read_text(context, package.folder, "angular.json")
    if found is None:
        raise CannotTellError(package.path, "no angular.json")
    data = parse_json(found[0], plain_json(found[1]))
    projects = [
        (name, project)
        for name, project in table_at(data, "projects").items()
        if table_at(project).get("projectType", "application") == "application"
    ]
    name = text_at(data, "defaultProject") or (projects[0][0] if len(projects) == 1 else None)
    if name is None:
        raise CannotTellError(found[0], "projects: more than one application")
    build = table_at(data, "projects", name, "architect", "build")
    key = f"projects.{name}.architect.build.options.outputPath"
    path = table_at(build, "options").get("outputPath", f"dist/{name}")
    # The builder of Angular 17 puts the pages into a folder of their own.
    inner = "browser" if (text_at(build, "builder") or "").endswith(":application") else ""
    if isinstance(path, dict):
        inner = path.get("browser", inner)
        path = path.get("base")
    if not isinstance(path, str) or not isinstance(inner, str):
        raise CannotTellError(found[0], key)
    return Output(
        "@angular/cli", _join(package, posixpath.join(path, inner)), "static", Place(found[0], key)
    )


def _next(context: BuildContext, package: PackageJson) -> Output:
    found = _config(context, package, "next.config")
    place = Place(package.path, "next")
    if found is None:
        return Output("next", _join(package, ".next"), "server", place)
    mode, folder = _literal(*found, "output"), _literal(*found, "distDir")
    kind = {"standalone": "standalone", "export": "static"}.get(mode or "", "server")
    default = "out" if kind == "static" else ".next"
    return Output(
        "next", _join(package, folder or default), kind, Place(found[0], f"output: {mode}")
    )


def _nuxt(context: BuildContext, package: PackageJson) -> Output:
    found = _config(context, package, "nuxt.config")
    if found is not None and re.search(r"\b(?:output|buildDir|preset)\s*:", found[1]):
        raise CannotTellError(found[0], "nitro.output or preset")
    return Output(
        "nuxt",
        _join(package, ".output"),
        "server",
        Place(found[0] if found else package.path, "nuxt"),
    )


def _svelte_kit(context: BuildContext, package: PackageJson) -> Output:
    found = _config(context, package, "svelte.config")
    match = _ADAPTER.search(found[1]) if found else None
    adapter = (match[1] or match[2]) if match else None
    if found is None or adapter not in ("node", "static"):
        raise CannotTellError(found[0] if found else package.path, "adapter")
    folder = _literal(*found, "out" if adapter == "node" else "pages")
    kind = "server" if adapter == "node" else "static"
    place = Place(found[0], f"adapter-{adapter}")
    return Output("@sveltejs/kit", _join(package, folder or "build"), kind, place)


def _nest(context: BuildContext, package: PackageJson) -> Output:
    from dockerfix.context.manifests.tsconfig import read_tsconfig

    found = read_text(context, package.folder, "nest-cli.json")
    data = parse_json(found[0], plain_json(found[1])) if found else {}
    options = table_at(data, "compilerOptions")
    if data.get("monorepo") is True or options.get("webpack") is True:
        raise CannotTellError(found[0] if found else package.path, "monorepo or webpack")
    name = text_at(options, "tsConfigPath") or "tsconfig.build.json"
    config = read_tsconfig(context, package.folder, name) or read_tsconfig(context, package.folder)
    out = config.out_dir if config is not None else None
    if out is None:
        raise CannotTellError(package.path, "nest without outDir")
    return Output("@nestjs/cli", out[0], "server", out[1])


def _config(context: BuildContext, package: PackageJson, stem: str) -> tuple[str, str] | None:
    names = (f"{stem}{suffix}" for suffix in _SUFFIXES)
    found = next(filter(None, (read_text(context, package.folder, n) for n in names)), None)
    return (found[0], _COMMENT.sub("", found[1])) if found else None


def _literal(path: str, text: str, key: str) -> str | None:
    """The one text that a key is set to; None when it is not set. Raises CannotTellError."""
    values = re.findall(rf"\b{key}\s*:\s*([\"'`]([^\"'`$\n]*)[\"'`])?", text)
    if not values:
        return None
    if len({value for _, value in values}) > 1 or not values[0][0]:
        raise CannotTellError(path, key)
    return str(values[0][1])


def _join(package: PackageJson, folder: str) -> str:
    return posixpath.normpath(posixpath.join(package.folder, folder))


#: Which package of a manifest says what builds it; frameworks before the bundlers they use.
_READERS: dict[str, Callable[[BuildContext, PackageJson], Output]] = {
    "next": _next,
    "nuxt": _nuxt,
    "@nestjs/cli": _nest,
    "@sveltejs/kit": _svelte_kit,
    "astro": _astro,
    "@angular/cli": _angular,
    "react-scripts": _react_scripts,
    "vite": _vite,
    "webpack": _webpack,
}
