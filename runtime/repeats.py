"""Warnings that say the same again and again: the first is logged, the others are counted.

A server that is away, or a resource that is used up, is told of a thousand times a second by some libraries.
Lines that differ in anything but their time are different lines, and all logged.
"""

import threading
import time
from collections.abc import Callable, Hashable

from msgspec import Struct

REPEAT_SECONDS = 10.0
"""How long the same line is only counted; then it is told how often it came, and may come again."""

REMEMBERED = 1_000


class _Logged(Struct):
    at: float
    text: str
    more: int = 0


class Repeats:
    """Knows what was logged of late; `report` is told a line's text, and how often it came again."""

    def __init__(self, report: Callable[[str, int], None]) -> None:
        self._report = report
        self._said: dict[Hashable, _Logged] = {}
        self._lock = threading.Lock()

    def is_new(self, line: Hashable, text: str) -> bool:
        """Whether a line is to be logged; if not, it is counted."""
        with self._lock:
            old = self._forget(time.monotonic() - REPEAT_SECONDS, REMEMBERED - 1)
            known = self._said.get(line)
            if known:
                known.more += 1
            else:
                self._said[line] = _Logged(time.monotonic(), text)
        self._tell(old)
        return known is None

    def flush(self) -> None:
        """Report all that was counted."""
        with self._lock:
            old = self._forget(time.monotonic(), 0)
        self._tell(old)

    def _forget(self, before: float, most: int) -> list[_Logged]:
        """Take out what was first said before this, and the oldest beyond so many."""
        old: list[_Logged] = []
        while self._said:
            line, said = next(iter(self._said.items()))
            if said.at > before and len(self._said) <= most:
                break
            old.append(self._said.pop(line))
        return old

    def _tell(self, old: list[_Logged]) -> None:
        for said in old:
            if said.more:
                self._report(said.text, said.more)
