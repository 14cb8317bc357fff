"""What every command and role is put together from: a publisher, the names of the groups."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

from broker.access import BrokerAccess
from broker.clients import make_producer
from broker.types import Producer
from consumers.live import PRACTICE_DAYS
from consumers.projection import Projection
from producer.publisher import Publisher
from producer.renewing import RenewingProducer
from runtime.projections import PROJECTIONS
from runtime.settings import Settings
from schemas.topics import Topics


@contextlib.asynccontextmanager
async def producing(broker: BrokerAccess) -> AsyncGenerator[Producer]:
    """A producer that is started, and stopped in the end."""
    producer = make_producer(broker)
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


def projection_group(topics: Topics) -> str:
    """The consumer group that writes the tables of practice days."""
    return PRACTICE_DAYS.group(topics.prefix)


def list_group(topics: Topics) -> str:
    """The consumer group that fetches day lists."""
    return f"{topics.prefix}list-fetcher"


def detail_group(topics: Topics) -> str:
    """The consumer group that fetches sessions."""
    return f"{topics.prefix}detail-fetcher"


class Group(NamedTuple):
    """A consumer group of ours; that of a projection has its positions beside its tables."""

    name: str
    topics: tuple[str, ...]
    projection: Projection[Any] | None = None


def groups(topics: Topics) -> tuple[Group, ...]:
    """Every consumer group, with the topics that it reads."""
    return (
        *(Group(one.group(topics.prefix), one.topics(topics), one) for one in PROJECTIONS),
        Group(list_group(topics), (topics.requests,)),
        Group(detail_group(topics), (topics.details,)),
    )
