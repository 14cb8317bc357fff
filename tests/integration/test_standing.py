"""A log that does not go on where the tables stand: said before anything is written, and the ways out."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition

from broker.clients import make_consumer
from consumers.live import PRACTICE_DAYS
from consumers.standing import LogRewound
from lapstream.roles import run_projector
from ops.lag.figures import GroupLag
from ops.log_copies.exporting import export_log
from ops.rebuild import swapping
from runtime.settings import Settings
from runtime.wiring import detail_group, projection_group
from store import positions
from store.pool import Pool
from tests.conftest import projecting
from tests.events import fetched, laps, listed, row
from tests.integration.test_rebuild import execute
from tests.integration.test_rebuild_export import rebuild, verified
from tests.lag import watching
from tests.members import (
    EVENTS,
    PARTITION,
    BaseConsumer,
    consumer_of,
    member,
    send,
    tables,
    undisturbed,
    until,
    until_at,
)
from tests.processes import LONGEST_SECONDS
from tests.producers import producing
from tests.sources import ROOT
from tests.topics import grow, lose, make_anew

NEWS = [fetched(10 + number, "1", laps=laps(number)) for number in range(1, 4)]
GONE = 2


async def refused(settings: Settings) -> str:
    """What the projector says as it ends."""
    async with asyncio.timeout(LONGEST_SECONDS):
        with pytest.raises(LogRewound) as caught:
            await run_projector(settings, asyncio.Event(), [PRACTICE_DAYS])
    return str(caught.value)


async def stood(pool: Pool, settings: Settings) -> dict[int, int]:
    """Where the tables stand, by partition; those that they have nothing of are left out."""
    async with pool.acquire() as connection:
        found = await positions.read(connection, projection_group(settings.topics))
    return {place.partition: at for place, at in found.items()}


async def lag_of(settings: Settings, group: str) -> GroupLag:
    async with watching(settings) as lag:
        return next(one for one in await lag.look() if one.group == group)


async def export(settings: Settings, folder: Path) -> None:
    await export_log(settings.broker, settings.topics, folder, lambda _done, _total: None)


async def begun(settings: Settings, pool: Pool) -> None:
    """The projector has taken every partition over, and read nothing."""
    async with projecting(settings):
        await until(lambda: all_begun(settings, pool))


async def all_begun(settings: Settings, pool: Pool) -> bool:
    return await stood(pool, settings) == dict.fromkeys(range(8), 0)


def said_in_docs(heading: str, settings: Settings) -> str:
    """The statements under a bold heading of the page, with the names of these settings."""
    page = (ROOT / "docs/rebuild.md").read_text()
    found = re.search(rf"\*\*{heading}\*\*.*?```sql\n(.*?)```", page, re.DOTALL)
    assert found
    return re.sub("'(practice-days(-projection)?)'", rf"'{settings.topic_prefix}\1'", found[1])


async def test_a_projection_that_is_new_does_not_begin_behind_records_that_are_gone(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS)
    await lose(settings, GONE)
    said = await refused(settings)
    assert f"have nothing of {settings.topics.days}[{PARTITION}] yet, but the topic begins at 2" in said
    assert "`lapstream rebuild start practice-days --export DIR`" in said
    assert PARTITION not in await stood(pool, settings)
    found = await lag_of(settings, projection_group(settings.topics))
    one = found.partitions[PARTITION]
    assert (one.standing, one.position, one.behind, found.standing) == ("begin_gone", None, 2, "begin_gone")
    assert one.note
    assert one.note in said


async def test_tables_that_stand_at_the_beginning_are_not_moved_past_records_that_are_gone(
    settings: Settings, pool: Pool
) -> None:
    await begun(settings, pool)
    await send(settings, EVENTS)
    await lose(settings, len(EVENTS))
    said = await refused(settings)
    assert f"stand at offset 0 of {settings.topics.days}[{PARTITION}], but the topic begins at 4" in said
    one = (await lag_of(settings, projection_group(settings.topics))).partitions[PARTITION]
    assert (one.standing, one.position, one.behind) == ("begin_gone", 0, 0)


async def test_records_that_are_deleted_under_a_member_at_the_beginning_are_noticed(
    settings: Settings, pool: Pool
) -> None:
    with pytest.raises(LogRewound, match=r"stand at offset 0 .* begins at 2"):
        await live_through_a_loss(settings, pool)


class Counting(BaseConsumer):
    """A consumer that counts how often it was polled."""

    polls = 0

    async def getmany(self, *partitions: Any, **limits: Any) -> Any:
        parent: Any = super()
        found = await parent.getmany(*partitions, **limits)
        self.polls += 1
        return found


async def live_through_a_loss(settings: Settings, pool: Pool) -> None:
    consumer = consumer_of(settings, Counting)
    async with member(settings, pool, consumer):
        await until(lambda: all_begun(settings, pool))
        await until(partial(polled, consumer, consumer.polls + 2))
        consumer.pause(*consumer.assignment())
        await send(settings, EVENTS)
        await lose(settings, GONE)
        await until(partial(polled, consumer, consumer.polls + 2))
        consumer.resume(*consumer.assignment())
        await until(lambda: closed(consumer))


async def polled(consumer: Counting, times: int) -> bool:
    """Whether the member has done what it began before."""
    return consumer.polls >= times


async def closed(consumer: object) -> bool:
    return bool(vars(consumer)["_closed"])


@pytest.mark.parametrize("read_before", [0, 1])
async def test_a_copy_fills_what_is_gone_and_the_projector_goes_on(
    settings: Settings, pool: Pool, tmp_path: Path, read_before: int
) -> None:
    await send(settings, EVENTS[:read_before])
    if read_before:
        async with projecting(settings):
            await until_at(pool, settings, read_before)
    await send(settings, EVENTS[read_before:])
    await export(settings, tmp_path)
    await send(settings, NEWS)
    await lose(settings, GONE)
    assert "begins at 2" in await refused(settings)
    assert (await rebuild(settings, tmp_path)).state == "swapped"
    assert await stood(pool, settings) == {PARTITION: GONE} | dict.fromkeys(await others(pool, settings), 0)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS) + len(NEWS))
    assert (await verified(settings, tmp_path)).equal
    left = await tables(pool)
    await swapping.take_back(settings, PRACTICE_DAYS)
    assert "begins at 2" in await refused(settings)
    assert left == await undisturbed(pool, [*EVENTS, *NEWS])


async def others(pool: Pool, settings: Settings) -> Sequence[int]:
    return [number for number in await stood(pool, settings) if number != PARTITION]


@pytest.mark.parametrize("new", [True, False])
async def test_without_a_copy_somebody_says_that_it_is_to_go_on(
    settings: Settings, pool: Pool, *, new: bool
) -> None:
    if not new:
        await begun(settings, pool)
    await send(settings, [*EVENTS, *NEWS])
    await lose(settings, 5)
    await refused(settings)
    await execute(pool, said_in_docs(r"Go on without records that are gone\.", settings))
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS) + len(NEWS))
    assert await tables(pool) == await undisturbed(pool, NEWS[1:])


async def test_a_topic_made_anew_is_never_negative_and_counts_in_full(settings: Settings, pool: Pool) -> None:
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))
    await make_anew(settings)
    await send(settings, NEWS[:2])
    await send(settings, [listed(50, row("1"))], partition=0)
    found = await lag_of(settings, projection_group(settings.topics))
    one = found.partitions[PARTITION]
    assert (one.standing, one.position, one.end_offset, one.behind) == ("rewound", 4, 2, 2)
    assert (found.standing, found.behind) == ("rewound", 3)
    assert one.note
    assert "ends at 2: it was made anew" in one.note
    assert "ends at 2" in await refused(settings)
    await execute(pool, said_in_docs(r"Begin anew with another log\.", settings))
    async with projecting(settings):
        await until_at(pool, settings, 2)
        await until(lambda: stands_at(pool, settings, {0: 1}))
    assert (await lag_of(settings, projection_group(settings.topics))).standing == "ok"
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, *NEWS[:2], listed(50, row("1"))])


async def stands_at(pool: Pool, settings: Settings, wanted: dict[int, int]) -> bool:
    return wanted.items() <= (await stood(pool, settings)).items()


async def test_a_work_queue_made_anew_is_behind_by_all_of_it(settings: Settings) -> None:
    group, topic = detail_group(settings.topics), settings.topics.details
    place = TopicPartition(topic, 0)
    consumer: Any = make_consumer(settings.broker, group, gather_ms=1)
    consumer.assign([place])
    async with producing(settings) as producer:
        await producer.send_and_wait(topic, value=b"x", partition=0)
    async with consumer:
        await consumer.commit({place: 7})
    one = (await lag_of(settings, group)).partitions[0]
    assert (one.standing, one.behind, one.kafka_behind) == ("rewound", 1, 1)


async def test_a_partition_that_is_added_is_read_from_its_beginning(settings: Settings, pool: Pool) -> None:
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))
    await grow(settings, settings.topics.days, 10)
    await send(settings, NEWS, partition=9)
    async with projecting(settings):
        await until(lambda: stands_at(pool, settings, {9: 3, PARTITION: 4}))
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, *NEWS])
