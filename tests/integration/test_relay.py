"""The relay: what is committed reaches its topic, in each key's order, whatever happens to those involved."""

import asyncio
import random
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from structlog.testing import capture_logs

from broker.clients import administering
from lapstream.relay import run_relay
from outbox import adding as outbox
from outbox import lease
from outbox import relay as relay_module
from outbox import rows as store
from outbox.adding import Entry
from outbox.lease import Lease, LeaseLost
from outbox.relay import OutboxRefused, RowRefused
from outbox.rows import Backlog
from outbox.sending import Producer, Sender
from runtime.database import database
from runtime.settings import Settings, environment
from runtime.wiring import producing
from sandbox.embedded import stack
from schemas.envelope import Context, pack, unpack
from schemas.events import Event, PracticeDayChanged, PracticeDayIngested
from schemas.identity import event_id
from store import waiting
from store.pool import Connection, Pool
from tests.events import DATE, seen
from tests.members import until
from tests.outcomes import event_of, records
from tests.processes import LONGEST_SECONDS, crash
from tests.topics import is_empty

CONTEXT = Context(source="test")
OUTCOMES = "practice-day-outcomes"


def changed(track: int, number: int) -> PracticeDayChanged:
    """The so-manieth change of a track's day."""
    return PracticeDayChanged(
        source="liverc",
        track_slug=f"track-{track}",
        date=DATE,
        changed_at=seen(number),
        sessions_changed=("1", "2"),
        laps_added=number,
    )


async def add(connection: Connection, *events: Event, topic: str = OUTCOMES) -> None:
    async with connection.transaction():
        await outbox.add(connection, [Entry(topic, event, CONTEXT) for event in events])


async def add_all(pool: Pool, events: Iterable[Event]) -> None:
    """Add events, each in a transaction of its own."""
    async with pool.acquire() as connection:
        for event in events:
            await add(connection, event)


