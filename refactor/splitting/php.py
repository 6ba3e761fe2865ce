"""Programs in PHP: composer and the headers of extensions stay behind.

Sources: getcomposer.org/doc, the Dockerfiles of docker-library/php (extensions go to
/usr/local/lib/php/extensions, their settings to /usr/local/etc/php/conf.d), laravel.com/docs
(artisan), symfony.com/doc (bin/console).
"""

from __future__ import annotations

import posixpath

from dockerfix.context.sources import read_sources
from dockerfix.knowledge.base_images import official_name
from dockerfix.patterns import pattern
from dockerfix.splitting.missing_programs import installed_packages, packages_left
from dockerfix.splitting.plan import Call, NotSplitError, Plan, Program
from dockerfix.syntax.image_name import read_image
from dockerfix.transform import Evidence

_EXTENSIONS = ("/usr/local/lib/php/extensions", "/usr/local/etc/php/conf.d")
_MAKES_EXTENSIONS = frozenset(
    ("docker-php-ext-install", "docker-php-ext-enable", "docker-php-ext-configure", "pecl")
)
#: They change the settings of the server, and are done again.
_OF_SERVER = frozenset(("a2enmod", "a2dismod", "a2ensite", "a2dissite"))
_RUNS = pattern(r"(?<![\w>:$])(?:exec|shell_exec|proc_open|passthru|system|popen)\s*\(|\bProcess\(")
_ENTRIES = frozenset(("php", "php-fpm", "apache2-foreground", "apachectl", "docker-php-entrypoint"))
#: Steps of frameworks that write into the program's own folder.
_OWN_STEPS = frozenset(
    (
        *("config:cache", "route:cache", "view:cache", "event:cache", "optimize", "storage:link"),
        *("key:generate", "package:discover", "cache:clear", "cache:warmup", "assets:install"),
        *("config:clear", "route:clear", "view:clear"),
    )
)
#: What composer unpacks and fetches with.
_OF_COMPOSER = frozenset(("git", "unzip", "zip", "p7zip", "p7zip-full", "openssh-client", "curl"))


def plan_php(program: Program) -> Plan | None:
    """How it is split; None when composer installs nothing, or nothing would stay behind.

    Raises NotSplitError.
    """
    if not any(_is_composer(call) for _, call in program.calls("install")):
        return None
    if official_name(read_image(program.base).repository) != "php":
        raise NotSplitError("no image of PHP's", program.base)
    context = program.workspace.context
    if context is None:
        raise NotSplitError("no build context to look at")
    _check_steps(program)
    main = posixpath.basename(program.entry.main[0])
    if main not in _ENTRIES:
        raise NotSplitError("the entry is no plain call of PHP", main)
    calls = any(
        _RUNS.search(text) for _, text in read_sources(context, "", _is_source, _is_skipped)
    )
    texts = " ".join((*program.entry.scripts, *_checks(program)))
    unneeded = frozenset(() if calls else (n for n in _OF_COMPOSER if n not in texts))
    left = {name for name in installed_packages(program) if name in unneeded}
    left.update(packages_left(program, program.base))
    if not left:
        return None
    made = any(call.words[0] in _MAKES_EXTENSIONS for _, call in program.calls("tool"))
    paths = [*(_EXTENSIONS if made else ()), program.folder]
    return Plan(
        program.base,
        tuple((path, path) for path in paths),
        f"composer, its cache and {', '.join(sorted(left))}",
        (Evidence("composer.json", "what it installs is in the program's folder"),),
        tools=_OF_SERVER,
        unneeded=unneeded,
        calls_none=not calls,
    )


def _is_composer(call: Call) -> bool:
    return posixpath.basename(call.words[0]) == "composer"


def _check_steps(program: Program) -> None:
    for _, call in program.calls("install", "build"):
        own = call.words[0] == "php" and not _OWN_STEPS.isdisjoint(call.words)
        if not own and not _is_composer(call):
            raise NotSplitError("a step runs the program while it is built", call.text)
        if "global" in call.words or "-d" in call.words or call.directory != program.folder:
            raise NotSplitError("composer installs to another place", call.text)
    if "COMPOSER_VENDOR_DIR" in program.variables:
        raise NotSplitError("composer installs to another place", "COMPOSER_VENDOR_DIR")


def _checks(program: Program) -> list[str]:
    return [i.code for i in program.stage.instructions if i.keyword == "HEALTHCHECK"]


def _is_source(name: str) -> bool:
    return name.endswith(".php")


def _is_skipped(name: str) -> bool:
    return name in ("vendor", "node_modules", "tests", "storage")
