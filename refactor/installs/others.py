"""go, maven, gradle, cargo, dotnet, bundler, composer, mix and dart.

Sources: go.dev/ref/mod, maven.apache.org/plugins/maven-dependency-plugin (go-offline),
learn.microsoft.com "dotnet restore" and "Customize your build by folder", bundler.io, and
getcomposer.org/doc (schema, `install`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from dockerfix.installs.install import (
    Install,
    Project,
    UnknownInstallError,
    lock_or_pattern,
)
from dockerfix.patterns import pattern
from dockerfix.transform import Evidence, Level

_LOCAL_REPLACE = pattern(r"=>\s*(?:\./|\.\./|/|[A-Za-z]:\\)")
_POM_MODULES = pattern(
    r"<modules>|<url>\s*file:|<packaging>\s*pom|<systemPath>|<relativePath>\s*[^<\s]"
)
_POM_PARENT = pattern(r"<parent>(.*?)</parent>", 16)
_GEM_LOCAL = pattern(r"^\s*gemspec\b|\bpath:?\s*(?:=>)?\s*['\"(]|eval_gemfile|:path\s*=>", 8)
_ELIXIR_LOCAL = pattern(r"\bpath:|apps_path|in_umbrella")
_DART_LOCAL = pattern(r"^\s*(?:path|workspace|resolution)\s*:", 8)
_REFERENCE = pattern(r"<(?:ProjectReference|Import)\b[^>]*(?:Include|Project)=\"([^\"]+)\"")
_SOLUTION_PROJECT = pattern(r'^Project\("[^"]*"\) = "[^"]*", "([^"]+\.[a-z]+proj)"', 8)
_GO_BUILDS = frozenset(("get", "build", "install", "test", "vet", "run", "generate"))
_MAVEN_BUILDS = frozenset(("package", "install", "verify", "compile", "test"))
#: Options that change nothing about what is downloaded, but for -P, which is repeated.
_MAVEN_OPTIONS = ("-D", "-q", "-B", "-e", "-P", "-U", "-X", "-ntp", "-T1", "-T2", "-T4", "--")
_MAVEN_ELSEWHERE = ("--settings", "--global-settings", "--projects", "--toolchains")
_SHARED_BUILD_FILES = (
    *("Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"),
    *("NuGet.config", "nuget.config", "NuGet.Config", "global.json", "packages.lock.json"),
)


def is_install(words: tuple[str, ...]) -> bool:
    """Whether a command fetches the dependencies of the project in its directory."""
    match words:
        case ("go", "mod", "download", *rest):
            return not [word for word in rest if not word.startswith("-")]
        case ("go", "mod", "tidy" | "vendor", *_):
            return True
        case ("mix", "deps.get", *_) | ("dart" | "flutter", "pub", "get", *_):
            return True
        case ("go", action, *_):
            return action in _GO_BUILDS and not any("@" in word for word in words)
        case ("mvn" | "./mvnw", *rest):
            return not _MAVEN_BUILDS.isdisjoint(rest) or _fetches_only(rest)
        case ("dotnet", "restore", *_):
            return True
        case ("dotnet", "publish" | "build", *rest):
            return "--no-restore" not in rest and "--no-build" not in rest
        case ("./gradlew", *_) | ("cargo", "build" | "test", *_):
            return True
        case ("cargo", "install", *rest):
            return "--path" in rest
        case ("bundle" | "bundler", *rest):
            return not rest or rest[0] == "install" or rest[0].startswith("--")
        case ("composer", "install", *_):
            return True
        case _:
            return False


def read_other_install(words: tuple[str, ...], project: Project, code: str) -> Install:
    """What it reads; `code` is the Dockerfile.

    Raises UnknownInstallError when the sources may be among that.
    """
    match words[0]:
        case "go":
            return _go(words, project)
        case "mvn" | "./mvnw":
            return _maven(words, project)
        case "dotnet":
            return _dotnet(words, project)
        case "./gradlew":
            return _gradle(project)
        case "cargo":
            # Without a source file a manifest names no target, and `cargo fetch` ends (Cargo's
            # book, "Cargo Targets"); a build of an empty one leaves what a later one takes for
            # up to date, as COPY keeps the sources' times.
            raise UnknownInstallError("the tool fetches nothing without the sources", "cargo")
        case "mix":
            return _mix(project)
        case "dart" | "flutter":
            return _dart(project)
        case "composer":
            return _composer(words, project)
        case _:
            return _bundler(words, project, code)


def _above(folder: str, top: str, *names: str) -> Iterator[str]:
    """Where files of these names would lie in a folder and in those above it, up to `top`."""
    while True:
        yield from (posixpath.join(folder, name) for name in names)
        if folder in ("", top):
            return
        folder = posixpath.dirname(folder)


def _go(words: tuple[str, ...], project: Project) -> Install:
    text = project.read("go.mod")
    if _LOCAL_REPLACE.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "go.mod: replace")
    if any(project.context.sends(path) for path in _above(project.folder, "", "go.work")):
        raise UnknownInstallError("a workspace of several modules", "go.work")
    if project.has("vendor"):
        raise UnknownInstallError("the dependencies are in the context already", "vendor")
    if "require" not in text:
        raise UnknownInstallError("there are no dependencies", "go.mod")
    evidence = Evidence(project.path("go.mod"), "no replacement by a folder")
    files = (project.path("go.mod"), lock_or_pattern(project, "go.sum"))
    fetch = "" if words[1:3] == ("mod", "download") else "go mod download"
    return Install("go", files, (), (), (evidence,), False, fetch, ("go mod", "go get", "vendor"))


def _maven(words: tuple[str, ...], project: Project) -> Install:
    text = project.read("pom.xml")
    if _POM_MODULES.search(text):
        raise UnknownInstallError("a project of several modules", "pom.xml")
    parent = _POM_PARENT.search(text)
    if (
        parent
        and "relativePath" not in parent[1]
        and project.context.exists(project.path("../pom.xml"))
    ):
        raise UnknownInstallError("a project of several modules", "pom.xml")
    profiles = [word for word in words[1:] if word.startswith("-P")]
    file = pom_of(words)
    where = ("-f", file) if file else ()
    go_offline = " ".join((words[0], "-B", *where, *profiles, "dependency:go-offline"))
    fetch = "" if _fetches_only(words[1:]) else go_offline
    named = ("-f", "--file", file, f"--file={file}")
    goals = {word for word in words[1:] if not word.startswith(_MAVEN_OPTIONS)} - {*named}
    goals |= {word for word in words[1:] if word.startswith(_MAVEN_ELSEWHERE)}
    if file and posixpath.basename(file) != "pom.xml":
        raise UnknownInstallError("a manifest is not in the build context", file)
    if fetch and not goals <= (_MAVEN_BUILDS | {"clean"}):
        raise UnknownInstallError("goals and options that are not known", " ".join(words[1:]))
    wrapper = ("mvnw",) if words[0] == "./mvnw" else ()
    files = (*project.present(*wrapper), project.path("pom.xml"))
    evidence = Evidence(project.path("pom.xml"), "a project of one module")
    # go-offline resolves more than a build does: rarely, a repository lacks some of that.
    level = Level.REVIEW if fetch else Level.SAFE
    folders = project.present(".mvn")
    return Install("maven", files, folders, (), (evidence,), False, fetch, ("dependency:",), level)


def pom_of(words: tuple[str, ...]) -> str:
    """The pom that `-f` names; "" without it."""
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-f", "--file"):
            return following
        if word.startswith("--file="):
            return word.partition("=")[2]
    return ""


def _mix(project: Project) -> Install:
    """Mix reads the configuration, too (hexdocs.pm/mix, `Mix.Tasks.Loadconfig`)."""
    text = project.read("mix.exs")
    if _ELIXIR_LOCAL.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "mix.exs")
    if "File." in text or "Code." in text:
        raise UnknownInstallError("the install reads the project", "mix.exs")
    files = (project.path("mix.exs"), lock_or_pattern(project, "mix.lock"))
    leaves = (project.path("deps"), project.path("_build"))
    evidence = Evidence(project.path("mix.exs"), "no dependency is a folder of the project")
    return Install("mix", files, project.present("config"), leaves, (evidence,))


def _dart(project: Project) -> Install:
    text = project.read("pubspec.yaml")
    if _DART_LOCAL.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "pubspec.yaml")
    files = (project.path("pubspec.yaml"), lock_or_pattern(project, "pubspec.lock"))
    evidence = Evidence(project.path("pubspec.yaml"), "no dependency is a folder of the project")
    return Install("dart", files, (), (project.path(".dart_tool"),), (evidence,))


def _fetches_only(words: Sequence[str]) -> bool:
    goals = [word for word in words if not word.startswith("-")]
    return bool(goals) and all(word.startswith("dependency:") for word in goals)


def _gradle(project: Project) -> Install:
    """Gradle has no command that only fetches dependencies; its wrapper fetches Gradle itself."""
    jar = "gradle/wrapper/gradle-wrapper.jar"
    if not project.has("gradlew") or not project.has(jar):
        raise UnknownInstallError("a manifest is not in the build context", jar)
    if not (project.context.mode(project.path("gradlew")) or 0) & 0o100:
        raise UnknownInstallError("the wrapper is not executable", "gradlew")
    evidence = Evidence(project.path(jar), "the wrapper downloads Gradle and needs nothing else")
    fetch = "./gradlew --no-daemon --version"
    folders = (project.path("gradle"),)
    files = (project.path("gradlew"),)
    return Install("gradle", files, folders, (), (evidence,), False, fetch, ("gradlew",))


#: Options of `dotnet publish` and `build` that change nothing about a restore, with a value.
_DOTNET_VALUED = frozenset(("-c", "--configuration", "-o", "--output", "-v", "--verbosity"))
#: They change what is restored: for which system, which framework, with which properties.
_DOTNET_RESTORES = ("-r", "--runtime", "-a", "--arch", "--os", "-f", "--framework", "-p:", "/p:")


def _dotnet(words: tuple[str, ...], project: Project) -> Install:
    options, names = _dotnet_words(words)
    if len(names) > 1:
        raise UnknownInstallError("options that are not known", " ".join(words[2:]))
    target = _dotnet_target(names[0] if names else "", project)
    projects = (
        [posixpath.join(posixpath.dirname(target), path) for path in _projects_of(target, project)]
        if target.endswith(".sln")
        else [target]
    )
    files, seen = _dotnet_files(target, projects, project)
    leaves = tuple(
        project.path(posixpath.join(posixpath.dirname(path), "obj")) for path in sorted(seen)
    )
    evidence = Evidence(project.path(target), "every project that it names is copied")
    fetch = ""
    if words[1] != "restore":
        if any(option.startswith(_DOTNET_RESTORES) for option in options):
            raise UnknownInstallError("options that are not known", " ".join(options))
        fetch = " ".join(("dotnet restore", *names))
    return Install("dotnet", files, (), leaves, (evidence,), True, fetch, ("dotnet restore",))


def _dotnet_words(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Options, and the projects that are named."""
    options: list[str] = []
    names: list[str] = []
    waits = False
    for word in words[2:]:
        if waits:
            waits = False
        elif word.startswith(("-", "/p:")):
            options.append(word)
            waits = word in _DOTNET_VALUED
            if word in ("-r", "--runtime", "-s", "--source", "--configfile", "-f", "-a"):
                raise UnknownInstallError("options that are not known", word)
        else:
            names.append(word.strip("\"'").replace("\\", "/"))
    return options, names