@asynccontextmanager
async def relaying(settings: Settings) -> AsyncGenerator[asyncio.Task[None]]:
    """A relay in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_relay(settings, stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def published(settings: Settings) -> list[PracticeDayChanged]:
    """The events of the outcomes."""
    return [event_of(record) for record in await records(settings)]


def by_track(events: Iterable[PracticeDayChanged]) -> dict[str, list[int]]:
    """The numbers of the changes of each track, in their order."""
    found: dict[str, list[int]] = {}
    for event in events:
        found.setdefault(event.track_slug, []).append(event.laps_added)
    return found


def first_sights(numbers: Iterable[int]) -> list[int]:
    """The numbers without those that came before."""
    return list(dict.fromkeys(numbers))


async def rows(pool: Pool) -> int:
    async with pool.acquire() as connection:
        return (await store.backlog(connection)).rows


async def until_empty(pool: Pool) -> None:
    async def empty() -> bool:
        return await rows(pool) == 0

    await until(empty)


# What comes out


async def test_each_key_keeps_the_order_of_its_commits(settings: Settings) -> None:
    async def write(pool: Pool, tracks: Sequence[int]) -> None:
        chance = random.Random(tracks[0])
        events = [changed(track, number) for number in range(50) for track in tracks]
        async with pool.acquire() as connection:
            while events:
                size = chance.randint(1, 30)
                await add(connection, *events[:size])
                events = events[size:]

    async with database(settings, size=5) as pool, relaying(settings):
        await asyncio.gather(*(write(pool, range(first, first + 10)) for first in range(0, 40, 10)))
        await until_empty(pool)
    assert by_track(await published(settings)) == {f"track-{track}": list(range(50)) for track in range(40)}


async def test_a_record_has_the_bytes_that_the_event_was_packed_into(settings: Settings, pool: Pool) -> None:
    event = PracticeDayIngested(
        source="liverc",
        track_slug="track",
        date=DATE,
        run_id=str(uuid4()),
        attempt=1,
        status="failed",
        requested_at=seen(1),
        finished_at=seen(2),
        sessions_ingested=0,
        sessions_failed=0,
        sessions_detail_failed=0,
        sessions_with_laps=0,
        laps_ingested=0,
        drivers_created_or_matched=0,
        code="bot_check",
        message='Zürich  "\\" \u2028 \U0001f3ce / {a: 1,  b: [ ]}',
    )
    context = Context(
        source="lapstream/tést",
        correlation_id=str(uuid4()),
        causation_id="cause",
        traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
    )
    async with relaying(settings):
        async with pool.acquire() as connection, connection.transaction():
            await outbox.add(connection, [Entry(OUTCOMES, event, context)])
        await until_empty(pool)
    [record] = await records(settings)
    packed = pack(event, context)
    assert (record.key, record.value) == (packed.key, packed.value)
    assert sorted(record.headers) == sorted(packed.headers)
    received = unpack(record.headers, record.value)
    assert received is not None
    assert (received.event, received.id, received.context) == (event, event_id(event), context)


async def test_a_transaction_that_is_rolled_back_publishes_nothing(
    settings: Settings, pool: Pool, connection: Connection
) -> None:
    async with relaying(settings):
        await connection.execute("BEGIN")
        await outbox.add(connection, [Entry(OUTCOMES, changed(1, 1), CONTEXT)])
        await connection.execute("ROLLBACK")
        await add_all(pool, [changed(2, 2)])
        await until_empty(pool)
    assert await published(settings) == [changed(2, 2)]


async def test_a_row_that_commits_late_is_neither_skipped_nor_waited_for(
    settings: Settings, pool: Pool, connection: Connection
) -> None:
    async with relaying(settings):
        await connection.execute("BEGIN")
        await outbox.add(connection, [Entry(OUTCOMES, changed(0, 0), CONTEXT)])
        await add_all(pool, [changed(track, 1) for track in range(1, 60)])
        await until_empty(pool)
        assert len(await published(settings)) == 59
        await connection.execute("COMMIT")
        await until_empty(pool)
    assert by_track(await published(settings)) == {f"track-{track}": [min(track, 1)] for track in range(60)}


async def test_a_backlog_larger_than_one_reading_is_published_in_order(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "BATCH_ROWS", 7)
    monkeypatch.setattr(relay_module, "BATCH_BYTES", 1_000)
    async with pool.acquire() as connection:
        await add(connection, *(changed(track, number) for number in range(40) for track in range(3)))
    async with relaying(settings):
        await until_empty(pool)
    assert by_track(await published(settings)) == {f"track-{track}": list(range(40)) for track in range(3)}


async def test_reading_ends_at_so_many_bytes_but_not_before_the_first_row(connection: Connection) -> None:
    await add(connection, *(changed(1, number) for number in range(10, 20)))
    size = len(pack(changed(1, 10), CONTEXT).value)
    assert len(await store.read(connection, 100, 1)) == 1
    assert len(await store.read(connection, 100, 3 * size)) == 3
    assert len(await store.read(connection, 4, 100 * size)) == 4


async def test_the_backlog_tells_its_rows_and_the_age_of_the_oldest(connection: Connection) -> None:
    assert await store.backlog(connection) == Backlog(0, 0.0)
    await add(connection, changed(1, 1), changed(1, 2))
    await connection.execute("UPDATE outbox SET created_at = now() - interval '1 minute' WHERE seq = 1")
    found = await store.backlog(connection)
    assert found.rows == 2
    assert 60 < found.oldest_seconds < 90


# Waking up


async def test_a_notification_wakes_the_relay_before_its_next_look(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 30.0)
    async with asyncio.timeout(10), relaying(settings):
        for number in range(5):
            await add_all(pool, [changed(1, number)])
            await until_empty(pool)


async def test_a_listening_connection_that_is_ended_costs_only_the_wait_for_the_next_look(
    settings: Settings, pool: Pool
) -> None:
    async with relaying(settings):
        await add_all(pool, [changed(1, 1)])
        await until_empty(pool)
        async with pool.acquire() as connection:
            [ended] = await listeners(connection)
            await connection.execute("SELECT pg_terminate_backend($1)", ended)
            await add_all(pool, [changed(1, 2)])
            await until_empty(pool)

            async def hears_again() -> bool:
                return ended not in (found := await listeners(connection)) and bool(found)

            await until(hears_again)


async def listeners(connection: Connection) -> list[int]:
    """The processes of connections that listen."""
    return [
        row["pid"]
        for row in await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
        )
    ]


# More than one relay


async def test_two_relays_publish_each_row_once_and_the_second_takes_over_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 30.0)
    with capture_logs() as logs:
        async with database(settings, size=2) as pool, asyncio.timeout(20):
            second = relaying(settings)
            async with relaying(settings):
                await until_said(logs, "relay_active", 1)
                await second.__aenter__()
                await until_said(logs, "relay_standby", 1)
                await add_all(pool, [changed(number % 5, number) for number in range(100)])
                writing = asyncio.create_task(
                    add_all(pool, [changed(number % 5, number) for number in range(100, 300)])
                )
            await until_said(logs, "relay_active", 2)
            await writing
            await until_empty(pool)
            await second.__aexit__(None, None, None)
    found = by_track(await published(settings))
    assert found == {f"track-{track}": list(range(track, 300, 5)) for track in range(5)}


async def until_said(logs: list[Any], event: str, times: int) -> None:
    async def said() -> bool:
        return sum(line["event"] == event for line in logs) >= times

    await until(said)


class Other:
    """A relay in a process of its own, and what it logged."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lines: list[dict[str, Any]] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._lines.append(msgspec.json.decode(line))

    async def said(self, event: str, times: int = 1) -> None:
        """Return when it has logged an event so often."""
        await until_said(self._lines, event, times)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self, number: signal.Signals) -> int:
        if self._process.returncode is None:
            self._process.send_signal(number)
        code = await asyncio.wait_for(self._process.wait(), LONGEST_SECONDS)
        await self._reading
        return code


