"""What a Java program opens beside its jar, and whether it needs more than a JRE.

Sources: docs.spring.io ("External Application Properties": files in the working directory and in
`config/`), docs.oracle.com (java.io, java.nio.file, javax.tools, ProcessBuilder).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from dockerfix.context.build_context import BuildContext
from dockerfix.context.sources import read_sources
from dockerfix.patterns import pattern
from dockerfix.splitting.named_files import may_be_hidden

_ENDINGS = (".java", ".kt", ".kts", ".groovy", ".scala", ".properties", ".yml", ".yaml", ".xml")
_CODE = (".java", ".kt", ".groovy", ".scala")
_RUNS = pattern(r"\bProcessBuilder\(|\bgetRuntime\(\)\s*\.exec\(|\.execute\(\)\.text\b")
_NEEDS_JDK = pattern(
    r"\bToolProvider\b|\bcom\.sun\.tools\b|\bjdk\.jshell\b|\bVirtualMachine\.attach\b"
)
_OPENS = pattern(
    r"\bnew (?:java\.io\.)?(?:File(?:InputStream|Reader|OutputStream|Writer)?|RandomAccessFile"
    r"|FileSystemResource|PrintWriter)\(|\bPaths\.get\(|\bPath\.of\(|\bFile(?:Reader)?\(\s*\""
    r"|\bFiles\.\w+\("
)
_STRING = pattern(r'"((?:[^"\\\n]|\\.)*)"|(?:^|[=:\s])(?:file:)?(\.?/?[\w.-]+(?:/[\w.-]+)+)', 8)
#: Files outside of the jar that a setting or a library names.
_OUTSIDE = pattern(r"\bfile:(?:\./)?([\w][\w./-]*|\.env\w*)")
_LOADS_ENV = pattern(r"\bDotenv\b|\bspring-dotenv\b|\bspringboot3-dotenv\b")
#: Read in the directory that the program is started in, without being named.
_READ_AT_START = (
    *("config", "conf", "static", "public", "templates", "webroot", ".env"),
    *("application.properties", "application.yml", "application.yaml", "application.conf"),
    *("logback.xml", "logback-spring.xml", "log4j2.xml", "log4j2-spring.xml", "log4j.properties"),
)
#: What only the build reads.
_OF_BUILD = pattern(
    r"src|target|build|out|bin|gradle|buildSrc|pom\.xml|mvnw.*|gradlew.*|.*\.gradle(?:\.kts)?"
    r"|gradle\.properties|settings\.xml|lombok\.config|checkstyle.*|\..*|Dockerfile.*|.*\.md"
    r"|.*\.Dockerfile|(?:docker-)?compose.*|LICENSE.*|NOTICE.*|README.*|Makefile|Jenkinsfile"
    r"|Procfile|system\.properties|k8s|kubernetes|helm|charts|terraform|docs?|sonar-project\..*"
)
_NOT_RUN = frozenset(("target", "build", "node_modules", "test", "out"))


@dataclass(frozen=True)
class JavaSources:
    """The sources and settings of a program, tests left out."""

    context: BuildContext
    #: Folder of the context that lies where the program runs.
    root: str
    texts: tuple[tuple[str, str], ...]

    @property
    def calls_programs(self) -> str | None:
        """A source that starts other programs."""
        return next((path for path, text in self._code if _RUNS.search(text)), None)

    @property
    def needs_jdk(self) -> str | None:
        """A source that compiles, or attaches to a virtual machine."""
        return next((path for path, text in self._code if _NEEDS_JDK.search(text)), None)

    @property
    def hidden(self) -> str | None:
        """A file that is opened beside the jar and that a build may have, but git does not show."""
        for _, text in self.texts:
            named = [match[1] for match in _OUTSIDE.finditer(text)]
            named += [".env"] if _LOADS_ENV.search(text) else []
            found = next((n for n in named if may_be_hidden(n, self.context, self.root)), None)
            if found is not None:
                return found
        return None

    @property
    def beside(self) -> tuple[str, ...]:
        """What the program may open where it is started, relative to there.

        What Spring reads of its own accord and what a text names; all but what only the build
        reads where files are opened at all.
        """
        names = [name for name in self.context.names(self.root or ".") if self._is_sent(name)]
        opens = any(_OPENS.search(text) for _, text in self._code)
        others = [name for name in names if opens and not _OF_BUILD.fullmatch(name)]
        known = [name for name in names if name in _READ_AT_START]
        return tuple(dict.fromkeys((*known, *others, *self._named())))

    def _named(self) -> list[str]:
        """Paths below `src` that a text names: `src/main/resources/keys.json`."""
        found: list[str] = []
        for _, text in self.texts:
            for match in _STRING.finditer(text):
                path = (match[1] or match[2] or "").removeprefix("./").removeprefix("file:")
                if path.startswith("src/") and self._is_sent(path):
                    found.append(posixpath.normpath(path))
        return sorted(set(found))

    @property
    def _code(self) -> list[tuple[str, str]]:
        return [(path, text) for path, text in self.texts if path.endswith(_CODE)]

    def _is_sent(self, name: str) -> bool:
        return self.context.sends(posixpath.join(self.root, name))


def read_java_sources(context: BuildContext, root: str) -> JavaSources:
    """Read them. Raises TooManyFilesError."""
    found = read_sources(context, root, _is_read, _NOT_RUN.__contains__)
    return JavaSources(context, root, tuple(found))


def is_of_build(name: str) -> bool:
    """Whether a name is one that only the build reads."""
    return bool(_OF_BUILD.fullmatch(name))


def is_source(name: str) -> bool:
    """Whether a file becomes a part of the jar, or makes it."""
    return name.endswith((*_CODE, ".xml", ".gradle", ".kts", ".jar")) or name == ".gitkeep"


def _is_read(name: str) -> bool:
    return name.endswith(_ENDINGS)
