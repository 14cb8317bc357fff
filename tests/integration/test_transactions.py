"""Producers that write in transactions: what they committed counts, and nothing else, for every reader."""

import asyncio
import datetime as dt
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition

from broker.clients import make_reader, time_of_open
from consumers.live import PRACTICE_DAYS
from ops.lag.figures import GroupLag
from ops.log_copies.cluster import cluster
from ops.log_copies.exporting import export_log
from ops.log_copies.importing import import_log
from ops.provenance.search import ABSENT, Wanted, search
from ops.rebuild import states
from ops.rebuild.log import TransactionOpen
from producer.archive import read_pages
from projections.state import sight
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.events import Event, PracticeDayRequested
from schemas.identity import event_id
from store.pages import PageRow
from store.pool import Pool
from tests.conftest import DAY, TRACK, at, projecting, working
from tests.events import fetched, laps, listed, row, seen
from tests.integration.test_rebuild import execute, fetch, rebuild, unseen, verified
from tests.kafka_tools import tool
from tests.lag import watching
from tests.members import (
    EVENTS,
    PARTITION,
    consumer_of,
    member,
    send,
    stored,
    tables,
    undisturbed,
    until,
    until_at,
)
from tests.producers import end, in_transaction, put

OTHERS: tuple[Event, ...] = (listed(50, row("9")), fetched(51, "9", laps=laps(9)))
"""Events that change the tables, wherever they stand among the others."""

MANY = 20
"""More records than a swap leaves, in these tests, for the moment in which writers wait."""

SECONDS = 20.0


async def commit(settings: Settings, *events: Event) -> None:
    async with in_transaction(settings, "committing") as producer:
        await put(producer, settings.topics.days, *events, partition=PARTITION)
        await end(settings, producer, "commit")


async def abort(settings: Settings, *events: Event, name: str = "aborting") -> None:
    async with in_transaction(settings, name) as producer:
        await put(producer, settings.topics.days, *events, partition=PARTITION)
        await end(settings, producer, "abort")


async def abandon(settings: Settings, *events: Event) -> None:
    """Send events in a transaction whose producer is gone."""
    async with in_transaction(settings, "gone") as producer:
        await put(producer, settings.topics.days, *events, partition=PARTITION)


async def end_of(settings: Settings) -> int:
    """Where the log ends, open transactions included."""
    async with cluster(settings.broker) as found:
        return (await found.bounds(settings.topics.days))[PARTITION].end


async def project(settings: Settings, pool: Pool) -> None:
    async with projecting(settings):
        await until_at(pool, settings, await end_of(settings))


async def lag_of(settings: Settings) -> GroupLag:
    async with watching(settings) as lag:
        return (await lag.look())[0]


async def test_what_was_committed_is_projected_and_what_was_aborted_is_not(
    settings: Settings, pool: Pool
) -> None:
    await commit(settings, *EVENTS[:2])
    await abort(settings, *OTHERS)
    await send(settings, EVENTS[2:3])
    await abort(settings, *OTHERS)
    await commit(settings, *EVENTS[3:])
    await abort(settings, *OTHERS)
    await project(settings, pool)
    assert await tables(pool) == await undisturbed(pool, EVENTS)


async def test_an_open_transaction_is_waited_for_and_what_comes_after_it_too(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS[:1])
    async with in_transaction(settings) as producer:
        await put(producer, settings.topics.days, *EVENTS[1:3], partition=PARTITION)
        await send(settings, EVENTS[3:])
        async with projecting(settings):
            await until_at(pool, settings, 1)
            before = await tables(pool)
            await send(settings, [listed(80)], partition=0)
            await until(lambda: applied(pool, settings, 0))
            assert (await stored(pool, settings))[PARTITION] == 1
            await end(settings, producer, "commit")
            await until_at(pool, settings, await end_of(settings))
    assert before == await undisturbed(pool, EVENTS[:1])


async def applied(pool: Pool, settings: Settings, partition: int) -> bool:
    return partition in await stored(pool, settings)


