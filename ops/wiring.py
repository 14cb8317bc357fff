"""What every command and role is put together from: the database, a publisher, the names of the groups."""

import contextlib
from collections.abc import AsyncGenerator
from typing import NamedTuple, Self

import asyncpg

from ops.kafka import make_producer
from ops.settings import Settings
from producer.publisher import Producer, Publisher
from schemas.errors import LapstreamError
from store.pool import TRANSIENT, Connection, Pool, open_pool


class ServerAway(LapstreamError):
    """The broker or the database does not answer, or does not let us in."""

    @classmethod
    def of_database(cls, error: Exception) -> Self:
        """The database did not let us in, and said so."""
        return cls(f"the database does not let us in ({error}): is LAPSTREAM_POSTGRES_DSN right?")


@contextlib.asynccontextmanager
async def database(settings: Settings, *, size: int = 4) -> AsyncGenerator[Pool]:
    """A pool of connections; raises `ServerAway` where the database does not answer."""
    try:
        pool = await open_pool(settings.postgres_dsn, size=size)
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
    """A publisher, with a producer of its own."""
    async with producing(settings) as producer:
        yield Publisher(producer, settings.topics)


def projection_group(settings: Settings) -> str:
    """The consumer group that writes the tables of practice days."""
    return f"{settings.topic_prefix}practice-days-projection"


def list_group(settings: Settings) -> str:
    """The consumer group that fetches day lists."""
    return f"{settings.topic_prefix}list-fetcher"


def detail_group(settings: Settings) -> str:
    """The consumer group that fetches sessions."""
    return f"{settings.topic_prefix}detail-fetcher"


class Group(NamedTuple):
    """A consumer group of ours; one that `projects` has its positions beside its tables."""

    name: str
    topic: str
    projects: bool


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every consumer group, with the topic that it reads."""
    topics = settings.topics
    return (
        Group(projection_group(settings), topics.days, projects=True),
        Group(list_group(settings), topics.requests, projects=False),
        Group(detail_group(settings), topics.details, projects=False),
    )
