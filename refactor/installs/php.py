"""Composer, as getcomposer.org/doc says (schema, `install`)."""

from __future__ import annotations

from dockerfix.installs.install import Install, Project, UnknownInstallError, lock_or_pattern
from dockerfix.transform import Evidence, Level

#: Plugins of Composer that need none of the project's files while packages are installed.
_PLUGINS = frozenset(
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
_MOVES = (
    *("composer/installers", "symfony/flex", "cweagans/composer-patches", "oomphinc/"),
    *("drupal/core-composer-scaffold", "wikimedia/composer-merge-plugin", "mnsami/"),
)
_OPTIMISES = ("-o", "--optimize-autoloader", "-a", "--classmap-authoritative")


def read_composer(words: tuple[str, ...], project: Project) -> Install:
    """What Composer reads; UnknownInstallError when the sources may be among it."""
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
    fetch = _fetch(words, manifest)
    evidence = Evidence(project.path("composer.json"), "no package is a folder of the project")
    level = Level.REVIEW if fetch else Level.SAFE
    return Install(
        "composer", files, (), leaves, (evidence,), False, fetch, ("composer install",), level
    )


def _fetch(words: tuple[str, ...], manifest: dict[str, object]) -> str:
    """The command that only downloads, where the install runs scripts or reads classes."""
    added = []
    if "--no-scripts" not in words and manifest.get("scripts"):
        added.append("--no-scripts")
    if "--no-autoloader" not in words and (added or _reads_classes(words, manifest)):
        added.append("--no-autoloader")
    own = [word for word in words[2:] if word not in _OPTIMISES]
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
        if name.startswith(_MOVES) and not _is_idle(name, manifest, project):
            raise UnknownInstallError("a plugin of Composer writes into the project", name)
    if isinstance(allowed, dict):
        known = (*_PLUGINS, *_MOVES)
        unknown = [name for name, on in allowed.items() if on and name not in known]
        if unknown:
            raise UnknownInstallError("a plugin of Composer that is not known", unknown[0])
    if allowed is True:
        raise UnknownInstallError("a plugin of Composer that is not known", "allow-plugins")


def _names(requires: object) -> list[str]:
    return [str(name) for name in requires] if isinstance(requires, dict) else []


def _reads_classes(words: tuple[str, ...], manifest: dict[str, object]) -> bool:
    """Whether the autoloader that is made lists the classes of the project."""
    config = manifest.get("config")
    optimised = isinstance(config, dict) and (
        config.get("optimize-autoloader") or config.get("classmap-authoritative")
    )
    if optimised or any(option in words for option in _OPTIMISES):
        return True
    for key in ("autoload", "autoload-dev"):
        table = manifest.get(key)
        if isinstance(table, dict) and (table.get("classmap") or table.get("files")):
            return True
    return False
