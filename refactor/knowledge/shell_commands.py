"""What is known of commands beyond the package managers: what they leave behind, what they are for.

Sources: POSIX, "Shell Command Language" (special built-ins, reserved words), the manuals of dash,
busybox ash and bash, and those of the tools.
"""

from __future__ import annotations

#: Built into dash, busybox ash or bash: what runs is not, or need not be, a program.
BUILT_IN = frozenset(
    (
        *(".", ":", "[", "[[", "alias", "bg", "bind", "break", "builtin", "caller", "cd"),
        *("chdir", "command", "compgen", "complete", "continue", "declare", "dirs", "disown"),
        *("echo", "enable", "eval", "exec", "exit", "export", "false", "fc", "fg", "getopts"),
        *("hash", "help", "history", "jobs", "kill", "let", "local", "logout", "mapfile"),
        *("popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "set"),
        *("shift", "shopt", "source", "suspend", "test", "times", "trap", "true", "type"),
        *("typeset", "ulimit", "umask", "unalias", "unset", "wait"),
    )
)
#: Reserved words of the shells.
RESERVED = frozenset(
    (
        *("!", "{", "}", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for"),
        *("function", "if", "in", "select", "then", "time", "until", "while"),
    )
)
#: Programs that start their arguments and pass signals on (their manuals).
INITS = frozenset(("tini", "tini-static", "dumb-init", "catatonit", "docker-init"))
#: They end, replace or reconfigure the shell that runs them: nothing may follow in the same shell.
ENDS_SHELL = frozenset(
    ("exit", "exec", "return", "trap", "set", "shopt", "wait", "enable", "disown", "bg", "fg")
)
#: They change the shell for what follows: directory, variables, names, limits.
CHANGES_SHELL = frozenset(
    (
        *("cd", "chdir", "pushd", "popd", "export", "unset", "declare", "typeset", "readonly"),
        *("local", "read", "readarray", "mapfile", "getopts", "let", "alias", "unalias", "hash"),
        *("source", ".", "eval", "umask", "ulimit", "shift", "builtin"),
    )
)
#: They leave a process running that ends with the RUN.
STARTS_SERVICE = frozenset(
    (
        *("service", "systemctl", "initctl", "start-stop-daemon", "invoke-rc.d", "rc-service"),
        *("openrc", "supervisord", "nohup", "setsid", "daemon", "mysqld_safe", "mysqld", "mongod"),
        *("redis-server", "dockerd", "Xvfb", "pg_ctl", "pg_ctlcluster", "postgres", "slapd"),
        *("rabbitmq-server", "dbus-daemon", "gpg-agent", "ssh-agent", "crond", "cron", "sshd"),
        *("runsvdir", "adb", "tailscaled", "mariadbd", "mysqld_multi", "memcached", "nginx"),
    )
)
#: No build puts another program of that name in front of them on the PATH.
NEVER_SHADOWED = frozenset(
    (
        *("[", "apk", "apt-get", "apt-key", "awk", "cat", "cd", "chmod", "chown", "cp", "cut"),
        *("date", "dnf", "dpkg", "echo", "export", "false", "find", "grep", "groupadd", "gzip"),
        *("head", "id", "ldconfig", "ln", "ls", "microdnf", "mkdir", "mv", "printf", "rm", "rpm"),
        *("sed", "sh", "sleep", "sort", "tail", "tar", "tee", "test", "touch", "tr", "true"),
        *(
            "useradd",
            "usermod",
            "adduser",
            "addgroup",
            "xargs",
            "yum",
            "zypper",
            "install",
            "unzip",
        ),
    )
)
#: They only remove files or change what an earlier step wrote.
CLEANS = frozenset(("rm", "rmdir", "unlink", "chown", "chgrp", "chmod", "strip", "true", ":"))
#: They set up what system packages need, or how those behave.
SETS_UP_PACKAGES = frozenset(
    (
        *(
            "apt-key",
            "add-apt-repository",
            "apt-add-repository",
            "apt-mark",
            "debconf-set-selections",
        ),
        *("dpkg", "dpkg-divert", "dpkg-reconfigure", "rpm", "rpmkeys", "yum-config-manager"),
        *("subscription-manager", "gpg", "gpgconf", "locale-gen", "localedef", "update-locale"),
        *("update-ca-certificates", "update-ca-trust", "update-alternatives", "alternatives"),
        *("a2enmod", "a2dismod", "a2ensite", "a2dissite", "a2enconf", "phpenmod", "setcap"),
    )
)
#: They fetch and unpack files.
FETCHES_FILES = frozenset(
    (
        *("curl", "wget", "tar", "unzip", "gunzip", "bunzip2", "unxz", "xz", "jar", "7z", "gzip"),
        *("bzip2", "sha256sum", "sha512sum", "sha1sum", "md5sum", "bsdtar", "cpio"),
    )
)
#: They fetch what a program is made of.
FETCHES_DEPENDENCIES = frozenset(
    (
        *("pip", "pip2", "pip3", "npm", "yarn", "gem", "conda", "mamba", "micromamba"),
        *("pnpm", "bun", "npx", "corepack", "bower", "bundle", "bundler", "composer", "poetry"),
        *("pipenv", "pipx", "uv", "easy_install", "cpan", "cpanm", "luarocks", "mix", "lein"),
        *("opam", "stack", "cabal", "R", "Rscript", "install2.r", "julia", "pecl", "tlmgr"),
        *("docker-php-ext-install", "docker-php-ext-enable", "docker-php-ext-configure"),
    )
)
#: Small set-up: folders, links, users, settings.
SETS_UP = frozenset(
    (
        *("mkdir", "ln", "cp", "mv", "touch", "install", "mktemp", "mkfifo", "truncate", "dd"),
        *("echo", "printf", "cat", "tee", "sed", "awk", "grep", "egrep", "cut", "tr", "head"),
        *("tail", "sort", "uniq", "wc", "find", "xargs", "ls", "pwd", "id", "whoami", "uname"),
        *("date", "env", "which", "command", "test", "[", "false", "sleep", "sync", "basename"),
        *("dirname", "readlink", "realpath", "cmp", "diff", "stat", "du", "df", "file", "type"),
        *(
            "useradd",
            "usermod",
            "userdel",
            "adduser",
            "deluser",
            "groupadd",
            "groupmod",
            "addgroup",
        ),
        *("groupdel", "delgroup", "gpasswd", "passwd", "chpasswd", "chsh", "visudo", "getent"),
        *("ldconfig", "ssh-keygen", "ssh-keyscan", "crontab", "cd", "export", "umask", "nproc"),
    )
)
