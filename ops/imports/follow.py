"""An import as a command asks for it: a run is opened, followed, and told when it ended."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from aiokafka.errors import KafkaError
from msgspec import Struct

from broker.clients import administering, describe_group
from ops.backfill.discover import held_by
from outbox import adding as outbox
from producer.site import Site
from runs import changes as run_changes
from runs import run as runs
from runs.run import Refresh, Run, RunCounts, RunFailure, RunProgress
from runs.watch import watching
from runtime.database import connected, database
from runtime.settings import Settings
from runtime.wiring import detail_group, list_group, projection_group
from schemas.errors import LapstreamError
from schemas.events import Finding, PracticeDayRequested
from schemas.topics import Topics
from store import days
from store.days import FastestLap
from store.pool import Connection, Pool
from telemetry import tracing

STALLED_SECONDS = 300.0
"""How long a run may show no sign of life, while nothing holds the site back."""

PATIENCE_SECONDS = 15.0
"""How long an import waits for a fetcher, a projector and a relay to come."""

LOOK_SECONDS = 0.1

QUIET_SECONDS = 2.0
"""So long a run may not move before it is asked what it waits for."""


class Screen(Protocol):
    """Where an import is shown."""

    def show(self, run: Run, progress: RunProgress) -> None:
        """Show how far the run is."""
        ...

    def wait(self, what: str) -> None:
        """Show what the import waits for; the next `show` ends that, where the run moved."""
        ...


class _Unseen:
    """For who follows a run and shows nothing."""

    def show(self, run: Run, progress: RunProgress) -> None:
        pass

    def wait(self, what: str) -> None:
        pass


unseen = _Unseen()


class RoleNotRunning(LapstreamError):
    """A role that the import needs is not at work."""


class ImportFailed(LapstreamError):
    """The day's list failed to be fetched, or nothing moved any more."""


class ImportSummary(Struct, frozen=True, kw_only=True):
    """What an import came to; `event_id` is the day's row, times are in seconds."""

    event_id: UUID
    source_event_id: str
    run_id: UUID
    status: runs.RunState
    sessions_ingested: int
    sessions_failed: int
    sessions_detail_failed: int
    sessions_with_laps: int
    laps_ingested: int
    drivers_created_or_matched: int
    duration_seconds: float
    findings: list[Finding]
    failures: list[RunFailure]
    fastest_laps: list[FastestLap]


async def ingest(settings: Settings, event: PracticeDayRequested, screen: Screen) -> ImportSummary:
    """Ask for a day, follow its import to the tables and tell what came in.

    A day that is being imported already is followed. Raises `RoleNotRunning` where a role that it needs
    is not running, and `ImportFailed`.
    """
    await await_workers(settings, screen.wait)
    async with database(settings, size=2) as pool:
        async with pool.acquire() as connection:
            with tracing.span("import practice day", None):
                run, _ = await run_changes.request(connection, event, traceparent=tracing.current())
        return await _summary(pool, await _followed(settings, pool, run.id, screen))


async def retry(settings: Settings, run_id: UUID, screen: Screen) -> ImportSummary:
    """Try a run's failed sessions again, within it; raises as `ingest`, and as `run_changes.retry_failed`."""
    await await_workers(settings, screen.wait)
    async with database(settings, size=2) as pool:
        async with pool.acquire() as connection:
            await run_changes.retry_failed(connection, run_id)
        return await _summary(pool, await _followed(settings, pool, run_id, screen))


async def _followed(settings: Settings, pool: Pool, run_id: UUID, screen: Screen) -> Run:
    """The run when it ended; raises `ImportFailed` where it failed as a whole, or stalls."""
    async with watching(settings.postgres_dsn) as watch:
        async for run, progress in watch.updates(run_id, pool):
            screen.show(run, progress)
            await _check_alive(settings, pool, run, screen.wait)
            if run.error:
                raise ImportFailed(f"run {run.id}: {run.error.message}")
            if run.state != "running":
                return run
    raise AssertionError("unreachable: a run is followed until it ended")


async def _check_alive(settings: Settings, pool: Pool, run: Run, wait: Callable[[str], None]) -> None:
    """Tell what a run waits for that does not move; raises `ImportFailed` where it is for nothing."""
    idle = (dt.datetime.now(dt.UTC) - run.moved_at).total_seconds()
    if run.state != "running" or idle < QUIET_SECONDS:
        return
    async with pool.acquire() as connection:
        held = await held_by(connection, Site(settings.site))
        if obstacle := held or await _nobody(settings, connection):
            wait(obstacle)
    if idle >= STALLED_SECONDS and not held:
        raise ImportFailed(
            f"run {run.id}: nothing moved for {idle:.0f} s; `lapstream lag` tells whether anybody works, the "
            f"fetcher's log what it waits for. The run goes on: `lapstream runs show {run.id}`"
        )


async def _nobody(settings: Settings, connection: Connection) -> str | None:
    """Which role is not at work, or that nobody can tell."""
    try:
        async with administering(settings.broker) as admin:
            role = await _missing_role(settings.topics, admin, connection)
    except KafkaError:
        return "the broker does not answer"
    return role and _waits_for(role)


def _waits_for(role: str) -> str:
    return f"no {role} is at work: start `lapstream run {role}`, or `lapstream run all`"


async def await_workers(settings: Settings, wait: Callable[[str], None]) -> None:
    """Return when all roles that an import needs are at work; raises `RoleNotRunning` after a while."""
    begin = time.monotonic()
    async with administering(settings.broker) as admin, connected(settings) as connection:
        while missing := await _missing_role(settings.topics, admin, connection):
            waited = time.monotonic() - begin
            if waited > PATIENCE_SECONDS:
                raise RoleNotRunning(f"no {missing} is at work: start `lapstream run all` beside this")
            if waited > QUIET_SECONDS:
                wait(_waits_for(missing))
            await asyncio.sleep(LOOK_SECONDS)


async def _missing_role(topics: Topics, admin: Any, connection: Connection) -> str | None:  # noqa: ANN401 - aiokafka is untyped
    for role, group in (("fetcher", list_group(topics)), ("projector", projection_group(topics))):
        if not (await describe_group(admin, group))[1]:
            return role
    if (await describe_group(admin, detail_group(topics)))[0] != "Stable":
        return "fetcher"  # its pool still forms: what it begins now would be begun again
    return None if await outbox.is_relayed(connection) else "relay"


async def _summary(pool: Pool, run: Run) -> ImportSummary:
    async with pool.acquire() as connection:
        failures = await runs.failures(connection, run.id)
        view = await days.read_day(connection, run.event_id)
    counts = run.counts or RunCounts()
    return ImportSummary(
        event_id=run.event_id,
        source_event_id=run.source_event_id,
        run_id=run.id,
        status=run.state,
        sessions_ingested=counts.sessions_ingested,
        sessions_failed=counts.sessions_failed,
        sessions_detail_failed=counts.sessions_detail_failed,
        sessions_with_laps=counts.sessions_with_laps,
        laps_ingested=counts.laps_ingested,
        drivers_created_or_matched=counts.drivers_created_or_matched,
        duration_seconds=round(run.duration_seconds, 3),
        findings=run.findings,
        failures=failures,
        fastest_laps=view.fastest_laps if view else [],
    )


def request(source: str, track_slug: str, date: dt.date, refresh: Refresh = "all") -> PracticeDayRequested:
    """A request for a day, made now."""
    return PracticeDayRequested(
        source=source,
        track_slug=track_slug,
        date=date,
        requested_at=dt.datetime.now(dt.UTC),
        refresh=refresh,
    )
