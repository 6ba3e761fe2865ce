"""What one command is for and what it touches."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dockerfix.effects.model import Call, Kind
from dockerfix.effects.reach import EVERYTHING, NOTHING, Reach, unite
from dockerfix.installs.install import Install, UnknownInstallError
from dockerfix.installs.read import install_words, read_install
from dockerfix.knowledge.command_effects import Rule, Use, command_facts
from dockerfix.knowledge.package_managers import GEM, PIP
from dockerfix.packages import PackageCommand, read_package_command
from dockerfix.patterns import pattern
from dockerfix.state import known_variables
from dockerfix.syntax.shell import Command, Redirection, Word, read_word
from dockerfix.syntax.tree import Instruction
from dockerfix.syntax.values import substitute
from dockerfix.transform import Workspace

#: Users' homes: which of them `~` is depends on the image.
_HOMES = ("/root", "/home")
#: What tools keep in one.
_KEPT = tuple(
    f"/root/{name}"
    for name in (
        *(".config", ".cache", ".local", ".npm", ".npmrc", ".yarnrc", ".yarn", ".bundle", ".gem"),
        *(
            ".composer",
            ".gnupg",
            ".gitconfig",
            ".rustup",
            ".cargo",
            ".m2",
            ".nuget",
            ".gradle",
            ".mix",
            ".hex",
        ),
    )
)
#: They build besides fetching; what they leave is made out of the sources.
_ALSO_BUILD = frozenset(
    (
        *(("go", "build"), ("go", "install"), ("go", "test"), ("go", "vet"), ("go", "run")),
        *(("dotnet", "build"), ("dotnet", "publish"), ("go", "generate")),
        *(("go", "get"), ("go", "mod tidy"), ("go", "mod vendor")),
        *(("cargo", "build"), ("cargo", "test"), ("cargo", "install")),
    )
)
_BUILD_TOOLS = frozenset(("mvn", "./mvnw", "gradle", "./gradlew"))
#: Settings of the package managers of Node.js that an install by name reads, too.
_NODE_SETTINGS = (".npmrc", ".yarnrc", ".yarnrc.yml")
_PACKAGE_FILES = (".deb", ".rpm", ".apk", ".spec", ".dsc")
_ARCHIVES = (".whl", ".gem", ".gz", ".zip", ".tgz")
#: A path whose variables the shell puts in as Docker would; no blank in what they hold.
_PATH_WITH_VARIABLES = pattern(r'"?(?:[\w./:-]|\$\w+|\$\{\w+\})+"?')
_PLAIN = pattern(r"[\w./:-]+")
_QUIET = frozenset(("/dev/null", "/dev/stdout", "/dev/stderr", "&1", "&2"))


class _Touched(NamedTuple):
    """Image paths."""

    reads: Reach = NOTHING
    writes: Reach = NOTHING
    makes: tuple[str, ...] = ()

    def __or__(self, other: _Touched) -> _Touched:
        return _Touched(
            self.reads | other.reads, self.writes | other.writes, (*self.makes, *other.makes)
        )


_ALL = _Touched(EVERYTHING, EVERYTHING)


def read_call(
    written: Command, directory: str | None, instruction: Instruction, workspace: Workspace
) -> Call:
    """What a command of a RUN does that runs in an image directory; never raises."""
    command = _with_known_words(written, instruction, workspace)
    words = tuple(word.value or word.text for word in written.words)
    call = Call(command_kind(command), written, words, directory=directory)
    touched = _redirected(command.redirections, directory)
    found = install_words(written)
    if found is not None:
        call = _read_install(call, found, touched, instruction, workspace)
        if call.kind == "install":
            return call
    touched |= _touched(command, directory)
    return call._replace(reads=touched.reads, writes=touched.writes, makes=touched.makes)


def _with_known_words(command: Command, instruction: Instruction, workspace: Workspace) -> Command:
    """The command with the variables put in that ENV and ARG give, for the paths it names."""
    stage = workspace.dockerfile.stage_of(instruction)
    if stage is None or all(word.value is not None for word in command.words):
        return command
    run = workspace.run(instruction)
    scope = {
        name: value
        for name, value in known_variables(stage, instruction).items()
        if run is None or name not in run.script.assigned
    }
    return command._replace(words=tuple(_known_word(word, scope) for word in command.words))


def _known_word(word: Word, scope: dict[str, str | None]) -> Word:
    if word.value is not None or not _PATH_WITH_VARIABLES.fullmatch(word.text):
        return word
    value = substitute(word.text, scope)
    plain = value is not None and _PLAIN.fullmatch(value)
    return word._replace(value=value) if plain else word


def command_kind(command: Command) -> Kind:
    """What kind of work a command is."""
    if _only_asks(command):
        return "set-up"
    rule = _rule(command)
    found = install_words(command)
    if found is not None and not _also_builds(found):
        builds = found[0] in _BUILD_TOOLS and not _only_fetches(found)
        return "build" if builds else "install"
    package = read_package_command(command)
    if package is not None and not (rule is not None and rule.kind == "configure"):
        return _package_kind(package, rule)
    if not command.words:
        return "set-up"
    return rule.kind if rule is not None else "unknown"  # type: ignore[return-value]


def _also_builds(words: tuple[str, ...]) -> bool:
    return words[:2] in _ALSO_BUILD or (words[0], " ".join(words[1:3])) in _ALSO_BUILD


def _only_fetches(words: tuple[str, ...]) -> bool:
    goals = [word for word in words[1:] if not word.startswith("-")]
    return all(goal.startswith("dependency:") for goal in goals)


def _package_kind(package: PackageCommand, rule: Rule | None) -> Kind:
    if package.manager.system:
        return "packages" if package.action is not None else "unknown"
    if package.action == "clean":
        return "clean"
    if package.action in ("install", "upgrade") and (package.packages or package.manager is GEM):
        return "tool"
    return rule.kind if rule is not None else "unknown"  # type: ignore[return-value]


def _only_asks(command: Command) -> bool:
    """Whether it only asks a program for its version: `node --version`."""
    facts, name = command_facts(), command.literal_name
    if name is None or "/" in name or name in facts.shells or len(command.words) != 2:
        return False
    return command.words[1].value in facts.version_words


def _rule(command: Command) -> Rule | None:
    name = command.literal_name
    if name is None:
        return None
    name = name if name.startswith("./") else posixpath.basename(name)
    facts = command_facts()
    if name not in facts.rules:
        return None
    return facts.find(name, tuple(word.value or "" for word in command.words[1:]))


def _touched(command: Command, directory: str | None) -> _Touched:
    if not command.words or _only_asks(command):
        return _Touched()
    if command.literal_name == "cd":
        return _Touched()
    package = read_package_command(command)
    rule = _rule(command)
    if package is not None and not (rule is not None and rule.kind == "configure"):
        return _by_package(package, directory)
    return _ALL if rule is None else _Operands(rule, directory, command).touched()


# Package managers


def _by_package(package: PackageCommand, directory: str | None) -> _Touched:
    facts = command_facts()
    if package.manager.system:
        if package.action is None or any(_may_be_file(w.value) for w in package.packages):
            return _ALL
        return _Touched(Reach(facts.package_settings), Reach(facts.system))
    if package.action == "clean":
        return _Touched(writes=Reach((*_KEPT, "/tmp", *package.manager.caches)))
    if not _installs_apart(package):
        return _ALL
    settings = [posixpath.join(directory, name) for name in _NODE_SETTINGS] if directory else []
    reads = () if package.manager in (PIP, GEM) else tuple(settings)
    return _Touched(Reach(reads), Reach((*facts.system, *_KEPT)))


def _may_be_file(name: str | None) -> bool:
    """Whether a package is named by a file: `./x.deb`, `x.spec` for builddep, `.`."""
    return not name or "/" in name or name == "." or name.endswith(_PACKAGE_FILES)


def _installs_apart(package: PackageCommand) -> bool:
    """Whether it installs named packages from a registry, and not into the project."""
    if package.action not in ("install", "upgrade"):
        return False
    if package.manager is GEM:
        return all(_is_registry_name(word.value) for word in package.packages)
    words = [word.value for word in package.command.words]
    apart = (
        package.manager is PIP or package.has_option("-g", "--global") or words[1:2] == ["global"]
    )
    reads = package.manager is PIP and package.has_option(
        "-c", "--constraint", "-f", "--find-links", "-t", "--target", "-e", "--editable"
    )
    names = [word for word in package.packages if word.value not in ("add", "install")]
    return (
        bool(names) and apart and not reads and all(_is_registry_name(word.value) for word in names)
    )


def _is_registry_name(text: str | None) -> bool:
    if not text:
        return False
    scoped = text[1:].replace("/", "", 1) if text.startswith("@") else text
    return "/" not in scoped and not scoped.startswith((".", "~")) and not text.endswith(_ARCHIVES)


def _read_install(
    call: Call,
    words: tuple[str, ...],
    touched: _Touched,
    instruction: Instruction,
    workspace: Workspace,
) -> Call:
    try:
        install = read_install(words, call.directory, instruction, workspace)
    except UnknownInstallError as error:
        return call._replace(problem=error)
    reads, writes = _installed(install)
    return call._replace(
        install=install, reads=touched.reads | reads, writes=touched.writes | writes
    )


def _installed(install: Install) -> tuple[Reach, Reach]:
    """What an install touches in the image."""

    def place(path: str) -> str:
        inner = posixpath.relpath(path.rstrip("*"), install.folder or ".")
        return posixpath.normpath(posixpath.join(install.directory, inner))

    reads = Reach(tuple(place(path) for path in (*install.files, *install.folders)))
    facts = command_facts()
    return reads, Reach((*(place(path) for path in install.leaves), *facts.system, *_KEPT))


# Words and redirections


def _redirected(redirections: Iterable[Redirection], directory: str | None) -> _Touched:
    touched = _Touched()
    for entry in redirections:
        target = entry.target.strip()
        if target in _QUIET or entry.operator.startswith("<<") or target.isdigit():
            continue
        use: Use = "reads" if entry.operator.startswith("<") else "writes"
        touched |= _use(read_word(target, 0), use, directory)
    return touched


def _use(word: Word, use: Use, directory: str | None) -> _Touched:
    """What it means that a program does something with a word."""
    if use == "text" or word.text == "-":
        return _Touched()
    if use == "at":
        _, at, path = (word.value or "@").rpartition("@")
        reach = _named(path, directory) if path else EVERYTHING
        return _Touched(reach if at else NOTHING)
    reach = _place(word, directory)
    if use == "makes":
        return _ALL if reach.everything else _Touched(makes=reach.paths)
    return _Touched(
        reach if use in ("reads", "both") else NOTHING,
        reach if use in ("writes", "both") else NOTHING,
    )


def _place(word: Word, directory: str | None) -> Reach:
    """The image paths that a word stands for."""
    if word.value is None or word.has_brace:
        return EVERYTHING
    return _named(word.value, directory, glob=word.has_glob)


def _named(text: str, directory: str | None, glob: bool = False) -> Reach:
    if text.startswith("~"):
        return Reach(_HOMES)
    if glob:
        text = _before_pattern(text)
    if text.startswith("/"):
        return Reach((posixpath.normpath(text),))
    if directory is None:
        return EVERYTHING
    return Reach((posixpath.normpath(posixpath.join(directory, text)),))


def _before_pattern(text: str) -> str:
    """The folder in which a pattern looks."""
    parts = text.split("/")
    first = next(index for index, part in enumerate(parts) if any(char in part for char in "*?["))
    return "/".join(parts[:first]) or ("/" if text.startswith("/") else ".")


def _option(text: str) -> tuple[str, str | None]:
    """Name and value of an option, the value None when it may be the next word."""
    name, equals, value = text.partition("=")
    if equals:
        return name, value
    if not text.startswith("--") and len(text) > 2 and text[2] in "/.~":
        return text[:2], text[2:]
    return text, None


def _has_letter(text: str, options: frozenset[str]) -> bool:
    """Whether an option, or one among short options written together, is one of these."""
    if text in options:
        return True
    return not text.startswith("--") and any(f"-{letter}" in options for letter in text[1:])


@dataclass(slots=True)
class _Operands:
    """Goes through the words of a command as its rule says."""

    rule: Rule
    directory: str | None
    command: Command
    operands: list[Word] = field(default_factory=list)

    def touched(self) -> _Touched:
        rule = self.rule
        if rule.operands == "everything":
            return _ALL
        found = self._options()
        if rule.needs_operand and not self.operands:
            return _ALL
        for word, use in self._uses():
            found |= _use(word, use, self.directory)
        found |= self._downloads()
        reads, writes = self._places(rule.reads), self._places(self._own_places())
        return found | _Touched(reads, writes)

    def _places(self, names: tuple[str, ...]) -> Reach:
        """Places that the rule names; `~` is what tools keep in a home."""
        return unite(
            Reach(_KEPT) if name == "~" else _named(name, self.directory) for name in names
        )

    def _own_places(self) -> tuple[str, ...]:
        """What it writes in any case; not its own directory when an option says where to."""
        options = [w.text for w in self.command.words if w.text.startswith("-")]
        moved = any(self._option_use(_option(text)[0]) == "writes" for text in options)
        return tuple(place for place in self.rule.writes if place != "." or not moved)

    def _options(self) -> _Touched:
        """What options name; gathers the operands on the way."""
        found = _Touched()
        waiting: Use | None = None
        for word in self.command.words[1 + len(self.rule.words) :]:
            if waiting is not None:
                found |= _use(word, waiting, self.directory)
                waiting = None
            elif not word.text.startswith("-") or len(word.text) == 1:
                self.operands.append(word)
            else:
                name, value = _option(word.text)
                use = self._option_use(name)
                if value is None:
                    waiting = use
                elif use is not None:
                    found |= _use(read_word(value, 0), use, self.directory)
        return found

    def _option_use(self, name: str) -> Use | None:
        """What becomes of an option's value; None when it has none."""
        if not name.startswith("--"):
            # `-qO x` is `-q -O x`.
            name = f"-{name[-1]}"
        return self.rule.options.get(name) or ("text" if name in self.rule.values else None)

    def _uses(self) -> Iterator[tuple[Word, Use]]:
        rule, last = self.rule, len(self.operands) - 1
        plain = any(word.text in rule.first_unless for word in self.command.words)
        for index, word in enumerate(self.operands):
            if index == 0 and rule.first is not None and not plain:
                yield word, rule.first
            elif index == last and index > 0 and rule.last is not None:
                yield word, rule.last
            else:
                yield word, rule.operands

    def _downloads(self) -> _Touched:
        """Files that are written into the directory under the name that the address ends in."""
        wanted = self.rule.writes_name_of
        options = [w.text for w in self.command.words if w.text.startswith("-")]
        if any(self._option_use(_option(text)[0]) == "writes" for text in options):
            return _Touched()
        if "*" not in wanted and not any(_has_letter(text, wanted) for text in options):
            return _Touched()
        names = [posixpath.basename(word.value or "") or None for word in self.operands]
        if None in names:
            return _Touched(writes=_named(".", self.directory))
        return _Touched(writes=unite(_named(name or ".", self.directory) for name in names))
