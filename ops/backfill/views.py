"""Backfills as people look at them: how far each is, its days and months, and what it does at present."""

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from ops.backfill import queries as backfills
from ops.backfill.discover import held_by
from ops.backfill.queries import ENDED, Backfill, BackfillDay, Months, statement
from producer.site import Site
from runs import run as runs
from runs.run import Refresh, RunProgress
from schemas import fields as f
from schemas.errors import LapstreamError
from store.pool import Connection, Record

BackfillStatus = Literal["running", "stopped", "completed", "cancelled"]
"""`running`: a fetcher is to work at it. `stopped`: something is left, at which no fetcher is to work."""


class BackfillEnded(LapstreamError):
    """Nothing of the backfill is left to do."""


class BackfillHead(Struct, frozen=True, kw_only=True):
    """A backfill in a list: its months (YYYY-MM), and how far it is."""

    backfill_id: UUID
    source: str
    track_slug: str
    from_month: str
    to_month: str
    refresh: Refresh
    status: BackfillStatus
    created_at: f.Instant
    finished_at: f.Instant | None
    error: str | None
    days: int
    days_waiting: int
    days_failed: int
    sessions: int
    laps_ingested: int


class MonthView(Struct, frozen=True, kw_only=True):
    """A month of a backfill: when its page was read, if it was; `error` says why it last failed to be."""

    month: str
    discovered_at: f.Instant | None
    error: str | None


class BackfillView(BackfillHead, frozen=True, kw_only=True):
    """A backfill with its months and days; `doing` says what a running one does or waits for.

    `progress` is of the day that is being imported.
    """

    months: list[MonthView]
    each_day: list[BackfillDay]
    doing: str | None
    progress: RunProgress | None


async def find(
    connection: Connection, track_slug: str | None, before: tuple[dt.datetime, UUID] | None, limit: int
) -> list[BackfillHead]:
    """Backfills of a track or all, the newest first, from before a place."""
    rows = await connection.fetch(statement("find_backfills"), track_slug, *(before or (None, None)), limit)
    return [BackfillHead(**_facts(row)) for row in rows]


async def read(connection: Connection, backfill_id: UUID, site: Site) -> BackfillView | None:
    """A backfill with all that is known of it."""
    row = await connection.fetchrow(statement("read_backfill"), backfill_id)
    if row is None:
        return None
    days = await backfills.read_days(connection, _backfill(row))
    months = await connection.fetch(statement("backfill_months"), backfill_id)
    running = next((day for day in days if day.state == "running"), None)
    progress = await runs.progress(connection, running.run_id) if running and running.run_id else None
    return BackfillView(
        **_facts(row),
        months=[MonthView(**month) for month in months],
        each_day=days,
        doing=await _doing(connection, row, days, site) if row["status"] == "running" else None,
        progress=progress,
    )


async def retry(connection: Connection, backfill_id: UUID, site: Site) -> BackfillView | None:
    """Let the fleet go on with a backfill, which is returned if there is one; raises `BackfillEnded`."""
    goes_on = await backfills.want(connection, backfill_id)
    view = await read(connection, backfill_id, site)
    if view and not goes_on:
        raise BackfillEnded(f"the backfill is {view.status}: ask for its months again")
    return view


def _facts(row: Record) -> dict[str, Any]:
    return {name: row[name] for name in BackfillHead.__struct_fields__}


def _backfill(row: Record) -> Backfill:
    return Backfill(
        row["backfill_id"],
        Months(row["source"], row["track_slug"], row["first"], row["last"], row["refresh"]),
    )


async def _doing(connection: Connection, row: Record, days: list[BackfillDay], site: Site) -> str:
    if reason := await held_by(connection, site):
        return reason
    if running := next((day for day in days if day.state == "running"), None):
        return f"importing {running.event_date}"
    if row["put_off"]:
        return f"a fetcher tries again soon: {row['error']}"
    if await backfills.months_to_discover(connection, _backfill(row)):
        return "waiting for a fetcher to ask for its months"
    if any(day.state not in ENDED for day in days) and (other := await backfills.at_work(connection)):
        return f"waiting for {other.track_slug} {other.date}, which somebody asked for"
    return "waiting for a fetcher"
