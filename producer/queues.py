"""The work queues as a FastStream application: requests of two topics go in, each to its typed handler.

Every member is a subscriber of its own, with its own consumer and listener. Around each handler stand two
middlewares: the outer one lets the member do the work, which parks a bad record; the inner one opens the span
and the log's context of the request's run.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple

from faststream import AckPolicy, BaseMiddleware, ContextRepo, FastStream, StreamMessage
from faststream.kafka import KafkaBroker, KafkaRouter
from faststream.kafka.message import KafkaMessage
from structlog.contextvars import bound_contextvars

from producer.members import Member, Park, Publish
from schemas.envelope import Received, unpack
from schemas.events import PracticeDayRequested
from schemas.identity import as_run_id, event_key, run_id_of
from schemas.records import Record
from telemetry import health, tracing
from telemetry.tracing import SpanKind

Handler = Callable[[Received], Awaitable[Publish | None]]
"""Fetches what an event asks for; returns what is then to be published."""

MAX_POLL_MS = 300_000
"""The time between two polls after which a member leaves its group; polling goes on while it works."""


POLLING_LOOK_SECONDS = 5.0


class Queue(NamedTuple):
    """A work queue: its topic, the group that works at it, with how many members here, and what they do."""

    topic: str
    group: str
    handler: Handler
    members: int = 1


def work_queues(
    broker: KafkaBroker, queues: Sequence[Queue], park: Park, finish_seconds: float
) -> FastStream:
    """An application that works at these queues between `start` and `stop`.

    All members join at once: each that joins later makes all others of its group start over. On `stop` they
    take no more records, and have so many seconds for the work at hand.
    """
    members: list[Member] = []
    watching: list[asyncio.Task[None]] = []

    async def join() -> None:
        subscribed = [subscribe(broker, queue, park) for queue in queues for _ in range(queue.members)]
        members.extend(member for member, _ in subscribed)
        await asyncio.gather(*(subscriber.start() for _, subscriber in subscribed))
        watching.append(asyncio.create_task(watch_polling(members)))

    async def leave() -> None:
        for task in watching:
            task.cancel()
        await asyncio.gather(*(member.leave(finish_seconds) for member in members))

    return FastStream(broker, logger=None, after_startup=[join], on_shutdown=[leave])


async def watch_polling(members: Sequence[Member]) -> None:
    """Let the members' polling beat for as long as all of them poll."""
    commits = 0
    with health.working("fetcher, polling"):
        while True:
            if all(member.polls() for member in members):
                health.beat("poll")
            before, commits = commits, sum(member.commits for member in members)
            if commits > before:
                health.beat("commit")
            await asyncio.sleep(POLLING_LOOK_SECONDS)


def subscribe(broker: KafkaBroker, queue: Queue, park: Park) -> tuple[Member, Any]:
    """A member of a queue's group, with its subscriber, which is not started."""
    subscriber: Any = None
    member = Member(group=queue.group, park=park, consumer=lambda: subscriber.consumer)
    router = KafkaRouter(
        middlewares=[
            partial(WorkMiddleware, member=member),
            partial(RequestMiddleware, group=queue.group),
        ]
    )
    subscriber = router.subscriber(
        queue.topic,
        group_id=queue.group,
        listener=member,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        parser=parse_record,
        decoder=decode_request,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=500,
        max_poll_interval_ms=MAX_POLL_MS,
    )
    subscriber(queue.handler)
    broker.include_router(router)
    return member, subscriber


class WorkMiddleware(BaseMiddleware[Any, Any]):
    """Lets a member work at a record: one after the other, with retries, and with parking; see `Member`."""

    def __init__(self, msg: object, /, *, context: ContextRepo, member: Member) -> None:
        super().__init__(msg, context=context)
        self._member = member

    async def consume_scope(
        self, call_next: Callable[[Any], Awaitable[Publish | None]], msg: StreamMessage[Any]
    ) -> None:
        """Begin the work; its end is not waited for, so that the subscriber polls meanwhile."""
        await self._member.take(msg.raw_message, lambda: call_next(msg))


class RequestMiddleware(BaseMiddleware[Any, Any]):
    """A span of the trace that a request belongs to, and its run in each line of the log."""

    def __init__(self, msg: object, /, *, context: ContextRepo, group: str) -> None:
        super().__init__(msg, context=context)
        self._group = group

    async def consume_scope(
        self, call_next: Callable[[Any], Awaitable[Publish | None]], msg: StreamMessage[Any]
    ) -> Publish | None:
        """Do the work of a request in its scope; other vendors' events are ignored."""
        received: Received | None = await msg.decode()
        if received is None:
            return None
        with _request_scope(received, msg.raw_message, self._group):
            return await call_next(msg)


@contextlib.contextmanager
def _request_scope(received: Received, record: Record, group: str) -> Generator[None]:
    lists = isinstance(received.event, PracticeDayRequested)
    named = received.context.correlation_id
    run_id = run_id_of(named, received.id) if lists else as_run_id(named)
    run = "" if run_id is None else str(run_id)
    attributes = tracing.processing(group, [record]) | {
        "messaging.message.id": received.id,
        "lapstream.run_id": run,
        "lapstream.key": event_key(received.event),
    }
    name = f"{tracing.PROCESS} {record.topic}"
    with (
        tracing.span(name, received.context.traceparent, kind=SpanKind.CONSUMER, attributes=attributes),
        bound_contextvars(run_id=run or None),
    ):
        yield


async def parse_record(record: Any) -> KafkaMessage:  # noqa: ANN401 - a Record
    """The record untouched: FastStream's own parser would drop one whose headers are not UTF-8."""
    return KafkaMessage(
        body=record.value,
        headers={},
        raw_message=record,
        message_id=f"{record.topic}-{record.partition}-{record.offset}",
        correlation_id=None,
        reply_to="",
        content_type=None,
        path={},
        consumer=record,
    )


async def decode_request(message: KafkaMessage) -> Received | None:
    """The event of a record; None where it is another vendor's. Raises `BadRecord`."""
    record: Record = message.raw_message  # pyright: ignore[reportAssignmentType] - one record, with all that a Record has
    return unpack(record.headers, record.value)
