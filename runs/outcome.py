"""What an import came to, as it is reported."""

from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from runs.run import Run, RunCounts, RunState
from schemas.events import Finding


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


def facts_of(run: Run, counts: RunCounts) -> dict[str, Any]:
    """The fields of an outcome."""
    return {
        "event_id": run.event_id,
        "source_event_id": run.source_event_id,
        "status": run.state,
        "run_id": run.id,
        "duration_seconds": round(run.duration_seconds, 3),
        "findings": run.findings,
        **asdict(counts),
    }