def _dotnet_target(name: str, project: Project) -> str:
    """The project or solution that a word names; a folder means the only one in it."""
    if name.endswith((".sln", "proj")):
        return posixpath.normpath(name)
    folder = posixpath.normpath(name or ".")
    names = project.context.names(project.path(folder))
    inner = [posixpath.normpath(posixpath.join(folder, entry)) for entry in names]
    found = [path for path in inner if path.endswith((".sln", "proj")) and project.has(path)]
    if len(found) != 1:
        raise UnknownInstallError("which project is restored is not known", str(len(found)))
    return found[0]


def _dotnet_files(
    target: str, projects: list[str], project: Project
) -> tuple[tuple[str, ...], set[str]]:
    """What a restore reads, and the projects among it."""
    files = [project.path(target), *_shared(target, project)]
    waiting = [posixpath.normpath(path) for path in projects]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        files += [project.path(path), *_shared(path, project)]
        folder = posixpath.dirname(path)
        for reference in _REFERENCE.findall(project.read(path)):
            inner = posixpath.normpath(posixpath.join(folder, reference.replace("\\", "/")))
            outside = project.path(inner).startswith("..")
            if not inner.endswith("proj") or outside or "$" in inner:
                raise UnknownInstallError("a reference that cannot be followed", reference)
            waiting.append(inner)
    return tuple(dict.fromkeys(files)), seen


