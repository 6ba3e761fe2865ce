"""The entry point: `dockerfix` and `python -m dockerfix`."""

from __future__ import annotations

import os
import sys

#: As shells report a program that an interrupt ended.
INTERRUPTED = 130


def main() -> None:
    """Run the command line; an interrupt or a closed pipe ends it without a traceback."""
    import click

    from dockerfix.cli import main as command_line

    try:
        code = command_line(prog_name="dockerfix", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        print("Interrupted.", file=sys.stderr)
        code = INTERRUPTED
    _flush(code or 0)


def _flush(code: int) -> None:
    """End the program; a reader that has gone away is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


if __name__ == "__main__":
    main()
