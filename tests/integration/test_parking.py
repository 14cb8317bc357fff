"""Bad records: found in their batch, parked with all that they had, brought to an end by the command line."""

import asyncio
import base64
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs
from typer.testing import CliRunner, Result

from broker.clients import make_producer, make_reader, partitions_of
from lapstream.cli.commands.parked import app
from lapstream.roles import run_roles
from ops.parked import queries as parked
from ops.parked.mending import BadFix, NotParked, NotWritten
from ops.parked.queries import Key, Parked, ParkedState, Selection
from runtime.settings import Settings, environment
from runtime.wiring import detail_group, projection_group
from schemas.envelope import Context, pack
from schemas.events import Event, PracticeDayRequested
from schemas.records import Record
from store.days import DayView, read_day
from store.digest import READ_TABLES, TableDigest, digest
from store.parking import ParkedRecord, ParkingFull, park
from store.parking import parked as as_parked
from store.pool import Connection, Pool
from tests.commands import ended_beside
from tests.conftest import projecting
from tests.events import DATE, DAY_ID, fetched, listed, row, seen
from tests.lag import watching

SECONDS = 60.0
"""The longest that a test waits for a projector."""

Headers = Sequence[tuple[str, bytes | None]]


class Sent(msgspec.Struct, frozen=True):
    """A record to be published."""

    value: bytes | None
    headers: Headers
    key: bytes | None = b"a key"


def good(event: Event) -> Sent:
    record = pack(event, Context(source="test", correlation_id="run 1"))
    return Sent(record.value, record.headers, record.key)


def but(record: Sent, value: bytes | None = None, **headers: bytes | None) -> Sent:
    """The record with another value and other headers; underscores stand for the dashes of no header here."""
    return Sent(value or record.value, tuple((dict(record.headers) | headers).items()), record.key)


def detail(session_id: str, **facts: Any) -> Sent:
    return good(fetched(2, session_id, **facts))


def altered(record: Sent, old: bytes, new: bytes) -> Sent:
    """The record with a part of its value exchanged."""
    assert record.value is not None
    assert old in record.value
    return but(record, record.value.replace(old, new))


async def publish(settings: Settings, topic: str, records: Sequence[Sent], partition: int = 0) -> list[int]:
    """Publish records in their order to one partition; returns their offsets."""
    producer: Any = make_producer(settings.broker)
    await producer.start()
    try:
        sent = [
            await producer.send(
                topic, key=one.key, value=one.value, headers=list(one.headers), partition=partition
            )
            for one in records
        ]
        return [metadata.offset for metadata in await asyncio.gather(*sent)]
    finally:
        await producer.stop()


async def caught_up(settings: Settings) -> None:
    """Return when the projection has passed the last record of its topic."""
    async with asyncio.timeout(SECONDS), watching(settings) as lag:
        while (await lag.look())[0].behind:
            pass  # each look asks the servers


async def projected(settings: Settings, *records: Sent) -> list[int]:
    """Publish records to the topic of days, and let a projector take them."""
    offsets = await publish(settings, settings.topics.days, records)
    async with projecting(settings):
        await caught_up(settings)
    return offsets


async def run(settings: Settings, *arguments: str, answer: str = "") -> Result:
    """Run `lapstream parked …` as it is typed."""
    return await asyncio.to_thread(
        CliRunner().invoke, app, arguments, input=answer, env=environment(settings)
    )


async def ran(settings: Settings, *arguments: str, code: int = 0) -> Any:
    """What a command printed as JSON, where it exits with this code."""
    result = await run(settings, *arguments, "--json")
    assert result.exit_code == code, (result.output, result.exception)
    return msgspec.json.decode(result.stdout)


ANYTHING = Selection(state=None)


async def all_parked(pool: Pool, selection: Selection = ANYTHING) -> list[Parked]:
    async with pool.acquire() as connection:
        heads = await parked.find(connection, selection)
        return await parked.read(connection, [head.at for head in heads])


async def the_day(pool: Pool) -> DayView:
    async with pool.acquire() as connection:
        view = await read_day(connection, DAY_ID)
    assert view is not None
    return view


async def sessions(pool: Pool) -> dict[str, int]:
    """The laps of each session of the day."""
    return {session.session_id: session.laps for session in (await the_day(pool)).sessions}