def _shared(path: str, project: Project) -> tuple[str, ...]:
    """Files in the folders above a project that its restore reads, too."""
    folder = posixpath.dirname(project.path(path))
    return tuple(
        f for f in _above(folder, project.top, *_SHARED_BUILD_FILES) if project.context.sends(f)
    )


def _projects_of(target: str, project: Project) -> list[str]:
    return [path.replace("\\", "/") for path in _SOLUTION_PROJECT.findall(project.read(target))]


def _bundler(words: tuple[str, ...], project: Project, code: str) -> Install:
    text = project.read("Gemfile")
    if _GEM_LOCAL.search(text):
        raise UnknownInstallError("a dependency is a folder of the project", "Gemfile")
    if "File." in text or "require_relative" in text or "Dir[" in text:
        raise UnknownInstallError("the Gemfile reads other files", "Gemfile")
    files = (
        project.path("Gemfile"),
        lock_or_pattern(project, "Gemfile.lock"),
        *project.present(".ruby-version", ".tool-versions"),
    )
    settings = project.read(".bundle/config") if project.has(".bundle/config") else ""
    inside = any("vendor/bundle" in text for text in (" ".join(words), code, settings))
    leaves = (project.path("vendor/bundle"),) if inside else ()
    evidence = Evidence(project.path("Gemfile"), "names no path of the project")
    return Install("bundler", files, project.present(".bundle"), leaves, (evidence,))


