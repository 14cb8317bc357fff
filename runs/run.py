"""Runs: what is known of each import of a day, and the plan of its sessions.

`runs.changes` opens, ends, retries and cancels them.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from schemas.events import Finding, PracticeDayListed, PracticeDayRequested, SessionDetailRequested
from schemas.identity import content_digest, source_event_id
from store.pages import PageRow
from store.pool import Connection, Record, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

RunState = Literal["running", "completed", "partial", "failed", "cancelled"]
Refresh = Literal["all", "changed", "missing"]


class RunCounts(Struct, frozen=True, kw_only=True):
    """What a run came to.

    `sessions_failed` are those of the list that could not be stored, `sessions_detail_failed` those whose
    page failed to be fetched; `laps_ingested` the laps now stored of sessions whose page this run fetched.
    """

    sessions_ingested: int = 0
    sessions_failed: int = 0
    sessions_detail_failed: int = 0
    sessions_with_laps: int = 0
    laps_ingested: int = 0
    drivers_created_or_matched: int = 0


class RunError(Struct, frozen=True, kw_only=True):
    """Why a run failed as a whole: its list failed to be fetched, or its work stopped."""

    code: str
    message: str
    url: str | None = None


class RunFailure(Struct, frozen=True, kw_only=True):
    """A session whose page failed to be fetched, or to be stored."""

    session_id: str
    code: str
    message: str
    url: str | None = None


class RunProgress(Struct, frozen=True, kw_only=True):
    """How far a run is: sessions of its list by what became of them, and the laps that came."""

    sessions: int
    unchanged: int
    done: int
    failed: int
    waiting: int
    laps: int


class Run(Struct, frozen=True, kw_only=True):
    """An import of a day; `event_id` is the day's row."""

    id: UUID
    source: str
    track_slug: str
    date: dt.date
    event_id: UUID
    refresh: Refresh
    state: RunState
    attempt: int
    resumes: int
    requested_at: dt.datetime
    planned_at: dt.datetime | None
    listed_at: dt.datetime | None
    moved_at: dt.datetime
    finished_at: dt.datetime | None
    traceparent: str | None
    findings: list[Finding]
    counts: RunCounts | None
    error: RunError | None

    @property
    def duration_seconds(self) -> float:
        """How long it took, or takes so far; none where who asked for it has a clock that is ahead."""
        took = (self.finished_at or dt.datetime.now(dt.UTC)) - self.requested_at
        return max(0.0, took.total_seconds())

    @property
    def source_event_id(self) -> str:
        """The day's id at its source."""
        return source_event_id(self.track_slug, self.date)

    @property
    def request(self) -> PracticeDayRequested:
        """The event that asks for the run's day."""
        return PracticeDayRequested(
            source=self.source,
            track_slug=self.track_slug,
            date=self.date,
            requested_at=self.requested_at,
            refresh=self.refresh,
        )


class PlannedSession(NamedTuple):
    """A session of a run's list, and by which request its page is fetched."""

    session_id: str
    state: Literal["wanted", "unchanged"]
    start_time: dt.datetime | None
    list_row_digest: str | None
    requested_at: dt.datetime
    request_id: str


def as_run(row: Record) -> Run:
    """A run from its row."""
    values: dict[str, Any] = dict(row)
    values["date"] = values.pop("event_date")
    values["findings"] = msgspec.json.decode(values["findings"], type=list[Finding])
    values["counts"] = _optional(values["counts"], RunCounts)
    values["error"] = _optional(values["error"], RunError)
    return Run(**values)


def _optional(text: str | None, kind: type[Any]) -> Any:  # noqa: ANN401 - of that kind
    return None if text is None else msgspec.json.decode(text, type=kind)


async def lock(connection: Connection, run_id: UUID) -> Run | None:
    """As `read`, and hold the run until the transaction ends."""
    row = await connection.fetchrow(statement("lock_run"), run_id)
    return as_run(row) if row else None


async def read(connection: Connection, run_id: UUID) -> Run | None:
    """A run; None where there is none of this id."""
    row = await connection.fetchrow(statement("read_run"), run_id)
    return as_run(row) if row else None


async def newest_of(connection: Connection, day: UUID) -> Run | None:
    """The run of a day that was asked for last."""
    row = await connection.fetchrow(statement("newest_run"), day)
    return as_run(row) if row else None