async def tables(pool: Pool) -> list[TableDigest]:
    async with pool.acquire() as connection:
        return await digest(connection, READ_TABLES)


async def execute(pool: Pool, query: str) -> None:
    async with pool.acquire() as connection:
        await connection.execute(query)


async def refuse_session(pool: Pool, session_id: str) -> None:
    """Let the database refuse a session that decoding accepts."""
    await execute(pool, f"ALTER TABLE races ADD CONSTRAINT refused CHECK (source_race_id <> '{session_id}')")


async def allow_sessions(pool: Pool) -> None:
    await execute(pool, "ALTER TABLE races DROP CONSTRAINT refused")


BAD = {
    "null_value": Sent(None, detail("90").headers),
    "bad_header": but(detail("91"), ce_id=None),
    "bad_header (no UTF-8)": but(detail("91"), ce_source=b"\xff\xfe"),
    "bad_header (missing)": Sent(detail("91").value, (("ce_specversion", b"1.0"),)),
    "bad_json (no UTF-8)": altered(detail("92"), b"Driver 92", b"Driver \xff"),
    "bad_json (cut off)": but(detail("92"), (detail("92").value or b"")[:100]),
    "bad_json (no JSON)": but(detail("92"), b"<html>"),
    "unknown_version": but(detail("93"), ce_type=b"session_detail.fetched.v9"),
    "unknown_specversion": but(detail("93"), ce_specversion=b"2.0"),
    "duplicate_key": altered(detail("94"), b'"lap_count":3', b'"lap_count":3,"lap_count":4'),
    "invalid_event (out of range)": altered(detail("95"), b'"lap_count":3', b'"lap_count":99999999999'),
    "invalid_event (infinite)": altered(detail("95"), b'"fastest_lap":30.5', b'"fastest_lap":1e999'),
    "invalid_event (two laps 1)": altered(detail("95"), b'"lap_number":2', b'"lap_number":1'),
    "nul_character": altered(detail("96"), b"Driver 96", b"Driver \\u0000"),
    "event_too_large": but(detail("97"), b" " * (4 * 1024 * 1024 + 1)),
    "projection_error": detail("98"),
}
"""A record of each kind that is found, by the code that it is parked for."""

FOREIGN = Sent(b"whatever", tuple((dict(detail("1").headers) | {"ce_type": b"other.vendor.v1"}).items()))


async def test_every_kind_of_bad_record_is_parked_and_costs_no_other(settings: Settings, pool: Pool) -> None:
    await refuse_session(pool, "98")
    wanted = [good(listed(1, *(row(str(number)) for number in range(len(BAD) + 1)))), detail("0")]
    for number, bad in enumerate(BAD.values(), start=1):
        wanted += [bad, FOREIGN, detail(str(number))]
    offsets = await projected(settings, *wanted)
    assert await sessions(pool) == {str(number): 3 for number in range(len(BAD) + 1)}
    found = await all_parked(pool)
    assert [one.code for one in found] == [name.partition(" ")[0] for name in BAD]
    for one, bad in zip(found, BAD.values(), strict=True):
        assert (one.group, one.topic) == (projection_group(settings.topics), settings.topics.days)
        assert wanted[offsets.index(one.offset)] is bad
        assert (one.value, one.key, one.headers) == (bad.value, bad.key, tuple(bad.headers))
        assert one.state is ParkedState.parked
        assert one.reason
        assert one.time


async def test_a_record_is_kept_whatever_its_headers_are_named(connection: Connection) -> None:
    record = Odd()
    await park(connection, "group", [parked_of(record)], limit=9)
    [one] = await parked.read(connection, [Key("group", "topic", 1, 7)])
    assert one.headers == record.headers
    assert one.key is None
    assert one.time is None


class Odd:
    """A record that no one of ours writes."""

    topic = "topic"
    partition = 1
    offset = 7
    timestamp = -1
    key: bytes | None = None
    value: bytes | None = b"\0"
    headers: tuple[tuple[str, bytes | None], ...] = (
        ("a\0b", b"\0"),
        ("100%00", None),
        ("ü/ \u202e", b""),
        ("twice", b"1"),
        ("twice", b"2"),
    )


def parked_of(record: Record, reason: str = "because \0 \ud800") -> ParkedRecord:

    return as_parked(record, "odd", reason)


