"""The projection of practice days against PostgreSQL: what events leave in the tables."""

import datetime as dt
from typing import Any

import msgspec

from consumers.practice_days import apply as project
from schemas.events import Event
from store.days import DayView, read_day
from store.digest import OBSERVATION_TABLES, READ_TABLES, TableDigest, digest
from store.pool import Connection
from tests.events import DAY_ID, fetched, laps, listed, received, row, seen


async def apply(connection: Connection, *events: Event) -> None:
    async with connection.transaction():
        await project(connection, [received(event) for event in events])


async def the_day(connection: Connection) -> DayView:
    view = await read_day(connection, DAY_ID)
    assert view is not None
    return view


async def tables(connection: Connection) -> list[TableDigest]:
    return await digest(connection, READ_TABLES)


async def values(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(record) for record in await connection.fetch(query)]


async def test_a_list_alone_gives_sessions_drivers_and_results_without_details(
    connection: Connection,
) -> None:
    await apply(connection, listed(1, row("1"), row("2")))
    found = await values(
        connection,
        """
        SELECT source_race_id, race_label, race_metadata, position_final, laps_completed, raw_fields_json,
            consistency
        FROM races JOIN race_results ON race_results.race_id = races.id ORDER BY 1
        """,
    )
    assert found == [
        ("1", "Practice - Driver 1", None, 1, 3, None, None),
        ("2", "Practice - Driver 2", None, 1, 3, None, None),
    ]


async def test_a_detail_fills_what_only_it_knows(connection: Connection) -> None:
    await apply(connection, listed(1, row("1")), fetched(2, "1"))
    [(metadata, raw, consistency, numbers)] = await values(
        connection,
        """
        SELECT race_metadata, raw_fields_json, consistency,
            (SELECT array_agg(lap_number) FROM laps WHERE race_result_id = race_results.id)
        FROM races JOIN race_results ON race_results.race_id = races.id
        """,
    )
    raw_fields = {
        "top_3_consecutive": 91.5,
        "avg_top_5": None,
        "avg_top_10": None,
        "avg_top_15": None,
        "std_deviation": None,
        "valid_lap_range": [20.0, 70.0],
    }
    assert msgspec.json.decode(raw) == raw_fields
    assert msgspec.json.decode(metadata) == {
        "end_time": "2025-10-25T10:02:00",
        "practiceSessionStats": raw_fields,
    }
    assert (consistency, numbers) == (94.695, [1, 2, 3])


async def test_a_detail_before_its_list_is_no_error(connection: Connection) -> None:
    await apply(connection, fetched(2, "1"))
    alone = await the_day(connection)
    assert (alone.sessions_ingested, alone.laps, alone.stats, alone.track_name) == (1, 3, None, None)
    await apply(connection, listed(1, row("1")))
    assert (await the_day(connection)).track_name == "Sample Track"


async def test_a_second_import_of_an_unchanged_day_changes_no_row_that_people_read(
    connection: Connection,
) -> None:
    await apply(connection, listed(1, row("1")), fetched(2, "1"))
    before = await tables(connection)
    first = await digest(connection, OBSERVATION_TABLES)
    versions = await values(connection, "SELECT xmin::text FROM races UNION ALL SELECT xmin::text FROM laps")
    await apply(connection, listed(11, row("1")), fetched(12, "1"))
    assert await tables(connection) == before
    assert await digest(connection, OBSERVATION_TABLES) != first
    assert versions == await values(
        connection, "SELECT xmin::text FROM races UNION ALL SELECT xmin::text FROM laps"
    )


