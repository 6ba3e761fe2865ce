"""Where results and talk go."""

from __future__ import annotations

import os
import sys

from dockerfix.report.text import colour_diff, visible


class Console:
    """Standard output for results, standard error for talk."""

    def __init__(self, color: str, quiet: bool) -> None:
        self.quiet = quiet
        self.terminal = sys.stdout.isatty()
        self.colored = color == "always" or (
            color == "auto" and self.terminal and not os.environ.get("NO_COLOR")
        )

    def result(self, text: str) -> None:
        """Results, byte for byte; on a terminal without control characters."""
        if self.terminal:
            text = visible(text)
        if self.colored:
            text = colour_diff(text)
        try:
            sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Whoever read the output has seen enough: `dockerfix . | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)

    def say(self, text: str) -> None:
        """Talk, unless it should be quiet."""
        if not self.quiet:
            self._print(text)

    def error(self, text: str) -> None:
        """An error."""
        self._print(f"error: {text}")

    def _print(self, text: str) -> None:
        print(visible(text), file=sys.stderr)

    def progress(self, done: int, total: int) -> None:
        """How far it is, where somebody watches."""
        if not self.quiet and total > 20 and sys.stderr.isatty():
            end = "\r" if done < total else "\r\x1b[K"
            print(f"{done} of {total} files", end=end, file=sys.stderr, flush=True)
