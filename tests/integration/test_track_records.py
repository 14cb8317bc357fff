"""Track records: PostgreSQL against the model, and their group beside that of practice days."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from hypothesis import given

from consumers.live import PRACTICE_DAYS
from consumers.track_records import TRACK_RECORDS
from consumers.track_records import apply as project
from ops.lag.figures import GroupLag
from projections.rows import race_id
from projections.state import DayRef
from runtime.settings import Settings
from schemas.events import Event
from schemas.identity import driver_id, practice_event_id
from store.digest import RECORD_TABLES, digest
from store.pool import Connection, Pool, open_pool
from store.records import TrackRecord, read_records
from tests.conftest import working
from tests.events import DATE, DAY_ID, fetched, listed, received, row
from tests.lag import watching
from tests.members import send
from tests.model.database import apply
from tests.model.deliveries import Delivery, deliveries, trying
from tests.model.histories import FIRST_MOMENT
from tests.model.records import Laps, fastest_laps

DAY_BEFORE = DATE - dt.timedelta(days=1)
NEXT_DAY = DATE + dt.timedelta(days=1)


@pytest.fixture
async def writers(dsn: str) -> AsyncGenerator[Pool]:
    """Connections that see the tables of track records, as the projection's own."""
    pool = await open_pool(dsn, size=2, schema=TRACK_RECORDS.schema)
    yield pool
    await pool.close()


async def empty(connection: Connection) -> None:
    """Throw away the projection's rows."""
    for table in ("fastest_laps", "observations", "events", "tracks"):
        await connection.execute(f"DELETE FROM track_records.{table}")


async def records_of(writers: Pool, *events: Event) -> list[TrackRecord]:
    """The records that these events leave."""
    async with writers.acquire() as writer:
        await apply(writer, [[received(event) for event in events]], project)
        return await read_records(writer, "liverc", "track")


async def laps(connection: Connection) -> Laps:
    """The rows as the model has them."""
    rows = await connection.fetch(
        "SELECT event_id, session_id, class_name, fast_lap_time, driver_name, source_driver_id, start_time"
        " FROM track_records.fastest_laps"
    )
    return {tuple(one)[:2]: tuple(one)[2:] for one in rows}


def records_among(found: Laps, track_slug: str) -> dict[str | None, tuple[Any, ...]]:
    """The record of each class at a track: its day and session."""
    days = {practice_event_id("liverc", track_slug, date) for date in (DATE, NEXT_DAY)}
    records: dict[str | None, tuple[Any, ...]] = {}
    for (day, session), (class_name, seconds, _, _, start) in found.items():
        rank = (seconds, start is None, start or FIRST_MOMENT, session, day)
        if day in days:
            records[class_name] = min(rank, records.get(class_name, rank))
    return {class_name: (rank[4], rank[3]) for class_name, rank in records.items()}


async def read(connection: Connection, track_slug: str) -> dict[str | None, tuple[Any, ...]]:
    """The records of a track as they are read, in the form of `records_among`."""
    found = await read_records(connection, "liverc", track_slug)
    names = [one.class_name for one in found]
    assert names == sorted(names, key=lambda name: (name is None, name or ""))
    return {one.class_name: (one.event_id, one.session_id) for one in found}


@trying(60)
@given(deliveries())
async def test_any_order_any_repetition_and_any_batches_leave_what_the_laws_say(
    writers: Pool, delivery: Delivery
) -> None:
    async with writers.acquire() as writer:
        await empty(writer)
        await apply(writer, delivery.batches, project)
        expected = fastest_laps(delivery.events)
        assert await laps(writer) == expected
        for track_slug in ("alpha", "beta"):
            assert await read(writer, track_slug) == records_among(expected, track_slug)
        left = await digest(writer, RECORD_TABLES)
        await empty(writer)
        await apply(writer, [delivery.events], project)
        assert await digest(writer, RECORD_TABLES) == left


@trying(25)
@given(deliveries())
async def test_two_writers_at_once_leave_what_one_leaves(writers: Pool, delivery: Delivery) -> None:
    async with writers.acquire() as one, writers.acquire() as other:
        await empty(one)
        await asyncio.gather(
            apply(one, delivery.batches, project), apply(other, reversed(delivery.batches), project)
        )
        assert await laps(one) == fastest_laps(delivery.events)


