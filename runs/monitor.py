"""The run monitor: a run whose work stopped is resumed, and in the end fails; the outbox is measured.

It works beside each relay; two of them do no harm, for a run is held while it is looked at.
"""

import asyncio

import structlog
from structlog.contextvars import bound_contextvars

from outbox import rows as relay
from runs import changes as run_changes
from runs import run as runs
from runs.reporting import report_ended
from runs.run import Run
from store.faults import said_by
from store.pool import TRANSIENT, Pool
from store.waiting import set_within
from telemetry import health, metrics, tracing

LOOKS = 12
"""How often a run is looked at in the time after which it counts as stalled."""

LONGEST_LOOK_SECONDS = 10.0

log = structlog.get_logger("lapstream.monitor")


async def monitor_runs(pool: Pool, stalled_seconds: float, stop: asyncio.Event) -> None:
    """Look after runs until told to stop; one that has not moved for so many seconds counts as stalled."""
    look_seconds = min(stalled_seconds / LOOKS, LONGEST_LOOK_SECONDS)
    with health.working("run monitor"):
        while not stop.is_set():
            try:
                await measure(pool)
                await look(pool, stalled_seconds)
            except TRANSIENT as error:
                metrics.outbox_unknown()
                log.warning("monitor_database_away", error=repr(error))
                health.lacks(f"the database is away: {said_by(error)}")
            else:
                health.lacks(None)
            await set_within(stop, look_seconds)


async def look(pool: Pool, stalled_seconds: float) -> None:
    """Resume each run that shows no sign of life."""
    async with pool.acquire() as connection:
        for run_id in await runs.stalled(connection, stalled_seconds):
            run = await run_changes.resume(connection, run_id, stalled_seconds)
            if run is not None:
                _report(run)


def _report(run: Run) -> None:
    with bound_contextvars(run_id=str(run.id), trace_id=tracing.trace_id_of(run.traceparent)):
        if run.state == "running":
            log.warning("run_resumed", track=run.track_slug, date=str(run.date), resumes=run.resumes + 1)
        else:
            log.warning("run_given_up", track=run.track_slug, date=str(run.date))
            report_ended([run])


async def measure(pool: Pool) -> None:
    """Measure what waits to be published."""
    async with pool.acquire() as connection:
        metrics.outbox_holds(*await relay.backlog(connection))
