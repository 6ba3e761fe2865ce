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
from dockerfix.patterns import pattern

#: The first bytes of what BuildKit decompresses before it looks for a tar header.
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
#: A skippable zstd frame: any of 16 first bytes, then these.
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_TAR_BLOCK = 512
#: How the stand-in begins that git-lfs and git-annex leave in a clone without the large files.
_POINTERS = (b"version https://git-lfs.github.com/", b"/annex/objects/")
#: More matches of a pattern than are looked at.
_MAX_MATCHES = 2000

_REMOTE = pattern(r"[a-z][a-z0-9+.-]*://|[\w-]+@[\w.-]+:|github\.com/", re.IGNORECASE)
#: Quotes and escapes, and sets of letters that Go and Python read in different ways.
_ODD = pattern(r"[\"'\\]|\[[!^]")
#: Suffixes that a tar archive has, alone or in front of a compression's. Packages among them:
#: an `.apk` of Alpine, a `.gem` and a `.crate` are tar archives, and ADD unpacks them.
_ARCHIVE = pattern(
    r"\.(?:tar|t?gz|tbz2?|t?bz2|t?xz|t?zst|tlz|lzma|lz|z|apk|gem|crate|box|ova|pkg|img)\b",
    re.IGNORECASE,
)
#: Suffixes of files that are no tar archives.
_PLAIN_SUFFIXES = frozenset(
    (
        # Programs and their sources.
        *("awk", "bash", "bat", "bats", "c", "cc", "cjs", "clj", "cljs", "cmd", "cpp", "cs"),
        *("csproj", "cu", "dart", "diff", "dll", "el", "erl", "ex", "exe", "exs", "fish", "fs"),
        *("fsproj", "go", "gradle", "groovy", "h", "hpp", "hs", "java", "jl", "js", "jsx", "kt"),
        *("kts", "lua", "m", "mjs", "ml", "patch", "php", "pl", "pm", "ps1", "psgi", "py", "pyx"),
        *("r", "rb", "rs", "sbt", "scala", "scm", "sed", "sh", "sln", "so", "sql", "swift"),
        *("tcl", "ts", "tsx", "vbproj", "vim", "vue", "wasm", "zsh"),
        # Archives that are not tar: zip in various clothes, ar, rpm, 7z (ADD leaves them alone).
        *("7z", "deb", "ear", "egg", "hpi", "jar", "jpi", "msi", "nupkg", "rpm", "war", "whl"),
        "zip",
        # Configuration.
        *("babelrc", "bashrc", "cabal", "cfg", "cnf", "conf", "config", "cron", "crontab"),
        *("desktop", "dist", "editorconfig", "env", "example", "gemspec", "gitconfig"),
        *("gitignore", "htaccess", "inc", "ini", "ipynb", "json", "json5", "jsonc", "list"),
        *("lock", "logrotate", "mod", "npmrc", "options", "plist", "policy", "pref", "prefs"),
        *("preseed", "profile", "properties", "props", "repo", "rules", "sample", "service"),
        *("socket", "sources", "sudoers", "sum", "supervisor", "targets", "timer", "toml"),
        *("vhost", "vimrc", "xml", "xsd", "xsl", "yaml", "yarnrc", "yml", "zshrc"),
        # Keys.
        *("asc", "cer", "crt", "csr", "der", "gpg", "jks", "key", "keystore", "p12", "pem", "pfx"),
        *("pub", "truststore"),
        # Texts, pages, pictures, tables.
        *("adoc", "css", "csv", "ejs", "erb", "gif", "graphql", "haml", "hbs", "htm", "html"),
        *("ico", "j2", "jinja", "jinja2", "jpeg", "jpg", "less", "log", "md", "mustache", "otf"),
        *("pdf", "png", "proto", "rst", "sass", "scss", "svg", "template", "tmpl", "tpl", "tsv"),
        *("ttf", "twig", "txt", "webp", "woff", "woff2"),
    )
)
#: Names without such a suffix that tools prescribe for text files.
_PLAIN_NAMES = frozenset(
    (
        *("authorized_keys", "brewfile", "caddyfile", "changelog", "codeowners", "copying"),
        *("crontab", "docker-entrypoint", "dockerfile", "entrypoint", "gemfile", "gnumakefile"),
        *("gradlew", "gruntfile", "guardfile", "id_rsa", "jenkinsfile", "justfile", "known_hosts"),
        *("license", "makefile", "mvnw", "my_init", "notice", "passwd", "pipfile", "procfile"),
        *("rakefile", "readme", "sudoers", "vagrantfile", "version"),
        *(".bash_profile", ".bowerrc", ".condarc", ".curlrc", ".dockerignore", ".eslintrc"),
        *(".htaccess", ".inputrc", ".netrc", ".nvmrc", ".prettierrc", ".screenrc", ".wgetrc"),
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
    if source.startswith("<<") or _ODD.search(source):
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
    if found:
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
    if head.startswith(_POINTERS):
        raise NotPlainError("the source is kept outside the repository")
    if _ARCHIVE.search(posixpath.basename(path)):
        # A stand-in, perhaps, for what the build makes or fetches before.
        raise NotPlainError("the source may be an archive")
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
    name = posixpath.basename(path).lower()
    if _ARCHIVE.search(name):
        raise NotPlainError("the source may be an archive")
    suffix = name.rpartition(".")[2] if "." in name else ""
    if suffix in _PLAIN_SUFFIXES or name in _PLAIN_NAMES:
        return f"{posixpath.basename(path)} is not the name of an archive"
    if source.endswith(("/", "/.")):
        return f"{source} is a folder"
    raise NotPlainError("the source may be an archive")