@pytest.mark.parametrize("timestamp", [-1, -(2**63), 2**63 - 1])
def test_a_time_that_no_calendar_has_is_none(timestamp: int) -> None:
    record = Odd()
    record.timestamp = timestamp
    assert parked_of(record).record_time is None


async def test_redriving_runs_a_record_through_the_code_as_it_is_now(settings: Settings, pool: Pool) -> None:
    await refuse_session(pool, "2")
    await projected(settings, good(listed(1, row("1"))), detail("1"), detail("2"), BAD["bad_json (no JSON)"])
    await allow_sessions(pool)
    before = await tables(pool)
    trial = await ran(settings, "redrive", "--dry-run", code=1)
    assert (trial["redriven"], trial["still_parked"]) == (1, 1)
    assert await tables(pool) == before
    assert {one.state for one in await all_parked(pool)} == {ParkedState.parked}
    done = await ran(settings, "redrive", code=1)
    assert (done["redriven"], done["still_parked"]) == (1, 1)
    assert await sessions(pool) == {"1": 3, "2": 3}
    states = {one.code: one.state for one in await all_parked(pool)}
    assert states == {"projection_error": ParkedState.redriven, "bad_json": ParkedState.parked}
    assert (await ran(settings, "redrive", "--code", "projection_error"))["records"] == []


async def test_a_record_that_is_still_refused_stays_parked_for_its_new_reason(
    settings: Settings, pool: Pool
) -> None:
    await refuse_session(pool, "2")
    await projected(settings, *(detail(number) for number in ("1", "2", "3")))
    await execute(pool, "UPDATE parked_records SET code = 'old', reason = 'old'")
    result = await run(settings, "redrive")
    assert result.exit_code == 1
    assert "0 redriven, 1 stay parked" in result.stdout
    [one] = await all_parked(pool)
    assert (one.code, one.state) == ("projection_error", ParkedState.parked)
    assert "refused" in one.reason


async def test_a_redrive_finds_the_one_bad_record_among_many(settings: Settings, pool: Pool) -> None:
    await execute(pool, "ALTER TABLE races ADD CONSTRAINT refused CHECK (false)")
    await projected(settings, *(detail(str(number)) for number in range(9)))
    await allow_sessions(pool)
    await refuse_session(pool, "5")
    done = await ran(settings, "redrive", code=1)
    assert (done["redriven"], done["still_parked"]) == (8, 1)
    assert sorted(await sessions(pool)) == [str(number) for number in range(9) if number != 5]


async def test_a_mended_record_is_a_new_record_of_the_topic(
    settings: Settings, pool: Pool, tmp_path: Path
) -> None:
    [offset] = await projected(settings, BAD["duplicate_key"])
    mended = tmp_path / "mended.json"
    mended.write_bytes(detail("94").value or b"")
    place = f"{settings.topics.days}/0/{offset}"
    done = await ran(settings, "publish-fixed", place, str(mended))
    assert done["state"] == "fixed"
    async with projecting(settings):
        await caught_up(settings)
        once = await tables(pool)
        assert await sessions(pool) == {"94": 3}
        await execute(
            pool,
            "UPDATE parked_records SET state = 'parked', settled_at = NULL, settled_by = NULL,"
            " new_topic = NULL,"
            " new_partition = NULL, new_offset = NULL",
        )
        again = await ran(settings, "publish-fixed", place, str(mended))
        await caught_up(settings)
    assert await tables(pool) == once
    [one] = await all_parked(pool)
    assert one.new == (again["new"]["topic"], again["new"]["partition"], again["new"]["offset"])
    result = await run(settings, "publish-fixed", place, str(mended))
    assert isinstance(result.exception, NotParked)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("unknown_version", detail("1").value, "--type"),
        ("duplicate_key", b"{}", "invalid_event"),
        ("duplicate_key", altered(detail("94"), b'"lap_count"', b'"lap_cuont"').value, "$.lap_cuont"),
        ("duplicate_key", altered(detail("94"), b'"is_valid"', b'"is_vaild"').value, "$.laps[0].is_vaild"),
    ],
)
async def test_a_mended_record_that_is_not_right_is_not_published(
    settings: Settings, pool: Pool, tmp_path: Path, name: str, value: bytes, complaint: str
) -> None:
    await publish(settings, settings.topics.days, [BAD[name]])
    async with projecting(settings):
        await caught_up(settings)
    mended = tmp_path / "mended.json"
    mended.write_bytes(value)
    place = f"{settings.topics.days}/0/0"
    result = await run(settings, "publish-fixed", place, str(mended))
    assert isinstance(result.exception, BadFix)
    assert complaint in str(result.exception)
    assert [one.state for one in await all_parked(pool)] == [ParkedState.parked]