async def named(connection: Connection, digits: str) -> list[UUID]:
    """The runs whose id begins with these hexadecimal digits; two at most."""
    ends = (UUID(digits.ljust(32, filler)) for filler in "0f")
    return [row["id"] for row in await connection.fetch(statement("runs_between"), *ends)]


async def find(
    connection: Connection,
    *,
    track_slug: str | None = None,
    state: RunState | None = None,
    before: tuple[dt.datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Run]:
    """Runs, the newest first; `before` is when the last one of the page before was asked for, and its id."""
    place = before or (None, None)
    rows = await connection.fetch(statement("find_runs"), track_slug, state, *place, limit)
    return [as_run(row) for row in rows]


async def progress(connection: Connection, run_id: UUID) -> RunProgress:
    """How far a run is."""
    return RunProgress(**await fetch_one(connection, statement("run_progress"), run_id))


async def failures(connection: Connection, run_id: UUID) -> list[RunFailure]:
    """The sessions of a run that failed, and why."""
    return [RunFailure(**row) for row in await connection.fetch(statement("run_failures"), run_id)]


async def counts_so_far(connection: Connection, run_id: UUID) -> RunCounts:
    """What a run has come to by now."""
    return RunCounts(**await fetch_one(connection, statement("count_run"), run_id))


async def plan(connection: Connection, run_id: UUID, sessions: Sequence[PlannedSession]) -> None:
    """Note the sessions of a run's list, before anything of it is published."""
    async with connection.transaction():
        await lock(connection, run_id)
        await connection.execute(statement("drop_unlisted"), run_id, [one.session_id for one in sessions])
        if sessions:
            await connection.execute(statement("plan_run"), run_id, *zip(*sessions, strict=True))


async def planned(connection: Connection, run_id: UUID) -> None:
    """Note that all that a run wants was asked for."""
    await connection.execute(statement("run_planned"), run_id)


async def pending(connection: Connection, run: Run) -> list[SessionDetailRequested]:
    """The requests of a run of which nothing has come yet."""
    return await _requests_in(connection, run, "wanted")


async def failed(connection: Connection, run: Run) -> list[SessionDetailRequested]:
    """The requests of a run whose sessions failed."""
    return await _requests_in(connection, run, "failed")


async def _requests_in(
    connection: Connection, run: Run, state: Literal["wanted", "failed"]
) -> list[SessionDetailRequested]:
    rows = await connection.fetch(statement("sessions_in_state"), run.id, state)
    return [
        SessionDetailRequested(source=run.source, track_slug=run.track_slug, date=run.date, **row)
        for row in rows
    ]


class SessionRequest(NamedTuple):
    """What is known of a session that is asked for: whether it is still wanted, and its newest page."""

    wanted: bool
    known: PageRow | None


async def asked(
    connection: Connection, run_id: UUID | None, session_id: str, request_ids: Sequence[str], url: str
) -> SessionRequest:
    """What is known of a session before its page is fetched; wanted, too, where no run knows of it.

    `request_ids` are of the request, and of what it was made from, which may have been parked.
    """
    row = await fetch_one(connection, statement("session_asked"), run_id, session_id, url, request_ids)
    wanted, *page = row
    return SessionRequest(wanted, PageRow(*page) if page[0] else None)


async def stored_details(connection: Connection, day: UUID) -> dict[str, str | None]:
    """The sessions of a day whose detail is stored, with the digest of the list row it was fetched for."""
    rows = await connection.fetch(statement("stored_details"), day)
    return {row["session_id"]: row["list_row_digest"] for row in rows}


async def failed_details(connection: Connection, day: UUID) -> dict[str, str | None]:
    """The sessions of a day whose page failed to be fetched, with the digest of the newest row it was for."""
    rows = await connection.fetch(statement("failed_details"), day)
    return {row["session_id"]: row["list_row_digest"] for row in rows}


async def is_stored(connection: Connection, day: UUID, listed: PracticeDayListed) -> bool:
    """Whether the tables say of a day just what this list does: nothing follows from it but its time.

    A day of which nothing is stored, and nothing is listed, is so, too.
    """
    sessions = list({session.session_id for session in listed.sessions})
    arguments = (day, content_digest(listed), listed.complete, sessions)
    return await connection.fetchval(statement("list_is_stored"), *arguments)


async def stalled(connection: Connection, seconds: float) -> list[UUID]:
    """Runs that show no sign of life for so many seconds, while nothing holds the site back."""
    return [row["id"] for row in await connection.fetch(statement("stalled_runs"), seconds)]
