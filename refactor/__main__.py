"""The entry point: `dockerfix` and `python -m dockerfix`."""

from __future__ import annotations

import gc
import os
import sys

#: As shells report a program that an interrupt ended.
INTERRUPTED = 130
FAILURE = 2
#: Trees have few cycles: the collector's usual 700 objects cost a twentieth of a run for nothing.
_COLLECT_SELDOM = (100_000, 20, 20)


def main() -> None:
    """Run the command line; an interrupt, a closed pipe or a full disk leave no traceback."""
    gc.set_threshold(*_COLLECT_SELDOM)
    import click

    from dockerfix.cli import main as command_line

    _open_missing_streams()
    try:
        code = command_line(prog_name="dockerfix", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        print("Interrupted.", file=sys.stderr)
        code = INTERRUPTED
    except OSError as error:
        code = _tell(error)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else FAILURE
    _flush(code or 0)


def _open_missing_streams() -> None:
    """Stand in for streams that the caller closed (`>&-`): Python has None there."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - open to the end
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _flush(code: int) -> None:
    """End the program; a reader that has gone away is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
    except OSError as error:
        code = _tell(error)
    sys.exit(code)


def _tell(error: OSError) -> int:
    """Say what failed: standard output, if nothing else is named."""
    print(f"error: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
    _drop_output()
    return FAILURE


def _drop_output() -> None:
    """The interpreter flushes once more at its end: let that go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
