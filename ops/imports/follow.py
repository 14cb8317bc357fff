"""An import as a command asks for it: a run is opened, followed, and told when it ended."""

import contextlib
import datetime as dt
from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol
from uuid import UUID

from ops.backfill.discover import held_by
from ops.imports.workers import QUIET_SECONDS, Workers
from producer.site import Site
from runs import changes as run_changes
from runs import run as runs
from runs.outcome import IngestOutcome, facts_of
from runs.run import Refresh, Run, RunCounts, RunFailure, RunProgress
from runs.watch import RunWatch, watching
from runtime.database import database
from runtime.settings import Settings
from schemas.errors import LapstreamError
from schemas.events import PracticeDayRequested
from store import days
from store.days import FastestLap
from store.pool import Pool
from telemetry import tracing

STALLED_SECONDS = 300.0
"""How long a run may show no sign of life, while nothing holds the site back."""


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


class ImportFailed(LapstreamError):
    """The day's list failed to be fetched, or nothing moved any more."""


class ImportSummary(IngestOutcome, frozen=True, kw_only=True):
    """What an import came to, with the sessions that failed and the day's fastest laps, in seconds."""

    failures: list[RunFailure]
    fastest_laps: list[FastestLap]


async def ingest(settings: Settings, event: PracticeDayRequested, screen: Screen) -> ImportSummary:
    """Ask for a day, follow its import to the tables and tell what came in.

    A day that is being imported already is followed. Raises `RoleNotRunning` where a role that it needs
    is not running, and `ImportFailed`.
    """
    async with _following(settings, screen) as following:
        async with following.pool.acquire() as connection:
            with tracing.span("import practice day", None):
                run, _ = await run_changes.request(connection, event, traceparent=tracing.current())
        return await _summary(following.pool, await following.ended(run.id))


async def retry(settings: Settings, run_id: UUID, screen: Screen) -> ImportSummary:
    """Try a run's failed sessions again, within it; raises as `ingest`, and as `run_changes.retry_failed`."""
    async with _following(settings, screen) as following:
        async with following.pool.acquire() as connection:
            await run_changes.retry_failed(connection, run_id)
        return await _summary(following.pool, await following.ended(run_id))


@contextlib.asynccontextmanager
async def _following(settings: Settings, screen: Screen) -> AsyncGenerator["_Following"]:
    """What a run is followed with, once the roles that an import needs are at work."""
    workers = Workers(settings.broker, settings.topics)
    async with database(settings, size=2) as pool:
        async with pool.acquire() as connection:
            await workers.come(connection, screen.wait)
        async with watching(settings.postgres_dsn, pool) as watch:
            yield _Following(pool, watch, workers, Site(settings.site), screen)


class _Following(NamedTuple):
    pool: Pool
    watch: RunWatch
    workers: Workers
    site: Site
    screen: Screen

    async def ended(self, run_id: UUID) -> Run:
        """The run when it ended; raises `ImportFailed` where it failed as a whole, or stalls."""
        async for run, progress in self.watch.updates(run_id):
            self.screen.show(run, progress)
            await self._check_alive(run)
            if run.error:
                raise ImportFailed(f"run {run.id}: {run.error.message}")
            if run.state != "running":
                return run
        raise AssertionError("unreachable: a run is followed until it ended")

    async def _check_alive(self, run: Run) -> None:
        """Tell what a run waits for that does not move; raises `ImportFailed` where it is for nothing."""
        idle = (dt.datetime.now(dt.UTC) - run.moved_at).total_seconds()
        if run.state != "running" or idle < QUIET_SECONDS:
            return
        async with self.pool.acquire() as connection:
            held = await held_by(connection, self.site)
            if obstacle := held or await self.workers.lacking(connection):
                self.screen.wait(obstacle)
        if idle >= STALLED_SECONDS and not held:
            raise ImportFailed(
                f"run {run.id}: nothing moved for {idle:.0f} s; `lapstream lag` tells whether anybody works, "
                f"the fetcher's log what it waits for. The run goes on: `lapstream runs show {run.id}`"
            )


async def _summary(pool: Pool, run: Run) -> ImportSummary:
    async with pool.acquire() as connection:
        failures = await runs.failures(connection, run.id)
        view = await days.read_day(connection, run.event_id)
    return ImportSummary(
        failures=failures,
        fastest_laps=view.fastest_laps if view else [],
        **facts_of(run, run.counts or RunCounts()),
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
