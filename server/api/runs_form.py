"""How a run is told: its outcome, as whoever asked for the import reads it, and all that is known of it."""

import datetime as dt
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from runs import run as runs
from runs.run import Refresh, Run, RunCounts, RunError, RunFailure, RunProgress, RunState
from schemas import fields as f
from schemas.events import Finding
from server.http.answers import Details
from server.http.refusals import Refusal
from store.pool import Connection

RUNS = "/api/v1/ingest-runs"
STALLED = "run_stalled"
PARKED = "parked_"
RETRY_SECONDS = 5
"""After so many seconds it is worth asking for a running run again."""


class IngestOutcome(Struct, frozen=True, kw_only=True):
    """What an import came to, or has come to so far; `event_id` is the day's row.

    `sessions_failed` are those of the list that could not be stored, `sessions_detail_failed` those whose
    page failed to be fetched; `laps_ingested` the laps now stored of the sessions whose page this run
    fetched.
    """

    event_id: UUID
    source_event_id: str
    status: RunState
    run_id: UUID
    sessions_ingested: int
    sessions_failed: int
    sessions_detail_failed: int
    sessions_with_laps: int
    laps_ingested: int
    drivers_created_or_matched: int
    duration_seconds: float
    findings: list[Finding]


class RunHead(IngestOutcome, frozen=True, kw_only=True):
    """A run in a list."""

    source: str
    track_slug: str
    date: dt.date
    refresh: Refresh
    attempt: int
    requested_at: f.Instant
    planned_at: f.Instant | None
    listed_at: f.Instant | None
    moved_at: f.Instant
    finished_at: f.Instant | None
    error: RunError | None


class RunView(RunHead, frozen=True, kw_only=True):
    """All that is known of a run, each failed session with its reason."""

    progress: RunProgress
    failures: list[RunFailure]


def location_of(run: Run) -> str:
    """Where a run is read."""
    return f"{RUNS}/{run.id}"


async def outcome_of(connection: Connection, run: Run) -> IngestOutcome:
    """What a run came to, or has come to so far."""
    return IngestOutcome(**_outcome(run, await _counts(connection, run)))


async def heads_of(connection: Connection, found: Iterable[Run]) -> list[RunHead]:
    """Runs as they stand in a list."""
    return [RunHead(**_head(run, await _counts(connection, run))) for run in found]


async def view_of(connection: Connection, run: Run) -> RunView:
    """All that is known of a run."""
    return RunView(
        progress=await runs.progress(connection, run.id),
        failures=await runs.failures(connection, run.id),
        **_head(run, await _counts(connection, run)),
    )


async def _counts(connection: Connection, run: Run) -> RunCounts:
    return run.counts or await runs.counts_so_far(connection, run.id)


def _outcome(run: Run, counts: RunCounts) -> dict[str, Any]:
    return {
        "event_id": run.event_id,
        "source_event_id": run.source_event_id,
        "status": run.state,
        "run_id": run.id,
        "duration_seconds": round(run.duration_seconds, 3),
        "findings": run.findings,
        **asdict(counts),
    }


def _head(run: Run, counts: RunCounts) -> dict[str, Any]:
    shared = {name: getattr(run, name) for name in RunHead.__struct_fields__ if name in Run.__struct_fields__}
    return {**shared, **_outcome(run, counts)}


def check_listed(run: Run) -> None:
    """Raise a `Refusal` for a run that failed before it had the day's list."""
    error = run.error
    if run.state != "failed" or error is None or run.listed_at is not None:
        return
    stalled, parked = error.code == STALLED, error.code.startswith(PARKED)
    raise Refusal(
        _status(stalled=stalled, parked=parked),
        error.code,
        error.message,
        source="service" if stalled or parked else "site",
        details=Details(
            run_id=run.id,
            url=error.url,
            found=error.message.removeprefix(f"{error.url}: ").removeprefix(f"{error.code}: "),
            retry_after_seconds=RETRY_SECONDS if stalled else None,
        ),
    )


def _status(*, stalled: bool, parked: bool) -> HTTPStatus:
    if stalled:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR if parked else HTTPStatus.BAD_GATEWAY
