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

from lapstream.cli.days import show_fastest
from lapstream.cli.output import clean, note, out, print_json, progress_bar, words
from lapstream.cli.tables import facts, facts_of
from ops.imports import follow
from ops.imports.follow import ImportSummary
from producer.site import SOURCE
from runs.run import Refresh, Run, RunProgress
from runtime.settings import Settings, read_settings

PARTIAL = 3
"""The exit code of an import of which some sessions failed."""


def ingest(track: str, date: dt.date, refresh: Refresh, *, as_json: bool) -> None:
    """Import a practice day, and tell what it came to."""
    settings = read_settings()
    request = follow.request(SOURCE, track, date, refresh)
    with showing(f"{track} {date}") as screen:
        summary = asyncio.run(follow.ingest(settings, request, screen))
    print_summary(summary, as_json=as_json)


def print_summary(summary: ImportSummary, *, as_json: bool) -> None:
    """Print what an import came to; exits with 3 where some of it failed."""
    if as_json:
        print_json(summary)
    else:
        show_summary(summary)
    if summary.status != "completed":
        raise typer.Exit(PARTIAL)


async def import_day(settings: Settings, track: str, date: dt.date) -> ImportSummary:
    """Import a day within a coroutine, with progress on stderr."""
    with showing(f"{track} {date}") as screen:
        return await follow.ingest(settings, follow.request(SOURCE, track, date), screen)


@contextlib.contextmanager
def showing(day: str) -> Generator[follow.Screen]:
    """Progress of a run on stderr, for the length of a block; that a run goes on is said where it ends."""
    with import_progress() as progress:
        screen = RunScreen(progress, day)
        try:
            yield screen
        except BaseException as error:
            screen.say_that_it_goes_on(interrupted=isinstance(error, KeyboardInterrupt))
            raise


def import_progress() -> Progress:
    """Progress on stderr, for `RunScreen`s."""
    return progress_bar(
        SpinnerColumn(),
        words("{task.description}"),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[laps]} laps, {task.fields[failed]} failed"),
        TimeElapsedColumn(),
    )


class RunScreen:
    """A bar that moves; what is waited for stands in it, and in a line of its own where no bar is shown."""

    def __init__(self, progress: Progress, day: str) -> None:
        self._progress = progress
        self._day = day
        self._task = progress.add_task(f"{day}: waiting for the list", total=None, laps=0, failed=0)
        self._run: Run | None = None
        self._waits_for: str | None = None

    def show(self, run: Run, progress: RunProgress) -> None:
        if self._run is None or run.moved_at != self._run.moved_at:
            self._waits_for = None
        self._run = run
        listed = run.listed_at is not None
        doing = self._waits_for or ("sessions" if listed else "waiting for the list")
        self._progress.update(
            self._task,
            description=f"{self._day}: {doing}",
            total=progress.sessions if listed else None,
            completed=progress.sessions - progress.waiting,
            laps=progress.laps,
            failed=progress.failed,
        )

    def wait(self, what: str) -> None:
        if what == self._waits_for:
            return
        self._waits_for = what
        self._progress.update(self._task, description=f"{self._day}: {clean(what)}")
        if self._progress.disable:
            note(f"waiting: {what}")

    def say_that_it_goes_on(self, *, interrupted: bool) -> None:
        """Say what becomes of the run without this command."""
        if self._run is None:
            if interrupted:
                note("nothing was asked for yet")
        elif self._run.state == "running":
            run = self._run.id
            note(
                f"run {run} goes on without this command: `lapstream runs show {run}` shows how far it is, "
                f"`lapstream runs cancel {run}` ends it"
            )


def show_summary(summary: ImportSummary) -> None:
    """Print what an import did, for a person."""
    names = (
        "event_id",
        "run_id",
        "sessions_ingested",
        "sessions_failed",
        "sessions_detail_failed",
        "sessions_with_laps",
        "laps_ingested",
        "drivers_created_or_matched",
        "duration_seconds",
    )
    values = facts_of({name: getattr(summary, name) for name in names})
    out.print(facts(f"{summary.source_event_id}: {summary.status}", values))
    show_fastest(summary.fastest_laps)
    for failure in summary.failures:
        note(f"session {failure.session_id} failed: {failure.message}")
    for finding in summary.findings:
        expected = "" if finding.expected is None else f", expected {finding.expected}"
        note(f"finding {finding.code}: found {finding.found}{expected}")
