"""The keeper of runs: one whose work stopped is taken up anew, and in the end fails with the reason.

It works beside each relay; two of them do no harm, for a run is held while it is looked at.
"""

import asyncio
import contextlib

import structlog

from ops.settings import Settings
from ops.wiring import database
from store import run_changes, runs
from store.pool import TRANSIENT, Pool

LOOKS = 12
"""How often a run is looked at in the time after which it counts as stalled."""

LONGEST_LOOK_SECONDS = 10.0

log = structlog.get_logger("lapstream.keeper")


async def run_keeper(settings: Settings, stop: asyncio.Event) -> None:
    """Look after runs until told to stop."""
    look_seconds = min(settings.run_stalled_seconds / LOOKS, LONGEST_LOOK_SECONDS)
    async with database(settings, size=1) as pool:
        while not stop.is_set():
            try:
                await look(pool, settings.run_stalled_seconds)
            except TRANSIENT as error:
                log.warning("keeper_database_away", error=repr(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), look_seconds)


async def look(pool: Pool, stalled_seconds: float) -> None:
    """Take up each run that shows no sign of life."""
    async with pool.acquire() as connection:
        for run_id in await runs.stalled(connection, stalled_seconds):
            run = await run_changes.resume(connection, run_id, stalled_seconds)
            if run is not None:
                name = "run_resumed" if run.state == "running" else "run_given_up"
                log.warning(name, run_id=str(run.id), track=run.track_slug, date=str(run.date))
