"""Backfills: all days of a track's months, discovered at the site and imported one after another.

Months go in, a summary comes out. All that is known is in the database: the same order, given again, goes on.
"""

import asyncio
import datetime as dt
from collections import Counter
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from msgspec import Struct

from ops.backfill import queries as backfills
from ops.backfill.discover import LOOK_SECONDS, MonthFailed, month_page
from ops.backfill.estimate import Estimate, Measured, describe
from ops.backfill.feeder import (
    GOES_ON,
    BackfillProgress,
    BackfillStopped,
    BackfillWork,
    Feeder,
    Screen,
    progress_of,
)
from ops.backfill.queries import ENDED, BackfillDay, DayState, FailedMonth, Months
from ops.imports.workers import Workers
from runs.run import Refresh
from runs.watch import watching
from runtime.database import database
from runtime.obtaining import Discover, discovering
from runtime.settings import Settings
from schemas.errors import LapstreamError
from store.faults import said_by
from store.pool import TRANSIENT, Pool

SETTLED = dt.timedelta(days=7)
"""A day older than this is left alone when the tables hold as many sessions of it as the site says."""


class AlreadyFed(LapstreamError):
    """Another process works at this backfill."""


class NothingDiscovered(LapstreamError):
    """Not one month's page could be had."""


class FailedDay(Struct, frozen=True, kw_only=True):
    """A day that did not come in as a whole, and why."""

    date: dt.date
    state: DayState
    run_id: UUID | None
    error: str


class BackfillSummary(Struct, frozen=True, kw_only=True):
    """What a backfill came to; `finished` where nothing is left to do, `left` what is.

    `sessions` are those that the months' pages say, `laps_ingested` the laps that its runs brought in.
    """

    backfill_id: UUID
    track_slug: str
    from_month: str
    to_month: str
    refresh: Refresh
    finished: bool
    days: int
    days_by_state: dict[DayState, int]
    sessions: int
    laps_ingested: int
    months_failed: list[FailedMonth]
    days_failed: list[FailedDay]
    left: Estimate


async def backfill(
    settings: Settings, months: Months, screen: Screen, *, dry_run: bool = False
) -> BackfillSummary:
    """Discover the months and import their days, from where it was left; with `dry_run` only discover.

    Where a fetcher works at them, follow it to its end. Raises `RoleNotRunning`, `AlreadyFed`,
    `NothingDiscovered` and `BackfillStopped`.
    """
    try:
        async with database(settings) as pool:
            async with pool.acquire() as connection:
                work = BackfillWork(settings, pool, await backfills.open_backfill(connection, months), screen)
                if await backfills.claim(connection, work.backfill):
                    if not dry_run:
                        await _workers(settings, pool, screen)
                    return await work_at(work, discovering(settings), dry_run=dry_run)
            return await _follow(work)
    except TRANSIENT as error:
        raise BackfillStopped(f"the database is away ({said_by(error)}); {GOES_ON}") from error


async def work_at(
    work: BackfillWork, discovering: AbstractAsyncContextManager[Discover], *, dry_run: bool = False
) -> BackfillSummary:
    """Do what can be done of a backfill that was claimed; raises as `backfill` does."""
    async with work.pool.acquire() as connection:
        since = await backfills.wanted_at(connection, work.backfill)
    await _discover(work, discovering)
    failed = await _prepare(work)
    measured = Measured() if dry_run else await _feed(work, len(failed))
    summary = await _summary(work, failed, measured)
    if not dry_run:
        async with work.pool.acquire() as connection:
            await backfills.worked_at(connection, work.backfill, since)
    return summary


async def _follow(work: BackfillWork) -> BackfillSummary:
    """Show how far a fetcher is until it has done what it could; raises `AlreadyFed` where none is to."""
    followed = False
    while True:
        async with work.pool.acquire() as connection:
            wanted = await backfills.wanted_at(connection, work.backfill)
            failed = await backfills.failed_months(connection, work.backfill)
        days = await work.days()
        if wanted is None and followed:
            return await _summary(work, failed, Measured())
        if wanted is None:
            raise AlreadyFed(
                f"another process works at {_name(work.backfill.months)}, and is done with {_ended(days)} of "
                f"{len(days)} days: leave it to that one, or stop it first"
            )
        if not followed:
            work.screen.say(f"a fetcher works at {_name(work.backfill.months)}, also when this ends")
        followed = True
        work.screen.show(progress_of(days, "followed"))
        await asyncio.sleep(LOOK_SECONDS)


