"""The diff: as `difflib` writes it for short texts, and as small as it can be for long ones."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from dockerfix.diff import unified_diff

_texts = st.lists(st.sampled_from(["a", "b", "", "\r", "c\x0c"]), max_size=30).map("\n".join)


@given(_texts, _texts)
def test_short_texts(before: str, after: str) -> None:
    assert unified_diff(before, after, "f") == by_difflib(before, after)


def by_difflib(before: str, after: str) -> str:
    lines = difflib.unified_diff(split(before), split(after), "a/f", "b/f")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def split(text: str) -> list[str]:
    return [line for line in text.replace("\n", "\n\0").split("\0") if line]


def test_blank_lines_of_a_long_text_are_no_change() -> None:
    head = "".join(f"RUN step {number}\n\n" for number in range(200))
    diff = unified_diff(f"{head}CMD a\n\n\n", f"{head}CMD exec a\n\n\n", "f")
    changed = [line for line in diff.splitlines()[2:] if line[0] in "+-"]
    assert changed == ["-CMD a", "+CMD exec a"]
