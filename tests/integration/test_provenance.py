"""Where rows come from: the event, the page and the record behind a row, as roles at work leave them."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import msgspec
import pytest
from typer.testing import Result

from broker.clients import make_producer
from ops.provenance import search as searching
from ops.provenance.answer import Kind, NoSuchRow, Observation, Provenance, Table
from ops.provenance.explain import explain
from ops.provenance.search import search
from ops.provenance.sessions import GONE, LOST, UNEXPLAINED, UNTIMED
from producer.pages import PARSER_VERSION
from producer.site import SOURCE, Site
from projections.state import DayRef, sight
from runtime.database import connected
from runtime.settings import Settings
from sandbox.sample_site.edits import RemoveSession
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.model import SampleDay
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context, pack
from schemas.identity import day_row_id, event_id
from server.api.provenance import SEARCH_SECONDS
from store.pool import Pool
from tests.api import asking, data_of, error_of
from tests.commands import invoked
from tests.conftest import DAY, TRACK, at, projecting, working
from tests.events import fetched, listed, row, seen
from tests.imports import import_day
from tests.members import EVENTS, PARTITION, send, until, until_at

SECONDS = 30.0
ROLES = ("fetcher", "projector", "relay")
SHORT = "track/2025-10-25"
LONG = "liverc/track-practice-2025-10-25"


async def why(settings: Settings, table: Table, key: str, seconds: float = SECONDS) -> Provenance:
    looking = partial(search, settings.broker, settings.topics, seconds=seconds)
    return await explain(Site(settings.site), partial(connected, settings), table, key, looking)


def one(found: Provenance, kind: Kind) -> Observation:
    [observation] = [each for each in found.observations if each.kind == kind]
    return observation


def set_by(found: Provenance) -> dict[str, tuple[Kind, ...]]:
    return {name: group.set_by for group in found.columns for name in group.columns}


async def run(settings: Settings, *arguments: str) -> Result:
    """Run `lapstream why …` as it is typed."""
    return await invoked(settings, "why", *arguments)


async def execute(pool: Pool, query: str) -> None:
    async with pool.acquire() as connection:
        await connection.execute(query)


async def ingest(settings: Settings) -> None:
    summary = await import_day(settings)
    assert summary.status == "completed"


async def until_pages(pool: Pool, count: int) -> None:
    """Return when the index knows so many pages."""

    async def there() -> bool:
        async with pool.acquire() as connection:
            return await connection.fetchval("SELECT count(*) FROM page_index.pages") >= count

    await until(there)


@pytest.fixture
async def day(site: SampleSite) -> SampleDay:
    """A day of three sessions with two laps each, at the site."""
    made = generate_day(TRACK, DAY, seed=1, sessions=3, laps_per_session=2)
    site.put(made)
    return made


@pytest.fixture
async def imported(settings: Settings, pool: Pool, day: SampleDay) -> AsyncGenerator[SampleDay]:
    """The day, imported; the roles are at work."""
    async with working(settings, *ROLES):
        await ingest(settings)
        await until_pages(pool, 4)
        yield day


@pytest.fixture
async def projected(settings: Settings, pool: Pool) -> None:
    """A day by another producer, on a partition that its key does not lead to."""
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))


async def test_an_imported_lap_is_followed_to_its_page_and_its_record(
    settings: Settings, imported: SampleDay
) -> None:
    session = imported.sessions[0]
    found = await why(settings, "laps", f"{TRACK}/{DAY}/{session.session_id}/2")
    assert found.stored
    assert found.expected
    assert found.row
    assert found.row["lap_number"] == 2
    assert set_by(found)["lap_time_seconds"] == ("detail",)
    assert found.exists_by == "list"
    detail = one(found, "detail")
    assert (detail.event_type, detail.parser_version) == ("session_detail.fetched.v2", PARSER_VERSION)
    assert detail.page
    assert detail.page.url == Site(settings.site).session(TRACK, session.session_id)
    assert detail.page.fetched_at == detail.observed_at
    assert (detail.page.topic, detail.page.status) == (settings.topics.pages, 200)
    record = detail.record
    assert record
    assert record.topic == settings.topics.days
    assert record.producer
    assert record.run_id
    assert record.request_id
    assert record.written_at
    assert abs(record.written_at - detail.observed_at) < dt.timedelta(minutes=1)


async def test_the_record_that_is_named_is_the_events_own(settings: Settings, imported: SampleDay) -> None:
    found = await why(settings, "races", f"{TRACK}/{DAY}/{imported.sessions[1].session_id}")
    of_list, of_row, of_detail = (one(found, kind) for kind in ("list", "row", "detail"))
    assert of_list.record == of_row.record != of_detail.record
    places = [searching.TopicPartition(settings.topics.days, number) for number in range(8)]
    [home] = searching.homes(DayRef(SOURCE, TRACK, DAY), places)
    assert of_list.record
    assert of_list.record.partition == home.partition
    assert of_list.page
    assert of_list.page.url == Site(settings.site).day(TRACK, DAY)
    for each in (of_list, of_detail):
        assert each.record
        assert await id_at(settings, each.record.partition, each.record.offset) == each.event_id


async def id_at(settings: Settings, partition: int, offset: int) -> str:
    """The event's id in the header of the record at a place."""
    async with searching.reading(settings.broker) as consumer:
        tp = searching.TopicPartition(settings.topics.days, partition)
        consumer.assign([tp])
        consumer.seek(tp, offset)
        return dict((await consumer.getone(tp)).headers)["ce_id"].decode()


