"""Law 2: rows and position in one transaction; a member that was overtaken writes nothing."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.protocol.group import LeaveGroupRequest

from runtime.database import database
from runtime.settings import Settings
from store import positions
from store.pool import TRANSIENT, Pool
from store.positions import Claim, Fenced, Place
from tests.conftest import working
from tests.events import fetched, laps, received
from tests.members import (
    EVENTS,
    PARTITION,
    BaseConsumer,
    Noted,
    consumer_of,
    member,
    members_of,
    send,
    stored,
    tables,
    undisturbed,
    until,
    until_at,
    waits_for_a_lock,
)
from tests.processes import Role, role
from tests.producers import leave_gaps

GROUP = "a-group"
PLACE = Place("a-topic", 0)


@pytest.fixture
async def alone(dsn: str) -> AsyncGenerator[Pool]:
    """Connections to the test's own database, for tests that need no broker."""
    unused: dict[str, Any] = {"kafka_bootstrap": "unused:1", "site": "http://127.0.0.1/{track_slug}"}
    async with database(Settings(postgres_dsn=dsn, **unused), size=3) as pool:
        yield pool


async def epoch(pool: Pool) -> int:
    async with pool.acquire() as connection:
        return await connection.fetchval("SELECT max(epoch) FROM positions")


async def test_a_member_that_was_overtaken_before_its_first_write_moves_nothing(alone: Pool) -> None:
    async with alone.acquire() as connection:
        early = await positions.claim(connection, GROUP, [PLACE])
        late = await positions.claim(connection, GROUP, [PLACE])
        assert (early, late) == ({PLACE: Claim(0, 1)}, {PLACE: Claim(0, 2)})
        with pytest.raises(Fenced):
            await positions.move(connection, GROUP, early, {PLACE: 5})
        await positions.move(connection, GROUP, late, {PLACE: 3})
        assert await positions.read(connection, GROUP) == {PLACE: 3}


async def test_who_never_claimed_a_partition_moves_nothing(alone: Pool) -> None:
    async with alone.acquire() as connection:
        with pytest.raises(Fenced):
            await positions.move(connection, GROUP, {PLACE: Claim(0, 1)}, {PLACE: 5})
        assert await positions.read(connection, GROUP) == {}


async def test_a_batch_over_several_partitions_is_written_only_where_all_are_held(alone: Pool) -> None:
    other = Place("a-topic", 1)
    async with alone.acquire() as connection:
        held = await positions.claim(connection, GROUP, [PLACE, other])
        await positions.claim(connection, GROUP, [other])
        with pytest.raises(Fenced):
            async with connection.transaction():
                await positions.move(connection, GROUP, held, {PLACE: 4, other: 4})
        assert await positions.read(connection, GROUP) == {PLACE: 0, other: 0}


async def test_a_take_over_waits_for_the_batch_at_hand_and_sees_its_position(alone: Pool) -> None:
    async with alone.acquire() as writer, alone.acquire() as successor:
        held = await positions.claim(writer, GROUP, [PLACE])
        async with writer.transaction():
            await positions.move(writer, GROUP, held, {PLACE: 7})
            claiming = asyncio.create_task(positions.claim(successor, GROUP, [PLACE]))
            await until(lambda: waits_for_a_lock(alone))
        assert await claiming == {PLACE: Claim(7, 2)}


async def test_a_transaction_that_does_not_end_is_ended_by_who_takes_over(
    alone: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "PATIENCE_SECONDS", 0.1)
    async with alone.acquire() as writer, alone.acquire() as successor:
        held = await positions.claim(writer, GROUP, [PLACE])
        await writer.execute("BEGIN")
        await positions.move(writer, GROUP, held, {PLACE: 7})
        with pytest.raises(TRANSIENT):
            await positions.claim(successor, GROUP, [PLACE])
        with pytest.raises(TRANSIENT):
            await writer.execute("COMMIT")
        assert await positions.claim(successor, GROUP, [PLACE]) == {PLACE: Claim(0, 2)}


