"""The entry point: `dockerfix` and `python -m dockerfix`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; an interrupt or a closed pipe ends it without a traceback."""
    from dockerfix.cli import main as command_line

    try:
        command_line(prog_name="dockerfix")
    except BrokenPipeError:
        # Whoever read our output has enough; point standard output elsewhere so that the
        # interpreter's last flush does not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
