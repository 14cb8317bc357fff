"""Rebuilds: tables made anew from the topic beside the live ones, compared, exchanged, taken back."""

from typing import Any, Literal

import msgspec
import pytest

from broker.batches import BATCH_BYTES
from broker.clients import make_producer
from consumers.live import PRACTICE_DAYS
from ops.rebuild import states
from ops.rebuild.queries import Purpose, Rebuild, State
from ops.rebuild.replaying import Progress
from ops.rebuild.report import RebuildReport, RowDifference, TableReport
from runtime.settings import Settings
from runtime.wiring import projection_group
from schemas.envelope import Context, pack
from schemas.events import Event
from schemas.identity import event_id
from store.pool import Pool
from tests.conftest import projecting
from tests.members import EVENTS, PARTITION, send, tables, undisturbed, until_at
from tests.raw_records import ZSTD, RawRecord, batch, produce, raw

DAY = "liverc/track-practice-2025-10-25"


def unseen(state: State, progress: Progress) -> None:
    """For tests that look at what is left."""


async def rebuild(settings: Settings, purpose: Purpose = "swap", *, accept: bool = False) -> Rebuild:
    return await states.rebuild(settings, PRACTICE_DAYS, purpose, unseen, accept=accept)


async def rebuilt(settings: Settings, purpose: Purpose) -> RebuildReport:
    """What a rebuild found of the live tables."""
    report = states.report_of(await rebuild(settings, purpose))
    assert report
    return report


async def verified(settings: Settings) -> RebuildReport:
    return await rebuilt(settings, "verify")


async def projected(settings: Settings, pool: Pool) -> None:
    """The events of the tests are in the live tables."""
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))


def table(report: RebuildReport, name: str) -> TableReport:
    return next(one for one in report.tables if one.table == name)


def differing(report: RebuildReport) -> dict[str, list[RowDifference]]:
    return {one.table: one.sample for one in report.tables if not one.equal}


async def execute(pool: Pool, query: str) -> None:
    async with pool.acquire() as connection:
        await connection.execute(query)


async def send_bad(settings: Settings) -> None:
    """Put a record into the topic that is no event."""
    producer = make_producer(settings.broker)
    await producer.start()
    await producer.send(settings.topics.days, key=b"?", value=b"{", headers=[], partition=PARTITION)
    await producer.stop()


async def fetch(pool: Pool, query: str) -> list[Any]:
    async with pool.acquire() as connection:
        return await connection.fetch(query)


async def test_live_tables_are_what_the_topic_says(settings: Settings, pool: Pool) -> None:
    await projected(settings, pool)
    report = await verified(settings)
    assert report.equal
    assert report.records == len(EVENTS)
    assert {one.table: one.live_rows for one in report.tables} == {
        one.table: one.rows for one in await tables(pool)
    }


async def test_a_row_edited_by_hand_is_named_with_both_values(settings: Settings, pool: Pool) -> None:
    await projected(settings, pool)
    await execute(pool, "UPDATE laps SET lap_time_raw = '1.000' WHERE lap_number = 5")
    report = await verified(settings)
    assert list(differing(report)) == ["laps"]
    [found] = differing(report)["laps"]
    assert (found.kind, found.cause) == ("changed", "unexplained")
    assert found.key.startswith(f"{DAY}/2/")
    assert found.key.endswith(", lap_number 5")
    [change] = found.changes
    assert (change.column, bytes(change.live), bytes(change.rebuilt)) == (
        "lap_time_raw",
        b'"1.000"',
        b'"30.500"',
    )
    assert found.observation


async def test_a_rebuild_brings_rows_that_an_older_release_wrote(settings: Settings, pool: Pool) -> None:
    await projected(settings, pool)
    await execute(
        pool,
        """
        UPDATE races SET race_metadata =
            jsonb_set(race_metadata, '{practiceSessionStats,valid_lap_range}', '"20 to 1:10"')
        WHERE race_metadata IS NOT NULL
        """,
    )
    await execute(
        pool,
        """
        UPDATE race_results SET raw_fields_json = raw_fields_json || '{"valid_lap_range": "20 to 1:10"}'
        WHERE raw_fields_json IS NOT NULL
        """,
    )
    assert differing(await verified(settings)).keys() == {"races", "race_results"}
    await rebuild(settings, accept=True)
    assert (await verified(settings)).equal
    ranges = await fetch(
        pool,
        "SELECT raw_fields_json ->> 'valid_lap_range' FROM race_results WHERE raw_fields_json IS NOT NULL",
    )
    assert {row[0] for row in ranges} == {"[20.0, 70.0]"}


