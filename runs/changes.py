"""What happens to runs: they are opened, marked with what came of their sessions, ended, retried, cancelled.

Whoever changes a run holds its row until the transaction ends, so that exactly one notices that nothing of it
is left to wait for, and ends it: counts, state and the announcement agree with the tables as that transaction
leaves them. `runs.marks` says what events and parked records mean for a run.
"""

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Literal, Self, cast
from uuid import UUID

import msgspec

from outbox import adding as outbox
from outbox.adding import Entry
from runs.marks import Marks
from runs.run import Run, RunCounts, RunError, as_run, counts_so_far, failed, lock, progress, read
from schemas.envelope import Context
from schemas.errors import LapstreamError
from schemas.events import PracticeDayIngested, PracticeDayRequested
from schemas.identity import event_id, practice_event_id
from schemas.topics import Topics
from store.constraints import forbidden_by
from store.pool import Connection, Record, fetch_one
from store.statements import statements_of
from telemetry import tracing

statement = statements_of(__file__)

SOURCE = "lapstream"
"""The `ce_source` of what a run publishes through the outbox."""

LARGEST_RESUMES = 3
"""So often the work of a run that shows no sign of life is asked for anew, before the run fails."""


EndState = Literal["completed", "partial", "failed", "cancelled"]


class RunNotFound(LapstreamError):
    """There is no such run."""

    @classmethod
    def of(cls, run_id: UUID) -> Self:
        """For a run that is asked for by its whole id."""
        return cls(f"there is no run {run_id}: it never was, or it ended long ago and was pruned")


class RunStillRunning(LapstreamError):
    """The run, or another one of the same day, is at work."""


class NothingFailed(LapstreamError):
    """No session of the run failed: there is nothing to try again."""


async def request(
    connection: Connection, event: PracticeDayRequested, *, traceparent: str | None = None
) -> tuple[Run, bool]:
    """Open a run and have it asked for, in one transaction; a day that is being imported is joined.

    Returns the run, and whether it was there before.
    """
    async with connection.transaction():
        run, opened = await open_run(connection, uuid.uuid4(), event, traceparent)
        if opened:
            await _ask(connection, run)
    return run, not opened


async def open_run(
    connection: Connection, run_id: UUID, event: PracticeDayRequested, traceparent: str | None
) -> tuple[Run, bool]:
    """The run of this id, or else the one that imports the day at present; and whether it is new."""
    day = practice_event_id(event.source, event.track_slug, event.date)
    while True:
        row = await connection.fetchrow(
            statement("open_run"),
            run_id,
            event.source,
            event.track_slug,
            event.date,
            day,
            event.refresh,
            event.requested_at,
            traceparent,
        )
        if row:
            return as_run(row), True
        if run := await read(connection, run_id):
            return run, False
        if row := await connection.fetchrow(statement("running_run"), day):
            return as_run(row), False


async def _ask(connection: Connection, run: Run) -> None:
    context = Context(source=SOURCE, correlation_id=str(run.id), traceparent=run.traceparent)
    await outbox.add(connection, [Entry(Topics().requests, run.request, context)])


async def mark(connection: Connection, marks: Marks, news: Iterable[Entry] = ()) -> list[Run]:
    """Note what came of runs, and end those that wait for nothing any more; returns those that ended.

    Done twice, or in another order, it comes to the same; a run that is unknown or cancelled is left alone.
    Their end is announced together with `news`, what else the transaction announces. To be called last in it.
    """
    ended = await _mark(connection, marks) if marks.run_ids else []
    await outbox.add(connection, [*news, *map(_outcome, ended)])
    return ended


async def _mark(connection: Connection, marks: Marks) -> list[Run]:
    rows = await connection.fetch(statement("lock_runs"), marks.run_ids)
    runs = {run.id: run for run in map(as_run, rows) if run.state != "cancelled"}
    if not runs:
        return []
    moved = await _mark_sessions(connection, marks)
    for run_id in runs.keys() & marks.request_failed.keys():
        error = marks.request_failed[run_id]
        await connection.execute(statement("give_up_pending"), run_id, error.code, error.message)
    if marks.listed:
        findings = [msgspec.json.encode(found).decode() for found in marks.listed.values()]
        await connection.execute(statement("runs_listed"), list(marks.listed), findings)
    await connection.execute(statement("runs_moved"), list(runs))
    ended = [await _end_if_over(connection, run, marks, moved=run.id in moved) for run in runs.values()]
    return [run for run in ended if run]


async def _mark_sessions(connection: Connection, marks: Marks) -> set[UUID]:
    """Note what came of sessions; returns the runs of which it changed a session."""
    rows: list[Record] = []
    if done := {(one.run_id, one.session_id): one for one in marks.done}:
        rows += await connection.fetch(statement("sessions_done"), *zip(*done.values(), strict=True))
    if failed := {one[:2]: one for one in marks.failed}:
        rows += await connection.fetch(statement("sessions_failed"), *zip(*failed.values(), strict=True))
    return {row["run_id"] for row in rows}


async def _end_if_over(connection: Connection, run: Run, marks: Marks, *, moved: bool) -> Run | None:
    """End a run whose list failed, or that waits for nothing any more.

    A run that has ended is ended anew, with new counts, where a session of it `moved` since. Returns the run
    that ended, None where none did.
    """
    if run.listed_at is None and run.id not in marks.listed:
        error = marks.list_failed.get(run.id) or marks.request_failed.get(run.id)
        return await _end(connection, run, "failed", error) if error and run.state == "running" else None
    if run.state != "running" and not moved:
        return None
    so_far = await progress(connection, run.id)
    if so_far.waiting:
        return None
    counts = await counts_so_far(connection, run.id)
    return await _end(connection, run, _state(so_far.done + so_far.unchanged, counts), counts=counts)


