"""The system packages that the stage that runs needs, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockerfix.effects.model import Call, Step
from dockerfix.knowledge.system_packages import runtime_packages
from dockerfix.packages import read_package_command
from dockerfix.splitting.plan import NotSplitError, Plan, Program


class KeptPackages(NamedTuple):
    """Reads the installs of a program's steps for the image that runs it."""

    program: Program
    plan: Plan

    def missing_update(self, step: Step) -> Iterator[str]:
        """The update of an earlier RUN, which this one's install counts on."""
        managers = [read_package_command(c.command) for c in step.calls if c.kind == "packages"]
        installs = [p for p in managers if p is not None and p.action == "install"]
        if not installs or not installs[0].manager.needs_index:
            return
        if any(p is not None and p.action == "update" for p in managers):
            return
        for other, call in self.program.calls("packages"):
            package = read_package_command(call.command)
            if package is not None and package.action == "update":
                yield other.run.script.text[call.command.start : call.command.end]
                return
        raise NotSplitError("an install that counts on another's index")

    def of(self, call: Call) -> list[str]:
        """The packages of an install that are kept, or what takes their place."""
        package = read_package_command(call.command)
        if package is None or package.action != "install":
            return []
        return [
            kept if kept != word.text.partition("=")[0] else word.text
            for word in package.packages
            for kept in self._runtime_packages(word.text.partition("=")[0])
        ]

    def _runtime_packages(self, name: str) -> tuple[str, ...]:
        left_out = name in self.plan.unneeded or name in self._removed
        return () if left_out else runtime_packages(name, self.plan.base)

    @property
    def _removed(self) -> set[str]:
        """The packages that a step of the stage that builds takes out of the image again."""
        packages = (read_package_command(c.command) for _, c in self.program.calls("packages"))
        removes = (p for p in packages if p is not None and p.action == "remove" and p.is_plain)
        return {word.text for package in removes for word in package.packages}

    def text(self, call: Call, text: str) -> str:
        """A command with the packages that are kept; nothing where none is. Raises NotSplitError.

        `text` is the command as it is written.
        """
        package = read_package_command(call.command)
        if package is not None and package.action == "remove":
            # What they came with may be needed here; that they are left out is gain already.
            raise NotSplitError("packages that are removed again", text)
        if package is None or package.action != "install":
            return text
        if "$" in text:
            raise NotSplitError("packages that a variable names", text)
        names = list(dict.fromkeys(self.of(call)))
        dropped = {word.text for word in package.packages}
        words = [word.text for word in call.command.words if word.text not in dropped]
        if set(names) != dropped:
            words = list(_without_group(words))
        return f"{' '.join(words)} {' '.join(names)}" if names else ""


def _without_group(words: list[str]) -> Iterator[str]:
    """Without the name that apk gives to packages which are there for the build."""
    rest = iter(words)
    for word in rest:
        if word in ("--virtual", "-t"):
            next(rest, None)
        elif not word.startswith("--virtual="):
            yield word
