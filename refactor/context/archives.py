"""Whether ADD would do more with a source than COPY does: fetch it, or unpack it.

BuildKit unpacks a regular file when it is a tar archive, plain or compressed, whatever its name
(`solver/llbsolver/file/unpack.go`, `moby/go-archive/compression`).
"""

from __future__ import annotations

import glob
import posixpath
import re
from itertools import islice

from dockerfix.context.build_context import BuildContext

#: The first bytes of what BuildKit decompresses before it looks for a tar header.
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
#: A skippable zstd frame: any of 16 first bytes, then these.
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_TAR_BLOCK = 512
#: More matches of a pattern than are looked at.
_MAX_MATCHES = 2000

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|[\w-]+@[\w.-]+:|github\.com/", re.IGNORECASE)
#: Suffixes of files that are never tar archives. `.zip`, `.jar` and their kin are archives, but
#: not of a kind that ADD unpacks (Docker's reference, ADD: "tar archive formats").
_PLAIN_SUFFIXES = frozenset(
    (
        # Programs and their sources.
        *("awk", "bash", "bat", "bin", "c", "cc", "clj", "cljs", "cmd", "cpp", "cs", "csproj"),
        *("cu", "dart", "dll", "el", "erl", "ex", "exe", "exs", "fish", "fs", "fsproj", "go"),
        *("gradle", "groovy", "h", "hpp", "hs", "java", "jl", "js", "jsx", "kt", "kts", "lua"),
        *("m", "mjs", "cjs", "ml", "php", "pl", "pm", "ps1", "py", "r", "R", "rb", "rs", "sbt"),
        *("scala", "scm", "sh", "sln", "so", "sql", "swift", "tcl", "ts", "tsx", "vbproj", "vue"),
        *("wasm", "zsh", "pyx", "patch", "diff", "vim"),
        # Archives that ADD does not unpack.
        *("apk", "deb", "ear", "egg", "gem", "hpi", "jar", "jpi", "msi", "nupkg", "rpm", "war"),
        *("whl", "zip", "7z"),
        # Configuration.
        *("babelrc", "bashrc", "cabal", "cfg", "cnf", "conf", "config", "desktop", "editorconfig"),
        *("env", "gemspec", "gitconfig", "gitignore", "htaccess", "inc", "ini", "ipynb", "json"),
        *("json5", "jsonc", "list", "lock", "mod", "npmrc", "options", "plist", "policy"),
        *("preseed", "profile", "properties", "props", "repo", "rules", "service", "sum"),
        *("targets", "toml", "vhost", "vimrc", "xml", "xsd", "xsl", "yaml", "yarnrc", "yml"),
        *("sources", "pref", "socket", "timer", "supervisor", "sudoers", "cron", "crontab"),
        *("logrotate", "zshrc"),
        # Keys.
        *("asc", "cer", "crt", "csr", "gpg", "jks", "key", "keystore", "p12", "pem", "pfx", "pub"),
        *("truststore",),
        # Texts, pages, pictures, tables.
        *("adoc", "css", "csv", "dat", "ejs", "erb", "gif", "haml", "htm", "html", "ico", "j2"),
        *("jinja", "jinja2", "jpeg", "jpg", "less", "log", "md", "mustache", "otf", "pdf", "png"),
        *("rst", "scss", "svg", "template", "tmpl", "tpl", "tsv", "ttf", "twig", "txt", "woff"),
        *("woff2", "sass", "webp", "sqlite", "db", "proto", "graphql", "hbs"),
    )
)
#: Names without suffix that tools prescribe for text files.
_PLAIN_NAMES = frozenset(
    (
        *("brewfile", "build", "cakefile", "caddyfile", "cargo.lock", "changelog", "cmdline"),
        *("codeowners", "copying", "crontab", "dockerfile", "entrypoint", "gemfile", "gnumakefile"),
        *("go.mod", "gradlew", "gruntfile", "guardfile", "jenkinsfile", "justfile", "license"),
        *("makefile", "manifest", "mvnw", "notice", "package", "pipfile", "procfile", "rakefile"),
        *("readme", "requirements", "sources.list", "sudoers", "vagrantfile", "version"),
        *("workspace", "passwd", "group", "hosts", "my.cnf", "docker-entrypoint"),
        *("authorized_keys", "known_hosts", "id_rsa", "my_init", "supervisord", "nginx.conf"),
        *(".bash_profile", ".bashrc", ".bowerrc", ".dockerignore", ".editorconfig", ".env"),
        *(".eslintrc", ".gitconfig", ".gitignore", ".npmrc", ".profile", ".vimrc", ".yarnrc"),
        *(".babelrc", ".condarc", ".netrc", ".wgetrc", ".curlrc", ".inputrc", ".screenrc"),
        *(".tmux.conf", ".zshrc", ".prettierrc", ".nvmrc", ".htaccess"),
    )
)


