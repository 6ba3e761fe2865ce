"""Regular expressions that are compiled when they are first used.

A cold start uses a few of the many patterns; compiling them all costs more than the work itself.
"""

from __future__ import annotations

import re
from typing import AnyStr, Generic, cast


class _Lazy(Generic[AnyStr]):
    """Stands in for a compiled pattern; methods are bound to it as they are asked for."""

    def __init__(self, text: AnyStr, flags: int) -> None:
        self._text: AnyStr = text
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return cast("object", found)


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The same as `re.compile`, later."""
    return cast("re.Pattern[AnyStr]", _Lazy(text, flags))
