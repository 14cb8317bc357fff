"""On which days there was practice, and bring them all in."""

import asyncio
import datetime as dt
from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from lapstream.cli.imports import PARTIAL
from lapstream.cli.output import clean, err, note, out, print_json, progress_bar
from lapstream.cli.tables import Listing, facts, facts_of
from ops.backfill import running as the_backfill
from ops.backfill.discover import Discovered, discover_month
from ops.backfill.estimate import length
from ops.backfill.feeder import GOES_ON, BackfillProgress
from ops.backfill.queries import Months
from ops.backfill.running import BackfillSummary
from producer.site import SOURCE
from runs.run import Refresh
from runtime.settings import read_settings


def discover(track: str, month: dt.date, *, as_json: bool) -> None:
    """Ask the site on which days of a month a track has practice, and show them."""
    with err.status(f"asking for {track} {month:%Y-%m}") as status:
        found = asyncio.run(
            discover_month(read_settings(), track, month, lambda why: status.update(clean(why)))
        )
    if as_json:
        print_json(found)
    else:
        _show_days(found)


def _show_days(found: Discovered) -> None:
    sessions = sum(day.sessions for day in found.days)
    out.print(
        f"{found.track_slug}, {found.year:04}-{found.month:02}: {len(found.days)} days, {sessions} sessions"
    )
    table = Listing("Day", "Sessions", right={"Sessions"})
    for day in found.days:
        table.add(str(day.date), str(day.sessions))
    out.print(table)
    for finding in found.findings:
        note(f"finding {finding.code}: found {finding.found}")


def backfill(
    track: str, first: dt.date, last: dt.date, refresh: Refresh, *, dry_run: bool, as_json: bool
) -> None:
    """Import all days of months; exits with 3 when some days or months failed."""
    months = Months(SOURCE, track, first, last, refresh)
    try:
        with _screen() as screen:
            summary = asyncio.run(the_backfill.backfill(read_settings(), months, screen, dry_run=dry_run))
    except KeyboardInterrupt:
        note(f"a day that was asked for comes in by itself; {GOES_ON}")
        raise
    if as_json:
        print_json(summary)
    else:
        _tell(summary)
    if not (dry_run or summary.finished):
        raise typer.Exit(PARTIAL)


class _Screen:
    """Progress on stderr: a bar that moves, and a line for each day above it."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def show(self, standing: BackfillProgress) -> None:
        left = standing.seconds_left
        doing = f"{standing.doing}; all is done in about {length(left)}" if left else standing.doing
        came = f"{standing.sessions} sessions, {standing.laps} laps, {standing.days_failed} failed"
        self._progress.update(
            self._task,
            description=clean(doing),
            total=standing.days or None,
            completed=standing.days_ended,
            figures=f"days, {came}",
        )

    def say(self, line: str) -> None:
        note(line)


@contextmanager
def _screen() -> Generator[_Screen]:
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}\n{task.description}"),
    )
    with progress_bar(*columns) as progress:
        yield _Screen(progress, progress.add_task("looking", total=None, figures=""))


def _tell(summary: BackfillSummary) -> None:
    """Print what a backfill came to, for a person."""
    state = "finished" if summary.finished else "not finished"
    values = {
        "backfill_id": summary.backfill_id,
        "refresh": summary.refresh,
        "days": summary.days,
        **{f"days {name}": days for name, days in summary.days_by_state.items()},
        "sessions": summary.sessions,
        "laps_ingested": summary.laps_ingested,
    }
    title = f"{summary.track_slug}, {summary.from_month} to {summary.to_month}: {state}"
    out.print(facts(title, facts_of(values)))
    for month in summary.months_failed:
        note(f"month {month.month} is unknown: {month.error}")
    for day in summary.days_failed:
        note(f"{day.date} {day.state}: {day.error}")
