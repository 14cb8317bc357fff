"""Members of the projection's group in the test's own process, and what they leave."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec

from broker.clients import CommittedConsumer, administering, make_producer
from broker.types import Consumer
from consumers.live import PRACTICE_DAYS
from consumers.practice_days import apply
from consumers.projector import Projector
from runtime.settings import Settings
from runtime.wiring import projection_group
from schemas.envelope import Context, Received, pack
from schemas.events import Event, EventAsWritten, PracticeDayChanged
from store import positions
from store.digest import OBSERVATION_TABLES, READ_TABLES, TableDigest, digest
from store.pool import Connection, Pool
from tests.events import fetched, laps, listed, received, row
from tests.processes import LONGEST_SECONDS

PARTITION = 3
"""The partition that most tests put their events on."""

EVENTS: tuple[Event, ...] = (
    listed(1, row("1"), row("2")),
    fetched(2, "1"),
    fetched(3, "2", laps=laps(5)),
    listed(4, row("2", transponder_number="77")),
)

ANYBODY_WAITS = """
    SELECT EXISTS (SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock')
"""
"""Whether anybody in this database waits for a lock; other tests use other databases of the same server."""

BaseConsumer: Any = CommittedConsumer
"""The consumer that the roles use, which carries no types, as a base of the tests' own."""


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds; a minute is the longest that a test waits."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while not await condition():  # noqa: ASYNC110 - what is waited for lies in another process
            await asyncio.sleep(0.02)


async def send(settings: Settings, events: Iterable[EventAsWritten], partition: int = PARTITION) -> None:
    """Put events into the event log, on one partition."""
    producer = make_producer(settings.broker)
    await producer.start()
    for event in events:
        record = pack(event, Context(source="test"))
        await producer.send(
            settings.topics.days,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            partition=partition,
        )
    await producer.stop()


async def tables(pool: Pool) -> list[TableDigest]:
    """What the tables hold."""
    async with pool.acquire() as connection:
        return await digest(connection, READ_TABLES + OBSERVATION_TABLES)


async def undisturbed(pool: Pool, events: Iterable[EventAsWritten]) -> list[TableDigest]:
    """What the tables hold when these events, and no others, are applied in peace; changes the tables."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "TRUNCATE tracks, events, drivers, track_observations, driver_observations CASCADE"
        )
        await apply(connection, [received(event) for event in events])
    return await tables(pool)


async def stored(pool: Pool, settings: Settings) -> dict[int, int]:
    """Where the group stands, by partition; where it never wrote anything is left out."""
    async with pool.acquire() as connection:
        found = await positions.read(connection, projection_group(settings.topics))
    return {place.partition: at for place, at in found.items() if at}


async def until_at(pool: Pool, settings: Settings, offset: int) -> None:
    """Return when the group stands at this offset of `PARTITION`."""

    async def there() -> bool:
        return (await stored(pool, settings)).get(PARTITION) == offset

    await until(there)


async def waits_for_a_lock(pool: Pool) -> bool:
    """Whether anybody in this database waits for a lock that another holds."""
    async with pool.acquire() as connection:
        return await connection.fetchval(ANYBODY_WAITS)


async def members_of(settings: Settings) -> set[str]:
    """The ids of the group's members, as its coordinator knows them."""
    async with administering(settings.broker) as admin:
        [response] = await admin.describe_consumer_groups([projection_group(settings.topics)])
    [(_, _, _, _, _, members, *_)] = response.groups
    return {one[0] for one in members}


def consumer_of(settings: Settings, kind: Any = BaseConsumer, **changes: Any) -> Any:
    """A member of the group, quicker to learn of a rebalance than usual."""
    usual: dict[str, Any] = {
        "heartbeat_interval_ms": 200,
        "session_timeout_ms": 6_000,
        "auto_offset_reset": "earliest",
    }
    return kind(settings.broker, group_id=projection_group(settings.topics), **(usual | changes))


class Watched(Projector):
    """A projector that notes what made it start over."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.setbacks: list[str] = []

    async def _start_over(self, event: str, error: Exception) -> None:
        self.setbacks.append(event)
        await super()._start_over(event, error)


class Noted:
    """The projection of practice days, and the ids of the events that it was given, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    async def __call__(
        self, connection: Connection, batch: Iterable[Received]
    ) -> Sequence[PracticeDayChanged]:
        events = list(batch)
        self.batches.append([one.id for one in events])
        return await apply(connection, events)

    @property
    def ids(self) -> list[str]:
        return [id_ for batch in self.batches for id_ in batch]


@asynccontextmanager
async def member(
    settings: Settings, pool: Pool, consumer: object = None, apply: Any = PRACTICE_DAYS.apply
) -> AsyncGenerator[Watched]:
    """A member of the projection's group, in this process."""
    found = Watched(
        group=projection_group(settings.topics),
        topics=settings.topics,
        consumer=cast("Consumer", consumer or consumer_of(settings)),
        pool=pool,
        projection=msgspec.structs.replace(PRACTICE_DAYS, apply=apply),
        parking_limit=settings.parking_limit,
    )
    running = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        found.stop()
        await running