def _state(good: int, counts: RunCounts) -> EndState:
    """The state in which a run ends whose list came: failed where sessions failed and none was `good`."""
    if counts.sessions_detail_failed and not good:
        return "failed"
    return "partial" if counts.sessions_detail_failed or counts.sessions_failed else "completed"


async def end(connection: Connection, run: Run, state: EndState, error: RunError | None = None) -> Run:
    """End a run, and have that announced; the run is held, and this the end of the caller's transaction."""
    ended = await _end(connection, run, state, error)
    await outbox.add(connection, [_outcome(ended)])
    return ended


async def _end(
    connection: Connection,
    run: Run,
    state: EndState,
    error: RunError | None = None,
    counts: RunCounts | None = None,
) -> Run:
    counts = counts or await counts_so_far(connection, run.id)
    error_text = None if error is None else _text(error)
    row = await fetch_one(connection, statement("end_run"), run.id, state, _text(counts), error_text)
    await connection.execute(statement("runs_moved"), [run.id])
    return as_run(row)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _outcome(run: Run) -> Entry:
    """What is announced of a run that ended."""
    traceparent = tracing.carried(run.traceparent)
    context = Context(source=SOURCE, correlation_id=str(run.id), traceparent=traceparent)
    return Entry(Topics().outcomes, _ingested(run), context)


def _ingested(run: Run) -> PracticeDayIngested:
    return PracticeDayIngested(
        source=run.source,
        track_slug=run.track_slug,
        date=run.date,
        run_id=str(run.id),
        attempt=run.attempt,
        status=cast("EndState", run.state),
        requested_at=run.requested_at,
        finished_at=run.finished_at or dt.datetime.now(dt.UTC),
        findings=tuple(run.findings),
        code=run.error.code if run.error else None,
        message=run.error.message if run.error else None,
        **msgspec.structs.asdict(run.counts or RunCounts()),
    )


async def retry_failed(connection: Connection, run_id: UUID) -> Run:
    """Ask for a run's failed sessions anew, or for its list where that failed, within the same run.

    Raises `RunNotFound`, `RunStillRunning` and `NothingFailed`.
    """
    async with connection.transaction():
        run = await _reopened(connection, await _locked(connection, run_id))
        requests = await failed(connection, run)
        if not requests and run.listed_at:
            raise NothingFailed(f"run {run.id}: none of its sessions failed")
        now = dt.datetime.now(dt.UTC)
        again = [msgspec.structs.replace(one, requested_at=now) for one in requests]
        sessions, ids = [one.session_id for one in again], [event_id(one) for one in again]
        await connection.execute(statement("want_again"), run.id, now, sessions, ids)
        await _ask(connection, run)
    return run


async def take_up_parked(connection: Connection, run: Run) -> Run:
    """Reopen a run that failed for a parked record, whose request comes again; any other is left as it is.

    So is one whose day another run imports at present.
    """
    with contextlib.suppress(RunStillRunning):
        async with connection.transaction():
            held = await _locked(connection, run.id)
            if await connection.fetchval(statement("has_parked"), run.id):
                run = await _reopened(connection, held)
                await connection.execute(statement("want_parked_again"), run.id)
    return run


async def _reopened(connection: Connection, run: Run) -> Run:
    """A run that is held, at its next attempt; raises `RunStillRunning`."""
    busy = RunStillRunning(
        f"{run.track_slug} {run.date} is being imported at present: try again when that run ended; "
        "`lapstream runs list --state running` shows it"
    )
    if run.state == "running":
        raise busy
    with forbidden_by("ingest_runs_running", busy):
        return as_run(await fetch_one(connection, statement("reopen_run"), run.id))


async def _locked(connection: Connection, run_id: UUID) -> Run:
    run = await lock(connection, run_id)
    if run is None:
        raise RunNotFound.of(run_id)
    return run


async def the_run(connection: Connection, run_id: UUID) -> Run:
    """A run as it is; raises `RunNotFound`."""
    run = await read(connection, run_id)
    if run is None:
        raise RunNotFound.of(run_id)
    return run


async def cancel(connection: Connection, run_id: UUID) -> tuple[Run, bool]:
    """End a run: what it has not fetched yet is not fetched. One that ended is left as it is.

    Returns the run, and whether this ended it. Raises `RunNotFound`.
    """
    async with connection.transaction():
        run = await _locked(connection, run_id)
        if run.state != "running":
            return run, False
        return await end(connection, run, "cancelled"), True


async def resume(connection: Connection, run_id: UUID, seconds: float) -> Run | None:
    """Ask anew for the work of a run that showed no sign of life for so many seconds; None where it did.

    Where that was done often enough, the run fails, with the reason.
    """
    async with connection.transaction():
        row = await connection.fetchrow(statement("lock_stalled_run"), run_id, seconds)
        if row is None:
            return None
        run = as_run(row)
        if run.resumes >= LARGEST_RESUMES:
            return await _give_up(connection, run, seconds)
        await connection.execute(statement("resume_run"), run.id)
        await _ask(connection, run)
    return run


async def _give_up(connection: Connection, run: Run, seconds: float) -> Run:
    waited = f"{seconds:.0f} s, {LARGEST_RESUMES + 1} times over"
    what = "the day's list" if run.listed_at is None else "what was left of its sessions"
    message = f"nobody fetched {what} for {waited}: is a fetcher at work? `lapstream lag` tells"
    await connection.execute(statement("give_up_pending"), run.id, "run_stalled", message)
    return await end(connection, run, "failed", RunError(code="run_stalled", message=message))