async def test_rows_deleted_and_made_by_hand_are_named(settings: Settings, pool: Pool) -> None:
    await projected(settings, pool)
    await execute(pool, "DELETE FROM laps WHERE lap_number = 5")
    await execute(
        pool, "INSERT INTO drivers (id, source, source_driver_id) VALUES (gen_random_uuid(), 'liverc', 'x')"
    )
    report = await verified(settings)
    assert [one.kind for one in differing(report)["laps"]] == ["added"]
    [ghost] = differing(report)["drivers"]
    assert (ghost.kind, ghost.key, ghost.cause) == ("gone", "liverc/x", "unexplained")
    assert table(report, "drivers").worrying
    assert not table(report, "laps").worrying


async def parked_by_hand(pool: Pool, settings: Settings, event: Event, state: str) -> None:
    """Make it so as if the live projection had parked the record of this event, and never applied it."""
    headers = msgspec.json.encode([("ce_id", event_id(event).encode().hex())]).decode()
    settled = "now(), 'somebody', 'because'" if state == "discarded" else "NULL, NULL, NULL"
    await execute(
        pool,
        "INSERT INTO parked_records (group_name, topic, partition, record_offset, record_headers, code,"
        " reason, state, settled_at, settled_by, discard_reason)"
        f" VALUES ('{projection_group(settings.topics)}', '{settings.topics.days}', {PARTITION}, 2,"
        f" '{headers}', 'test', 'test', '{state}', {settled})",
    )


@pytest.mark.parametrize("state", ["parked", "discarded"])
async def test_what_a_parked_record_would_have_said_is_classed_so(
    settings: Settings, pool: Pool, state: Literal["parked", "discarded"]
) -> None:
    await projected(settings, pool)
    parked = EVENTS[2]
    await undisturbed(pool, [event for event in EVENTS if event is not parked])
    await parked_by_hand(pool, settings, parked, state)
    report = await verified(settings)
    found = differing(report)
    assert {"laps", "observations"} <= found.keys()
    assert {one.cause for sample in found.values() for one in sample} == {state}
    assert {one.observation for one in found["laps"]} == {event_id(parked)}
    assert table(report, "laps").counts == {"added": 5}


async def test_records_that_can_not_be_applied_are_counted_and_not_parked_again(
    settings: Settings, pool: Pool
) -> None:
    await projected(settings, pool)
    await send_bad(settings)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS) + 1)
    before = await fetch(pool, "SELECT * FROM parked_records")
    report = await verified(settings)
    assert report.equal
    assert [(one.offset, one.code) for one in report.refused_sample] == [(len(EVENTS), "bad_header")]
    assert await fetch(pool, "SELECT * FROM parked_records") == before


async def test_what_the_client_can_not_hand_out_is_refused_as_the_live_projection_parks_it(
    settings: Settings, pool: Pool
) -> None:
    """A header whose name is not UTF-8, a batch that unpacks to too much; what lies around is applied."""
    unnamed = [raw(pack(event, Context(source="test")), (b"\xff", b"x")) for event in EVENTS]
    for data in (batch(unnamed), batch([RawRecord(bytes(BATCH_BYTES))], ZSTD)):
        await produce(settings.kafka_bootstrap, settings.topics.days, data, PARTITION)
    bad = len(EVENTS) + 1
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, bad + len(EVENTS))
    assert await tables(pool) == await undisturbed(pool, EVENTS)
    report = await verified(settings)
    assert report.equal
    live = await fetch(pool, "SELECT record_offset, code, reason FROM parked_records ORDER BY record_offset")
    refused = await fetch(
        pool, "SELECT record_offset, code, reason FROM rebuild_refused ORDER BY record_offset"
    )
    assert [tuple(one) for one in refused] == [tuple(one) for one in live]
    assert [one["code"] for one in live] == ["unreadable"] * bad
