"""Following runs: whoever waits for one is woken when it moves, and at least each second.

All who follow a run share one look at it: how many they are makes the database no difference.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Generator
from typing import NamedTuple
from uuid import UUID

from runs import run as runs
from runs.run import Run, RunProgress
from schemas.errors import LapstreamError
from store.notifications import listening
from store.pool import RELEASE_SECONDS, Pool
from store.waiting import set_within

CHANNEL = "lapstream_runs"
SHORTEST_SECONDS = 0.05
"""How long nobody looks after each look: a run may move a hundred times a second."""

LOOK_SECONDS = 1.0
"""A run that is followed is looked at at least this often, without a notification."""


class RunVanished(LapstreamError):
    """A run that was followed is not there any more."""


class Look(NamedTuple):
    """A run as it was found, and the number of the look, from 1."""

    number: int
    run: Run
    progress: RunProgress


class _Followed:
    """A run that somebody follows: looked at by one task for all of them."""

    def __init__(self, run_id: UUID, pool: Pool) -> None:
        self.followers = 0
        self.moved = asyncio.Event()
        self.begun = 0
        """The number of the newest look that was begun."""
        self._run_id = run_id
        self._pool = pool
        self._ended = 0
        self._found: Look | Exception = RunVanished(f"run {run_id} was not looked at yet")
        self._looked = asyncio.Event()
        self.work = asyncio.create_task(self._keep_looking())

    async def after(self, number: int) -> Look:
        """The newest look after one of this number; raises what that look raised."""
        while self._ended <= number:
            await self._looked.wait()
        if isinstance(self._found, Exception):
            raise self._found
        return self._found

    async def _keep_looking(self) -> None:
        while True:
            self.moved.clear()
            self.begun += 1
            try:
                self._found = await self._look()
            except Exception as error:  # noqa: BLE001 - each follower raises it
                self._found = error
            self._ended = self.begun
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            await asyncio.sleep(SHORTEST_SECONDS)
            await set_within(self.moved, LOOK_SECONDS)

    async def _look(self) -> Look:
        async with self._pool.acquire() as connection:
            run = await runs.read(connection, self._run_id)
            progress = await runs.progress(connection, self._run_id)
        if run is None:
            raise RunVanished(f"there is no run {self._run_id} any more")
        return Look(self.begun, run, progress)


class RunWatch:
    """Follows runs over one connection that hears of all of them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._followed: dict[str, _Followed] = {}
        self._ending = set[asyncio.Task[None]]()

    def heard(self, run_id: str) -> None:
        """Have a run that somebody follows looked at."""
        if followed := self._followed.get(run_id):
            followed.moved.set()

    async def ended(self, run_id: UUID, seconds: float) -> Run:
        """The run when it ended, or as it is after so many seconds; raises `RunVanished`."""
        until = time.monotonic() + seconds
        with self._following(run_id) as (followed, before):
            look = await followed.after(before)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until - time.monotonic()):
                    while look.run.state == "running":
                        look = await followed.after(look.number)
            return look.run

    async def updates(self, run_id: UUID) -> AsyncGenerator[tuple[Run, RunProgress]]:
        """The run as it is, then each time that it moved, and at least each second, until it ended."""
        with self._following(run_id) as (followed, before):
            look = await followed.after(before)
            yield look.run, look.progress
            while look.run.state == "running":
                look = await followed.after(look.number)
                yield look.run, look.progress

    async def close(self) -> None:
        """Look at no run any more."""
        for followed in self._followed.values():
            self._end(followed)
        if self._ending:
            await asyncio.wait(self._ending, timeout=RELEASE_SECONDS)

    @contextlib.contextmanager
    def _following(self, run_id: UUID) -> Generator[tuple[_Followed, int]]:
        """The run, followed by one more, and the number of the look that was begun before."""
        key = str(run_id)
        followed = self._followed.get(key) or self._followed.setdefault(key, _Followed(run_id, self._pool))
        followed.followers += 1
        followed.moved.set()
        try:
            yield followed, followed.begun
        finally:
            followed.followers -= 1
            if not followed.followers:
                del self._followed[key]
                self._end(followed)

    def _end(self, followed: _Followed) -> None:
        self._ending.add(followed.work)
        followed.work.add_done_callback(self._ending.discard)
        followed.work.cancel()


@contextlib.asynccontextmanager
async def watching(dsn: str, pool: Pool) -> AsyncGenerator[RunWatch]:
    """What follows runs by a pool; where the database is away, the looks at it raise that, not this."""
    watch = RunWatch(pool)
    async with listening(dsn, CHANNEL, watch.heard):
        try:
            yield watch
        finally:
            await watch.close()