class NotPlainError(ValueError):
    """ADD may do more with this source than COPY, or it cannot be known."""


def why_plain(source: str, context: BuildContext | None) -> str:
    """Why ADD does with a source what COPY does, as a fact to show.

    Raises NotPlainError when it fetches or unpacks, or when that is not known.
    """
    if _REMOTE.match(source):
        raise NotPlainError("the source is fetched")
    if "$" in source:
        raise NotPlainError("the source holds a variable")
    if source.startswith("<<") or any(char in source for char in "\"'\\"):
        raise NotPlainError("the source is not a plain path")
    path = posixpath.normpath("/" + source).lstrip("/")
    if not path:
        return "the whole context is a folder"
    if any(char in path for char in "*?["):
        return _look_at_matches(source, path, context)
    if context is not None and context.exists(path):
        return _look_at(path, context)
    return _judge_name(source, path)


def _look_at_matches(source: str, path: str, context: BuildContext | None) -> str:
    found = _matches(path, context) if context is not None else []
    if len(found) == _MAX_MATCHES:
        raise NotPlainError("too many files match the pattern")
    for match in found:
        if context is not None:
            _look_at(match, context)
    if "." not in posixpath.basename(path).rpartition("*")[2] and found:
        return f"none of the {len(found)} matches of {source} is an archive"
    return _judge_name(source, path)


def _matches(path: str, context: BuildContext) -> list[str]:
    try:
        found = glob.iglob(path, root_dir=context.root, include_hidden=True)
        return list(islice(found, _MAX_MATCHES))
    except (OSError, ValueError, re.error):
        return []


def _look_at(path: str, context: BuildContext) -> str:
    if context.is_folder(path):
        return f"{path} is a folder"
    head = context.head(path, _TAR_BLOCK)
    if head is None:
        raise NotPlainError("the source cannot be read")
    if head.startswith(_COMPRESSED) or head[1:4] == _ZSTD_SKIPPABLE or _is_tar(head):
        raise NotPlainError("the source is an archive")
    return f"{path} is not an archive"


def _is_tar(block: bytes) -> bool:
    """Whether a block is a tar header: by its magic, or, before there was one, its checksum."""
    if len(block) < _TAR_BLOCK:
        return False
    if block[257:262] == b"ustar":
        return True
    try:
        expected = int(block[148:156].strip(b" \x00") or b"x", 8)
    except ValueError:
        return False
    return expected == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _judge_name(source: str, path: str) -> str:
    name = posixpath.basename(path)
    suffix = name.rpartition(".")[2] if "." in name else ""
    known = suffix.lower() in _PLAIN_SUFFIXES or name.lower() in _PLAIN_NAMES
    if known and not any(char in suffix for char in "*?["):
        return f"{name} is not the name of an archive"
    if source.endswith(("/", "/.")) and not suffix:
        return f"{source} is a folder"
    raise NotPlainError("the source may be an archive")
