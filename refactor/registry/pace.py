"""How fast a registry may be asked, by what it says of its limits; and whether it answers."""

from __future__ import annotations

import datetime
import email.utils
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dockerfix.patterns import pattern

#: A Retry-After larger than this is a moment, not a span: Docker Hub gives seconds since 1970.
_MOMENT = 1_000_000_000
#: Seconds; some say 0.
_LEAST_WAIT = 0.5
_COUNT = pattern(r"\s*(\d+)\s*(?:;.*?\bw=(\d+))?.*")


class PausedError(Exception):
    """The registry must not be asked now; the message says when it may go on."""


@dataclass
class Pace:
    """What is known of one host; shared by all threads."""

    host: str
    longest_wait: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    #: Why the host is not asked any more; "" as long as it is.
    down: str = ""
    #: Not before this moment.
    until: float = 0.0
    #: The count is used up until then: what counts is not asked, the rest is.
    spent_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def enter(self, *, counts: bool) -> None:
        """Wait for the moment when a request may be made. Raises PausedError."""
        with self._lock:
            if self.down:
                raise PausedError(self.down)
            moment = max(self.until, self.spent_until if counts else 0.0)
            wait = moment - self.clock()
        if wait > self.longest_wait:
            raise PausedError(f"{self.host} limits requests; it may go on at {_show(moment)}")
        if wait > 0:
            self.sleep(wait)

    def limit(self, headers: Mapping[str, str]) -> float | None:
        """The registry said 429 or 503: all threads wait as it says; None when it does not."""
        said = read_wait(headers, self.clock())
        if said is None:
            return None
        wait = max(said, _LEAST_WAIT)
        with self._lock:
            self.until = max(self.until, self.clock() + wait)
        return wait

    def note(self, headers: Mapping[str, str]) -> None:
        """What an answer says about the count: `RateLimit-Remaining: 0;w=21600`."""
        match = _COUNT.fullmatch(headers.get("RateLimit-Remaining", ""))
        if match is None or int(match[1]) > 0:
            return
        reset = _COUNT.fullmatch(headers.get("RateLimit-Reset", ""))
        window = float(reset[1]) if reset else float(match[2] or 0)
        with self._lock:
            self.spent_until = max(self.spent_until, self.clock() + window)

    def stop(self, reason: str) -> None:
        """Ask no more in this run."""
        with self._lock:
            self.down = self.down or reason


def read_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by `Retry-After`: seconds, a date, or a moment; None when it is not said."""
    text = headers.get("Retry-After", "").strip()
    if text.isdigit():
        return max(0.0, float(text) - now) if float(text) > _MOMENT else float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, moment.timestamp() - now)


def _show(moment: float) -> str:
    found = datetime.datetime.fromtimestamp(moment).astimezone()
    today = datetime.datetime.now().astimezone().date()
    return found.strftime("%H:%M:%S" if found.date() == today else "%Y-%m-%d %H:%M")
