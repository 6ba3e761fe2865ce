"""`useradd` with a high number, which fills a layer with an empty log."""

from __future__ import annotations

from dockerfix.modernising.change import Found, change
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Workspace

#: From here on the logs that useradd makes room in are long (Docker, "Building best practices").
_HIGH_NUMBER = 100_000
_NUMBER_OPTION = pattern(r"(?:-u|--uid)=?(\d*)")
_NO_LOG = pattern(r"--no-log-init|-[a-zA-Z]*l[a-zA-Z]*")


def log_of_a_high_number(instruction: Instruction, workspace: Workspace) -> Found:
    """`useradd -u 100000000` fills a layer with an empty log."""
    run = workspace.run(instruction)
    for command in run.script.commands() if run else ():
        words = [word.text for word in command.words[1:]]
        if command.literal_name != "useradd" or any(map(_NO_LOG.fullmatch, words)):
            continue
        if run is not None and _user_number(words) >= _HIGH_NUMBER:
            yield change(
                instruction,
                "`useradd` makes room in the log of logins for all numbers below",
                "Add `--no-log-init`",
                run.insert(command.words[0].end, " --no-log-init"),
            )


def _user_number(words: list[str]) -> int:
    """The number that useradd is told; -1 when it is told none."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        match = _NUMBER_OPTION.fullmatch(word)
        number = (match[1] or following) if match else ""
        if number.isascii() and number.isdigit() and len(number) < 19:
            return int(number)
    return -1
