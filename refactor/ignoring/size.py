"""How much of a build context a path is."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dockerfix.context.build_context import BuildContext

#: More names than these are not counted.
_MAX_NAMES = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    """Files and bytes; `more` when there was more than was counted."""

    files: int = 0
    octets: int = 0
    more: bool = False

    def __add__(self, other: Size) -> Size:
        return Size(self.files + other.files, self.octets + other.octets, self.more or other.more)

    def __str__(self) -> str:
        """`1204 files, 35.2 MB`."""
        number, unit = float(self.octets), "bytes"
        for larger in ("kB", "MB", "GB"):
            if number < 1000:
                break
            number, unit = number / 1000, larger
        text = f"{number:.0f}" if unit == "bytes" else f"{number:.1f}"
        files = f"{self.files} file" + ("" if self.files == 1 else "s")
        return f"{'more than ' if self.more else ''}{files}, {text} {unit}"


def size_of(path: str, context: BuildContext) -> Size:
    """What a path of the context comes to; nothing when it is not there. Links are not followed."""
    place = os.path.join(os.path.realpath(context.root), path)
    if os.path.islink(place) or not os.path.exists(place):
        return Size()
    if not os.path.isdir(place):
        return Size(1, os.path.getsize(place))
    files = octets = seen = 0
    waiting = [place]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    seen += 1
                    if seen > _MAX_NAMES:
                        return Size(files, octets, True)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        files += 1
                        octets += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return Size(files, octets)
