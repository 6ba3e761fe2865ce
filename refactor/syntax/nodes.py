"""The lines of a Dockerfile that are no instruction, and what stands within one."""

from __future__ import annotations

from dataclasses import dataclass

from dockerfix.syntax.words import SPACES


@dataclass(frozen=True, slots=True, eq=False)
class Comment:
    """A comment line of its own, between instructions."""

    code: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """Offset just after the node."""
        return self.start + len(self.code)

    @property
    def text(self) -> str:
        """The comment without `#` and the blanks around it."""
        return self.code.strip(SPACES)[1:].strip(SPACES)


@dataclass(frozen=True, slots=True, eq=False)
class Blank:
    """An empty line between instructions."""

    code: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """Offset just after the node."""
        return self.start + len(self.code)


@dataclass(frozen=True, slots=True, eq=False)
class Directive:
    """A parser directive: `# syntax=`, `# escape=`, `# check=`, only at the top of the file."""

    name: str
    value: str
    code: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """Offset just after the node."""
        return self.start + len(self.code)


@dataclass(frozen=True, slots=True, eq=False)
class Heredoc:
    """A here-document; `start` and `end` bound its body, the end mark is the line that follows."""

    name: str
    content: str
    #: False when the name is quoted, so that variables in the body are left alone.
    expand: bool
    #: True for `<<-`: leading tabs are dropped.
    chomp: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """A flag before the arguments, such as `--from=build`; `value` is None for a bare flag."""

    name: str
    value: str | None
    start: int
    end: int
