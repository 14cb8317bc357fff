"""Backfills that the fleet works at: in each fetcher, one after another, under the claim that commands take.

So a command and a fetcher, or two fetchers, never work at the same one; and a process that is killed leaves
its claim to the next one, which goes on with the day in flight.
"""

import asyncio
import contextlib

import structlog

from ops.backfill import queries as backfills
from ops.backfill.feeder import BackfillProgress, BackfillWork
from ops.backfill.queries import WantedBackfill
from ops.backfill.running import NothingDiscovered, work_at
from runtime.obtaining import Discover
from runtime.settings import Settings
from schemas.errors import LapstreamError
from store.pool import TRANSIENT, Pool
from store.turns import take_turns
from telemetry import health

LOOK_SECONDS = 2.0
"""How often it is looked whether a backfill is wanted."""

END_SECONDS = 2.0
"""How long letting go of one may take when the process is told to stop."""

RETRY_SECONDS = 60.0
"""How long one that could not go on waits."""

log = structlog.get_logger("lapstream.fetcher")


class _Logged:
    """Where there is no screen: what was shown is a sign of life, what was said goes into the log."""

    def show(self, standing: BackfillProgress) -> None:
        health.beat("day" if standing.days_ended else "month")

    def say(self, line: str) -> None:
        log.info("backfill_progress", said=line)


class FleetBackfills:
    """Works at backfills that are wanted and not worked at; `discover` asks the site for months."""

    def __init__(self, settings: Settings, pool: Pool, discover: Discover) -> None:
        self._settings = settings
        self._pool = pool
        self._discover = discover

    async def work(self, stop: asyncio.Event) -> None:
        """Work until told to stop; while the database is away, that waits."""
        with health.working("backfills"):
            await take_turns(
                self.turn,
                stop,
                every_seconds=LOOK_SECONDS,
                end_seconds=END_SECONDS,
                away=lambda why: log.warning("backfill_waits", error=why),
            )

    async def turn(self) -> None:
        """Do what can be done of one backfill, if any is wanted that no other process works at."""
        async with self._pool.acquire() as connection:
            for wanted in await backfills.wanted(connection):
                if await backfills.claim(connection, wanted.backfill):
                    if await backfills.wanted_at(connection, wanted.backfill) == wanted.wanted_at:
                        await self._work_at(wanted)
                    return

    async def _work_at(self, wanted: WantedBackfill) -> None:
        """Do what can be done; one that can't go on is put off."""
        asked = wanted.backfill.months
        track, first, last = asked.track_slug, str(asked.from_month), str(asked.to_month)
        log.info("backfill_start", track=track, first=first, last=last)
        try:
            work = BackfillWork(self._settings, self._pool, wanted.backfill, _Logged())
            summary = await work_at(work, contextlib.nullcontext(self._discover))
        except NothingDiscovered as error:
            async with self._pool.acquire() as connection:
                await backfills.worked_at(connection, wanted.backfill, wanted.wanted_at, str(error))
            log.warning("backfill_found_nothing", error=str(error), track=track, first=first, last=last)
        except TRANSIENT:
            raise
        except Exception as error:
            if not isinstance(error, LapstreamError):
                log.exception("backfill_broken", track=track, first=first, last=last)
            async with self._pool.acquire() as connection:
                await backfills.put_off(connection, wanted, RETRY_SECONDS, str(error) or repr(error))
            log.warning(
                "backfill_put_off",
                error=str(error),
                wait_seconds=RETRY_SECONDS,
                track=track,
                first=first,
                last=last,
            )
        else:
            log.info(
                "backfill_done",
                finished=summary.finished,
                days=summary.days,
                track=track,
                first=first,
                last=last,
            )
