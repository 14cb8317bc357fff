"""Whether the work of this process goes on: who does something beats, a probe reads how long ago that was.

Work that is silent for longer than its bound is stuck, and the process is not live: a restart helps. Work
that waits for a server, or for its turn at the site, says so and is not stuck, however long that takes: a
restart brings no server back. What such work lacks makes the process not ready. docs/health.md has the rule.

Beats are made by the event loop's thread, and read by any.
"""

import contextlib
import itertools
import time
from collections.abc import Generator
from contextvars import ContextVar
from typing import Literal

from msgspec import Struct

BOUND_SECONDS = 120.0
"""How long work may be silent: longer than it waits for any answer of the broker, the database, the site."""

clock = time.monotonic


class WorkSeen(Struct, frozen=True, kw_only=True):
    """Work as a probe sees it: how long ago it began, and beat; `last` is how long ago it did what."""

    name: str
    began_seconds: float
    silent_seconds: float
    bound_seconds: float
    waits_for: str | None
    lacks: str | None
    last: dict[str, float]

    @property
    def stuck(self) -> bool:
        """Whether it has been silent for too long."""
        return self.waits_for is None and self.silent_seconds > self.bound_seconds


class Work:
    """Something that this process does: an event loop, a member's polling, a batch, a record's fetch."""

    def __init__(self, name: str, bound_seconds: float) -> None:
        self._name = name
        self._bound_seconds = bound_seconds
        self._began = self._beaten = clock()
        self._waits_for: list[str] = []
        self._lacks: str | None = None
        self._last: dict[str, float] = {}

    def beat(self, did: str | None = None) -> None:
        """Note that the work goes on, and what was done just now."""
        self._beaten = clock()
        if did:
            self._last[did] = self._beaten

    def lacks(self, what: str | None) -> None:
        """Note what the work can't do without, and has not now; None where it has all."""
        self.beat()
        self._lacks = what

    @contextlib.contextmanager
    def waiting(self, what: str) -> Generator[None]:
        """A block that may wait for as long as it takes, for what another process or server does."""
        self._waits_for.append(what)
        try:
            yield
        finally:
            self._waits_for.remove(what)
            self.beat()

    def seen(self) -> WorkSeen:
        """The work as it is now."""
        now = clock()
        waits_for = [*self._waits_for]
        return WorkSeen(
            name=self._name,
            began_seconds=round(now - self._began, 1),
            silent_seconds=round(now - self._beaten, 1),
            bound_seconds=self._bound_seconds,
            waits_for=waits_for[-1] if waits_for else None,
            lacks=self._lacks,
            last={did: round(now - at, 1) for did, at in [*self._last.items()]},
        )


_numbers = itertools.count()
_works: dict[int, Work] = {}
_current: ContextVar[Work | None] = ContextVar("work", default=None)


@contextlib.contextmanager
def working(name: str, bound_seconds: float | None = None) -> Generator[Work]:
    """Work that is done in this block, and by the tasks that begin in it."""
    number = next(_numbers)
    work = _works[number] = Work(name, bound_seconds or BOUND_SECONDS)
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)
        del _works[number]


def beat(did: str | None = None) -> None:
    """Let the work at hand beat, if there is any."""
    if work := _current.get():
        work.beat(did)


def lacks(what: str | None) -> None:
    """Note what the work at hand lacks, if there is any."""
    if work := _current.get():
        work.lacks(what)


@contextlib.contextmanager
def waiting(what: str) -> Generator[None]:
    """A block in which the work at hand, if there is any, may wait for as long as it takes."""
    work = _current.get()
    with work.waiting(what) if work else contextlib.nullcontext():
        yield


def seen() -> list[WorkSeen]:
    """All work of this process."""
    return [work.seen() for work in [*_works.values()]]


def lacking() -> list[str]:
    """What the work of this process lacks, each once."""
    return list(dict.fromkeys(f"{one.name}: {one.lacks}" for one in seen() if one.lacks))


class Live(Struct, frozen=True, kw_only=True):
    """Whether the work of a process goes on; where not, which is stuck."""

    status: Literal["ok", "stuck"]
    reasons: list[str]
    work: list[WorkSeen]


def live() -> Live:
    """Whether all work of this process goes on."""
    found = seen()
    stuck = [
        f"{one.name} has been silent for {one.silent_seconds:.0f} s; {one.bound_seconds:.0f} s are its bound"
        for one in found
        if one.stuck
    ]
    return Live(status="stuck" if stuck else "ok", reasons=stuck, work=found)
