"""Backfills: which months of which track, their days, and what became of each.

A month's days, or the end of a run, go in; the day that is fed next comes out. Whoever feeds a day sees in
the same transaction that no run is at work, so that never more than one day of any backfill is.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import Struct

from runs import changes as run_changes
from runs.run import Refresh, Run, as_run
from schemas.events import PracticeDayRequested
from schemas.identity import practice_event_id
from store.pool import Connection, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

DayState = Literal["waiting", "running", "completed", "partial", "failed", "skipped"]
ENDED: frozenset[DayState] = frozenset({"completed", "partial", "failed", "skipped"})


class Months(NamedTuple):
    """What is asked for: the months of a track, by their first days, the last one included."""

    source: str
    track_slug: str
    from_month: dt.date
    to_month: dt.date
    refresh: Refresh


class Backfill(NamedTuple):
    """A backfill, with what was asked for."""

    id: UUID
    months: Months


class WantedBackfill(NamedTuple):
    """A backfill that the fleet is to work at, from when on."""

    backfill: Backfill
    wanted_at: dt.datetime


class BackfillDay(Struct, frozen=True, kw_only=True):
    """A day: sessions as the month's page says, and how many of them the tables hold with their page."""

    event_date: dt.date
    sessions: int
    state: DayState
    run_id: UUID | None
    laps_ingested: int
    error: str | None
    stored: int


class FailedMonth(Struct, frozen=True, kw_only=True):
    """A month (YYYY-MM) whose page failed to be fetched, and why."""

    month: str
    error: str


class InFlight(NamedTuple):
    """A day that is being imported, by which run."""

    event_date: dt.date
    run_id: UUID


class AtWork(NamedTuple):
    """A run that is at work, and that the next day waits for."""

    run: Run


async def open_backfill(connection: Connection, months: Months) -> Backfill:
    """The backfill of these months that is not finished, or else a new one."""
    async with connection.transaction():
        row = await fetch_one(connection, statement("open_backfill"), uuid.uuid4(), *months)
        await connection.execute(statement("open_months"), row["id"], months.from_month, months.to_month)
    return Backfill(row["id"], months)


async def want(connection: Connection, backfill_id: UUID) -> bool:
    """Let the fleet work at a backfill, and try again what failed; False where the backfill ended."""
    return bool(await connection.fetchval(statement("want_backfill"), backfill_id))


async def wanted(connection: Connection) -> list[WantedBackfill]:
    """The backfills that the fleet is to work at."""
    rows = await connection.fetch(statement("wanted_backfills"))
    return [WantedBackfill(Backfill(row, Months(*months)), at) for row, *months, at in rows]


async def wanted_at(connection: Connection, backfill: Backfill) -> dt.datetime | None:
    """From when on the fleet is to work at a backfill; None where it is not to."""
    return await connection.fetchval(statement("backfill_wanted_at"), backfill.id)


async def worked_at(
    connection: Connection, backfill: Backfill, since: dt.datetime | None, error: str | None = None
) -> None:
    """Note that what could be done is done; `since` is what `wanted_at` was when the work began."""
    await connection.execute(statement("backfill_worked_at"), backfill.id, since, error)


async def put_off(connection: Connection, wanted: WantedBackfill, seconds: float, error: str) -> None:
    """Let the fleet go on with a backfill after a while."""
    await connection.execute(
        statement("put_backfill_off"), wanted.backfill.id, wanted.wanted_at, seconds, error
    )


async def cancel(connection: Connection, backfill_id: UUID) -> None:
    """End a backfill: a day that is being imported comes in, those that wait are not asked for."""
    await connection.execute(statement("cancel_backfill"), backfill_id)


async def is_cancelled(connection: Connection, backfill: Backfill) -> bool:
    """Whether a backfill was cancelled before its days had come in."""
    return await connection.fetchval(statement("is_backfill_cancelled"), backfill.id)


async def claim(connection: Connection, backfill: Backfill) -> bool:
    """Whether this connection feeds the backfill until it goes back to its pool; False while another does."""
    return await connection.fetchval(statement("claim_backfill"), backfill.id)


async def months_to_discover(connection: Connection, backfill: Backfill) -> list[dt.date]:
    """The months whose page is to be asked for."""
    return [row["month"] for row in await connection.fetch(statement("months_to_discover"), backfill.id)]


