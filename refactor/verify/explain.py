"""Which change of the refactoring made a field of the configuration what it is."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dockerfix.syntax.parser import parse
from dockerfix.transform import Change

_KEYWORDS = {
    "User": ("USER",),
    "Env": ("ENV",),
    "Entrypoint": ("ENTRYPOINT",),
    "Cmd": ("CMD",),
    "WorkingDir": ("WORKDIR",),
    "ExposedPorts": ("EXPOSE",),
    "Volumes": ("VOLUME",),
    "Labels": ("LABEL",),
    "Healthcheck": ("HEALTHCHECK",),
    "StopSignal": ("STOPSIGNAL",),
    "Shell": ("SHELL",),
    "OnBuild": ("ONBUILD",),
    "Author": ("MAINTAINER",),
}
#: A shell that only starts a command may be left out.
_PLAIN_COMMAND = re.compile(r"^[\w@%+=:,./ \t'\"-]+$")


class Explanation(NamedTuple):
    """The passes behind a difference, none when nothing explains it, and a sentence."""

    passes: tuple[str, ...] = ()
    why: str = ""


NOTHING = Explanation()


@dataclass(slots=True)
class Explainer:
    """What is known of a refactoring: both texts, and its changes."""

    before: str
    after: str
    changes: tuple[Change, ...]
    target: str | None = None
    #: Passes that gave the image another base, and the names of both bases.
    _bases: tuple[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._bases = (_base(self.before, self.target), _base(self.after, self.target))

    def explain(
        self,
        field: str,
        name: str,
        old: Any,  # noqa: ANN401 - JSON
        new: Any,  # noqa: ANN401 - JSON
    ) -> Explanation:
        """Why a field, or a name in it, went from old to new."""
        if name == "PATH":
            return self._search_path(str(old or ""), str(new or ""))
        if new is not None:
            written = self._written(field, name, new)
            if written.passes:
                return written
        if new is None and (removing := self._removing(name, field)):
            return Explanation(removing, "the change takes it away")
        if replacing := self._replacing(field, new):
            return Explanation(replacing, f"of the program that {self._bases[1]} now stands for")
        return self._from_base(field, name, old, new)

    def same_command(self, before: dict[str, Any], after: dict[str, Any]) -> Explanation:
        """The same words, started with or without a shell."""
        if _command(before) != _command(after) or not _command(before):
            return NOTHING
        passes = self._touching(("CMD", "ENTRYPOINT"))
        return Explanation(passes, "the same command in another form") if passes else NOTHING

    def _written(self, field: str, name: str, new: Any) -> Explanation:  # noqa: ANN401 - JSON
        passes = tuple(
            dict.fromkeys(
                change.pass_name
                for change in self.changes
                if any(_writes(edit.text, field, name, new) for edit in change.edits)
            )
        )
        return Explanation(passes, "the change writes it") if passes else NOTHING

    def _touching(self, keywords: Iterable[str]) -> tuple[str, ...]:
        pattern = re.compile(rf"(?im)^\s*(?:{'|'.join(keywords)})\b|^\s*\[")
        found = (
            change.pass_name
            for change in self.changes
            if any(pattern.search(edit.text) for edit in change.edits)
        )
        return tuple(dict.fromkeys(found))

    def _removing(self, name: str, field: str) -> tuple[str, ...]:
        """The passes that take instructions of a field away; of a named one, those that name it."""
        pattern = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
        found: list[str] = []
        for change in self.changes:
            words = [change.message, change.help, *(str(entry) for entry in change.evidence)]
            named = not name or any(pattern.search(text) for text in words)
            if named and _removes(change, field, partly=bool(name)):
                found.append(change.pass_name)
        return tuple(dict.fromkeys(found))

    def _replacing(self, field: str, new: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
        """The passes that give up the command for that of another base, as nginx for `serve`.

        What only the given up command saw, its folder and its variables, goes with it.
        """
        command = ("CMD", "ENTRYPOINT")
        takes_over = field in ("Cmd", "Entrypoint") or (field in ("WorkingDir", "Env") and not new)
        same_base = self._bases[0] == self._bases[1]
        if not takes_over or same_base or _sets(self.after, command, ""):
            return ()
        found = [c.pass_name for c in self.changes if set(command) & set(c.removed)]
        return tuple(dict.fromkeys(found))

    def _from_base(self, field: str, name: str, old: Any, new: Any) -> Explanation:  # noqa: ANN401
        """What no instruction sets, the base image sets; it is another one now."""
        if self._bases[0] == self._bases[1]:
            return NOTHING
        keywords = _KEYWORDS.get(field, ())
        if name:
            lost = new is None or old is not None
            if lost and field in ("ExposedPorts", "Volumes") and _sets(self.before, keywords, ""):
                return NOTHING
            known = _sets(self.before, keywords, name) or _sets(self.after, keywords, name)
        else:
            known = _sets(self.before, keywords, "") or _sets(self.after, keywords, "")
        return NOTHING if known else self._other_base()

    def _other_base(self) -> Explanation:
        """The passes behind the other base image."""
        name = self._bases[1]
        found = [c.pass_name for c in self.changes if any(name in e.text for e in c.edits)]
        passes = tuple(dict.fromkeys(found)) or self._touching(("FROM",))
        return Explanation(passes, f"set by the base image, {self._bases[0]} -> {name}")

    def _search_path(self, old: str, new: str) -> Explanation:
        """Each folder of PATH that comes is written by a change, each that goes is the base's."""
        came = [part for part in new.split(":") if part not in old.split(":")]
        went = [part for part in old.split(":") if part not in new.split(":")]
        found: list[str] = []
        for part in came:
            passes = [c.pass_name for c in self.changes if any(part in e.text for e in c.edits)]
            if not passes and self._bases[0] == self._bases[1]:
                return NOTHING
            found += passes or self._other_base().passes
        if went:
            if self._bases[0] == self._bases[1] or any(part in self.before for part in went):
                return NOTHING
            found += self._other_base().passes
        if not came and not went:
            found += self._touching(("ENV",)) or self._other_base().passes
        return Explanation(tuple(dict.fromkeys(found)), "folders of the change and of the base")


