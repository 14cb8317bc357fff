"""A practice day on the terminal, as the tables have it."""

import asyncio
import datetime as dt

from laps import days
from laps.days import DayReport
from lapstream.cli.forms import clock, seconds, text
from lapstream.cli.output import clean, out, print_json
from lapstream.cli.tables import Listing
from producer.site import SOURCE
from runtime.database import connected
from runtime.settings import Settings, read_settings
from schemas.errors import LapstreamError
from store.days import FastestLap


class NothingKnown(LapstreamError):
    """A day of which nothing was imported."""


def day(track: str, date: dt.date, source: str | None, *, as_json: bool) -> None:
    """Show a practice day of a source; without one, of the site's."""
    view = asyncio.run(read_day(read_settings(), track, date, source or SOURCE))
    if as_json:
        print_json(view)
    else:
        show_day(view)


async def read_day(settings: Settings, track: str, date: dt.date, source: str = SOURCE) -> DayReport:
    """The day from the tables; raises `NothingKnown`."""
    async with connected(settings) as connection:
        view = await days.read_day(connection, source, track, date)
    if view is None and source == SOURCE:
        raise NothingKnown(
            f"nothing is known of {track} on {date}: import it with `lapstream ingest {track} {date}`"
        )
    if view is None:
        raise NothingKnown(
            f"nothing is known of {source}/{track} on {date}: `lapstream parked list --source {source}` "
            "shows what was refused; a projector must run with the LAPSTREAM_LOG_TOPICS that name its topic"
        )
    return view


def show_day(view: DayReport) -> None:
    """Print a day with its sessions and fastest laps, for a person."""
    show_sessions(view)
    show_fastest(view.fastest_laps)


def show_sessions(view: DayReport) -> None:
    """Print a day's sessions."""
    of = "" if view.source == SOURCE else f" ({view.source})"
    title = (
        f"{clean(view.track_name or view.track_slug)}{of}, {view.date}: {view.sessions_ingested} sessions, "
    )
    missing = view.sessions_ingested - view.sessions_with_detail
    without = f", {missing} sessions without their page" if missing else ""
    numbers = ("Laps", "Fastest [s]", "Average [s]", "Consistency [%]")
    table = Listing(
        *("Start", "Driver", "Class", "Transponder", *numbers),
        folded={"Driver", "Class"},
        right=numbers,
        title=f"{title}{view.laps} laps, {view.drivers} drivers{without}",
    )
    for session in view.sessions:
        table.add(
            clock(session.start_time),
            clean(session.driver_name or "-"),
            clean(session.class_name or "-"),
            clean(session.transponder_number or "-"),
            text(session.laps_completed),
            seconds(session.fast_lap_time),
            seconds(session.avg_lap_time),
            seconds(session.consistency),
        )
    out.print(table)


def show_fastest(laps: list[FastestLap]) -> None:
    """Print the fastest lap of each class."""
    if not laps:
        return
    headings = ("Class", "Lap [s]", "Driver", "Session")
    table = Listing(*headings, folded={"Class", "Driver"}, right={"Lap [s]"}, title="Fastest laps")
    for lap in laps:
        table.add(
            clean(lap.class_name or "-"),
            seconds(lap.fast_lap_time),
            clean(lap.driver_name or "-"),
            lap.session_id,
        )
    out.print(table)
