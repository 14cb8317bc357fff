"""Laps, sessions, drivers and records as they are read: found by what they are called, with their runs."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from consumers.practice_days import apply as project
from consumers.track_records import TRACK_RECORDS
from laps.days import read_day
from laps.naming import Ambiguous, NotFound, called, the_driver, the_session
from laps.sessions import read_session
from runtime.database import database
from schemas.events import Event, ListedSession
from schemas.identity import driver_id, track_id
from store.finding import FIRST, DriverPlace, find_drivers
from store.pool import Connection
from store.reading import Scope, SessionPlace, Whose, laps_of, sessions_of
from store.records import read_history, read_records
from tests.api import settings_of, stored_with_records
from tests.events import DATE, fetched, laps, listed, received, row

HOUR = dt.timedelta(hours=1)
MORNING = dt.datetime.combine(DATE, dt.time(9))


def at(hour: int, session_id: str, transponder: str | None, name: str, **facts: Any) -> ListedSession:
    """A session that begins so many hours after nine."""
    return row(
        session_id,
        start_time=MORNING + hour * HOUR,
        transponder_number=transponder,
        driver_name=name,
        **facts,
    )


DAY_ROWS = (
    at(3, "14", "4455667", "Zoë Faßbender", class_name="1/8 Buggy", fastest_lap=40.0),
    at(2, "13", "4455667", "Zoë Faßbender", fastest_lap=30.0),
    at(1, "12", "4455667", "Al Loaner", fastest_lap=31.0),
    at(1, "11", "7000001", "Faßbender, Zoë", fastest_lap=30.2),
    at(0, "10", None, "Unknown Driver", fastest_lap=32.0),
)
"""One transponder that two names wear, two transponders of one name, and a driver whom nothing names."""


async def stored(connection: Connection, *events: Event) -> None:
    async with connection.transaction():
        await project(connection, [received(event) for event in events])


@pytest.fixture
async def day(connection: Connection) -> None:
    detail = fetched(
        2,
        "13",
        driver_name="Zoë Faßbender",
        transponder_number="4455667",
        start_time=MORNING + 2 * HOUR,
        fastest_lap=30.0,
        laps=laps(4),
    )
    await stored(connection, listed(1, *DAY_ROWS), detail)


async def found(connection: Connection, text: str) -> list[str]:
    drivers = await find_drivers(connection, called(text), limit=20)
    return [driver.source_driver_id for driver in drivers]


async def test_drivers_are_found_by_ids_names_and_parts_of_them(connection: Connection, day: None) -> None:
    by_row = str(driver_id("liverc", "7000001"))
    assert await found(connection, by_row) == ["7000001"]
    assert await found(connection, "4455667") == ["4455667"]
    assert await found(connection, "practice_session_10") == ["practice_session_10"]
    assert await found(connection, "al loaner") == ["4455667"]  # a name that it once had
    assert sorted(await found(connection, "faßbender zoë")) == ["4455667", "7000001"]
    assert sorted(await found(connection, "fassbender")) == []
    assert sorted(await found(connection, "Faß")) == ["4455667", "7000001"]
    assert await found(connection, "%") == []
    one = (await find_drivers(connection, called("4455667"), limit=2))[0]
    assert (one.names, one.sessions, one.first_day) == (["Al Loaner", "Zoë Faßbender"], 3, DATE)


async def test_a_name_that_several_have_lists_them(connection: Connection, day: None) -> None:
    assert (await the_driver(connection, "Al Loaner")).source_driver_id == "4455667"
    with pytest.raises(Ambiguous, match=r"4455667  Al Loaner, Zoë.*\n.*7000001|7000001.*\n.*4455667"):
        await the_driver(connection, "Zoë Faßbender")
    with pytest.raises(NotFound, match="no driver is called 'nobody'"):
        await the_driver(connection, "nobody")
    elsewhere = track_id("liverc", "elsewhere")
    with pytest.raises(NotFound):
        await the_driver(connection, "4455667", within=Scope(track_id=elsewhere))


async def test_of_several_of_a_name_those_of_the_day_count(connection: Connection, day: None) -> None:
    later = DATE + dt.timedelta(days=1)
    alone = row(
        "20", start_time=MORNING + 24 * HOUR, transponder_number="7000001", driver_name="Faßbender, Zoë"
    )
    await stored(connection, msgspec.structs.replace(listed(3, alone), date=later))
    there = await the_driver(connection, "Zoë Faßbender", within=Scope(first=later, last=later))
    assert there.source_driver_id == "7000001"
    assert (await the_driver(connection, "Zoë Faßbender", within=Scope(first=later))).id == there.id
    for nobody_or_both in (later + dt.timedelta(days=1), DATE):
        with pytest.raises(Ambiguous, match=r"7000001  .* \(liverc, 2 sessions\)"):
            await the_driver(
                connection, "Zoë Faßbender", within=Scope(first=nobody_or_both, last=nobody_or_both)
            )


async def test_drivers_come_in_pages(connection: Connection, day: None) -> None:
    every = await find_drivers(connection, None, limit=10)
    place, paged = FIRST, list[str]()
    while page := await find_drivers(connection, None, after=place, limit=2):
        paged += [driver.source_driver_id for driver in page]
        place = DriverPlace.of(page[-1])
    assert paged == [driver.source_driver_id for driver in every]
    assert len(paged) == 3


async def test_a_session_is_found_by_its_id_and_has_its_run_and_figures(
    connection: Connection, day: None
) -> None:
    session = await the_session(connection, "13")
    report = await read_session(connection, session)
    assert report
    assert (report.run, report.class_name, report.session_id) == (2, "1/10 Open", "13")
    assert report.figures
    assert (report.figures.laps_completed, report.figures.avg_lap_time) == (4, 30.5)
    assert [check.figure for check in report.checks if check.differs] == [
        *("laps_completed", "fast_lap_time", "avg_lap_time", "consistency")
    ]
    assert await the_session(connection, str(session)) == session
    with pytest.raises(NotFound, match="no session has the id '99'"):
        await the_session(connection, "99")


async def test_two_sources_may_have_given_a_session_the_same_id(connection: Connection, day: None) -> None:
    other = replace(listed(3, row("13")), source="elsewhere")
    await stored(connection, other)
    with pytest.raises(Ambiguous, match="several sessions"):
        await the_session(connection, "13")
    assert await the_session(connection, "13", source="elsewhere")


async def test_a_day_counts_runs_by_driver_and_class(connection: Connection, day: None) -> None:
    report = await read_day(connection, "liverc", "track", DATE)
    assert report
    assert {one.session_id: one.run for one in report.sessions} == {
        "10": 1,
        "11": 1,
        "12": 1,
        "13": 2,
        "14": 1,
    }
    boards = {board.class_name: board.places for board in report.leaderboards}
    assert [place.session_id for place in boards["1/10 Open"]] == ["13", "11", "10"]
    assert await read_day(connection, "liverc", "track", DATE + dt.timedelta(days=1)) is None


async def ids(connection: Connection, transponders: Iterable[str], **facts: Any) -> list[tuple[str, int]]:
    drivers = [driver_id("liverc", one) for one in transponders]
    return [(one.session_id, one.run) for one in await sessions_of(connection, Whose(drivers), **facts)]


async def test_sessions_of_drivers_are_read_together_in_pages_and_by_scope(
    connection: Connection, day: None
) -> None:
    both = ("4455667", "7000001")
    every = [("14", 1), ("13", 2), ("12", 1), ("11", 1)]
    assert sorted(await ids(connection, both, limit=9)) == sorted(every)
    first = (await sessions_of(connection, Whose([driver_id("liverc", "4455667")]), limit=1))[0]
    rest = await ids(connection, both[:1], before=SessionPlace.of(first), limit=9)
    assert rest == [("13", 2), ("12", 1)]
    track = track_id("liverc", "track")
    buggy = Scope(track_id=track, class_name="1/8 Buggy", first=DATE, last=DATE)
    assert await ids(connection, both, within=buggy, limit=9) == [("14", 1)]
    assert await ids(connection, both, within=Scope(first=DATE + dt.timedelta(days=1)), limit=9) == []


async def test_laps_of_sessions_are_read_at_once(connection: Connection, day: None) -> None:
    sessions = [await the_session(connection, number) for number in ("12", "13")]
    found = await laps_of(connection, sessions)
    assert {session: len(laps) for session, laps in found.items()} == {sessions[1]: 4}


async def test_the_history_of_records_ends_with_those_that_stand(dsn: str) -> None:
    settings = settings_of(dsn)
    await stored_with_records(settings, [listed(1, *DAY_ROWS)])
    async with database(settings, size=1, schema=TRACK_RECORDS.schema) as pool, pool.acquire() as connection:
        steps = await read_history(connection, "liverc", "track")
        stand = await read_records(connection, "liverc", "track")
        buggies = await read_history(connection, "liverc", "track", "1/8 Buggy")
    fell = [(one.class_name, one.session_id, one.improved_by) for one in steps]
    assert fell == [
        ("1/10 Open", "10", None),
        ("1/10 Open", "11", 1.8),
        ("1/10 Open", "13", 0.2),
        ("1/8 Buggy", "14", None),
    ]
    last = {one.class_name: one.session for one in steps}
    assert last == {one.class_name: one.session for one in stand}
    assert [one.session_id for one in buggies] == ["14"]
