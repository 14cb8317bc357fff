"""An import on the terminal: asked for, followed, and told."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Generator

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
from ops.cli.days import show_fastest
from ops.cli.output import note, out, print_json, progress_bar
from ops.follow import Summary
from ops.settings import Settings, read_settings
from producer.site import SOURCE
from store.runs import Refresh, Run, RunProgress

PARTIAL = 3
"""The exit code of an import of which some sessions failed."""


def ingest(track: str, date: dt.date, refresh: Refresh, *, as_json: bool) -> None:
    """Import a practice day, and tell what it came to."""
    tell(asyncio.run(import_day(read_settings(), track, date, refresh)), as_json=as_json)


def tell(summary: Summary, *, as_json: bool) -> None:
    """Print what an import came to; exits with 3 where some of it failed."""
    if as_json:
        print_json(summary)
    else:
        show_summary(summary)
    if summary.status != "completed":
        raise typer.Exit(PARTIAL)


async def import_day(settings: Settings, track: str, date: dt.date, refresh: Refresh = "all") -> Summary:
    """Import a day, with progress on stderr."""
    with showing(f"{track} {date}") as show:
        return await follow.ingest(settings, follow.request(SOURCE, track, date, refresh), show)


@contextlib.contextmanager
def showing(day: str) -> Generator[follow.Show]:
    """Progress of a run on stderr, for the length of a block."""
    with progress_bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[laps]} laps, {task.fields[failed]} failed"),
        TimeElapsedColumn(),
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
