"""Following runs: a task that waits for one is woken when it moves, and at least each second.

All followers of a run share one look at it: how many they are makes the database no difference.
"""

import contextlib
import time
from asyncio import timeout
from collections.abc import AsyncGenerator
from typing import NamedTuple
from uuid import UUID

from runs import run as runs
from runs.run import Run, RunProgress
from runs.sharing import Shared
from schemas.errors import LapstreamError
from store.notifications import listening
from store.pool import Pool

CHANNEL = "lapstream_runs"

LOOK_SECONDS = 1.0
"""A run that is followed is looked at at least this often, without a notification."""


class RunVanished(LapstreamError):
    """A run that was followed is not there any more."""


class _Found(NamedTuple):
    """A run as it was found."""

    run: Run
    progress: RunProgress


class RunWatch:
    """Follows runs over one connection that hears of all of them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._shared = Shared(self._look, LOOK_SECONDS)

    def heard(self, run_id: str) -> None:
        """Have a run that is followed looked at."""
        self._shared.moved(run_id)

    async def ended(self, run_id: UUID, seconds: float) -> Run:
        """The run when it ended, or as it is after so many seconds; raises `RunVanished`."""
        until = time.monotonic() + seconds
        with self._shared.following(str(run_id)) as (followed, before):
            look = await followed.after(before)
            with contextlib.suppress(TimeoutError):
                async with timeout(until - time.monotonic()):
                    while look.found.run.state == "running":
                        look = await followed.after(look.number)
            return look.found.run

    async def updates(self, run_id: UUID) -> AsyncGenerator[tuple[Run, RunProgress]]:
        """The run as it is, then each time that it moved, and at least each second, until it ended."""
        updates = self._shared.updates(str(run_id))
        async with contextlib.aclosing(updates):
            async for found in updates:
                yield found
                if found.run.state != "running":
                    return

    async def close(self) -> None:
        """Look at no run any more."""
        await self._shared.close()

    async def _look(self, run_id: str) -> _Found:
        async with self._pool.acquire() as connection:
            run = await runs.read(connection, UUID(run_id))
            progress = await runs.progress(connection, UUID(run_id))
        if run is None:
            raise RunVanished(f"there is no run {run_id} any more")
        return _Found(run, progress)


@contextlib.asynccontextmanager
async def watching(dsn: str, pool: Pool) -> AsyncGenerator[RunWatch]:
    """What follows runs by a pool; where the database is away, the looks at it raise that, not this."""
    watch = RunWatch(pool)
    async with listening(dsn, CHANNEL, watch.heard):
        try:
            yield watch
        finally:
            await watch.close()