async def test_a_request_is_no_mended_observation(settings: Settings, tmp_path: Path) -> None:
    await projected(settings, BAD["unknown_version"])
    mended = tmp_path / "mended.json"
    asked = PracticeDayRequested(source="liverc", track_slug="track", date=DATE, requested_at=seen(1))
    mended.write_bytes(msgspec.json.encode(asked))
    place = f"{settings.topics.days}/0/0"
    without_broker = structs.replace(settings, kafka_bootstrap="127.0.0.1:1")
    result = await run(without_broker, "publish-fixed", place, str(mended), "--type", asked.type_name)
    assert isinstance(result.exception, BadFix)


async def test_a_discard_asks_and_keeps_its_reason(settings: Settings, pool: Pool) -> None:
    await projected(settings, BAD["null_value"], BAD["bad_header"], BAD["null_value"])
    arguments = ("discard", "--code", "null_value", "--reason", "a broken producer")
    refused = await run(settings, *arguments, answer="n\n")
    assert refused.exit_code == 1
    assert "Discard 2 parked record(s): 2 null_value?" in refused.stderr
    assert (await ran(settings, *arguments, "--yes"))["discarded"] == 2
    gone = await all_parked(pool, Selection(state=ParkedState.discarded))
    assert [(one.code, one.discard_reason) for one in gone] == [("null_value", "a broken producer")] * 2
    assert [one.code for one in await all_parked(pool, Selection())] == ["bad_header"]


async def test_a_rebuild_meets_what_was_decided(settings: Settings, pool: Pool) -> None:
    await refuse_session(pool, "98")
    await projected(settings, BAD["null_value"], BAD["bad_header"], BAD["projection_error"], detail("1"))
    await allow_sessions(pool)
    await ran(settings, "discard", "--code", "null_value", "--reason", "nothing in it", "--yes")
    await ran(settings, "redrive", "--code", "projection_error")
    before = await all_parked(pool)
    whole = await tables(pool)
    await execute(pool, "TRUNCATE tracks, events, drivers, positions, observations CASCADE")
    async with projecting(settings):
        await caught_up(settings)
    assert await tables(pool) == whole
    after = await all_parked(pool)
    assert [(one.at, one.state) for one in after] == [(one.at, one.state) for one in before]


async def test_another_record_at_a_settled_place_is_parked_all_the_same(connection: Connection) -> None:
    record = Odd()
    at = Key("group", "topic", 1, 7)
    await park(connection, "group", [parked_of(record)], limit=9)
    await parked.discarded(connection, [at], "old", "somebody")
    await park(connection, "group", [parked_of(record)], limit=9)
    [same] = await parked.read(connection, [at])
    assert same.state is ParkedState.discarded
    record.value = b"of a topic made anew"
    await park(connection, "group", [parked_of(record)], limit=9)
    [other] = await parked.read(connection, [at])
    assert (other.state, other.value, other.discard_reason) == (ParkedState.parked, record.value, None)


async def test_an_export_has_all_that_is_known_and_overwrites_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    bad = BAD["bad_json (no UTF-8)"]
    await projected(settings, bad, BAD["null_value"])
    file = tmp_path / "parked.jsonl"
    assert (await ran(settings, "export", str(file)))["records"] == 2
    first, second = (msgspec.json.decode(line) for line in file.read_bytes().splitlines())
    assert base64.b64decode(first["value"]) == bad.value
    assert {name: base64.b64decode(data) for name, data in first["headers"]} == dict(bad.headers)
    assert (second["value"], second["code"], second["state"]) == (None, "null_value", "parked")
    assert isinstance((await run(settings, "export", str(file))).exception, NotWritten)
    assert (await ran(settings, "export", str(file), "--code", "null_value", "--yes"))["records"] == 1
    assert len(file.read_bytes().splitlines()) == 1


