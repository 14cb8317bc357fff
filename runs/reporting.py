"""What is reported of runs once their end is committed: log lines and counts."""

from collections.abc import Sequence

import structlog

from runs.run import Run, RunCounts
from telemetry import metrics, tracing

log = structlog.get_logger("lapstream.projector")


def report_ended(runs: Sequence[Run]) -> None:
    """Log and count runs that ended; one that ends again, because more came of it, is reported again."""
    for run in runs:
        counts = run.counts or RunCounts()
        _count(run, counts)
        with structlog.contextvars.bound_contextvars(
            run_id=str(run.id), trace_id=tracing.trace_id_of(run.traceparent)
        ):
            _log(run, counts)


def _count(run: Run, counts: RunCounts) -> None:
    metrics.run_ended(
        run.state,
        sessions=counts.sessions_ingested,
        with_laps=counts.sessions_with_laps,
        detail_failed=counts.sessions_detail_failed,
        laps=counts.laps_ingested,
    )
    if run.attempt == 1:
        metrics.run_took(run.duration_seconds)


def _log(run: Run, counts: RunCounts) -> None:
    if run.listed_at:
        log.info(
            "ingest_practice_day_detail_done",
            track=run.track_slug,
            date=str(run.date),
            sessions_with_laps=counts.sessions_with_laps,
            laps=counts.laps_ingested,
            failed=counts.sessions_detail_failed,
        )
    seconds = round(run.duration_seconds, 3)
    if run.state == "completed":
        log.info("ingest_practice_day_success", track=run.track_slug, date=str(run.date), seconds=seconds)
    else:
        log.warning(
            "ingest_practice_day_ended",
            track=run.track_slug,
            date=str(run.date),
            seconds=seconds,
            state=run.state,
            code=run.error.code if run.error else None,
            error=run.error.message if run.error else None,
        )