async def test_a_second_write_of_a_result_updates_its_figures_and_leaves_the_rest(
    connection: Connection,
) -> None:
    await apply(connection, listed(1, row("1")), fetched(2, "1"))
    query = "SELECT id, race_id, race_driver_id, position_final FROM race_results"
    before = await values(connection, query)
    await apply(
        connection,
        fetched(
            3,
            "1",
            consistency=90.5,
            lap_count=4,
            fastest_lap=29.5,
            average_lap=30.25,
            avg_top_5=30.1,
            laps=laps(4),
        ),
    )
    assert await values(connection, query) == before
    [(consistency, raw, completed, fastest, average)] = await values(
        connection,
        "SELECT consistency, raw_fields_json, laps_completed, fast_lap_time, avg_lap_time FROM race_results",
    )
    assert (consistency, completed, fastest, average) == (90.5, 4, 29.5, 30.25)
    assert msgspec.json.decode(raw)["avg_top_5"] == 30.1


async def test_laps_that_a_newer_detail_lacks_go(connection: Connection) -> None:
    await apply(connection, listed(1, row("1")), fetched(2, "1", laps=laps(5)))
    await apply(connection, fetched(3, "1", laps=laps(2, 40.0)))
    found = await values(connection, "SELECT lap_number, lap_time_seconds FROM laps ORDER BY 1")
    assert found == [(1, 40.0), (2, 40.0)]


async def test_an_older_detail_that_comes_late_changes_nothing(connection: Connection) -> None:
    await apply(connection, listed(1, row("1")), fetched(3, "1", laps=laps(2)))
    before = await tables(connection)
    await apply(connection, fetched(2, "1", laps=laps(5)))
    assert await tables(connection) == before


async def test_a_session_that_a_complete_list_lacks_goes_with_all_that_hangs_on_it(
    connection: Connection,
) -> None:
    await apply(connection, listed(1, row("1"), row("2")), fetched(2, "1"), fetched(2, "2"))
    await apply(connection, listed(5, row("1")))
    view = await the_day(connection)
    assert [session.session_id for session in view.sessions] == ["1"]
    assert await values(connection, "SELECT count(*) FROM laps") == [(3,)]


async def test_a_late_older_detail_does_not_bring_a_session_back(connection: Connection) -> None:
    await apply(connection, listed(5, row("1")), fetched(3, "2"))
    assert [session.session_id for session in (await the_day(connection)).sessions] == ["1"]


async def test_a_session_that_comes_back_has_its_laps_again(connection: Connection) -> None:
    await apply(connection, listed(1, row("1")), fetched(2, "1", laps=laps(4)))
    before = await tables(connection)
    await apply(connection, listed(5))
    assert (await the_day(connection)).sessions == []
    await apply(connection, listed(7, row("1")))
    assert await tables(connection) == before


async def test_an_incomplete_list_takes_no_session_away(connection: Connection) -> None:
    await apply(connection, listed(1, row("1"), row("2")))
    await apply(connection, listed(5, row("1", lap_count=9), complete=False))
    found = [(session.session_id, session.laps_completed) for session in (await the_day(connection)).sessions]
    assert found == [("1", 9), ("2", 3)]


async def test_a_changed_transponder_moves_the_session_with_its_laps_to_the_new_driver(
    connection: Connection,
) -> None:
    await apply(connection, listed(1, row("1")), fetched(2, "1"))
    await apply(connection, listed(5, row("1", transponder_number=" 777 ")))
    found = await values(
        connection,
        """
        SELECT d.source_driver_id, d.transponder_number, v.display_name, v.normalized_name, count(lap_number)
        FROM race_drivers AS d JOIN drivers AS v ON v.id = d.driver_id
        JOIN race_results AS x ON x.race_driver_id = d.id JOIN laps ON laps.race_result_id = x.id
        GROUP BY d.id, v.id
        """,
    )
    assert found == [("777", "777", "Driver 1", "1 driver", 3)]


async def test_without_a_transponder_the_driver_is_known_by_the_session_alone(connection: Connection) -> None:
    await apply(
        connection,
        listed(1, row("1", transponder_number=None)),
        fetched(2, "1", transponder_number=None, laps=(), lap_count=2),
    )
    found = await values(
        connection,
        """
        SELECT source_driver_id, transponder_number, laps_completed, fast_lap_time,
            raw_fields_json IS NOT NULL
        FROM race_drivers JOIN race_results ON race_driver_id = race_drivers.id
        """,
    )
    assert found == [("practice_session_1", None, 2, 30.5, True)]