def signal_to(running: Role, number: signal.Signals) -> None:
    vars(running)["_process"].send_signal(number)


HOLD_THE_TRACK = (
    "INSERT INTO tracks (id, source, source_track_slug) VALUES (gen_random_uuid(), 'liverc', 'track')"
)
"""In a transaction: makes whoever writes of the tests' track wait, also when it is the first to do so."""


@pytest.mark.slow
async def test_a_member_stopped_in_its_first_batch_writes_nothing_after_another_took_over(
    settings: Settings, pool: Pool
) -> None:
    news = fetched(9, "2", laps=laps(7))
    await send(settings, EVENTS)
    async with database(settings, size=3) as side, role(settings, "projector") as stopped:
        async with side.acquire() as connection:
            await connection.execute("BEGIN")
            await connection.execute(HOLD_THE_TRACK)
            await until(lambda: waits_for_a_lock(side))
            signal_to(stopped, signal.SIGSTOP)
            await connection.execute("ROLLBACK")
        async with working(settings, "projector"):
            await until_at(pool, settings, len(EVENTS))
            left = await tables(pool)
            signal_to(stopped, signal.SIGCONT)

            async def back() -> bool:
                """Both of ours, and one at least of those that were stopped and put out of the group."""
                return len(await members_of(settings)) >= 3

            await until(back)
            assert await tables(pool) == left
            await send(settings, [news])
            await until_at(pool, settings, len(EVENTS) + 1)
        assert await stopped.end(signal.SIGTERM) == 0
    disturbed = await tables(pool)
    assert disturbed == await undisturbed(pool, [*EVENTS, news])
    assert left == await undisturbed(pool, EVENTS)


async def expel(consumer: Any) -> None:
    """Put a member out of its group without its knowing."""
    coordinator = consumer._coordinator
    await coordinator._send_req(LeaveGroupRequest(coordinator.group_id, coordinator.member_id))


async def test_a_member_that_believes_in_its_old_assignment_does_not_disturb_its_successor(
    settings: Settings, pool: Pool
) -> None:
    async def followed() -> bool:
        return await committed(settings) == 1

    slow: Any = consumer_of(settings, heartbeat_interval_ms=5_000)
    await send(settings, EVENTS[:1])
    async with member(settings, pool, slow) as believer:
        await until_at(pool, settings, 1)
        await until(followed)  # or the commit that fails tells it
        await expel(slow)
        async with member(settings, pool) as successor:
            await until(lambda: epoch_is(pool, 2))
            for number in range(10):
                await send(settings, [fetched(10 + number, "1", laps=laps(number))])
                await until_at(pool, settings, 2 + number)
            await until(lambda: member_count_is(settings, 2))
    assert believer.setbacks
    assert "projector_fenced" not in successor.setbacks


async def epoch_is(pool: Pool, number: int) -> bool:
    return await epoch(pool) >= number


async def member_count_is(settings: Settings, count: int) -> bool:
    return len(await members_of(settings)) == count


async def committed(settings: Settings) -> int | None:
    consumer: Any = consumer_of(settings)
    await consumer.start()
    try:
        return await consumer.committed(TopicPartition(settings.topics.days, PARTITION))
    finally:
        await consumer.stop()


async def commit(settings: Settings, offset: int) -> None:
    """Move Kafka's committed offset by hand, while the group is empty."""
    consumer: Any = consumer_of(settings)
    consumer.assign([TopicPartition(settings.topics.days, PARTITION)])
    await consumer.start()
    await consumer.commit({TopicPartition(settings.topics.days, PARTITION): offset})
    await consumer.stop()


@pytest.mark.parametrize("offset", [0, 1, 3, 999])
async def test_kafkas_committed_offset_decides_nothing_and_follows_the_position(
    settings: Settings, pool: Pool, offset: int
) -> None:
    noted = Noted()
    await send(settings, EVENTS[:2])
    async with member(settings, pool, apply=noted):
        await until_at(pool, settings, 2)
    await commit(settings, offset)
    await send(settings, EVENTS[2:])
    async with member(settings, pool, apply=noted):
        await until_at(pool, settings, len(EVENTS))

        async def followed() -> bool:
            return await committed(settings) == len(EVENTS)

        await until(followed)
    assert noted.ids == [received(event).id for event in EVENTS]
    assert await tables(pool) == await undisturbed(pool, EVENTS)


