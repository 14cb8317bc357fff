"""Following runs: who waits for one is woken when it moves, and looks by himself from time to time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from uuid import UUID

from runs import run as runs
from runs.run import Run, RunProgress
from schemas.errors import LapstreamError
from store.notifications import listening
from store.pool import Pool
from store.waiting import set_within

CHANNEL = "lapstream_runs"
SHORTEST_SECONDS = 0.05
"""How long a follower waits after each look: a run may move a hundred times a second."""

LOOK_SECONDS = 1.0
"""A follower looks at least this often, without a notification."""


class RunVanished(LapstreamError):
    """A run that was followed is not there any more."""


class RunWatch:
    """Follows runs over one connection that hears of all of them."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def heard(self, run_id: str) -> None:
        """Wake who waits for a run."""
        for event in self._waiting.get(run_id, ()):
            event.set()

    async def ended(self, run_id: UUID, pool: Pool, seconds: float) -> Run:
        """The run when it ended, or as it is after so many seconds; raises `RunVanished`."""
        until = time.monotonic() + seconds
        with self._hearing_of(run_id) as moved:
            while True:
                run = await self._read(run_id, pool)
                left = until - time.monotonic()
                if run.state != "running" or left <= 0:
                    return run
                await self._wait(moved, min(left, LOOK_SECONDS))

    async def updates(self, run_id: UUID, pool: Pool) -> AsyncGenerator[tuple[Run, RunProgress]]:
        """The run as it is, then each time that it moved, and at least each second, until it ended."""
        with self._hearing_of(run_id) as moved:
            while True:
                async with pool.acquire() as connection:
                    run, progress = (
                        await runs.read(connection, run_id),
                        await runs.progress(connection, run_id),
                    )
                if run is None:
                    raise RunVanished(f"there is no run {run_id} any more")
                yield run, progress
                if run.state != "running":
                    return
                await self._wait(moved, LOOK_SECONDS)
                await asyncio.sleep(SHORTEST_SECONDS)

    @contextlib.contextmanager
    def _hearing_of(self, run_id: UUID):  # noqa: ANN202 - a context manager of an event
        moved = asyncio.Event()
        events = self._waiting.setdefault(str(run_id), set())
        events.add(moved)
        try:
            yield moved
        finally:
            events.discard(moved)
            if not events:
                self._waiting.pop(str(run_id), None)

    async def _wait(self, moved: asyncio.Event, seconds: float) -> None:
        await set_within(moved, seconds)
        moved.clear()

    async def _read(self, run_id: UUID, pool: Pool) -> Run:
        async with pool.acquire() as connection:
            run = await runs.read(connection, run_id)
        if run is None:
            raise RunVanished(f"there is no run {run_id} any more")
        return run


@contextlib.asynccontextmanager
async def watching(dsn: str) -> AsyncGenerator[RunWatch]:
    """What follows runs; raises nothing where the database is away: the next look does."""
    watch = RunWatch()
    async with listening(dsn, CHANNEL, watch.heard):
        yield watch
