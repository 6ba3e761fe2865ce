"""`docker build` and `docker run` in scripts, Makefiles and CI, with the folder they are run in.

Sources: docs.docker.com/reference/cli/docker (buildx build, container run),
github.com/GoogleContainerTools/kaniko (executor), and what CI systems call the folder of the
repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.context.manifests.reading import Place
from dockerfix.context.usage.calls import read_build, read_executor, read_run
from dockerfix.context.usage.facts import Build, Findings, Service, Source
from dockerfix.patterns import pattern

#: A program that builds or runs, up to the end of the command; a change of the folder; an end.
_CALL = pattern(
    r"(?P<cd>(?<![\w./-])(?:cd|pushd)[ \t]+(?P<to>\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|#)`'\"]+))"
    r"|(?<![\w.-])(?P<program>(?:sudo\s+)?(?:docker|podman|nerdctl|buildah|img)\s+"
    r"(?:image\s+|container\s+|builder\s+|--\S+\s+)*"
    r"(?P<verb>build-using-dockerfile|buildx\s+build|build|bud|run))\b"
    r"(?P<words>(?:\\\r?\n|[^\n;&|#)`])*)"
    r"|(?P<executor>/?kaniko/executor|\bexecutor(?=\s+--))(?P<options>(?:\\\r?\n|[^\n;&|#)`])*)"
    r"|(?P<back>\bpopd\b|(?<![\w./-])cd[ \t]+-)|(?P<end>(?<!\\)\n|\))"
)
#: What stands for the folder that one is in.
_HERE = pattern(r"\$\(\s*pwd\s*\)|`pwd`|\$\{?PWD\}?|\$\(CURDIR\)")
#: What CI systems, and git, call the folder of the repository.
_AT_ROOT = pattern(
    r"\$\{?(?:CI_PROJECT_DIR|GITHUB_WORKSPACE|WORKSPACE|TRAVIS_BUILD_DIR|BITBUCKET_CLONE_DIR"
    r"|CODEBUILD_SRC_DIR|DRONE_WORKSPACE|CI_WORKSPACE|CIRCLE_WORKING_DIRECTORY)\b\}?"
    r"|\$\{\{\s*github\.workspace\s*\}\}|\$\{env\.WORKSPACE\}"
    r"|\$\((?:Build\.SourcesDirectory|System\.DefaultWorkingDirectory)\)"
    r"|\$\(git rev-parse --show-toplevel\)"
)
_OF_SCRIPT = pattern(
    r"\"?\$\(\s*(?:cd\s+)?\"?\$?\(?dirname\s+(?:--\s+)?\"?\$\{?(?:0|BASH_SOURCE(?:\[0\])?)\}?\"?\s*\)\"?"
)
_EXPRESSION = pattern(r"\$\{\{[^}\n]*\}\}")
_PERSISTS = (".sh", ".bash")


class Shell(NamedTuple):
    """How a text is run."""

    #: The folders that it may be run in, absolute, the likeliest first.
    folders: tuple[str, ...]
    #: Whether a `cd` holds for the lines below.
    persists: bool = False
    #: The script's own folder.
    own: str = ""


def read_script(source: Source) -> Findings:
    """The `docker build` and `docker run` commands of any text.

    Scripts are run from their folder or from the repository.
    """
    own = source.folder
    shell = Shell((own, str(source.root)), source.path.endswith(_PERSISTS), own)
    builds: list[Build] = []
    services: list[Service] = []
    for found in commands_of(source, source.text, shell):
        builds += [found] if isinstance(found, Build) else []
        services += [found] if isinstance(found, Service) else []
    return Findings(tuple(builds), tuple((service, None) for service in services))


def commands_of(
    source: Source, text: str, shell: Shell, place: Place | None = None
) -> Iterator[Build | Service]:
    """The builds and containers that a text of commands starts, each with its line or `place`."""
    text = plain(text, source)
    here: tuple[str, ...] = shell.folders
    for match in _CALL.finditer(text):
        if match["cd"]:
            here = tuple(_changed(match["to"].strip("\"'"), here, shell))
        elif match["back"] or (match["end"] and not shell.persists):
            here = shell.folders
        elif match["words"] is not None or match["options"] is not None:
            where = place or source.place(f"line {text.count(chr(10), 0, match.start()) + 1}")
            found = _call(source, where, match, here)
            if found is not None:
                yield found


def plain(text: str, source: Source) -> str:
    """A text with the folders put in that are known; lines stay lines."""
    if "$" not in text and "`" not in text:
        return text
    text = _OF_SCRIPT.sub(lambda _: source.folder, text)
    text = _AT_ROOT.sub(lambda _: str(source.root), _HERE.sub(".", text))
    return _EXPRESSION.sub("${?}", text)


def _changed(path: str, here: tuple[str, ...], shell: Shell) -> Iterator[str]:
    """The folders after a `cd`; those of before where nothing can be said."""
    if "$" in path or path.startswith("~"):
        yield from shell.folders
        return
    folders = [os.path.normpath(os.path.join(folder, path)) for folder in here]
    there = [folder for folder in dict.fromkeys(folders) if os.path.isdir(folder)]
    # A folder that is not there is made by the commands, or is what they clone: the repository.
    yield from there or shell.folders


def _call(
    source: Source, place: Place, match: re.Match[str], here: tuple[str, ...]
) -> Build | Service | None:
    text = match["words"] if match["words"] is not None else match["options"]
    words = _inside_quotes(match.string, match.start(), text)
    if match["options"] is not None:
        return read_executor(source, place, words, here)
    if match["verb"] == "run":
        return read_run(source, place, words)
    return read_build(source, place, words, here)


def _inside_quotes(text: str, start: int, words: str) -> str:
    """The words up to the end of the string that a command stands in, where it does."""
    line = text[text.rfind("\n", 0, start) + 1 : start].replace('\\"', "")
    for quote in ('"', "'"):
        if line.count(quote) % 2:
            hidden = words.replace('\\"', "\0")
            return hidden.partition(quote)[0].replace("\0", '"')
    return words
