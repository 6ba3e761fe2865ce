"""What a check found."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A difference that no change explains, and the check that saw it."""

    #: `build`, `configuration`, `files`, `entry`, `libraries`, `modules`, `rights`, `archive`,
    #: `packages`, `certificates`, `time zones`, `locale`, `data`, `run`, `user`, `stop`, `writes`.
    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.check}: {self.text}"