def _removes(change: Change, field: str, *, partly: bool) -> bool:
    """Whether a change takes instructions of a field away, or `partly` a piece of one."""
    keywords = _KEYWORDS.get(field, ())
    gone = sum(change.removed.count(keyword) - change.added.count(keyword) for keyword in keywords)
    cuts = any(edit.end > edit.start and not edit.text.strip() for edit in change.edits)
    return gone > 0 or (partly and cuts)


def _base(code: str, target: str | None) -> str:
    """The image that the built stage stands on."""
    dockerfile = parse(code)
    stages = dockerfile.stages
    stage = dockerfile.find_stage(target) if target else None
    stage = stage or (stages[-1] if stages else None)
    while stage is not None and (parent := dockerfile.parent(stage)) is not None:
        stage = parent
    return (stage.resolved_base or stage.base) if stage is not None else ""


def _sets(code: str, keywords: tuple[str, ...], name: str) -> bool:
    """Whether an instruction of these keywords is in a file, and names something."""
    pattern = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])") if name else None
    return any(
        pattern is None or pattern.search(instruction.argument_text) is not None
        for instruction in parse(code).instructions
        if instruction.keyword in keywords
    )


def _writes(text: str, field: str, name: str, new: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether the text of an edit sets a field to what it is."""
    if name:
        return re.search(rf"(?<![\w.-]){re.escape(name.split('/')[0])}(?![\w-])", text) is not None
    if isinstance(new, list):
        return any(_is_list(part, new) for part in re.findall(r"\[.*?\]", text, re.S)) or (
            len(new) == 3 and new[1] == "-c" and str(new[2]).strip() in text
        )
    keywords = "|".join(_KEYWORDS.get(field, ("(?!)",)))
    if isinstance(new, str):
        whole = rf"(?im)^\s*(?:{keywords})\s[^\n]*(?<![\w.-]){re.escape(new)}[\"']?\s*$"
        return text.strip() == new or re.search(whole, text) is not None
    return re.search(rf"(?im)^\s*(?:{keywords})\b", text) is not None


def _is_list(text: str, wanted: list[Any]) -> bool:
    try:
        return bool(json.loads(text) == wanted)
    except ValueError:
        return False


def _command(config: dict[str, Any]) -> list[str]:
    """The words that a container runs; a shell that only starts them, or `exec`, is left out."""
    words = [str(w) for w in (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))]
    for place in range(len(words) - 2):
        shell = words[place] in ("/bin/sh", "/bin/bash", "sh", "bash")
        if shell and re.fullmatch(r"-\w*c", words[place + 1]):
            text = words[place + 2].strip().removeprefix("exec ")
            if _PLAIN_COMMAND.match(text):
                try:
                    return [*words[:place], *shlex.split(text), *words[place + 3 :]]
                except ValueError:
                    return words
    return words