@asynccontextmanager
async def other(settings: Settings, lease_seconds: float) -> AsyncGenerator[Other]:
    """A relay in a process of its own."""
    found = Other(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.relay_process", str(lease_seconds)),
            env=environment(settings),
            stdout=DEVNULL,
            stderr=PIPE,
        )
    )
    try:
        yield found
    finally:
        await found.end(signal.SIGKILL)


@pytest.mark.slow
async def test_a_relay_that_is_killed_is_replaced_when_its_lease_ends(settings: Settings, pool: Pool) -> None:
    async with other(settings, 2) as first:
        await first.said("relay_active")
        async with other(settings, 2) as second:
            await second.said("relay_standby")
            writing = asyncio.create_task(
                add_all(pool, [changed(number % 5, number) for number in range(600)])
            )
            await first.said("relay_published", 5)
            await first.end(signal.SIGKILL)
            await second.said("relay_active")
            await writing
            await until_empty(pool)
            assert await second.end(signal.SIGTERM) == 0
    found = by_track(await published(settings))
    expected = {f"track-{track}": list(range(track, 600, 5)) for track in range(5)}
    assert {track: first_sights(numbers) for track, numbers in found.items()} == expected


@pytest.mark.slow
async def test_a_relay_that_was_frozen_publishes_nothing_new(settings: Settings, pool: Pool) -> None:
    async with other(settings, 2) as first:
        await first.said("relay_active")
        async with other(settings, 2) as second:
            await second.said("relay_standby")
            async with pool.acquire() as connection:
                await add(connection, *(changed(number % 5, number) for number in range(20_000)))
            await first.said("relay_published")
            first.send(signal.SIGSTOP)
            await second.said("relay_active")
            await until_empty(pool)
            before = len(await published(settings))
            first.send(signal.SIGCONT)
            await first.said("relay_lease_lost")
            await first.said("relay_standby")
            await add_all(pool, [changed(number % 5, number) for number in range(20_000, 20_100)])
            await until_empty(pool)
            assert await first.end(signal.SIGTERM) == 0
            assert await second.end(signal.SIGTERM) == 0
    events = await published(settings)
    found = by_track(events)
    expected = {f"track-{track}": list(range(track, 20_100, 5)) for track in range(5)}
    assert {track: first_sights(numbers) for track, numbers in found.items()} == expected
    assert len(events) - 100 - before < relay_module.BATCH_ROWS
    times = Counter(event.laps_added for event in events)
    assert all(times[number] == 1 for number in range(20_000, 20_100))


async def test_a_lease_that_ends_while_rows_are_sent_lets_no_more_of_them_out(
    settings: Settings, pool: Pool
) -> None:
    checks = iter([True, True])

    def check() -> None:
        if not next(checks, False):
            raise LeaseLost("over")

    async with producing(settings.broker) as producer, pool.acquire() as connection:
        await add(connection, *(changed(1, number) for number in range(5)))
        sender = Sender(cast("Producer", producer), settings.topic_prefix, check)
        with pytest.raises(LeaseLost):
            await sender.send(await store.read(connection, 10, 10_000))
    assert by_track(await published(settings)) == {"track-1": [0, 1]}


async def test_a_lease_is_not_held_past_its_end_whatever_the_database_would_say(pool: Pool) -> None:
    held = Lease(pool, store.LEASE, 0.05)
    assert await held.take()
    held.check()
    await asyncio.sleep(0.06)
    with pytest.raises(LeaseLost):
        held.check()


async def test_a_lease_has_one_holder_until_it_is_given_back(pool: Pool) -> None:
    first, second = (Lease(pool, store.LEASE, lease.LEASE_SECONDS) for _ in range(2))
    assert await first.take()
    assert not await second.take()
    assert await first.take()
    await second.give_back()
    assert not await second.take()
    await first.give_back()
    assert await second.take()
    assert not await first.take()


# What is refused


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "LONGEST_WAIT_SECONDS", 0.01)