async def _workers(settings: Settings, pool: Pool, screen: Screen) -> None:
    """Return when the roles that an import needs are at work; raises `RoleNotRunning`."""
    workers = Workers(settings.broker, settings.topics)
    async with pool.acquire() as connection:
        await workers.come(connection, lambda what: screen.show(BackfillProgress(doing=what)))


def _name(months: Months) -> str:
    return f"the backfill of {months.track_slug}, {months.from_month:%Y-%m} to {months.to_month:%Y-%m}"


def _ended(days: list[BackfillDay]) -> int:
    return sum(day.state in ENDED for day in days)


async def _discover(work: BackfillWork, discovering: AbstractAsyncContextManager[Discover]) -> None:
    """Ask for the months that are not known; raises `NothingDiscovered` where no day is known then."""
    async with work.pool.acquire() as connection:
        months = await backfills.months_to_discover(connection, work.backfill)
    if not months:
        return
    async with discovering as discover:
        for number, month in enumerate(months, 1):
            work.screen.show(
                BackfillProgress(doing=f"asking for {month:%Y-%m}, month {number} of {len(months)}")
            )
            await _discover_month(work, discover, month)
    async with work.pool.acquire() as connection:
        failed = await backfills.failed_months(connection, work.backfill)
    if failed and not await work.days():
        raise NothingDiscovered(f"no day could be discovered: {failed[0].error}")


async def _discover_month(work: BackfillWork, discover: Discover, month: dt.date) -> None:
    """Note a month's days, or why they failed to be fetched; of a backfill that was cancelled, nothing."""
    await work.until_free(lambda why: work.screen.show(BackfillProgress(doing=why)))
    async with work.pool.acquire() as connection:
        if await backfills.is_cancelled(connection, work.backfill):
            return
    try:
        page = await month_page(discover, work.backfill.months.track_slug, month)
    except MonthFailed as failure:
        work.screen.say(str(failure))
        async with work.pool.acquire() as connection:
            await backfills.month_failed(connection, work.backfill, month, str(failure))
        return
    for finding in page.findings:
        work.screen.say(f"{month:%Y-%m}: finding {finding.code}: found {finding.found}")
    async with work.pool.acquire() as connection:
        days = {day.date: day.sessions for day in page.days}
        await backfills.discovered(connection, work.backfill, month, days)


async def _prepare(work: BackfillWork) -> list[FailedMonth]:
    """Let failed days wait anew, skip what is stored, say what is left; returns the months that failed."""
    asked = work.backfill.months
    skip_before = dt.datetime.now(dt.UTC).date() - SETTLED if asked.refresh == "missing" else None
    async with work.pool.acquire() as connection:
        await backfills.prepare(connection, work.backfill, skip_before)
        failed = await backfills.failed_months(connection, work.backfill)
    days = await work.days()
    left = work.left(days, len(failed), Measured())
    done = f"{_ended(days)} of {len(days)} days are done"
    work.screen.say(f"{_name(asked)}: {done}" + (f"; left are {describe(left)}" if left.days else ""))
    return failed


async def _feed(work: BackfillWork, months_unknown: int) -> Measured:
    """Import what is left; returns how fast that went."""
    async with watching(work.settings.postgres_dsn, work.pool) as watch:
        feeder = Feeder(work, watch, months_unknown)
        await feeder.feed()
    return feeder.measured


async def _summary(work: BackfillWork, failed: list[FailedMonth], measured: Measured) -> BackfillSummary:
    """What it came to; a backfill of which nothing is left is finished by this."""
    days = await work.days()
    async with work.pool.acquire() as connection:
        finished = await backfills.finish(connection, work.backfill)
    asked = work.backfill.months
    return BackfillSummary(
        backfill_id=work.backfill.id,
        track_slug=asked.track_slug,
        from_month=f"{asked.from_month:%Y-%m}",
        to_month=f"{asked.to_month:%Y-%m}",
        refresh=asked.refresh,
        finished=finished,
        days=len(days),
        days_by_state=dict(Counter(day.state for day in days)),
        sessions=sum(day.sessions for day in days),
        laps_ingested=sum(day.laps_ingested for day in days),
        months_failed=failed,
        days_failed=[
            FailedDay(date=day.event_date, state=day.state, run_id=day.run_id, error=day.error)
            for day in days
            if day.error
        ],
        left=work.left(days, len(failed), measured),
    )
