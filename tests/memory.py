"""How much memory it takes to compare two images: `python -m tests.memory [FILES [SIZE]]`.

Reads two tar streams that are made while they are read, 300,000 files and 5.1 GB each if nothing
else is said, the second with every tenth file changed, and compares them. Prints the peak in MB.
"""

from __future__ import annotations

import io
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from dockerfix.verify.compare import Judge, compare_trees
from dockerfix.verify.tree import Tree, read_tree

_PIECE = 1 << 20


class Stream(io.RawIOBase):
    """An image that exists only while it is read."""

    def __init__(self, files: int, size: int, fill: int) -> None:
        self.parts = self._make(files, size, fill)
        self.rest = b""

    def _make(self, files: int, size: int, fill: int) -> Iterator[bytes]:
        for number in range(files):
            name = f"app/node_modules/package-{number % 1999}/lib/file-{number}.js"
            member = tarfile.TarInfo(name)
            member.size = size
            yield member.tobuf()
            left = -(-size // 512) * 512
            octet = bytes([fill if number % 10 == 0 else 0])
            while left:
                take = min(left, _PIECE)
                yield octet * take
                left -= take
        yield bytes(1024)

    def readable(self) -> bool:
        return True

    def read(self, wanted: int = -1) -> bytes:
        pieces, length = [self.rest], len(self.rest)
        while length < wanted and (part := next(self.parts, b"")):
            pieces.append(part)
            length += len(part)
        found = b"".join(pieces)
        self.rest = found[wanted:]
        return found[:wanted]


def peak_megabytes() -> int:
    """The most this program held; `ru_maxrss` would count what its parent held at the fork."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("the system does not say how much memory was used")


def main(files: int = 300_000, size: int = 17_000) -> None:
    start = time.monotonic()
    trees: list[Tree] = [read_tree(Stream(files, size, fill)) for fill in (0, 1)]  # type: ignore[arg-type]
    found = compare_trees(*trees, Judge("/app", frozenset(), {}))
    assert len(trees[0].nodes) == files
    assert len(found.changed) == -(-files // 10)
    peak = peak_megabytes()
    gigabytes = 2 * files * size / 1e9
    print(f"{peak} MB for {gigabytes:.1f} GB in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
