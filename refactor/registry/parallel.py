"""Many questions at once, with an end even when a question never ends."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from dockerfix.registry.answers import RegistryError

Item = TypeVar("Item")
Found = TypeVar("Found")

_TICK = 0.25


class SilenceError(RegistryError):
    """Nothing was heard for too long."""


def ask_all(
    items: Sequence[Item],
    ask: Callable[[Item], Found],
    *,
    workers: int,
    silence: float,
    heard: Callable[[], int],
) -> Iterator[tuple[Item, Found | RegistryError]]:
    """Each item with its answer, or the RegistryError that `ask` raised, as they come.

    `heard` counts what was heard from registries; when it stands still for `silence` seconds, what
    is open counts as failed. The threads are daemons: looking up a host's name cannot be called
    off, and must not keep the program from ending.
    """
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Item, Found | BaseException]] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    for _ in range(min(workers, len(items))):
        threading.Thread(target=_work, args=(waiting, done, ask), daemon=True).start()
    missing = set(items)
    last, moment = heard(), time.monotonic()
    while missing:
        try:
            item, found = done.get(timeout=_TICK)
        except queue.Empty:
            if heard() != last:
                last, moment = heard(), time.monotonic()
            elif time.monotonic() - moment > silence:
                break
            continue
        moment = time.monotonic()
        if isinstance(found, BaseException) and not isinstance(found, RegistryError):
            raise found
        missing.discard(item)
        yield item, found
    for item in items:
        if item in missing:
            yield item, SilenceError(f"no answer within {silence:g} s")


def _work(
    waiting: queue.SimpleQueue[Item],
    done: queue.SimpleQueue[tuple[Item, Found | BaseException]],
    ask: Callable[[Item], Found],
) -> None:
    while True:
        try:
            item = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((item, ask(item)))
        except BaseException as error:
            done.put((item, error))