async def test_a_committed_offset_of_a_group_without_news_is_put_right_too(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS)
    async with member(settings, pool):
        await until_at(pool, settings, len(EVENTS))
    await commit(settings, 1)
    async with member(settings, pool):

        async def followed() -> bool:
            return await committed(settings) == len(EVENTS)

        await until(followed)


async def test_a_poll_over_several_partitions_is_one_transaction(settings: Settings, pool: Pool) -> None:
    for partition, event in enumerate(EVENTS):
        await send(settings, [event], partition)
    noted = Noted()
    async with member(settings, pool, consumer_of(settings, Gathering), apply=noted):
        await until_at(pool, settings, 1)
    assert [len(batch) for batch in noted.batches] == [len(EVENTS)]
    assert await stored(pool, settings) == dict.fromkeys(range(len(EVENTS)), 1)


class Gathering(BaseConsumer):
    """A consumer that hands out all events of the tests in one poll."""

    async def getmany(self, *partitions: Any, **limits: Any) -> Any:
        parent: Any = super()
        found = await parent.getmany(*partitions, **limits)
        while found and len(found) < len(EVENTS):
            found |= await parent.getmany(*partitions, **limits)
        return found


class Rejoining(BaseConsumer):
    """A consumer whose group rebalances while it asks where one partition begins, as it does at a gap.

    It commits nothing but what it took over: after the rebalance the broker has it begin there.
    """

    rejoined = False
    _took_over = False

    async def beginning_offsets(self, partitions: Any) -> Any:
        parent: Any = super()
        found = await parent.beginning_offsets(partitions)
        if len(partitions) == 1 and not self.rejoined:
            await self._rejoin()
        return found

    async def _rejoin(self) -> None:
        generation = self._coordinator.generation
        self._coordinator.request_rejoin()
        while self._coordinator.generation == generation:  # noqa: ASYNC110 - of a client's own task
            await asyncio.sleep(0.01)
        self.rejoined = True

    async def commit(self, offsets: Any = None) -> None:
        if not self._took_over:
            parent: Any = super()
            await parent.commit(offsets)
        self._took_over = True


async def test_a_rebalance_while_gaps_are_passed_is_no_log_made_anew(settings: Settings, pool: Pool) -> None:
    """The client goes on at the committed offset then, until the member takes its partitions over anew."""
    consumer = consumer_of(settings, Rejoining)

    async def rejoined() -> bool:
        return consumer.rejoined

    await send(settings, EVENTS)
    async with member(settings, pool, consumer):
        await until_at(pool, settings, len(EVENTS))
        await leave_gaps(settings, settings.topics.days, how="abort")
        await until(rejoined)
        await send(settings, [fetched(9, "2")])
        await until_at(pool, settings, len(EVENTS) + 3)
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, fetched(9, "2")])


class Crash(BaseException):
    """The end of a process, at a place of the test's choice."""


class Mortal(BaseConsumer):
    """A consumer whose process ends where it would commit the end of the events to Kafka."""

    async def commit(self, offsets: Any = None) -> None:
        if len(EVENTS) in offsets.values():
            raise Crash
        parent: Any = super()
        await parent.commit(offsets)


async def test_a_crash_between_the_transaction_and_kafkas_commit_repeats_nothing(
    settings: Settings, pool: Pool
) -> None:
    noted = Noted()
    await send(settings, EVENTS)
    with pytest.raises(Crash):
        async with member(settings, pool, consumer_of(settings, Mortal), apply=noted):
            await until_at(pool, settings, len(EVENTS))
    async with member(settings, pool, apply=noted):
        await send(settings, [fetched(9, "2")])
        await until_at(pool, settings, len(EVENTS) + 1)
    assert noted.ids == [received(event).id for event in [*EVENTS, fetched(9, "2")]]
