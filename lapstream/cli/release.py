"""A release's checklist on the terminal: each point as it is judged."""

import asyncio
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from lapstream.cli.imports import RunScreen, import_progress
from lapstream.cli.later import later
from lapstream.cli.output import clean, err, note, out, print_json, say_error
from ops.imports import follow
from ops.imports.follow import ImportSummary
from ops.release.checklist import judge_own_day
from ops.release.day import Day
from ops.release.points import Checklist, Point
from producer.site import SOURCE
from runtime.garbage import collect_seldom
from runtime.settings import Settings, read_settings

if TYPE_CHECKING:
    from lapstream import sample_release
    from sandbox.embedded import stack
else:
    stack, sample_release = later("sandbox.embedded.stack"), later("lapstream.sample_release")

FAILED = 1
"""The exit code where not all points passed."""

WIDTH = 14
"""The width of the longest name of a point."""


class ReleaseReport(Struct, frozen=True, kw_only=True):
    """The checklist as it came out; `sample` where the day is the sample site's."""

    passed: bool
    sample: bool
    track: str
    date: dt.date
    points: list[Point]


def verify_own_day(track: str, date: dt.date, *, as_json: bool) -> None:
    """Go through the checklist with a day that the installation imports."""
    settings, day, screen = read_settings(), Day(track, date), _Screen(quiet=as_json)
    collect_seldom()
    checklist = Checklist(screen)
    try:
        asyncio.run(judge_own_day(checklist, settings, day, screen.import_day))
    except KeyboardInterrupt:
        screen.say_that_it_goes_on()
        raise
    _report(checklist, day, sample=False, as_json=as_json)


def verify_sample_day(*, as_json: bool) -> None:
    """Go through the checklist with the sample site's day; what is made for it goes, also on a signal."""
    settings, screen = read_settings(), _Screen(quiet=as_json)
    checklist = Checklist(screen)
    with stack.ending_by_signal():
        asyncio.run(sample_release.judge_sample_day(checklist, settings, screen.import_day))
    _report(checklist, sample_release.SAMPLE_DAY, sample=True, as_json=as_json)


def _report(checklist: Checklist, day: Day, *, sample: bool, as_json: bool) -> None:
    """Print what the checklist came to; exits with 1 where not all points passed."""
    states = Counter(point.state for point in checklist.points)
    passed = states["passed"] == len(checklist.points)
    if as_json:
        print_json(
            ReleaseReport(
                passed=passed, sample=sample, track=day.track, date=day.date, points=checklist.points
            )
        )
    elif passed:
        out.print(f"all {len(checklist.points)} points passed")
    if not passed:
        failed = ", ".join(point.name for point in checklist.points if point.state == "failed")
        say_error(f"{states['failed']} of {len(checklist.points)} points failed: {failed}")
        raise typer.Exit(FAILED)


class _Screen:
    """A line for each point on stdout, and on stderr what is being done."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._status = err.status("")
        self._run: RunScreen | None = None

    def begin(self, name: str) -> None:
        """Say what is looked at now, unless a line on stdout will."""
        if err.is_terminal:
            self._status = err.status(f"{name}…")
            self._status.start()
        elif self._quiet:
            note(f"{name}…")

    def show(self, point: Point) -> None:
        """Print a point, unless all are printed in the end."""
        self._status.stop()
        if self._quiet:
            return
        out.print(f"{point.name:<{WIDTH}}  {clean(f'{point.state}: {point.found}')}", soft_wrap=True)
        if point.remedy:
            out.print(f"{'':<{WIDTH}}  to do: {clean(point.remedy)}", soft_wrap=True)
        out.file.flush()

    async def import_day(self, settings: Settings, day: Day) -> ImportSummary:
        """Import a day, with its progress on stderr."""
        self._status.stop()
        with import_progress() as progress:
            self._run = RunScreen(progress, str(day))
            request = follow.request(SOURCE, day.track, day.date)
            return await follow.ingest(settings, request, self._run)

    def say_that_it_goes_on(self) -> None:
        """Tell what becomes of a run that was begun."""
        if self._run:
            self._run.say_that_it_goes_on(interrupted=True)
