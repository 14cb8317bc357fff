"""What every command and role is put together from: the database, a publisher, the names of the groups."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple, Self

import asyncpg

from consumers.live import PRACTICE_DAYS
from consumers.projection import Projection
from ops.kafka import make_producer
from ops.projections import PROJECTIONS
from ops.settings import Settings
from producer.publisher import Producer, Publisher
from producer.renewing import RenewingProducer
from schemas.errors import LapstreamError
from store.pool import READ_MODEL, TRANSIENT, Connection, Pool, open_pool


class ServerAway(LapstreamError):
    """The broker or the database does not answer, or does not let us in."""

    @classmethod
    def of_database(cls, error: Exception) -> Self:
        """The database did not let us in, and said so."""
        return cls(f"the database does not let us in ({error}): is LAPSTREAM_POSTGRES_DSN right?")


@contextlib.asynccontextmanager
async def database(settings: Settings, *, size: int = 4, schema: str = READ_MODEL) -> AsyncGenerator[Pool]:
    """Connections that see a projection's tables; raises `ServerAway` where the database does not answer."""
    try:
        pool = await open_pool(settings.postgres_dsn, size=size, schema=schema)
    except (*TRANSIENT, asyncpg.PostgresError) as error:
        raise ServerAway.of_database(error) from error
    try:
        yield pool
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[Connection]:
    """One connection, for a command; raises `ServerAway` as `database` does."""
    async with database(settings, size=1) as pool, pool.acquire() as connection:
        yield connection


@contextlib.asynccontextmanager
async def producing(settings: Settings) -> AsyncGenerator[Producer]:
    """A producer that is started, and stopped in the end."""
    producer = make_producer(settings.kafka_bootstrap)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def publishing(settings: Settings) -> AsyncGenerator[Publisher]:
    """A publisher, with a producer of its own, which is replaced where the broker refused a record of it."""
    producer = RenewingProducer(lambda: make_producer(settings.kafka_bootstrap))
    await producer.start()
    try:
        yield Publisher(producer, settings.topics)
    finally:
        await producer.stop()


def projection_group(settings: Settings) -> str:
    """The consumer group that writes the tables of practice days."""
    return PRACTICE_DAYS.group(settings.topic_prefix)


def list_group(settings: Settings) -> str:
    """The consumer group that fetches day lists."""
    return f"{settings.topic_prefix}list-fetcher"


def detail_group(settings: Settings) -> str:
    """The consumer group that fetches sessions."""
    return f"{settings.topic_prefix}detail-fetcher"


class Group(NamedTuple):
    """A consumer group of ours; that of a projection has its positions beside its tables."""

    name: str
    topic: str
    projection: Projection[Any] | None = None


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every consumer group, with the topic that it reads."""
    topics = settings.topics
    return (
        *(Group(one.group(settings.topic_prefix), one.topic(topics), one) for one in PROJECTIONS),
        Group(list_group(settings), topics.requests),
        Group(detail_group(settings), topics.details),
    )