async def test_a_row_for_a_topic_that_is_not_there_stops_the_relay_with_a_word(
    settings: Settings, pool: Pool, connection: Connection, impatient: None
) -> None:
    await add(connection, changed(1, 1))
    await add(connection, changed(2, 2), topic="nowhere")
    with capture_logs() as logs, pytest.raises(RowRefused, match=r"nowhere.*lapstream topics create"):
        await run_relay(settings, asyncio.Event())
    [said] = [line for line in logs if line["event"] == "relay_row_refused"]
    assert said["type"] == "practice_day.changed.v1"
    assert said["id"].replace("-", "") == event_id(changed(2, 2))
    assert await published(settings) == [changed(1, 1)]
    assert await rows(pool) == 1


async def test_a_row_that_the_broker_finds_too_large_stops_the_relay_with_a_word(
    settings: Settings, pool: Pool, connection: Connection, impatient: None
) -> None:
    small = NewTopic(f"{settings.topic_prefix}small", 1, 1, topic_configs={"max.message.bytes": "100"})
    async with administering(settings.broker) as admin:
        await admin.create_topics([small])
    await until(lambda: is_empty(settings, TopicPartition(small.name, 0)))
    await add(connection, changed(1, 1))
    await add(connection, changed(2, 2), topic="small")
    await add(connection, changed(3, 3))
    with pytest.raises(RowRefused, match=r"topic \S*small: .*(larger|too large)"):
        await run_relay(settings, asyncio.Event())
    assert await rows(pool) == 1


async def test_a_database_without_the_outbox_stops_the_relay_with_a_word(
    settings: Settings, connection: Connection
) -> None:
    await connection.execute("ALTER TABLE lapstream.outbox RENAME TO elsewhere")
    with pytest.raises(OutboxRefused, match=r'relation "outbox" does not exist'):
        await run_relay(settings, asyncio.Event())


# Servers that are away: on a broker and a database of these tests' own


@pytest.mark.parametrize("away", [stack.stop, crash])
async def test_a_broker_that_is_away_is_waited_for_and_nothing_is_lost_or_repeated(
    home: Path, own: Settings, away: Any
) -> None:
    async with database(own, size=2) as pool, relaying(own):
        await add_all(pool, [changed(number % 5, number) for number in range(50)])
        await until_empty(pool)
        await asyncio.to_thread(away, home, "kafka")
        await add_all(pool, [changed(number % 5, number) for number in range(50, 500)])
        assert await rows(pool) == 450
        await asyncio.to_thread(stack.start, home, "kafka")
        await until_empty(pool)
    found = by_track(await published(own))
    assert found == {f"track-{track}": list(range(track, 500, 5)) for track in range(5)}


async def test_a_relay_that_begins_while_the_broker_is_away_waits_for_it(home: Path, own: Settings) -> None:
    await asyncio.to_thread(stack.stop, home, "kafka")
    with capture_logs() as logs:
        async with database(own, size=2) as pool, relaying(own):
            await add_all(pool, [changed(1, number) for number in range(10)])
            await until_said(logs, "relay_broker_error", 2)
            await asyncio.to_thread(stack.start, home, "kafka")
            await until_empty(pool)
    assert by_track(await published(own)) == {"track-1": list(range(10))}


@pytest.mark.parametrize("away", [stack.stop, crash])
async def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(
    home: Path, own: Settings, away: Any
) -> None:
    async with relaying(own):
        async with database(own, size=2) as pool:
            async with pool.acquire() as connection:
                await add(connection, *(changed(number % 5, number) for number in range(5_000)))
            await asyncio.to_thread(away, home, "postgres")
        await asyncio.to_thread(stack.start, home, "postgres")
        async with database(own, size=2) as pool:
            await add_all(pool, [changed(number % 5, number) for number in range(5_000, 5_100)])
            await until_empty(pool)
    found = by_track(await published(own))
    expected = {f"track-{track}": list(range(track, 5_100, 5)) for track in range(5)}
    assert {track: first_sights(numbers) for track, numbers in found.items()} == expected


async def test_a_relay_stops_in_good_time_while_both_servers_are_away(home: Path, own: Settings) -> None:
    before = asyncio.all_tasks()
    async with database(own, size=2) as pool:
        stop = asyncio.Event()
        task = asyncio.create_task(run_relay(own, stop))
        await add_all(pool, [changed(1, 1)])
        await until_empty(pool)
        await asyncio.to_thread(stack.stop, home, "kafka")
        await add_all(pool, [changed(1, number) for number in range(2, 50)])
        await asyncio.to_thread(stack.stop, home, "postgres")
    async with asyncio.timeout(8):
        stop.set()
        await task
    await asyncio.to_thread(stack.up, home, report=lambda _: None)

    async def producer_closed() -> bool:
        return asyncio.all_tasks() <= before

    await until(producer_closed)
