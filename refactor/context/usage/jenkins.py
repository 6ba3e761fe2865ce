"""Jenkinsfiles, as far as they are literal.

Sources: jenkins.io/doc/book/pipeline/docker (`agent { dockerfile }`, `docker.build`),
jenkins.io/doc/pipeline/steps/workflow-basic-steps (`dir`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from dockerfix.context.manifests.reading import Place
from dockerfix.context.usage.calls import read_build
from dockerfix.context.usage.facts import Build, Findings, Service, Source
from dockerfix.context.usage.paths import image_names, resolve
from dockerfix.context.usage.scripts import Shell, commands_of, plain
from dockerfix.patterns import pattern

_COMMENT = pattern(r"(?<![:\w])//[^\n]*|/\*[\s\S]*?\*/")
_BUILD = pattern(
    r"\bdocker\.build\s*\(?\s*([\"'])((?:(?!\1).)*)\1(?:\s*,\s*([\"'])((?:(?!\3).)*)\3)?"
)
_DIR = pattern(r"\bdir\s*\(?\s*(?:([\"'])([^\"'\n]*)\1|[^)\n{]*)\)?\s*\{")
_AGENT = pattern(r"\bdockerfile\s*(?:\{([^{}]*)\}|true\b)")
_OPTION = pattern(r"\b(filename|dir)\s+[\"']([^\"'\n]+)[\"']")


def read_jenkinsfile(source: Source) -> Findings:
    """What a pipeline builds and runs; an agent's image is one to work in."""
    text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), source.text)
    inside = source._replace(base=str(source.root))
    builds = [*_agents(inside, text)]
    services: list[Service] = []
    for folder, start, part in _parts(inside, text):
        line = text.count("\n", 0, start)
        builds += _calls(inside, part, folder, line)
        for found in commands_of(inside, part, Shell((folder,) if folder else ())):
            builds += [found] if isinstance(found, Build) else []
            services += [found] if isinstance(found, Service) else []
    return Findings(tuple(builds), tuple((service, None) for service in services))


def _parts(source: Source, text: str) -> Iterator[tuple[str | None, int, str]]:
    """Folder, start and text of what is inside each `dir`, and of what is outside of all."""
    outside, at = "", 0
    for match in _DIR.finditer(text):
        if match.start() < at:
            continue
        end = _end_of_block(text, match.end())
        outside += text[at : match.start()] + "\n" * text.count("\n", match.start(), end)
        folder = resolve(source, plain(match[2], source)) if match[2] else None
        at = end
        yield folder, match.end(), text[match.end() : end]
    yield str(source.root), 0, outside + text[at:]


def _end_of_block(text: str, start: int) -> int:
    depth = 1
    for position in range(start, len(text)):
        depth += (text[position] == "{") - (text[position] == "}")
        if depth == 0:
            return position
    return len(text)


def _calls(source: Source, text: str, folder: str | None, line: int) -> Iterator[Build]:
    for match in _BUILD.finditer(text):
        place = Place(source.path, f"line {line + text.count(chr(10), 0, match.start()) + 1}")
        words = plain(match[4] or ".", source)
        found = read_build(source, place, words, (folder,) if folder else ())
        name = match[2].replace("$", "\0") if match[1] == "'" else match[2]
        if found is not None:
            yield found._replace(images=image_names(name))


def _agents(source: Source, text: str) -> Iterator[Build]:
    for match in _AGENT.finditer(text):
        options = {option[1]: option[2] for option in _OPTION.finditer(match[1] or "")}
        folder = resolve(source, options.get("dir", "."))
        place = Place(source.path, f"line {text.count(chr(10), 0, match.start()) + 1}")
        file = options.get("filename", "Dockerfile")
        named = os.path.join(folder, file) if folder is not None else None
        yield Build(place, folder, named, is_development=True)