#: Plugins of Composer that need none of the project's files while packages are installed.
_COMPOSER_PLUGINS = frozenset(
    (
        *("pestphp/pest-plugin", "php-http/discovery", "phpstan/extension-installer"),
        *("symfony/runtime", "dealerdirect/phpcodesniffer-composer-installer"),
        *(
            "kylekatarnls/update-helper",
            "ergebnis/composer-normalize",
            "infection/extension-installer",
        ),
    )
)
#: Known plugins that put packages elsewhere, or write into the project.
_COMPOSER_MOVES = (
    *("composer/installers", "symfony/flex", "cweagans/composer-patches", "oomphinc/"),
    *("drupal/core-composer-scaffold", "wikimedia/composer-merge-plugin", "mnsami/"),
)


def _composer(words: tuple[str, ...], project: Project) -> Install:
    manifest = project.read_json("composer.json")
    _check_repositories(manifest)
    _check_plugins(manifest, project)
    files = (
        project.path("composer.json"),
        lock_or_pattern(project, "composer.lock"),
        *project.present("symfony.lock", "auth.json"),
    )
    config = manifest.get("config")
    folder = config.get("vendor-dir") if isinstance(config, dict) else None
    leaves = (project.path(str(folder or "vendor")),)
    fetch = _composer_fetch(words, manifest)
    evidence = Evidence(project.path("composer.json"), "no package is a folder of the project")
    level = Level.REVIEW if fetch else Level.SAFE
    return Install(
        "composer", files, (), leaves, (evidence,), False, fetch, ("composer install",), level
    )


def _composer_fetch(words: tuple[str, ...], manifest: dict[str, object]) -> str:
    """The command that only downloads, where the install runs scripts or reads classes."""
    added = []
    if "--no-scripts" not in words and manifest.get("scripts"):
        added.append("--no-scripts")
    if "--no-autoloader" not in words and (added or _reads_classes(words, manifest)):
        added.append("--no-autoloader")
    own = [word for word in words[2:] if word not in _COMPOSER_OPTIMISES]
    return " ".join(("composer install", *own, *added)) if added else ""


def _check_repositories(manifest: dict[str, object]) -> None:
    repositories = manifest.get("repositories") or []
    entries = list(repositories.values()) if isinstance(repositories, dict) else repositories
    if not isinstance(entries, list):
        raise UnknownInstallError("a manifest cannot be read", "composer.json: repositories")
    if any(isinstance(entry, dict) and entry.get("type") == "path" for entry in entries):
        raise UnknownInstallError("a dependency is a folder of the project", "composer.json")


def _is_idle(name: str, manifest: dict[str, object], project: Project) -> bool:
    """Whether a plugin has nothing to do: recipes that were applied, no patch to apply."""
    extra = manifest.get("extra")
    settings = extra if isinstance(extra, dict) else {}
    if name == "symfony/flex":
        # Flex applies the recipes of packages that symfony.lock does not list.
        return project.has("symfony.lock")
    patches = any(settings.get(key) for key in ("patches", "patches-file"))
    return name == "cweagans/composer-patches" and not patches


def _check_plugins(manifest: dict[str, object], project: Project) -> None:
    config = manifest.get("config")
    allowed = config.get("allow-plugins") if isinstance(config, dict) else None
    names = [name for name, on in allowed.items() if on] if isinstance(allowed, dict) else []
    names += [name for key in ("require", "require-dev") for name in _names(manifest.get(key))]
    for name in names:
        if name.startswith(_COMPOSER_MOVES) and not _is_idle(name, manifest, project):
            raise UnknownInstallError("a plugin of Composer writes into the project", name)
    if isinstance(allowed, dict):
        known = (*_COMPOSER_PLUGINS, *_COMPOSER_MOVES)
        unknown = [name for name, on in allowed.items() if on and name not in known]
        if unknown:
            raise UnknownInstallError("a plugin of Composer that is not known", unknown[0])
    if allowed is True:
        raise UnknownInstallError("a plugin of Composer that is not known", "allow-plugins")


def _names(requires: object) -> list[str]:
    return [str(name) for name in requires] if isinstance(requires, dict) else []


_COMPOSER_OPTIMISES = ("-o", "--optimize-autoloader", "-a", "--classmap-authoritative")


def _reads_classes(words: tuple[str, ...], manifest: dict[str, object]) -> bool:
    """Whether the autoloader that is made lists the classes of the project."""
    config = manifest.get("config")
    optimised = isinstance(config, dict) and (
        config.get("optimize-autoloader") or config.get("classmap-authoritative")
    )
    if optimised or any(option in words for option in _COMPOSER_OPTIMISES):
        return True
    for key in ("autoload", "autoload-dev"):
        table = manifest.get(key)
        if isinstance(table, dict) and (table.get("classmap") or table.get("files")):
            return True
    return False