async def test_a_page_that_did_not_change_was_fetched_once_and_seen_again(
    settings: Settings, imported: SampleDay
) -> None:
    key = f"{TRACK}/{DAY}/{imported.sessions[0].session_id}"
    before = one(await why(settings, "race_results", key), "detail")
    await ingest(settings)
    again = one(await why(settings, "race_results", key), "detail")
    assert again.event_id != before.event_id
    assert again.first_observed_at == before.observed_at < again.observed_at
    assert again.page == before.page
    assert again.record
    assert again.record != before.record


async def test_a_track_a_day_and_a_driver_are_told_by_what_names_them(
    settings: Settings, imported: SampleDay
) -> None:
    track = await why(settings, "tracks", TRACK)
    assert track.key == f"liverc/{TRACK}"
    day = await why(settings, "events", f"{TRACK}/{DAY}")
    assert set_by(track) == {"name": ("naming",), "time_zone": ("naming",)}
    assert set_by(day) == {"metadata": ("list",)}
    assert one(track, "naming").event_id == one(day, "list").event_id
    assert one(track, "naming").page == one(day, "list").page
    assert one(track, "naming").page is not None
    result = await why(settings, "race_drivers", f"{TRACK}/{DAY}/{imported.sessions[0].session_id}")
    assert result.row
    driver = await why(settings, "drivers", result.row["driver_id"])
    naming = one(driver, "naming")
    assert naming.event_type == "session_detail.fetched.v2"
    assert naming.page
    assert naming.record


async def test_what_the_log_has_of_a_foreign_partition_is_found_too(
    settings: Settings, projected: None
) -> None:
    found = await why(settings, "laps", f"{SHORT}/2/3")
    record = one(found, "detail").record
    assert record
    assert (record.partition, record.offset, record.producer) == (PARTITION, 2, "test")
    assert (record.run_id, record.request_id) == (None, None)
    assert one(found, "detail").page is None
    assert one(found, "detail").page_note == "the event names no page"


async def test_a_session_that_only_its_row_tells_of_is_set_by_the_row(settings: Settings, pool: Pool) -> None:
    await send(settings, [listed(1, row("1"))])
    async with projecting(settings):
        await until_at(pool, settings, 1)
    found = await why(settings, "races", f"{SHORT}/1")
    assert set_by(found)["class_name"] == ("row",)
    assert set_by(found)["race_metadata"] == ()
    assert [each.kind for each in found.observations] == ["list", "row"]


