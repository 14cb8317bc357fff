"""Sending rows of the outbox: rows go in, the numbers of those that the broker acknowledged come out."""

import asyncio
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
import structlog
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    UnknownTopicOrPartitionError,
)

from broker.clients import described
from outbox.rows import Row
from store.faults import said_by
from telemetry import health

SILENT_SECONDS = 10.0
"""After so long without an answer from the broker a warning is logged, and again as often."""

log = structlog.get_logger("lapstream.relay")

_headers = msgspec.json.Decoder(dict[str, str]).decode


class Producer(Protocol):
    """The part of aiokafka's producer that is used here, with types: aiokafka itself carries none."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def send(
        self, topic: str, *, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> Future[object]: ...


class NotTaken(Exception):
    """A row that the broker did not take, and why."""

    def __init__(self, row: Row, topic: str, error: KafkaError) -> None:
        super().__init__(f"row {row.seq}, event {row.id} ({row.type}) for topic {topic}: {said_by(error)}")
        self.row = row
        self.error = error


class Sent(NamedTuple):
    """What became of rows: the numbers of those that were acknowledged, and what stopped the others."""

    seqs: list[int]
    failure: NotTaken | None = None


class Sender:
    """Sends rows through a producer, in their order, as long as `check` raises nothing."""

    def __init__(self, producer: Producer, prefix: str, check: Callable[[], None]) -> None:
        self._producer = producer
        self._prefix = prefix
        self._check = check
        self._topics: set[str] = set()

    async def send(self, rows: Sequence[Row]) -> Sent:
        """Send rows up to the first that is not taken, and return when each is acknowledged or failed."""
        pending: list[tuple[Row, Future[object]]] = []
        failure: NotTaken | None = None
        for row in rows:
            try:
                pending.append((row, await self._hand_over(row)))
            except KafkaError as error:
                failure = self._not_taken(row, error)
                break
        errors = await _answers([future for _, future in pending])
        failed = (
            self._not_taken(row, error) for (row, _), error in zip(pending, errors, strict=True) if error
        )
        seqs = [row.seq for (row, _), error in zip(pending, errors, strict=True) if error is None]
        return Sent(seqs, next(failed, failure))

    async def _hand_over(self, row: Row) -> Future[object]:
        topic = self._prefix + row.topic
        if topic not in self._topics:
            await self._look_for(topic)
        headers = [(name, text.encode()) for name, text in _headers(row.headers).items()]
        while True:
            self._check()
            try:
                return await self._producer.send(
                    topic, key=row.key.encode(), value=row.payload.encode(), headers=headers
                )
            except (
                KafkaTimeoutError
            ):  # the client's buffer is full, and the broker away: it goes on by itself
                _silent()

    async def _look_for(self, topic: str) -> None:
        """Ask the broker for the topic: the client itself would wait 40 s for one that is not there."""
        try:
            found = await described(self._producer, [topic])
        except KafkaError as error:
            raise KafkaConnectionError(str(error)) from error
        if topic not in found:
            raise UnknownTopicOrPartitionError(topic)
        self._topics.add(topic)

    def _not_taken(self, row: Row, error: KafkaError) -> NotTaken:
        return NotTaken(row, self._prefix + row.topic, error)


async def _answers(pending: Sequence[Future[object]]) -> list[KafkaError | None]:
    """What the broker said to each; the client repeats what it has no answer to, for as long as it takes."""
    waiting = set(pending)
    while waiting:
        _, waiting = await asyncio.wait(waiting, timeout=SILENT_SECONDS)
        if waiting:
            _silent()
    return [_error(future) for future in pending]


def _error(future: Future[object]) -> KafkaError | None:
    error = future.exception()
    if error is None or isinstance(error, KafkaError):
        return error
    raise error


def _silent() -> None:
    log.warning("relay_broker_silent", seconds=SILENT_SECONDS)
    health.lacks("the broker does not answer")
