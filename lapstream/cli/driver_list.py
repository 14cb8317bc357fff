"""Drivers, and the sessions of one, on the terminal."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from laps.naming import called
from laps.people import whose_called
from lapstream.cli.database import on_database
from lapstream.cli.forms import clock, form_of, print_rows, seconds, text
from lapstream.cli.output import out
from lapstream.cli.tables import Listing
from lapstream.cli.where import row_of_track
from schemas.errors import LapstreamError
from store.finding import FoundDriver, find_drivers
from store.pool import Connection
from store.reading import DriverSession, Scope, sessions_of


class NobodyNamed(LapstreamError):
    """A driver's sessions were asked for, and no driver was named."""

    exit_code = 2


def drivers(
    who: str | None, track: str | None, source: str | None, limit: int, *, as_json: bool, as_csv: bool
) -> None:
    """List the drivers who are called so, or all."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    found = on_database(
        partial(
            find_drivers,
            called=called(who) if who else None,
            source=source,
            within=Scope(row_of_track(track, source)),
            limit=limit,
        )
    )
    print_rows(FoundDriver, found, form, show_drivers)


def sessions(
    who: str | None, track: str | None, source: str | None, limit: int, *, as_json: bool, as_csv: bool
) -> None:
    """List the sessions of the driver who is called so; raises `NobodyNamed`, and as `whose_called`."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    if who is None:
        raise NobodyNamed("whose sessions? As in `lapstream drivers thornwick --sessions`")
    at = row_of_track(track, source)
    found = on_database(partial(_sessions, who=who, source=source, at=at, limit=limit))
    print_rows(DriverSession, found, form, show_sessions)


async def _sessions(
    connection: Connection, *, who: str, source: str | None, at: UUID | None, limit: int
) -> list[DriverSession]:
    within = Scope(track_id=at)
    whose = await whose_called(connection, who, source=source, within=within)
    return await sessions_of(connection, whose, within=within, limit=limit)


def show_drivers(drivers: Sequence[FoundDriver]) -> None:
    """Print drivers as a table."""
    table = Listing(
        *("Driver", "Transponder", "Id at the source", "Sessions", "First", "Last"),
        folded={"Driver", "Id at the source"},
        right={"Sessions"},
    )
    for driver in drivers:
        table.add(
            text(", ".join(driver.names) or None),
            text(driver.transponder_number),
            text(driver.source_driver_id),
            str(driver.sessions),
            str(driver.first_day),
            str(driver.last_day),
        )
    out.print(table)


def show_sessions(sessions: Sequence[DriverSession]) -> None:
    """Print a driver's sessions as a table; of a person with several transponders, each with its own."""
    right = ("Run", "Laps", "Best [s]", "Cons. [%]")
    of_person = ["Transponder"] if len({session.driver_id for session in sessions}) > 1 else []
    headings = ("Date", "Start", *of_person, "Track", "Class", *right, "Session")
    table = Listing(*headings, folded={"Track", "Class", *of_person}, right=right)
    for session in sessions:
        table.add(
            str(session.date),
            clock(session.start_time),
            *(text(session.transponder_number) for _ in of_person),
            text(session.track_slug),
            text(session.class_name),
            str(session.run),
            text(session.laps_completed),
            seconds(session.fast_lap_time),
            seconds(session.consistency),
            session.session_id,
        )
    out.print(table)