async def test_a_drivers_name_is_told_by_the_newest_that_names_the_driver(
    settings: Settings, pool: Pool
) -> None:
    newer = fetched(5, "2", driver_name="Another Name", transponder_number="901")
    nameless = fetched(6, "3", driver_name=None, transponder_number="901")
    await send(settings, [fetched(4, "1"), newer, nameless])
    async with projecting(settings):
        await until_at(pool, settings, 3)
    found = await why(settings, "drivers", "901")
    assert found.row
    assert found.row["display_name"] == "Another Name"
    assert found.note == "the driver's sessions have several names: Another Name, Driver 1"
    naming = one(found, "naming")
    assert naming.event_id == event_id(newer)
    assert naming.record
    assert naming.record.offset == 1


async def test_a_newer_parser_over_the_same_page_is_what_sets_the_row(settings: Settings, pool: Pool) -> None:
    """As a page that is parsed again: the same moment of observation, written long after."""
    parsed_again = fetched(2, "1", parser_version=2, average_lap=30.9)
    await send(settings, [listed(1, row("1")), fetched(2, "1"), parsed_again])
    async with projecting(settings):
        await until_at(pool, settings, 3)
    found = await why(settings, "race_results", f"{SHORT}/1/901")
    assert found.row
    assert found.row["avg_lap_time"] == 30.9
    detail = one(found, "detail")
    assert (detail.event_id, detail.parser_version) == (event_id(parsed_again), 2)
    assert detail.observed_at == seen(2)
    assert detail.record
    assert detail.record.offset == 2


async def test_a_record_that_only_bears_the_events_id_is_not_taken_for_it(
    settings: Settings, pool: Pool
) -> None:
    the_one, other = fetched(2, "1"), pack(fetched(2, "1", average_lap=1.0), Context(source="impostor"))
    producer: Any = make_producer(settings.broker)
    await producer.start()
    headers = dict(other.headers) | {"ce_id": event_id(the_one).encode()}
    bad = dict(headers) | {"ce_specversion": b"9"}
    for each in (bad, headers):
        await producer.send_and_wait(
            settings.topics.days, key=other.key, value=other.value, headers=list(each.items()), partition=0
        )
    await producer.stop()
    await send(settings, [the_one, listed(3, row("1"))])
    async with projecting(settings):
        await until_at(pool, settings, 2)
    stamp = fold(the_one)
    found = await search(settings.broker, settings.topics, [searching.Wanted(stamp, None)], seconds=SECONDS)
    assert found.found[event_id(the_one)].context.source == "test"


def fold(event: Any) -> Any:
    return sight(event, event_id(event)).stamp


async def test_a_session_that_went_away_is_told_by_the_list_that_lacks_it(
    settings: Settings, site: SampleSite, imported: SampleDay
) -> None:
    session = imported.sessions[0].session_id
    race = (await why(settings, "races", f"{TRACK}/{DAY}/{session}")).id
    site.change(TRACK, DAY, RemoveSession(session_id=session))
    await ingest(settings)
    for table, key in (("races", session), ("race_results", session), ("laps", f"{session}/2")):
        found = await why(settings, table, f"{TRACK}/{DAY}/{key}")  # pyright: ignore[reportArgumentType] - of a tuple
        assert (found.stored, found.expected, found.note) == (False, False, GONE)
        assert found.exists_by == "list"
        assert one(found, "list").record
    assert (await why(settings, "races", str(race))).note == GONE
    with pytest.raises(NoSuchRow, match="has no laps at present"):
        await why(settings, "laps", f"{TRACK}/{DAY}/{session}/99")


async def test_a_fastest_lap_is_a_row_of_its_own_read_model(settings: Settings, pool: Pool) -> None:
    untimed = row("2", fastest_lap=None)
    await send(settings, [listed(1, row("1"), untimed)])
    async with working(settings, "projector"):

        async def there() -> bool:
            async with pool.acquire() as connection:
                return await connection.fetchval("SELECT count(*) = 1 FROM track_records.fastest_laps")

        await until(there)
    found = await why(settings, "track_records.fastest_laps", f"{LONG}/1")
    assert set_by(found)["fast_lap_time"] == ("row",)
    assert one(found, "row").record
    assert found.id == day_row_id(DAY, "race", "liverc", "track", "1")
    untold = await why(settings, "track_records.fastest_laps", f"{LONG}/2")
    assert (untold.stored, untold.note) == (False, UNTIMED)


