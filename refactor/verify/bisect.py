"""Which pass makes the difference."""

from __future__ import annotations

from collections.abc import Callable


def find_culprits(
    passes: tuple[str, ...], is_good_without: Callable[[tuple[str, ...]], bool]
) -> tuple[str, ...]:
    """The one pass without which it is good, else the last ones; none when nothing helps.

    `is_good_without` says whether the refactoring is right when passes are left out. Leaving out
    all passes is not tried: nothing is left to be right or wrong.
    """
    for name in passes:
        if is_good_without((name,)):
            return (name,)
    left_out: tuple[str, ...] = ()
    for name in reversed(passes[1:]):
        left_out = (name, *left_out)
        if len(left_out) > 1 and is_good_without(left_out):
            return left_out
    return ()
