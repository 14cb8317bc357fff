"""`lapstream ingest` and `lapstream day`: bring a practice day in, and look at it."""

import contextlib
from collections.abc import Generator
from enum import StrEnum
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from ops import follow
from ops.cli.arguments import Date, Track, run
from ops.cli.output import JsonFlag, clean, err, note, out, print_json
from ops.follow import Summary
from ops.settings import Settings, read_settings
from ops.wiring import connected
from producer.site import SOURCE
from schemas.errors import LapstreamError
from schemas.identity import practice_event_id
from store import days
from store.days import DayView, FastestLap
from store.runs import Refresh, Run, RunProgress

PARTIAL = 3
"""The exit code of an import of which some sessions failed."""


class NothingKnown(LapstreamError):
    """A day of which nothing was imported."""


class RefreshMode(StrEnum):
    """Which sessions' pages are fetched."""

    all = "all"
    changed = "changed"
    missing = "missing"


def ingest(
    track: Track,
    date: Date,
    *,
    refresh: Annotated[
        RefreshMode,
        typer.Option(help="Fetch every session's page, those whose row changed, or those that are missing."),
    ] = RefreshMode.all,
    as_json: JsonFlag = False,
) -> None:
    """Import a practice day: its list, every session's page, all laps.

    A fetcher, a projector and a relay must be at work (`lapstream run all`). Exits with 0 when all came in,
    with 3 when some sessions failed, with 1 when the day's list could not be had.

    Example: lapstream ingest canberraoffroad 2025-10-25 --refresh changed
    """
    settings = read_settings()
    tell(run(import_day(settings, track, date, refresh.value)), as_json=as_json)


def tell(summary: Summary, *, as_json: bool) -> None:
    """Print what an import came to; exits with 3 where some of it failed."""
    if as_json:
        print_json(summary)
    else:
        show_summary(summary)
    if summary.status != "completed":
        raise typer.Exit(PARTIAL)


async def import_day(settings: Settings, track: str, date: Date, refresh: Refresh = "all") -> Summary:
    """Import a day, with progress on stderr."""
    with showing(f"{track} {date}") as show:
        return await follow.ingest(settings, follow.request(SOURCE, track, date, refresh), show)


@contextlib.contextmanager
def showing(day: str) -> Generator[follow.Show]:
    """Progress of a run on stderr, for the length of a block."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[laps]} laps, {task.fields[failed]} failed"),
        TimeElapsedColumn(),
        console=err,
    ) as progress:
        yield _shown_on(progress, day)


def _shown_on(progress: Progress, day: str) -> follow.Show:
    task = progress.add_task(f"{day}: waiting for the list", total=None, laps=0, failed=0)

    def show(run: Run, so_far: RunProgress) -> None:
        listed = run.listed_at is not None
        progress.update(
            task,
            description=f"{day}: {'sessions' if listed else 'waiting for the list'}",
            total=so_far.sessions if listed else None,
            completed=so_far.sessions - so_far.waiting,
            laps=so_far.laps,
            failed=so_far.failed,
        )

    return show


def show_summary(summary: Summary) -> None:
    """Print what an import did, for a person."""
    table = Table(
        title=f"{summary.source_event_id}: {summary.status}", show_header=False, title_justify="left"
    )
    for name in (
        "event_id",
        "run_id",
        "sessions_ingested",
        "sessions_failed",
        "sessions_detail_failed",
        "sessions_with_laps",
        "laps_ingested",
        "drivers_created_or_matched",
        "duration_seconds",
    ):
        table.add_row(name.replace("_", " "), str(getattr(summary, name)))
    out.print(table)
    show_fastest(summary.fastest_laps)
    for failure in summary.failures:
        note(f"session {failure.session_id} failed: {failure.message}")
    for finding in summary.findings:
        expected = "" if finding.expected is None else f", expected {finding.expected}"
        note(f"finding {finding.code}: found {finding.found}{expected}")


def show_fastest(laps: list[FastestLap]) -> None:
    """Print the fastest lap of each class."""
    if not laps:
        return
    table = Table(title="Fastest laps", title_justify="left")
    for heading in ("Class", "Lap [s]", "Driver", "Session"):
        table.add_column(heading, justify="right" if heading == "Lap [s]" else "left")
    for lap in laps:
        table.add_row(
            clean(lap.class_name or "-"),
            f"{lap.fast_lap_time:.3f}",
            clean(lap.driver_name or "-"),
            lap.session_id,
        )
    out.print(table)


def day(track: Track, date: Date, *, as_json: JsonFlag = False) -> None:
    """Show a practice day as the tables have it.

    Example: lapstream day canberraoffroad 2025-10-25 --json
    """
    view = run(read_day(read_settings(), track, date))
    if as_json:
        print_json(view)
    else:
        show_day(view)


async def read_day(settings: Settings, track: str, date: Date) -> DayView:
    """The day from the tables; raises `NothingKnown`."""
    async with connected(settings) as connection:
        view = await days.read_day(connection, practice_event_id(SOURCE, track, date))
    if view is None:
        raise NothingKnown(
            f"nothing is known of {track} on {date}: import it with `lapstream ingest {track} {date}`"
        )
    return view


def show_day(view: DayView) -> None:
    """Print a day with its sessions and fastest laps, for a person."""
    show_sessions(view)
    show_fastest(view.fastest_laps)


def show_sessions(view: DayView) -> None:
    """Print a day's sessions."""
    title = f"{clean(view.track_name or view.track_slug)}, {view.date}: {view.sessions_ingested} sessions, "
    missing = view.sessions_ingested - view.sessions_with_detail
    without = f", {missing} sessions without their page" if missing else ""
    table = Table(title=f"{title}{view.laps} laps, {view.drivers} drivers{without}", title_justify="left")
    for heading in ("Start", "Driver", "Class", "Transponder"):
        table.add_column(heading)
    for heading in ("Laps", "Fastest [s]", "Average [s]", "Consistency [%]"):
        table.add_column(heading, justify="right")
    for session in view.sessions:
        table.add_row(
            "-" if session.start_time is None else f"{session.start_time:%H:%M:%S}",
            clean(session.driver_name or "-"),
            clean(session.class_name or "-"),
            clean(session.transponder_number or "-"),
            "-" if session.laps_completed is None else str(session.laps_completed),
            _decimal(session.fast_lap_time),
            _decimal(session.avg_lap_time),
            _decimal(session.consistency),
        )
    out.print(table)


def _decimal(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