async def test_a_record_tells_who_drove_it_where_and_when(writers: Pool) -> None:
    [record] = await records_of(writers, listed(1, row("1", fastest_lap=31.0)), fetched(2, "1"))
    assert record == TrackRecord(
        class_name="1/10 Open",
        fast_lap_time=30.5,
        driver_name="Driver 1",
        driver_id=driver_id("liverc", "901"),
        source_driver_id="901",
        session=race_id(DayRef("liverc", "track", DATE), "1"),
        session_id="1",
        event_id=DAY_ID,
        source_event_id="track-practice-2025-10-25",
        date=DATE,
        start_time=dt.datetime(2025, 10, 25, 10, 0),
        person_id=None,
    )


async def test_a_record_vanishes_with_its_session_and_the_next_one_holds_it(writers: Pool) -> None:
    first = await records_of(writers, listed(1, row("1", fastest_lap=29.0), row("2", fastest_lap=30.0)))
    assert [one.session_id for one in first] == ["1"]
    assert [one.session_id for one in await records_of(writers, listed(2, row("2", fastest_lap=30.0)))] == [
        "2"
    ]
    assert await records_of(writers, listed(3)) == []


async def test_of_equal_laps_the_one_that_was_driven_first_is_the_record(writers: Pool) -> None:
    """Without a start it comes last; of equal starts the lesser session id decides."""
    noon = dt.datetime(2025, 10, 25, 12)
    at_noon = [row("3", start_time=noon), row("2", start_time=noon)]
    [record] = await records_of(writers, listed(1, row("1", start_time=None), *at_noon))
    assert record.session_id == "2"
    earlier = listed(1, row("4", start_time=noon - dt.timedelta(days=1)))
    [record] = await records_of(writers, msgspec.structs.replace(earlier, date=DAY_BEFORE))
    assert (record.session_id, record.date) == ("4", DAY_BEFORE)


async def test_a_track_without_laps_has_no_records(writers: Pool) -> None:
    assert await records_of(writers, listed(1, row("1", fastest_lap=None))) == []


async def caught_up(settings: Settings) -> list[GroupLag]:
    """The lag of both projections, once their tables and Kafka's offsets have reached the end."""
    async with asyncio.timeout(60), watching(settings) as lag:
        while True:
            found = [one for one in await lag.look() if one.topics == settings.topics.event_log]
            if not any(one.behind or one.kafka_behind for one in found):
                return found


async def written_by(pool: Pool) -> set[str]:
    """The transactions that wrote the rows of practice days."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT xmin::text FROM races UNION SELECT xmin::text FROM observations"
        )
    return {row["xmin"] for row in rows}


async def test_the_group_stands_beside_that_of_practice_days(settings: Settings, pool: Pool) -> None:
    await send(settings, [listed(1, row("1"), row("2", class_name="Buggy")), fetched(2, "1")])
    async with working(settings, "projector"):
        found = await caught_up(settings)
    names = [one.group(settings.topic_prefix) for one in (PRACTICE_DAYS, TRACK_RECORDS)]
    assert [one.group for one in found] == names
    assert names[1] == f"{settings.topic_prefix}track-records-projection"
    async with pool.acquire() as connection:
        assert await read(connection, "track") == {"1/10 Open": (DAY_ID, "1"), "Buggy": (DAY_ID, "2")}


async def test_records_are_made_again_without_practice_days(settings: Settings, pool: Pool) -> None:
    await send(settings, [listed(1, row("1"), row("2")), fetched(2, "1"), listed(3, row("1"))])
    async with working(settings, "projector"):
        await caught_up(settings)
    before = await written_by(pool)
    async with pool.acquire() as connection:
        records = await digest(connection, RECORD_TABLES)
        await empty(connection)
        await connection.execute("DELETE FROM track_records.positions")
    async with working(settings, "projector"):
        await caught_up(settings)
    async with pool.acquire() as connection:
        assert await digest(connection, RECORD_TABLES) == records
    assert [one.rows for one in records] == [1, 4]
    assert await written_by(pool) == before