async def test_a_requeued_request_is_a_new_record_with_the_same_bytes(settings: Settings, pool: Pool) -> None:
    asked = PracticeDayRequested(source="liverc", track_slug="track", date=DATE, requested_at=seen(1))
    sent = good(asked)
    [offset] = await publish(settings, settings.topics.details, [sent], partition=1)
    queued = Odd()
    queued.topic, queued.partition, queued.offset = settings.topics.details, 1, offset
    queued.key, queued.value, queued.headers = sent.key, sent.value, tuple(sent.headers)
    group = detail_group(settings.topics)
    async with pool.acquire() as connection:
        await park(connection, group, [parked_of(queued)], limit=9)
        assert (await ran(settings, "redrive", "--group", group, "--dry-run"))["redriven"] == 1
        done = await ran(settings, "redrive", "--group", group)
        [new] = [one["new"] for one in done["records"]]
        assert new == [settings.topics.details, 1, offset + 1]
        [one] = await parked.read(connection, [Key(group, settings.topics.details, 1, offset)])
    assert (one.state, list(one.new or ())) == (ParkedState.redriven, new)
    records = await records_of(settings, settings.topics.details)
    assert [(r.key, r.value, r.headers) for r in records] == [(sent.key, sent.value, tuple(sent.headers))] * 2


async def records_of(settings: Settings, topic: str) -> list[Any]:
    consumer: Any = make_reader(settings.broker, reset="earliest")
    async with consumer:
        consumer.assign(await partitions_of(consumer, topic))
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            polled = await consumer.getmany(timeout_ms=200)
            found += [record for records in polled.values() for record in records]
    return found


async def test_records_are_listed_by_page_and_shown_without_danger(settings: Settings) -> None:
    danger = but(detail("1"), b'{"driver_name": "\x1b[2J\x9b\xe2\x80\xae"', ce_subject=b"\x1b]0;title\x07")
    await projected(settings, danger, *[BAD["null_value"]] * 60)
    found = await ran(settings, "list", "--page", "2")
    assert (found["total"], len(found["records"])) == (61, 11)
    assert [(count["code"], count["records"]) for count in found["counts"]] == [
        ("bad_json", 1),
        ("null_value", 60),
    ]
    assert (await ran(settings, "list", "--since", "2999-01-01"))["total"] == 0
    assert (await ran(settings, "list", "--at", f"{settings.topics.days}/0/7"))["total"] == 1
    shown = await run(settings, "show", f"{settings.topics.days}/0/0")
    assert shown.exit_code == 0
    assert "7b 22 64 72" in shown.stdout
    assert "\x1b" not in shown.stdout + (await run(settings, "list")).stdout
    nobody = await run(settings, "show", "nothing/0/0")
    assert isinstance(nobody.exception, NotParked)


GROUPS = ("a-group", "b-group", "c-group")


async def parked_by_three(pool: Pool) -> None:
    """Three records, each parked by three groups; the last has been settled by one."""
    async with pool.acquire() as connection:
        for group in GROUPS:
            records = [parked_of(Odd(), f"found by {group}")._replace(record_offset=n) for n in range(3)]
            await park(connection, group, records, limit=9)
        await parked.discarded(connection, [Key(GROUPS[0], "topic", 1, 2)], "old", "somebody")


async def test_a_record_that_several_groups_parked_is_one_entry(settings: Settings, pool: Pool) -> None:
    await parked_by_three(pool)
    found = await ran(settings, "list")
    assert [(count["records"], count["groups"]) for count in found["counts"]] == [(3, list(GROUPS))]
    assert (found["total"], [one["offset"] for one in found["records"]]) == (3, [0, 1, 2])
    assert [[parked["group"] for parked in one["groups"]] for one in found["records"]] == [
        list(GROUPS),
        list(GROUPS),
        list(GROUPS[1:]),
    ]
    listed = (await run(settings, "list")).stdout
    assert [line for line in listed.splitlines() if line.startswith("topic/")] == [
        f"topic/1/{number}" for number in range(3)
    ]
    assert (await ran(settings, "list", "--group", GROUPS[0]))["total"] == 2


async def test_pages_hold_places_whole(connection: Connection, pool: Pool) -> None:
    await parked_by_three(pool)
    anything = Selection(state=None)
    whole = await parked.find(connection, anything)
    pages = [await parked.find(connection, anything, limit=2, skip=skip) for skip in (0, 2, 4)]
    assert [len(page) for page in pages] == [6, 3, 0]
    assert [head for page in pages for head in page] == whole
    assert await parked.count(connection, Selection(code="none")) == (0, [])


