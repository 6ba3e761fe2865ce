"""name-stages: stages that are used by number get names that say what they do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.image_name import read_image
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Flag
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Dockerfile
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_NUMBERED = pattern(r"--from=[\"']?[0-9]", re.IGNORECASE)
#: More digits than these are no number to BuildKit, but the name of an image.
_NUMBER = pattern(r"[0-9]{1,18}")
#: BuildKit: `validStageName`, after lowering the letter case.
_VALID_NAME = pattern(r"[a-z][a-z0-9-_.]*", re.IGNORECASE)
#: BuildKit's check ReservedStageName.
_RESERVED = frozenset(("scratch", "context"))
_MOUNT_FROM = pattern(r"(?:^|,)\s*\"?from=([^,\"]*)", re.IGNORECASE)
_SEPARATOR = pattern(r"&&|\|\||[;|\n]")
#: What may stand before a command's name.
_PREFIX = pattern(r"(?:[\s({!]|[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|\S*)\s|(?:sudo|time|exec)\s)*")


class _Work(NamedTuple):
    """What a stage does: the kind of work gives its name, the field tells two of a kind apart."""

    kind: str
    area: str
    evidence: Evidence


#: How a command begins, the kind of work that is, and its field. The first kind that a stage does,
#: in the order of this table, names it.
_COMMANDS = (
    ("build", "go", r"go\s+(?:build|install|get|generate)\b|goreleaser\b|gox\b"),
    ("build", "rust", r"cargo\s+(?:\+\S+\s+)?(?:build|install|rustc)\b|rustc\b|trunk\s+build\b"),
    ("build", "java", r"(?:\./)?(?:mvnw?|gradlew?)\s(?!.*(?:go-offline|dependencies\b))"),
    ("build", "java", r"(?:sbt|lein|ant|javac)\b"),
    ("build", "dotnet", r"dotnet\s+(?:publish|build|pack|msbuild)\b|msbuild\b"),
    ("build", "web", r"(?:npm|yarn|pnpm|bun)\s+(?:run(?:-script)?\s+)?(?:\S*build|compile|dist)"),
    ("build", "web", r"(?:npm|yarn|pnpm|bun)\s+run(?:-script)?\s+(?!test|lint|start|dev|-)"),
    ("build", "web", r"(?:npx\s+|\S*node_modules/\.bin/)?(?:ng|vite|next|nuxt|react-scripts)\s+bu"),
    ("build", "web", r"(?:npx\s+|\S*node_modules/\.bin/)?(?:webpack|gulp|grunt|parcel|tsc|rollup)"),
    ("build", "python", r"python3?\s+(?:setup\.py|-m\s+build)\b|pip3?\s+wheel\b|pyinstaller\b"),
    ("build", "elixir", r"mix\s+(?:release|compile|phx\.digest|distillery\.release)\b"),
    ("build", "haskell", r"(?:stack|cabal)\s+(?:build|install|new-build)\b|ghc\b"),
    ("build", "swift", r"swift\s+build\b"),
    ("build", "site", r"(?:hugo|jekyll|mkdocs|sphinx-build|bundle\s+exec\s+jekyll)\b"),
    ("build", "native", r"(?:\S*/)?(?:make|cmake|ninja|meson|scons|bazel|configure|autoreconf)\b"),
    ("build", "native", r"(?:gcc|g\+\+|cc|clang|clang\+\+|dpkg-buildpackage|rpmbuild)\s"),
    (
        "deps",
        "web",
        r"npm\s+(?:ci|i|install)\b|yarn(?:\s+install\b|\s*$|\s+--)|pnpm\s+i(?:nstall)?",
    ),
    ("deps", "python", r"(?:python3?\s+-m\s+)?(?:pip3?|poetry|uv|pipenv)\s+(?:install|sync)\b"),
    ("deps", "php", r"(?:\S*/)?composer(?:\.phar)?\s+(?:install|update|require)\b"),
    ("deps", "ruby", r"bundle(?:r)?(?:\s+install\b|\s*$)|gem\s+install\b"),
    ("deps", "go", r"go\s+mod\s+(?:download|vendor)\b|dep\s+ensure\b|glide\s+install\b"),
    ("deps", "java", r"(?:\./)?(?:mvnw?|gradlew?)\s.*(?:go-offline|dependencies\b)"),
    ("test", "", r"(?:npm|yarn|pnpm|go|cargo|dotnet|mvn)\s+(?:run\s+)?test\b|pytest\b|tox\b"),
    ("download", "", r"curl\s|wget\s|git\s+clone\b"),
)
_COMMAND_TABLE = tuple((kind, area, pattern(text)) for kind, area, text in _COMMANDS)
_ORDER = ("build", "deps", "test", "download")
_UNKNOWN = "unknown"
#: Commands that a stage which only downloads may run besides.
_FETCH_HELPERS = pattern(
    r"(?:apt(?:-get)?|apk|dnf|microdnf|yum|zypper|cd|chmod|chown|cp|echo|gunzip|gzip|install|ln|ls"
    r"|mkdir|mv|rm|set|sha\d+sum|tar|test|\[|unzip|xz)(?:\s|$)|$"
)
#: Images (the last part of their name) that hold a tool chain, and its field. Whoever starts from
#: one and runs anything builds something.
_TOOL_CHAINS = {
    **{"golang": "go", "rust": "rust", "maven": "java", "gradle": "java", "sbt": "java"},
    **{"clojure": "java", "sdk": "dotnet", "elixir": "elixir", "haskell": "haskell"},
    **{"swift": "swift", "gcc": "native", "emsdk": "web", "hugo": "site", "jekyll": "site"},
}


class NameStages(Transform):
    """Give a stage that is used by number a name, and use the name.

    Before:
        FROM golang:1.23
        WORKDIR /src
        COPY . .
        RUN go build -o /bin/app

        FROM alpine:3.20
        COPY --from=0 /bin/app /bin/app
        ENTRYPOINT ["/bin/app"]

    After:
        FROM golang:1.23 AS build
        WORKDIR /src
        COPY . .
        RUN go build -o /bin/app

        FROM alpine:3.20
        COPY --from=build /bin/app /bin/app
        ENTRYPOINT ["/bin/app"]
    """

    name = "name-stages"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> Iterator[Change | Declined]:
        """Collect the references by number, then name the stages they mean."""
        dockerfile = workspace.dockerfile
        if not _NUMBERED.search(dockerfile.code):
            return
        used: dict[int, list[tuple[Instruction, Flag]]] = {}
        for stage, instruction, flag in _numbers(dockerfile):
            reason = _why_left(dockerfile, stage, instruction, flag)
            if reason:
                yield Declined(reason, instruction.line, f"--from={flag.value}")
            else:
                used.setdefault(int(flag.value or ""), []).append((instruction, flag))
        names = _choose_names(dockerfile, sorted(used))
        for index, references in sorted(used.items()):
            yield _use_name(dockerfile.stages[index], references, names.get(index))


def _numbers(dockerfile: Dockerfile) -> Iterator[tuple[Stage, Instruction, Flag]]:
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            target = instruction.nested or instruction
            for flag in target.flags if target.keyword == "COPY" else ():
                value = flag.value or ""
                if flag.name == "from" and _NUMBER.fullmatch(value):
                    yield stage, instruction, flag


def _why_left(
    dockerfile: Dockerfile, stage: Stage, instruction: Instruction, flag: Flag
) -> str | None:
    index = int(flag.value or "")
    if instruction.keyword == "ONBUILD":
        return "ONBUILD means a stage of another file"
    if index >= stage.index:
        return "the number is not that of an earlier stage"
    name = dockerfile.stages[index].name
    if name is None:
        return None
    same = sum((other.name or "").lower() == name.lower() for other in dockerfile.stages)
    if same > 1 or not _VALID_NAME.fullmatch(name):
        return "the stage's name is not its own"
    return None


def _use_name(
    stage: Stage, references: list[tuple[Instruction, Flag]], new: tuple[str, Evidence] | None
) -> Change:
    name = stage.name or (new[0] if new else "")
    edits = [Edit(flag.start, flag.end, f"--from={name}") for _, flag in references]
    if new:
        end = stage.start.argument_span[1]
        word = "as" if stage.start.keyword_text.islower() else "AS"
        edits.insert(0, Edit(end, end, f" {word} {name}"))
    return Change(
        message=f"the stage in line {stage.start.line} is used by its number, {stage.index}",
        help=f"Name it `{name}`, and use the name" if new else f"Use its name, `{name}`",
        edits=tuple(edits),
        line=references[0][0].line,
        level=Level.SAFE,
        evidence=(new[1],) if new else (),
    )


# Names


def _choose_names(dockerfile: Dockerfile, indexes: list[int]) -> dict[int, tuple[str, Evidence]]:
    """A name for each of the stages that has none, and why it is called so."""
    works = {i: _work(dockerfile.stages[i]) for i in indexes if not dockerfile.stages[i].name}
    if not works:
        return {}
    taken = _taken_names(dockerfile)
    kinds = Counter(work.kind for work in works.values())
    chosen: dict[int, tuple[str, Evidence]] = {}
    for index, work in works.items():
        alone = kinds[work.kind] == 1
        name = _free_name(work, alone, taken)
        taken.add(name)
        chosen[index] = (name, work.evidence)
    return chosen


def _free_name(work: _Work, alone: bool, taken: set[str]) -> str:
    if alone and work.kind not in taken:
        return work.kind
    base = f"{work.kind}-{work.area}" if work.area else work.kind
    if base not in taken and (work.area or alone):
        return base
    number = 2 if alone or base in taken else 1
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def _taken_names(dockerfile: Dockerfile) -> set[str]:
    """Every name that means something in the file already: stages, images, arguments' values."""
    names = set(_RESERVED)
    for stage in dockerfile.stages:
        for base in (stage.base, stage.resolved_base or ""):
            names |= {base.lower(), read_image(base.lower()).last}
        names.add((stage.name or "").lower())
        for instruction in stage.instructions:
            names |= set(_other_references(instruction.nested or instruction))
    values = dockerfile.stages[0].global_variables.values()
    return names | {value.lower() for value in values if value}