async def discovered(
    connection: Connection, backfill: Backfill, month: dt.date, days: Mapping[dt.date, int]
) -> None:
    """Note the days of a month, with their numbers of sessions."""
    _, source, track_slug = (backfill.id, *backfill.months[:2])
    ids = [practice_event_id(source, track_slug, date) for date in days]
    async with connection.transaction():
        await connection.execute(
            statement("save_backfill_days"), backfill.id, list(days), ids, list(days.values())
        )
        await connection.execute(statement("month_discovered"), backfill.id, month)


async def month_failed(connection: Connection, backfill: Backfill, month: dt.date, error: str) -> None:
    """Note that a month's page failed to be fetched."""
    await connection.execute(statement("month_failed"), backfill.id, month, error)


async def failed_months(connection: Connection, backfill: Backfill) -> list[FailedMonth]:
    """The months whose page failed to be fetched."""
    return [FailedMonth(**row) for row in await connection.fetch(statement("failed_months"), backfill.id)]


async def prepare(connection: Connection, backfill: Backfill, skip_before: dt.date | None) -> None:
    """Let days that failed wait anew; skip what is stored of days before a date, where one is given."""
    async with connection.transaction():
        await connection.execute(statement("retry_backfill_days"), backfill.id)
        if skip_before is not None:
            await connection.execute(statement("skip_stored_days"), backfill.id, skip_before)


async def read_days(connection: Connection, backfill: Backfill) -> list[BackfillDay]:
    """All days of a backfill that are known, in their order."""
    return [BackfillDay(**row) for row in await connection.fetch(statement("backfill_days"), backfill.id)]


async def feed(connection: Connection, backfill: Backfill) -> InFlight | AtWork | None:
    """Ask for the next day, and return it; or the run that it waits for; None when no day waits.

    A day that is in flight already is returned as it is.
    """
    async with connection.transaction():
        await connection.execute(statement("lock_feeding"))
        if row := await connection.fetchrow(statement("day_in_flight"), backfill.id):
            return InFlight(*row)
        day = await connection.fetchrow(statement("next_backfill_day"), backfill.id)
        if day is None:
            return None
        if run := await at_work(connection):
            return AtWork(run)
        event = _request(backfill.months, *day)
        run, _ = await run_changes.request(connection, event)
        await connection.execute(statement("day_fed"), backfill.id, event.date, run.id)
        return InFlight(event.date, run.id)


async def at_work(connection: Connection) -> Run | None:
    """The run that was asked for first, of those at work."""
    row = await connection.fetchrow(statement("run_at_work"))
    return as_run(row) if row else None


def _request(months: Months, date: dt.date, last_state: str | None) -> PracticeDayRequested:
    """A request for a day; of one that came in in part, only for what is missing."""
    return PracticeDayRequested(
        source=months.source,
        track_slug=months.track_slug,
        date=date,
        requested_at=dt.datetime.now(dt.UTC),
        refresh="missing" if last_state == "partial" else months.refresh,
    )


async def settle(connection: Connection, backfill: Backfill, date: dt.date, run: Run) -> str | None:
    """Note how a day's run ended; returns what went wrong, if anything did."""
    error = _error(run)
    state = "failed" if run.state == "cancelled" else run.state
    laps = run.counts.laps_ingested if run.counts else 0
    await connection.execute(statement("day_settled"), backfill.id, date, state, error, laps)
    return error


def _error(run: Run) -> str | None:
    if run.state == "completed":
        return None
    if run.error:
        return run.error.message
    if run.state == "cancelled":
        return f"its run was cancelled: `lapstream runs show {run.id}`"
    failed = run.counts.sessions_detail_failed + run.counts.sessions_failed if run.counts else 0
    return f"{failed} sessions failed: `lapstream runs show {run.id}` says why"


async def idle_seconds(connection: Connection) -> float:
    """How long no run has shown a sign of life, in seconds."""
    return await connection.fetchval(statement("idle_seconds")) or 0.0


async def finish(connection: Connection, backfill: Backfill) -> bool:
    """End a backfill of which nothing is left to do; False where something is, or it was cancelled."""
    await connection.execute(statement("finish_backfill"), backfill.id)
    return bool(await connection.fetchval(statement("is_backfill_finished"), backfill.id))
