"""How a run is told: its outcome, as whoever asked for the import reads it, and all that is known of it."""

import datetime as dt
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from runs import run as runs
from runs.outcome import IngestOutcome, facts_of
from runs.run import Refresh, Run, RunCounts, RunError, RunFailure, RunProgress
from schemas import fields as f
from server.http.answers import Details
from server.http.refusals import Refusal
from store.pool import Connection

RUNS = "/api/v1/ingest-runs"
STALLED = "run_stalled"
PARKED = "parked_"
RETRY_SECONDS = 5
"""After so many seconds it is worth asking for a running run again."""


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
    return IngestOutcome(**facts_of(run, await _counts(connection, run)))


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


def _head(run: Run, counts: RunCounts) -> dict[str, Any]:
    shared = {name: getattr(run, name) for name in RunHead.__struct_fields__ if name in Run.__struct_fields__}
    return {**shared, **facts_of(run, counts)}


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
