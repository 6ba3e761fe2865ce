"""What the sources of a Go program open, call and count on when it runs.

Sources: pkg.go.dev (os, os/exec, net/http, mime/multipart, time: "LoadLocation" and where it looks,
runtime.Caller), go.dev/doc (cgo).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.go_mod import read_go_source
from dockerfix.context.sources import read_sources
from dockerfix.patterns import pattern
from dockerfix.splitting.named_files import may_be_hidden, named_files

_OPENS_CALL = (
    r"\b(?:os\.(?:Open|ReadFile|ReadDir|OpenFile|Stat|DirFS)|ioutil\.Read\w+|ParseFiles|ParseGlob"
    r"|http\.(?:Dir|ServeFile)|LoadHTML\w+|Static(?:FS|File)?|godotenv\.Load|viper\.\w*Config\w*"
    r"|sql\.Open|filepath\.(?:Walk\w*|Glob)|migrate\.New)"
)
#: Calls that read files, or may.
_OPENS = pattern(_OPENS_CALL + r"\(")
#: The same with the name of what is opened.
_OPENS_NAMED = pattern(_OPENS_CALL + r"\(\s*[\"`]([^\"`\n]*)")
#: It reads `.env` as soon as it is imported, if there is one.
_LOADS_ENV = pattern(r"\"github\.com/joho/godotenv/autoload\"")
#: Places that a program works out: its own, that of its sources, that it is started in; and
#: frameworks that read folders of their own accord.
_WORKS_OUT = pattern(
    r"\b(?:os\.(?:Executable|Getwd)|runtime\.Caller)\(|\"github\.com/(?:beego|astaxie/beego|revel"
    r"|gobuffalo/buffalo)\b"
)
_RUNS = pattern(r"\bexec\.Command(?:Context)?\(|\bsyscall\.(?:Exec|ForkExec)\(|\bplugin\.Open\(")
_MAIN = pattern(r"^package main\b", 8)
_ZONES = pattern(r"\btime\.LoadLocation\(")
#: What an image without anything in it lacks: a folder for temporary files, names of users.
_SYSTEM = pattern(
    r"\b(?:TempDir|CreateTemp|MkdirTemp|TempFile|FormFile|MultipartForm|MultipartReader)\b"
    r"|\"os/user\"|[\"`/](?:tmp|etc|usr|var)/"
)
#: Modules of others in `vendor` are not looked at, as those that a build downloads are not.
_NOT_RUN = frozenset(("node_modules", "testdata", "vendor"))


@dataclass(frozen=True)
class GoSources:
    """The Go files of the context, tests left out."""

    context: BuildContext
    texts: tuple[str, ...]
    #: Folder of the context that lies where the program runs; None when that is not known.
    root: str | None
    #: Image path of where the program runs.
    folder: str

    @property
    def has_main(self) -> bool:
        """Whether a program is among them."""
        return self._any(_MAIN)

    @property
    def calls_programs(self) -> bool:
        """Whether they start other programs, or load code."""
        return self._any(_RUNS)

    @property
    def loads_zones(self) -> bool:
        """Whether they ask for time zones by name."""
        return self._any(_ZONES)

    @property
    def needs_system(self) -> bool:
        """Whether they count on folders or files that every system has."""
        return self._any(_SYSTEM)

    @property
    def uses_cgo(self) -> bool:
        """Whether one of them holds C."""
        return any(read_go_source(text).uses_cgo for text in self.texts)

    @cached_property
    def files(self) -> tuple[str, ...] | None:
        """What they name, relative to where they run; None when they open what they do not name.

        None as well when git is told to leave out what they name: who builds may have it there.
        """
        if self.root is None and self._any(_OPENS):
            return None
        for text in self.texts:
            named = _OPENS_NAMED.findall(text)
            if len(_OPENS.findall(text)) != len(named) or _WORKS_OUT.search(text):
                return None
            named += [".env"] if _LOADS_ENV.search(text) else []
            if any(may_be_hidden(name, self.context, self.root or "") for name in named):
                return None
        return named_files(self.texts, self.context, self.root or "", self.folder, is_of_go)

    def _any(self, regex: re.Pattern[str]) -> bool:
        return any(regex.search(text) for text in self.texts)


def read_go_sources(context: BuildContext, root: str | None, folder: str) -> GoSources:
    """Read them. Raises TooManyFilesError."""
    found = read_sources(context, "", _is_source, _NOT_RUN.__contains__)
    return GoSources(context, tuple(text for _, text in found), root, folder)


def is_of_go(name: str) -> bool:
    """Whether a file is one that only the build reads."""
    return name.endswith((".go", ".mod", ".sum"))


def _is_source(name: str) -> bool:
    return name.endswith(".go") and not name.endswith("_test.go")