def _other_references(instruction: Instruction) -> Iterator[str]:
    for flag in instruction.flags:
        if flag.name == "from" and flag.value:
            yield flag.value.lower()
            yield read_image(flag.value.lower()).last
        elif flag.name == "mount" and flag.value:
            yield from (name.lower() for name in _MOUNT_FROM.findall(flag.value))


# What a stage does


def _work(stage: Stage) -> _Work:
    found: dict[str, _Work] = {}
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            for work in _works_of(instruction):
                found.setdefault(work.kind, work)
    if _UNKNOWN in found:
        found.pop("download", None)
    if "build" in found:
        return found["build"]
    return _built_by_image(stage) or _first_kind(found) or _source_of_files(stage)


def _built_by_image(stage: Stage) -> _Work | None:
    """A stage that starts from a tool chain and runs something."""
    image = _image_of(stage)
    if image not in _TOOL_CHAINS or not stage.last("RUN"):
        return None
    fact = f"`{image}` is an image to build with"
    return _Work("build", _TOOL_CHAINS[image], Evidence(f"line {stage.start.line}", fact))


def _first_kind(found: dict[str, _Work]) -> _Work | None:
    return next((found[kind] for kind in _ORDER if kind in found), None)


def _source_of_files(stage: Stage) -> _Work:
    """A stage that is of use for what is in it, no known work being done there."""
    runs = stage.last("RUN")
    if runs:
        return _Work("build", "", Evidence(f"line {runs.line}", "it makes what is copied"))
    where = f"line {stage.start.line}"
    image = _image_of(stage)
    if stage.last("COPY") or stage.last("ADD") or not _VALID_NAME.fullmatch(image):
        return _Work("files", "", Evidence(where, "the stage only holds files"))
    return _Work(f"{image}-image", "", Evidence(where, f"the files of `{image}` are used"))


def _image_of(stage: Stage) -> str:
    return read_image(stage.resolved_base or stage.base).last.lower()


def _works_of(instruction: Instruction) -> Iterator[_Work]:
    script = "\n".join([instruction.argument_text, *(doc.content for doc in instruction.heredocs)])
    if instruction.exec_arguments:
        script = " ".join(instruction.exec_arguments)
    for part in _SEPARATOR.split(script):
        match = _PREFIX.match(part)
        command = part[match.end() :].strip() if match else ""
        if not _FETCH_HELPERS.match(command):
            kind, area = _kind_of(command)
            fact = f"it runs `{' '.join(command.split()[:3])}`"
            yield _Work(kind, area, Evidence(f"line {instruction.line}", fact))


def _kind_of(command: str) -> tuple[str, str]:
    found = (entry for entry in _COMMAND_TABLE if entry[2].match(command))
    kind, area, _ = next(found, (_UNKNOWN, "", None))
    return kind, area