async def test_rows_made_and_deleted_by_hand_are_told_as_such(
    settings: Settings, pool: Pool, projected: None
) -> None:
    await execute(pool, "DELETE FROM races WHERE source_race_id = '2'")
    lost = await why(settings, "races", f"{SHORT}/2")
    assert (lost.stored, lost.expected, lost.note) == (False, True, LOST)
    await execute(
        pool,
        "INSERT INTO races (id, event_id, source, source_race_id)"
        " SELECT gen_random_uuid(), id, source, 'made' FROM events",
    )
    made = await why(settings, "races", f"{SHORT}/made")
    assert (made.stored, made.expected, made.note) == (True, False, UNEXPLAINED)
    assert (made.observations, made.exists_by) == ((), None)
    assert {group.set_by for group in made.columns} == {()}
    await execute(
        pool, "INSERT INTO drivers (id, source, source_driver_id) VALUES (gen_random_uuid(), 'liverc', 'x/y')"
    )
    ghost = await why(settings, "drivers", "liverc/x/y")
    assert (ghost.stored, ghost.observations) == (True, ())


async def test_columns_that_were_edited_by_hand_are_told(
    settings: Settings, pool: Pool, imported: SampleDay
) -> None:
    key = f"{TRACK}/{DAY}/{imported.sessions[0].session_id}"
    for table in ("races", "race_drivers", "race_results"):
        assert (await why(settings, table, key)).note is None
    assert (await why(settings, "laps", f"{key}/1")).note is None
    await execute(pool, "UPDATE races SET start_time = start_time + interval '1 s', race_metadata = '{}'")
    await execute(pool, "UPDATE race_results SET fast_lap_time = 1")
    await execute(pool, "UPDATE laps SET lapped_at = 'infinity', segments_json = '[1]'")
    notes = {
        (await why(settings, "races", key)).note: "start_time, race_metadata",
        (await why(settings, "race_results", key)).note: "fast_lap_time",
        (await why(settings, "laps", f"{key}/1")).note: "lapped_at, segments_json",
    }
    for note, columns in notes.items():
        assert note
        assert f"say: {columns};" in note
    await execute(pool, "UPDATE laps SET lap_number = 9 WHERE lap_number = 1")
    assert (await why(settings, "laps", f"{key}/9")).note == UNEXPLAINED


@pytest.mark.parametrize(
    ("table", "key", "told"),
    [
        ("tracks", "trackk", "near it: liverc/track"),
        ("events", "track/2025-10-26", f"near it: {LONG}"),
        ("races", f"{SHORT}/3", f"near it: {LONG}/2"),
        ("races", "track/2025-10-24/3", f"near it: {LONG}"),
        ("race_results", f"{SHORT}/2/901", "driven by 77"),
        ("laps", f"{SHORT}/2/9", "has 5 laps, numbered from 1 to 5"),
        ("drivers", "9", "near it: liverc/77, liverc/901, liverc/902"),
        ("track_records.fastest_laps", f"{SHORT}/3", "expected is canberraoffroad/2025-10-25/21290331"),
        ("races", "00000000-0000-0000-0000-000000000000", "expected is"),
        ("laps", "00000000-0000-0000-0000-000000000000/1", "expected is"),
    ],
)
async def test_a_key_that_names_nothing_is_told_what_is_near(
    settings: Settings, projected: None, table: Table, key: str, told: str
) -> None:
    result = await run(settings, table, key)
    assert isinstance(result.exception, NoSuchRow)
    assert told in str(result.exception)


async def test_what_verify_prints_can_be_pasted(settings: Settings, pool: Pool, projected: None) -> None:
    await execute(pool, "UPDATE laps SET pace_string = 'x' WHERE lap_number = 5")
    await execute(pool, "UPDATE race_drivers SET display_name = 'x' WHERE source_driver_id = '77'")
    verified = await invoked(settings, "verify", "practice-days", "--json")
    [report] = [msgspec.json.decode(verified.stdout)["report"]]
    keys = {table["table"]: one["key"] for table in report["tables"] for one in table["sample"]}
    assert keys.keys() == {"laps", "race_drivers"}
    for table, key in keys.items():
        result = await run(settings, table, key, "--json")
        assert result.exit_code == 0, result.exception
        assert msgspec.json.decode(result.stdout)["key"] == key


