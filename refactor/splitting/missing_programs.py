"""Programs that health checks and start scripts call, and that a smaller Debian image lacks."""

from __future__ import annotations

from dockerfix.context.usage.usage import usage_of
from dockerfix.knowledge.system_packages import is_for_building, runtime_packages
from dockerfix.packages import read_package_command
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Program

#: Programs that an image with tools holds and a plain Debian lacks, and the package of each where
#: it is called otherwise. Sources: docker-library/buildpack-deps; packages.debian.org.
_PROGRAMS = pattern(
    r"(?<![\w./-])(curl|wget|git|hg|svn|ssh|scp|rsync|ps|top|pkill|killall|unzip|gcc|g\+\+|make|file"
    r"|convert|mogrify|magick|openssl|nc|ping|dig|nslookup|vim|nano|less|jq|envsubst|psql|mysql"
    r"|netstat|ss|ip|sqlite3|xz|bzip2|gpg)(?![\w/-])"
)
_PACKAGE = {
    "ssh": ("openssh-client",),
    "scp": ("openssh-client",),
    "ps": ("procps",),
    "top": ("procps",),
    "pkill": ("procps",),
    "killall": ("psmisc",),
    "nc": ("netcat", "netcat-openbsd", "netcat-traditional"),
    "ping": ("iputils-ping",),
    "dig": ("dnsutils", "bind9-dnsutils"),
    "nslookup": ("dnsutils", "bind9-dnsutils"),
    "convert": ("imagemagick",),
    "mogrify": ("imagemagick",),
    "magick": ("imagemagick",),
    "envsubst": ("gettext", "gettext-base"),
    "psql": ("postgresql-client",),
    "mysql": ("default-mysql-client", "mariadb-client"),
    "netstat": ("net-tools",),
    "ss": ("iproute2",),
    "ip": ("iproute2",),
    "xz": ("xz-utils",),
    "gpg": ("gnupg",),
}


def missing_programs(program: Program) -> tuple[str, ...]:
    """What is called beside the program itself, and no step installs by name."""
    texts = scripts_beside(program)
    called = dict.fromkeys(name for text in texts for name in _PROGRAMS.findall(text))
    installed = set(installed_packages(program))
    return tuple(name for name in called if installed.isdisjoint((name, *_PACKAGE.get(name, ()))))


def scripts_beside(program: Program) -> tuple[str, ...]:
    """The texts that say what is called beside the program itself."""
    checks = [i.code for i in program.stage.instructions if i.keyword == "HEALTHCHECK"]
    usage = usage_of(program.workspace.context)
    others = [*(s.health for s in usage.services), *(c.text for c in usage.commands)]
    return (*checks, *others, *program.entry.scripts, *(c[0] for c in program.entry.calls))


def packages_left(program: Program, image: str) -> tuple[str, ...]:
    """The compilers and headers that are not needed where the program runs on an image."""
    building = (name for name in installed_packages(program) if is_for_building(name))
    return tuple(name for name in building if runtime_packages(name, image) != (name,))


def installed_packages(program: Program) -> tuple[str, ...]:
    """The system packages that the steps install, versions left out."""
    return tuple(
        word.text.partition("=")[0]
        for _, call in program.calls("packages")
        if (package := read_package_command(call.command)) is not None
        and package.action == "install"
        for word in package.packages
    )
