"""Why something is left alone, on its way up to whoever declines."""

from __future__ import annotations


class ReasonError(Exception):
    """A few fixed words, the same for every case, and what is special about this one."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
