"""What every command and role is put together from: a publisher, the names of the groups."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

from broker.clients import make_producer
from broker.types import Producer
from consumers.live import PRACTICE_DAYS
from consumers.projection import Projection
from producer.publisher import Publisher
from producer.renewing import RenewingProducer
from runtime.projections import PROJECTIONS
from runtime.settings import Settings


@contextlib.asynccontextmanager
async def producing(settings: Settings) -> AsyncGenerator[Producer]:
    """A producer that is started, and stopped in the end."""
    producer = make_producer(settings.broker)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def publishing(settings: Settings) -> AsyncGenerator[Publisher]:
    """A publisher, with a producer of its own, which is replaced where the broker refused a record of it."""
    producer = RenewingProducer(lambda: make_producer(settings.broker))
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
    topics: tuple[str, ...]
    projection: Projection[Any] | None = None


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every consumer group, with the topics that it reads."""
    topics = settings.topics
    return (
        *(Group(one.group(settings.topic_prefix), one.topics(topics), one) for one in PROJECTIONS),
        Group(list_group(settings), (topics.requests,)),
        Group(detail_group(settings), (topics.details,)),
    )