async def test_an_unknown_driver_with_a_transponder_is_that_transponders_driver(
    connection: Connection,
) -> None:
    await apply(connection, listed(1, row("1", driver_name="Unknown Driver", transponder_number="55")))
    await apply(
        connection,
        listed(
            2,
            row("1", driver_name="Unknown Driver", transponder_number="55"),
            row("2", transponder_number="55"),
        ),
    )
    await apply(connection, listed(3, row("1", driver_name="Unknown Driver", transponder_number="55")))
    found = await values(connection, "SELECT source_driver_id, display_name FROM drivers")
    assert found == [("55", "Driver 2")]


async def test_a_lent_transponder_has_the_name_of_its_newest_session_whichever_page_came_last(
    connection: Connection,
) -> None:
    early = row("1", transponder_number="55", start_time=dt.datetime(2025, 10, 25, 9, 0))
    late = row("2", transponder_number="55", start_time=dt.datetime(2025, 10, 25, 17, 0))
    details = [
        fetched(second, one.session_id, transponder_number="55", start_time=one.start_time)
        for second, one in ((2, late), (3, early))
    ]
    await apply(connection, listed(1, late, early), *details)
    before = await tables(connection)
    again = (msgspec.structs.replace(one, observed_at=seen(9 - at)) for at, one in enumerate(details))
    await apply(connection, listed(4, late, early), *again)
    assert await values(connection, "SELECT display_name FROM drivers") == [("Driver 2",)]
    assert await tables(connection) == before


async def test_an_empty_day_is_an_event_without_races(connection: Connection) -> None:
    await apply(connection, listed(1, stats=None))
    view = await the_day(connection)
    assert (view.source_event_id, view.sessions, view.stats) == ("track-practice-2025-10-25", [], None)


async def test_with_a_zone_the_tables_hold_utc_too(connection: Connection) -> None:
    await apply(connection, listed(1, row("1"), time_zone="Australia/Sydney"))
    [(zone, local, utc)] = await values(
        connection, "SELECT time_zone, start_time, start_time_utc FROM races, tracks"
    )
    assert zone == "Australia/Sydney"
    assert local == dt.datetime(2025, 10, 25, 10, 0)
    assert utc == dt.datetime(2025, 10, 24, 23, 0, tzinfo=dt.UTC)


async def test_facts_that_the_newest_pages_leave_empty_are_empty(connection: Connection) -> None:
    await apply(connection, listed(1, row("1")), fetched(2, "1"))
    await apply(
        connection, listed(3, row("1", class_name=None)), fetched(4, "1", class_name=None, consistency=None)
    )
    found = await values(connection, "SELECT class_name, consistency FROM races, race_results")
    assert found == [(None, None)]


async def test_the_first_sight_of_a_list_is_remembered(connection: Connection) -> None:
    early, late = listed(1, row("1")), listed(9, row("1"))
    await apply(connection, late)
    await apply(connection, early)
    [(first, newest)] = await values(
        connection, "SELECT first_observed_at, observed_at FROM observations WHERE kind = 'list'"
    )
    assert (first, newest) == (early.observed_at, late.observed_at)


async def test_one_batch_with_everything_equals_one_batch_for_each_event(connection: Connection) -> None:
    events: list[Event] = [
        listed(1, row("1"), row("2")),
        fetched(2, "1"),
        fetched(2, "2"),
        listed(3, row("2")),
        fetched(4, "1"),
    ]
    await apply(connection, *events)
    whole = await digest(connection, READ_TABLES + OBSERVATION_TABLES)
    await connection.execute(
        "TRUNCATE tracks, events, drivers, track_observations, driver_observations CASCADE"
    )
    for event in events:
        await apply(connection, event)
    assert await digest(connection, READ_TABLES + OBSERVATION_TABLES) == whole
