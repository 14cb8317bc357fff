"""Producers that write in transactions, and commit, abort or abandon them."""

import asyncio
import contextlib
import random
from collections.abc import Iterable
from typing import Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from bench.kills.load import Sent
from runtime.settings import Settings

End = Literal["committed", "aborted", "abandoned"]

ABANDONED_MS = 3_000
"""How long the broker waits for a producer that says nothing before it ends the transaction itself."""

SECONDS = 30.0
"""How long a transaction may take, broker crashes included, before its producer gives up."""


def drawn(chance: random.Random) -> End:
    """How a transaction is to end."""
    return chance.choices(("committed", "aborted", "abandoned"), (5, 4, 1))[0]


async def send(settings: Settings, name: str, records: Iterable[Sent], end: End) -> End:
    """Send records in one transaction; returns how that ended, as far as the producer knows.

    A producer that a disturbance meets abandons its transaction.
    """
    producer: Any = AIOKafkaProducer(
        **settings.broker.options(),
        transactional_id=f"{settings.topic_prefix}{name}",
        transaction_timeout_ms=ABANDONED_MS,
    )
    try:
        async with asyncio.timeout(SECONDS):
            await producer.start()
            await producer.begin_transaction()
            await _send_all(producer, settings.topics.days, records)
            if end == "committed":
                await producer.commit_transaction()
            elif end == "aborted":
                await producer.abort_transaction()
            return end
    except (KafkaError, TimeoutError):
        return "abandoned"
    finally:
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                await producer.stop()


async def _send_all(producer: Any, topic: str, records: Iterable[Sent]) -> None:  # noqa: ANN401 - aiokafka is untyped
    for record, partition in records:
        await producer.send_and_wait(
            topic, key=record.key, value=record.value, headers=list(record.headers), partition=partition
        )
