"""The feeder of a backfill: its days are imported one after another, drop by drop.

A day is fed only while the site may be asked and no run is at work; it is followed until it ended.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
from msgspec import Struct

from ops.backfill import queries as backfills
from ops.backfill.discover import LOOK_SECONDS, held_by, until_free
from ops.backfill.estimate import Estimate, Measured, estimate
from ops.backfill.queries import ENDED, AtWork, Backfill, BackfillDay, InFlight
from ops.imports.follow import STALLED_SECONDS
from producer.site import Site
from runs.run import Run, RunProgress
from runs.watch import RunWatch
from runtime.settings import Settings
from schemas.errors import LapstreamError
from store.pool import Pool

GOES_ON = "the same command goes on where this one stopped"


class BackfillStopped(LapstreamError):
    """The backfill could not go on; it can be resumed."""


class BackfillProgress(Struct, frozen=True, kw_only=True):
    """How far a backfill is, and what it does at present; `seconds_left` is None while that is unknown."""

    doing: str
    days: int = 0
    days_ended: int = 0
    days_failed: int = 0
    sessions: int = 0
    laps: int = 0
    seconds_left: float | None = None


class Screen(Protocol):
    """What a person sees of a backfill."""

    def show(self, standing: BackfillProgress) -> None:
        """Show how far it is, in place of what was shown before."""
        ...

    def say(self, line: str) -> None:
        """Add a line."""
        ...


class BackfillWork(NamedTuple):
    """A backfill, and what it is worked at with."""

    settings: Settings
    pool: Pool
    backfill: Backfill
    screen: Screen

    async def days(self) -> list[BackfillDay]:
        """The days that are known."""
        async with self.pool.acquire() as connection:
            return await backfills.read_days(connection, self.backfill)

    def left(
        self, days: list[BackfillDay], months_unknown: int, measured: Measured, in_flight: int = 0
    ) -> Estimate:
        """What these days still take, and so many requests of the one in flight."""
        return estimate(
            days,
            self.backfill.months.refresh,
            months_unknown=months_unknown,
            interval_seconds=self.settings.site_interval_seconds,
            measured=measured,
            in_flight=in_flight,
        )

    async def until_free(self, wait: Callable[[str], None]) -> None:
        """Return when the site is neither paused nor left alone; `wait` is told why it is."""
        async with self.pool.acquire() as connection:
            await until_free(connection, Site(self.settings.site), wait)


class Feeder:
    """Feeds the days of one backfill."""

    def __init__(self, work: BackfillWork, watch: RunWatch, months_unknown: int) -> None:
        self._work = work
        self._watch = watch
        self._months_unknown = months_unknown
        self._days: list[BackfillDay] = []
        self.measured = Measured()
        """The requests that its days made, and the time in which they were imported."""

    async def feed(self) -> None:
        """Import what is left, day by day; raises `BackfillStopped` where nothing moves any more."""
        self._days = await self._work.days()
        while day := await self._next():
            await self._import(day)
            self._days = await self._work.days()
        self._show("done")

    async def _next(self) -> InFlight | None:
        """The next day, once it is its turn; None when no day is left."""
        while True:
            await self._work.until_free(self._show)
            async with self._work.pool.acquire() as connection:
                found = await backfills.feed(connection, self._work.backfill)
            if not isinstance(found, AtWork):
                return found
            self._show(f"waiting for {found.run.track_slug} {found.run.date}, which somebody asked for")
            await self._check_alive(await self._watch.ended(found.run.id, LOOK_SECONDS))

    async def _import(self, day: InFlight) -> None:
        """Follow a day to its end, and note how it ended."""
        run = await self._followed(day)
        async with self._work.pool.acquire() as connection:
            error = await backfills.settle(connection, self._work.backfill, day.event_date, run)
        came = (
            f"{run.counts.sessions_ingested} sessions, {run.counts.laps_ingested} laps" if run.counts else ""
        )
        self._work.screen.say(f"{day.event_date} {run.state}: {error or came}")

    async def _followed(self, day: InFlight) -> Run:
        """The day's run when it ended; the requests that it makes meanwhile are counted."""
        before, began = self.measured, time.monotonic()
        first: RunProgress | None = None
        async for run, progress in self._watch.updates(day.run_id):
            first = first or progress
            made = _made(progress) - _made(first)
            self.measured = Measured(before.requests + made, before.seconds + time.monotonic() - began)
            self._show(f"{day.event_date}: {_sessions(run, progress)}", run, progress)
            await self._check_alive(run)
            if run.state != "running":
                return run
        raise AssertionError("unreachable: a run is followed until it ended")

    def _show(self, doing: str, run: Run | None = None, progress: RunProgress | None = None) -> None:
        shown = progress_of(self._days, doing)
        laps = shown.laps + (progress.laps if progress else 0)
        left = self._seconds_left(run, progress)
        self._work.screen.show(msgspec.structs.replace(shown, laps=laps, seconds_left=left))

    def _seconds_left(self, run: Run | None, progress: RunProgress | None) -> float | None:
        """What all days still take, that which is being imported with what is known of it now."""
        listed = run is not None and progress is not None and run.listed_at is not None
        days = [day for day in self._days if not (listed and run and day.event_date == run.date)]
        in_flight = progress.waiting if listed and progress else 0
        return self._work.left(days, self._months_unknown, self.measured, in_flight).seconds

    async def _check_alive(self, run: Run) -> None:
        """Raise `BackfillStopped` where a run waits, and no run moves, and nothing holds the site back."""
        idle = (dt.datetime.now(dt.UTC) - run.moved_at).total_seconds()
        if run.state != "running" or idle < STALLED_SECONDS:
            return
        async with self._work.pool.acquire() as connection:
            idle = await backfills.idle_seconds(connection)
            held = await held_by(connection, Site(self._work.settings.site))
        if idle >= STALLED_SECONDS and held is None:
            raise BackfillStopped(
                f"run {run.id} of {run.track_slug} {run.date}: nothing moved for {idle:.0f} s; `lapstream "
                f"lag` tells whether anybody works; {GOES_ON}"
            )


def progress_of(days: Sequence[BackfillDay], doing: str) -> BackfillProgress:
    """How far the days of a backfill are."""
    ended = [day for day in days if day.state in ENDED]
    return BackfillProgress(
        doing=doing,
        days=len(days),
        days_ended=len(ended),
        days_failed=sum(day.error is not None for day in ended),
        sessions=sum(day.sessions for day in ended),
        laps=sum(day.laps_ingested for day in days),
    )


def _made(progress: RunProgress) -> int:
    """The requests that a run made: its list, once there is a plan, and its sessions' pages."""
    return (progress.sessions > 0) + progress.done + progress.failed


def _sessions(run: Run, progress: RunProgress) -> str:
    if run.listed_at is None:
        return "waiting for its list"
    return f"{progress.sessions - progress.waiting} of {progress.sessions} sessions"
