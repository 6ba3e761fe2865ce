"""Files whose lines are commands: Procfiles and crontabs.

Sources: devcenter.heroku.com/articles/procfile, crontab(5).
"""

from __future__ import annotations

from dockerfix.context.usage.facts import Command, Findings, Source
from dockerfix.patterns import pattern

_PROCFILE_LINE = pattern(r"^([\w-]+):\s+(\S.*)$", 8)
_CRON_LINE = pattern(r"^\s*(?:@\w+|(?:[\d*/,-]+\s+){5})\s*(\S.*)$", 8)


def read_procfile(source: Source) -> Findings:
    """The processes of a Procfile."""
    found = _PROCFILE_LINE.finditer(source.text)
    return Findings(commands=tuple(Command(source.place(m[1]), m[2]) for m in found))


def read_crontab(source: Source) -> Findings:
    """The commands of a crontab."""
    found = _CRON_LINE.finditer(source.text)
    return Findings(commands=tuple(Command(source.place("cron"), m[1]) for m in found))
