"""Pruning beside a role, where the settings say how long things are kept."""

import asyncio
import datetime as dt

import structlog

from ops.prune.pruning import cut_at, delete
from runtime.settings import Settings
from store.pool import TRANSIENT, Pool
from store.waiting import set_within
from telemetry import health

LOOK_SECONDS = 3600.0
"""How often there is a look for what is old enough."""

log = structlog.get_logger("lapstream.prune")


async def prune_now_and_then(settings: Settings, pool: Pool, stop: asyncio.Event) -> None:
    """Prune what is older than the settings say, until told to stop; nothing where they don't say."""
    with health.working("pruning"):
        while settings.prune_after_days and not stop.is_set():
            try:
                await prune_once(settings, pool, stop)
            except TRANSIENT as error:
                log.warning("prune_database_away", error=repr(error))
            with health.waiting("the next look"):
                await set_within(stop, LOOK_SECONDS)


async def prune_once(settings: Settings, pool: Pool, stop: asyncio.Event) -> None:
    """Prune what is older than the settings say."""
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=settings.prune_after_days)
    async with pool.acquire() as connection:
        pruned = await delete(connection, cut_at(before, settings.topics), lambda _: None, stop)
    if any(pruned.values()):
        log.info("pruned", before=str(before), rows=pruned)
