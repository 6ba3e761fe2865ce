"""Whether a lock file of npm, yarn 1, pnpm or Bun is in step with its package.json.

Sources: npm's documentation of package-lock.json (`packages`, `lockfileVersion`) and of `npm ci`
(it refuses a lock that is not in step); yarn 1's lock file format, `# yarn lockfile v1`; pnpm's
lock files (`importers`, with the `specifier` of each dependency).
"""

from __future__ import annotations

import re

from dockerfix.context.json_files import Json, load_commented_object, load_object, table
from dockerfix.patterns import pattern

#: What npm compares between package.json and the lock's root entry.
_NPM_FIELDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_YARN_FIELDS = ("dependencies", "devDependencies", "optionalDependencies")
#: Source: the lock files that pnpm 8, 9 and 10 write.
_PNPM_HEAD = frozenset(("lockfileVersion", "settings", "importers", *_YARN_FIELDS))
_PNPM_PACKAGES = pattern(r"(?m)^packages:")
#: What else the lock of Bun repeats (bun.sh/docs/install/lockfile).
_BUN_SETTINGS = ("overrides", "resolutions", "patchedDependencies", "workspaces", "catalog")
_YARN_MARK = "# yarn lockfile v1"
_YARN_KEY = pattern(r'^(?:"[^"\n]+"|[^\s"#:][^\n"]*?)(?:, (?:"[^"\n]+"|[^\s",][^\n",]*))*:$', re.M)


def why_npm_lock_differs(package: str, lock: str) -> str | None:
    """Why `npm ci` might refuse what `npm install` takes; None when both texts are in step."""
    manifest, locked = load_object(package), load_object(lock)
    if manifest is None or locked is None:
        return "package.json or the lock is not JSON"
    if locked.get("lockfileVersion") not in (2, 3):
        return "the lock is of an old version"
    packages = locked.get("packages")
    if not isinstance(packages, dict) or not isinstance(packages.get(""), dict):
        return "the lock has no root entry"
    if manifest.get("workspaces"):
        return "package.json has workspaces"
    if manifest.get("overrides") or manifest.get("bundleDependencies"):
        return "package.json has overrides"
    root = packages[""]
    for name in _NPM_FIELDS:
        if (manifest.get(name) or {}) != (root.get(name) or {}):
            return f"{name} differ"
    wanted = {**table(manifest, "dependencies"), **table(manifest, "devDependencies")}
    missing = next((name for name in wanted if f"node_modules/{name}" not in packages), None)
    return f"{missing} is not in the lock" if missing else None


def why_yarn_lock_differs(package: str, lock: str) -> str | None:
    """The same for `yarn install --frozen-lockfile` of yarn 1."""
    manifest = load_object(package)
    if manifest is None:
        return "package.json is not JSON"
    if _YARN_MARK not in lock[:400]:
        return "the lock is not of yarn 1"
    if manifest.get("workspaces") or manifest.get("resolutions"):
        return "package.json has workspaces or resolutions"
    if not str(manifest.get("packageManager", "yarn@1")).startswith("yarn@1"):
        return "packageManager names another tool"
    entries = {
        entry.strip().strip('"')
        for match in _YARN_KEY.finditer(lock)
        for entry in match[0].rstrip(":").split(", ")
    }
    for field in _YARN_FIELDS:
        for name, version in table(manifest, field).items():
            if f"{name}@{version}" not in entries:
                return f"{name}@{version} is not in the lock"
    return None


def why_pnpm_lock_differs(package: str, lock: str) -> str | None:
    """The same for `pnpm install --frozen-lockfile`, in a project of one package."""
    manifest, locked = load_object(package), _head_of_pnpm_lock(lock)
    if manifest is None or locked is None:
        return "package.json is not JSON, or the lock not of pnpm 8 or later"
    if unknown := set(locked) - _PNPM_HEAD:
        return f"the lock has {min(unknown)}"
    if manifest.get("pnpm") or manifest.get("overrides") or manifest.get("resolutions"):
        return "package.json has settings of pnpm"
    importers = locked.get("importers", {".": locked})
    if not isinstance(importers, dict) or set(importers) != {"."}:
        return "the lock is one of several packages"
    for field in _YARN_FIELDS:
        found = table(importers["."] or {}, field)
        specifiers = {name: table(found, name).get("specifier") for name in found}
        if specifiers != table(manifest, field):
            return f"{field} differ"
    return None


def why_bun_lock_differs(package: str, lock: str) -> str | None:
    """The same for `bun install --frozen-lockfile` and a bun.lock, in a project of one package."""
    manifest, locked = load_object(package), load_commented_object(lock)
    if manifest is None or locked is None:
        return "package.json is not JSON, or the lock is not the text of Bun 1.2 or later"
    workspaces = table(locked, "workspaces")
    if set(workspaces) != {""}:
        return "the lock is one of several packages"
    if any(manifest.get(name) for name in _BUN_SETTINGS):
        return "package.json has overrides, patches or workspaces"
    for field in _NPM_FIELDS:
        if table(table(workspaces, ""), field) != table(manifest, field):
            return f"{field} differ"
    return None


def _head_of_pnpm_lock(lock: str) -> Json | None:
    """What stands in front of the packages."""
    from dockerfix.context.manifests.reading import BrokenManifestError
    from dockerfix.context.yaml_files import load_yaml

    try:
        documents = load_yaml("pnpm-lock.yaml", _PNPM_PACKAGES.split(lock)[0])
    except BrokenManifestError:
        return None
    found = documents[0] if len(documents) == 1 else None
    return found if isinstance(found, dict) and "lockfileVersion" in found else None


def compiled_packages(lock: str) -> tuple[str, ...] | None:
    """Production packages that are made for one system or run a script at install.

    None where the lock does not say so: one of npm 7 or later does (`hasInstallScript`, `os`,
    `cpu`, `libc`).
    """
    locked = load_object(lock)
    packages = locked.get("packages") if locked else None
    if not isinstance(packages, dict):
        return None
    return tuple(
        path.rpartition("node_modules/")[2]
        for path, entry in packages.items()
        if path and isinstance(entry, dict) and not entry.get("dev") and _is_compiled(entry)
    )


def _is_compiled(entry: Json) -> bool:
    systems = entry.get("os")
    if isinstance(systems, list) and "linux" not in systems:
        return False
    return any(entry.get(name) for name in ("hasInstallScript", "os", "cpu", "libc"))


def lock_version(lock: str) -> int | None:
    """The `lockfileVersion` of a package-lock.json."""
    locked = load_object(lock)
    version = locked.get("lockfileVersion") if locked else None
    return version if isinstance(version, int) else None