async def test_the_position_and_kafkas_offset_pass_what_no_record_comes_of(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS)
    await abort(settings, *[OTHERS[0]] * 20)
    async with projecting(settings):
        await until_at(pool, settings, await end_of(settings))

        async def followed() -> bool:
            return (await lag_of(settings)).kafka_behind == 0

        await until(followed)
    found = await lag_of(settings)
    assert (found.behind, found.partitions[PARTITION].position) == (0, await end_of(settings))


async def test_a_group_that_is_stopped_is_not_behind_by_what_no_record_comes_of(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS)
    await project(settings, pool)
    await abort(settings, *OTHERS)
    await send(settings, EVENTS[:1])
    found = await lag_of(settings)
    assert (found.behind, found.partitions[PARTITION].position) == (1, len(EVENTS))


async def test_a_rebuild_reads_what_is_committed_and_ends_before_an_open_transaction(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.rebuild.work.CLOSE", MANY // 2)
    await send(settings, EVENTS)
    await abort(settings, *[OTHERS[0]] * MANY)
    await project(settings, pool)
    right = await tables(pool)
    await abandon(settings, *OTHERS)
    await send(settings, EVENTS[:1])
    assert (await verified(settings)).equal
    assert (await rebuild(settings)).state == "swapped"
    assert await tables(pool) == right
    assert (await stored(pool, settings))[PARTITION] == len(EVENTS) + MANY + 1
    late = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    built = await states.rebuild(settings, PRACTICE_DAYS, "until", unseen, until=late)
    assert built.state == "built"
    races = await fetch(pool, f"SELECT source_race_id FROM {built.shadow}.races")
    assert [one["source_race_id"] for one in races] == ["2"]


async def test_tables_that_say_what_is_not_committed_are_no_reason_to_end(
    settings: Settings, pool: Pool
) -> None:
    """As a release left them that read everything."""
    await send(settings, EVENTS[:1])
    await project(settings, pool)
    async with in_transaction(settings) as producer:
        await put(producer, settings.topics.days, *EVENTS[1:], partition=PARTITION)
        await execute(pool, f"UPDATE positions SET next_offset = 3 WHERE partition = {PARTITION}")
        with pytest.raises(TransactionOpen, match=r"has a transaction open from offset 1, .*lapstream lag"):
            await verified(settings)
        async with member(settings, pool, consumer_of(settings)) as found:
            await until(lambda: holds(found))
            await end(settings, producer, "commit")
            await until_at(pool, settings, len(EVENTS) + 1)
            assert found.setbacks == []


async def holds(found: Any) -> bool:
    return len(found._held) == 8


async def records_of(settings: Settings, topic: str) -> list[bytes]:
    async with cluster(settings.broker) as found:
        bounds = (await found.bounds(topic))[PARTITION]
        reading = found.read(topic, PARTITION, bounds.begin, bounds.stable)
        return [record.value or b"" async for records in reading for record in records]


async def test_a_copy_holds_what_is_committed_and_goes_on_behind_an_open_transaction(
    settings: Settings, tmp_path: Path
) -> None:
    there = at(settings, topic_prefix=f"{settings.topic_prefix}there-")
    await send(settings, EVENTS)
    await abort(settings, *OTHERS)
    async with in_transaction(settings) as producer:
        await put(producer, settings.topics.days, *OTHERS, partition=PARTITION)
        await send(settings, EVENTS[:1])
        first = await export_log(settings.broker, settings.topics, tmp_path, lambda _done, _total: None)
        assert first.new_records == len(EVENTS)
        await end(settings, producer, "commit")
    later = await export_log(settings.broker, settings.topics, tmp_path, lambda _done, _total: None)
    assert later.new_records == len(OTHERS) + 1
    assert (await import_log(there, tmp_path, lambda _done, _total: None)).sent == later.manifest.records
    assert await records_of(there, there.topics.days) == await records_of(settings, settings.topics.days)


async def test_a_work_queue_fetches_for_what_is_committed(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    other = DAY + dt.timedelta(days=1)
    for day in (DAY, other):
        site.put(generate_day(TRACK, day, seed=1, sessions=2, laps_per_session=2))

    def asked(day: dt.date) -> PracticeDayRequested:
        return PracticeDayRequested(source="liverc", track_slug=TRACK, date=day, requested_at=seen(1))

    async with in_transaction(settings, "aborting") as producer:
        await put(producer, settings.topics.requests, asked(DAY), partition=0)
        await end(settings, producer, "abort")
    async with in_transaction(settings) as producer:
        await put(producer, settings.topics.requests, asked(other), partition=0)
        async with working(settings, "fetcher", "projector"):
            assert not site.ledger.requests
            await end(settings, producer, "commit")

            async def there() -> bool:
                async with pool.acquire() as connection:
                    return await connection.fetchval("SELECT count(*) = 4 FROM laps")

            await until(there)
    assert {one.path for one in site.ledger.requests if str(DAY) in one.path} == set()


async def test_what_was_aborted_is_no_record_of_an_event_and_is_not_waited_for(settings: Settings) -> None:
    wanted = fetched(2, "1")
    await abort(settings, wanted)
    await abandon(settings, wanted)
    stamp = sight(wanted, event_id(wanted)).stamp
    async with asyncio.timeout(SECONDS):
        found = await search(settings.broker, settings.topics, [Wanted(stamp, None)], seconds=10 * SECONDS)
    assert (found.found, found.note) == ({}, ABSENT)


async def test_a_page_whose_record_was_aborted_is_not_in_the_archive(settings: Settings) -> None:
    async with in_transaction(settings, "aborting") as producer:
        for _ in range(3):
            await producer.send_and_wait(settings.topics.pages, value=b"page", partition=0)
        await end(settings, producer, "abort")
    rows = [
        PageRow("https://x", seen(1), "0" * 64, 200, None, None, 4, settings.topics.pages, 0, offset)
        for offset in (0, 2)
    ]
    reader: Any = make_reader(settings.broker)
    async with reader, asyncio.timeout(SECONDS):
        assert [found async for found in read_pages(reader, rows)] == [(one, None) for one in rows]


async def test_lag_names_a_transaction_that_a_producer_left_open_and_the_way_out(
    settings: Settings, pool: Pool, class_path: str
) -> None:
    await send(settings, EVENTS)
    await project(settings, pool)
    await abandon(settings, *OTHERS)
    await send(settings, [fetched(60, "1", laps=laps(2))])
    found = await lag_of(settings)
    one = found.partitions[PARTITION]
    assert (one.stable_offset, one.end_offset, one.behind, one.standing) == (4, 7, 3, "ok")
    assert one.note
    assert one.note.startswith(f"{settings.topics.days}[{PARTITION}]: a transaction is open for ")
    assert " from offset 4 on; 3 offsets wait for its end" in one.note
    async with projecting(settings):
        await tool(settings, class_path, "TransactionsCommand", *way_out(one.note))
        await until_at(pool, settings, await end_of(settings))
    assert [other.note for other in (await lag_of(settings)).partitions if other.note] == []
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, fetched(60, "1", laps=laps(2))])


def way_out(note: str) -> list[str]:
    """What the command in a note is given, behind the address of the broker."""
    [command] = re.findall("`(.*)`", note)
    name, option, _, *rest = shlex.split(command)
    assert (name, option) == ("kafka-transactions.sh", "--bootstrap-server")
    return rest


async def test_an_open_transaction_has_the_age_of_its_first_record(settings: Settings) -> None:
    tp = TopicPartition(settings.topics.days, PARTITION)
    assert await time_of_open(settings.broker, tp, 5) is None
    async with in_transaction(settings) as producer:
        await producer.send_and_wait(tp.topic, value=b"x", partition=PARTITION, timestamp_ms=1_000)
        assert await time_of_open(settings.broker, tp, 0) == 1_000