async def test_a_record_is_shown_once_with_what_each_group_made_of_it(settings: Settings, pool: Pool) -> None:
    await parked_by_three(pool)
    shown = await ran(settings, "show", "topic/1/2")
    assert (shown["topic"], shown["partition"], shown["offset"], shown["value"]["text"]) == (
        "topic",
        1,
        2,
        "\0",
    )
    states = {one["group"]: one["state"] for one in shown["groups"]}
    assert states == {"a-group": "discarded", "b-group": "parked", "c-group": "parked"}
    printed = (await run(settings, "show", "topic/1/2")).stdout
    assert (printed.count("value"), [printed.count(f"found by {group}") for group in GROUPS]) == (
        1,
        [1, 1, 1],
    )
    one = await ran(settings, "show", "topic/1/2", "--group", GROUPS[0])
    assert [group["discard_reason"] for group in one["groups"]] == ["old"]


async def test_another_record_at_the_same_place_is_named(settings: Settings, pool: Pool) -> None:
    await parked_by_three(pool)
    await execute(pool, "UPDATE parked_records SET record_value = 'old' WHERE group_name = 'a-group'")
    shown = await run(settings, "show", "topic/1/2")
    assert "found by a-group" not in shown.stdout
    assert "a-group parked another record at this place: `--group a-group` shows it" in shown.stderr


async def test_one_record_is_given_up_by_all_its_groups_or_by_one(settings: Settings, pool: Pool) -> None:
    await parked_by_three(pool)
    arguments = ("discard", "--at", "topic/1/0", "--reason", "a test")
    asked = await run(settings, *arguments, answer="n\n")
    assert "Discard 1 parked record(s), parked by 3 groups: 1 odd?" in asked.stderr
    assert (await ran(settings, *arguments, "--group", GROUPS[1], "--yes"))["discarded"] == 1
    assert (await ran(settings, *arguments, "--yes"))["discarded"] == 2


async def test_a_flood_of_bad_records_holds_nothing_up(settings: Settings, pool: Pool) -> None:
    bad = list(BAD.values())[:8]
    wanted = [
        detail(str(number)) if number % 21 == 0 else bad[number % len(bad)] for number in range(21 * 500)
    ]
    await publish(settings, settings.topics.days, wanted)
    began = time.monotonic()
    async with projecting(settings):
        await caught_up(settings)
    seconds = time.monotonic() - began
    found = await ran(settings, "list")
    assert found["total"] == 10_000
    assert len((await the_day(pool)).sessions) == 500
    assert seconds < SECONDS / 2


async def fill(pool: Pool, group: str, records: int) -> None:
    await execute(
        pool,
        "INSERT INTO parked_records (group_name, topic, partition, record_offset, record_headers, code,"
        " reason)"
        f" SELECT '{group}', 'filled', 0, n, '[]', 'flood', 'flood' FROM generate_series(1, {records}) AS n",
    )


async def test_too_many_bad_records_stop_the_group_before_them(settings: Settings, pool: Pool) -> None:
    await fill(pool, projection_group(settings.topics), settings.parking_limit)
    await publish(settings, settings.topics.days, [detail("1"), BAD["null_value"]])
    with pytest.raises(ParkingFull, match="parked list"):
        await asyncio.wait_for(run_roles(settings, ["projector"], asyncio.Event()), SECONDS)
    async with watching(settings) as lag:
        assert (await lag.look())[0].behind == 2
    code, _, printed = await ended_beside(settings, "run", "projector")
    assert code == 1
    assert '"event": "parking_full"' in printed
    await ran(settings, "discard", "--code", "flood", "--reason", "a test", "--yes")
    async with projecting(settings):
        await caught_up(settings)
    assert await sessions(pool) == {"1": 3}


async def test_a_full_table_takes_none_of_a_batch(connection: Connection) -> None:
    records = [parked_of(Odd())._replace(record_offset=number) for number in range(4)]
    with pytest.raises(ParkingFull):
        await park(connection, "group", records, limit=3)
    assert await parked.count(connection, Selection(state=None)) == (0, [])
    await park(connection, "group", records[:3], limit=3)
    await park(connection, "group", records[:3], limit=3)
    total, [count] = await parked.count(connection, Selection())
    assert (total, count.records, count.groups) == (3, 3, ["group"])
