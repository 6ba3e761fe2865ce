"""What `make` runs, as far as a Makefile says it plainly.

Source: www.gnu.org/software/make/manual (rules, recipes, the default goal).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockerfix.image.copies import origin_of
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import Call, NotSplitError, Program
from dockerfix.syntax.shell.parse import parse_script

_NAMES = ("GNUmakefile", "makefile", "Makefile")
_RULE = pattern(r"^([A-Za-z0-9_./ -]+?)\s*::?(?!=)\s*([^#\n=]*)(?:#.*)?$")
_MAX_DEPTH = 5


def recipe_calls(call: Call, program: Program) -> Iterator[Call]:
    """The commands of the targets that `make` is given. Raises NotSplitError."""
    targets = [word for word in call.words[1:] if not word.startswith("-")]
    unknown = NotSplitError("what make does is not known", " ".join(call.words))
    context, directory = program.workspace.context, call.directory
    if context is None or directory is None or any("=" in word for word in targets):
        raise unknown
    places = (posixpath.join(directory, name) for name in _NAMES)
    path = next(filter(None, (_origin(place, program) for place in places)), None)
    rules = _rules(context.read(path) or "") if path is not None else {}
    if not rules:
        raise unknown
    for target in targets or [next(name for name in rules if not name.startswith("."))]:
        for line in _lines(target, rules, unknown, 0):
            script = parse_script(line.lstrip("@-+ "))
            if script.opaque or "$" in line:
                raise unknown
            for command in script.commands():
                words = tuple(word.value or word.text for word in command.words)
                yield call._replace(command=command, words=words)


def _origin(place: str, program: Program) -> str | None:
    return origin_of(place, program.stage, program.workspace)


def _rules(text: str) -> dict[str, tuple[list[str], list[str]]]:
    """For each target what comes first, and its recipe."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    current: list[list[str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("\t"):
            for recipe in current:
                recipe.append(line.strip())
            continue
        match = _RULE.match(line)
        if match:
            current = []
            for name in match[1].split():
                entry = found.setdefault(name, ([], []))
                entry[0].extend(match[2].split())
                current.append(entry[1])
    return found


def _lines(
    target: str,
    rules: dict[str, tuple[list[str], list[str]]],
    unknown: NotSplitError,
    depth: int,
) -> Iterator[str]:
    if target not in rules or depth > _MAX_DEPTH:
        raise unknown
    before, recipe = rules[target]
    for name in before:
        yield from _lines(name, rules, unknown, depth + 1)
    yield from recipe