async def test_a_broker_that_is_away_keeps_only_the_record_back(settings: Settings, projected: None) -> None:
    away = at(settings, kafka_bootstrap="127.0.0.1:1")
    found = await why(away, "races", f"{SHORT}/2")
    assert found.stored
    assert {each.record_note for each in found.observations} == {searching.AWAY}


async def test_a_search_without_time_says_so(settings: Settings, projected: None) -> None:
    found = await why(settings, "races", f"{SHORT}/2", seconds=0.0)
    assert {each.record_note for each in found.observations} == {searching.HURRIED}


async def test_an_event_that_is_not_in_the_log_is_told_as_such(settings: Settings, projected: None) -> None:
    elsewhere = at(settings, topic_prefix=f"{settings.topic_prefix}none-")
    found = await why(elsewhere, "races", f"{SHORT}/2")
    assert {each.record_note for each in found.observations} == {searching.ABSENT}


async def test_hostile_text_is_clean_on_the_terminal(settings: Settings, pool: Pool) -> None:
    hostile = "\x1b[2J\u202e[red]evil[/red]\r\n" + "x" * 200
    await send(settings, [listed(1, row("1", class_name=hostile, transponder_number="\x1b[1m/7"))])
    async with projecting(settings):
        await until_at(pool, settings, 1)
    result = await run(settings, "races", f"{SHORT}/1")
    assert result.exit_code == 0, result.exception
    assert not set(result.output) & {"\x1b", "\u202e", "\r"}
    assert "[red]evil[/red]" in result.output
    result = await run(settings, "race_drivers", f"{SHORT}/1/\x1b[1m/7")
    assert result.exit_code == 0, result.exception
    assert "\x1b" not in result.output


async def test_the_command_shows_the_event_the_page_and_the_record(
    settings: Settings, imported: SampleDay
) -> None:
    key = f"{TRACK}/{DAY}/{imported.sessions[0].session_id}/1"
    found = await why(settings, "laps", key)
    detail = one(found, "detail")
    result = await run(settings, "laps", key)
    assert detail.page
    assert detail.record
    record = f"{detail.record.topic}/{detail.record.partition}/{detail.record.offset}"
    page = f"{detail.page.topic}/{detail.page.partition}/{detail.page.offset}"
    for part in (found.key, detail.event_id, detail.page.url, page, record, detail.record.producer):
        assert part in result.output
    as_json = await run(settings, "laps", key, "--json")
    assert msgspec.json.decode(as_json.stdout, type=Provenance) == found


async def test_the_api_tells_the_same(settings: Settings, projected: None) -> None:
    async with asking(at(settings, api_port=0)) as client:
        answer = await client.get("/provenance/laps", params={"key": f"{LONG}/2/77, lap_number 3"})
        assert msgspec.convert(data_of(answer), Provenance) == await why(settings, "laps", f"{SHORT}/2/3")
        error = error_of(await client.get("/provenance/laps", params={"key": f"{SHORT}/2/9"}), 404)
        assert error["code"] == "not_found"
        for table, key in (("lap", "x"), ("laps", ""), ("laps", "x" * 501)):
            error_of(await client.get(f"/provenance/{table}", params={"key": key}), 400)
        for key in ("\0", "x", "🏁/1"):
            error_of(await client.get("/provenance/laps", params={"key": key}), 404)


async def test_a_broker_that_is_silent_holds_no_caller_of_the_api_up(
    settings: Settings, projected: None
) -> None:
    """Each of many that ask at once is answered in time, also those whose turn does not come."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    async with server, asking(at(settings, api_port=0, kafka_bootstrap=f"{host}:{port}")) as client:
        begun = time.monotonic()
        params = {"key": f"{SHORT}/2"}
        answers = await asyncio.gather(*(client.get("/provenance/races", params=params) for _ in range(20)))
        assert time.monotonic() - begun < 3 * SEARCH_SECONDS
    notes = {one["record_note"] for each in answers for one in data_of(each)["observations"]}
    assert notes == {searching.HURRIED}
