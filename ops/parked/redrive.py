"""Redriving: parked records go through the code as it is now, settled in the transaction that applies them.

A projection's records are decoded and projected; order does not matter, for the tables are a function of the
newest observations. A work queue's are published to it again with their bytes, once they can be read. What is
still bad stays parked, for the reason that it has now.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import asyncpg
import stamina
from aiokafka.errors import KafkaError
from msgspec import Struct

from broker.access import BrokerAccess
from consumers.projection import AfterCommit, Projection
from ops.parked import queries as parked
from ops.parked.queries import Head, Key, Parked, RecordPlace
from runtime.wiring import groups, producing
from schemas.envelope import unpack
from schemas.errors import LapstreamError
from schemas.headers import BadRecord
from schemas.topics import Topics
from store.faults import is_about_the_database
from store.pool import TRANSIENT, Connection, Pool, use_schema

CHUNK = 200
"""Records that go through in one transaction."""

Good = Mapping[Key, tuple[Parked, Any]]
"""Records that can be read now, with what they say."""


class Handled(NamedTuple):
    """What the work on records came to: new places of those published again, and what to tell afterwards."""

    new: Mapping[Key, RecordPlace]
    told: AfterCommit | None = None


class Handler(NamedTuple):
    """What a group does with its records.

    `read` tells what one says, None for a stranger's, or raises `BadRecord`. `work` does what a group does
    with good ones.
    """

    read: Callable[[Parked], object | None]
    work: Callable[[Connection, Good], Awaitable[Handled]]


Send = Callable[..., Awaitable[RecordPlace]]
"""Publishes a record: topic, and by name key, value, headers and, where it matters, partition."""


class UnknownGroup(LapstreamError):
    """Records of a group that this version does not run."""


class RedriveOutcome(Struct, frozen=True, kw_only=True):
    """What a redrive did, or would do, with a record; `code` and `reason` say why it stays parked."""

    group: str
    topic: str
    partition: int
    offset: int
    redriven: bool
    code: str | None = None
    reason: str | None = None
    new: RecordPlace | None = None

    @property
    def place(self) -> RecordPlace:
        """Where the record is."""
        return RecordPlace(self.topic, self.partition, self.offset)


class Redrive(NamedTuple):
    """What records are redriven with; without a person who does it everything is only tried.

    Then nothing is published, and all is rolled back.
    """

    pool: Pool
    broker: BrokerAccess
    topics: Topics
    by: str | None

    async def redrive(self, heads: Sequence[Head], show: Callable[[int], None]) -> list[RedriveOutcome]:
        """Redrive records, group by group, each in the order given; `show` is told of each chunk's size.

        Raises `UnknownGroup`.
        """
        outcomes: list[RedriveOutcome] = []
        async with self._handlers({head.group for head in heads}) as handlers:
            for group, members in groupby(sorted(heads, key=_group), _group):
                keys = [head.at for head in members]
                for begin in range(0, len(keys), CHUNK):
                    chunk = keys[begin : begin + CHUNK]
                    async with self.pool.acquire() as connection:
                        outcomes += await _redrive(connection, chunk, handlers[group], self.by)
                    show(len(chunk))
        return outcomes

    @contextlib.asynccontextmanager
    async def _handlers(self, wanted: set[str]) -> AsyncGenerator[dict[str, Handler]]:
        """How the records of each group are worked at."""
        projections = {one.name: one.projection for one in groups(self.topics) if one.projection}
        queues = {group.name for group in groups(self.topics) if group.projection is None}
        _check_known(wanted - projections.keys() - queues)
        handlers = {
            group: _projecting(projections[group], self.topics) for group in wanted & projections.keys()
        }
        async with contextlib.AsyncExitStack() as stack:
            if wanted & queues:
                send = await stack.enter_async_context(sending(self.broker)) if self.by else None
                handlers |= {group: _queueing(send) for group in wanted & queues}
            yield handlers


def _check_known(unknown: set[str]) -> None:
    if unknown:
        raise UnknownGroup(
            f"{', '.join(sorted(unknown))}: no group of these settings: its records are redriven by the "
            "version and with the LAPSTREAM_TOPIC_PREFIX that parked them; `--group` chooses others"
        )


def _group(head: Head) -> str:
    return head.group


@contextlib.asynccontextmanager
async def sending(broker: BrokerAccess) -> AsyncGenerator[Send]:
    """How a record is published: returns its place when all replicas have it."""
    async with producing(broker) as producer:
        client: Any = producer

        async def send(
            topic: str, *, headers: Sequence[tuple[str, bytes | None]], **record: object
        ) -> RecordPlace:
            sent = await client.send_and_wait(topic, headers=list(headers), **record)
            return RecordPlace(sent.topic, sent.partition, sent.offset)

        yield send


def _projecting(projection: Projection[Any], topics: Topics) -> Handler:
    def read(one: Parked) -> object | None:
        decoded = projection.decode([one.record], topics)
        for _, fault in decoded.faults:
            raise fault
        return next(iter(decoded.events), None)

    async def work(connection: Connection, good: Good) -> Handled:
        events = [event for _, event in good.values()]
        await use_schema(connection, projection.schema)
        return Handled({}, await projection.apply_live(connection, topics, events, []))

    return Handler(read, work)


def _queueing(send: Send | None) -> Handler:
    async def work(connection: Connection, good: Good) -> Handled:  # noqa: ARG001 - as ways are
        if send is None:
            return Handled({})
        return Handled(
            {
                at: await send(
                    one.topic, key=one.key, value=one.value, headers=one.headers, partition=one.partition
                )
                for at, (one, _) in good.items()
            }
        )

    return Handler(_read, work)


def _read(one: Parked) -> object | None:
    return unpack(one.headers, one.value)


@stamina.retry(on=(asyncpg.DeadlockDetectedError, asyncpg.SerializationError), attempts=5)
async def _redrive(
    connection: Connection, keys: Sequence[Key], way: Handler, by: str | None
) -> list[RedriveOutcome]:
    """Redrive a chunk; one that fails by its data is bisected until the record at fault is found."""
    try:
        async with _trial(connection, keep=by is not None):
            outcomes, told = await _settle(connection, keys, way, by or "")
    except (LapstreamError, KafkaError, *TRANSIENT):
        raise
    except Exception as error:
        if is_about_the_database(error):
            raise
        if len(keys) == 1:
            return await _refuse(connection, keys[0], error, keep=by is not None)
    else:
        if told and by is not None:
            told()
        return outcomes
    middle = len(keys) // 2
    first = await _redrive(connection, keys[:middle], way, by)
    return first + await _redrive(connection, keys[middle:], way, by)


class _RolledBack(Exception):
    """Everything was tried; nothing is to stay."""


@contextlib.asynccontextmanager
async def _trial(connection: Connection, *, keep: bool) -> AsyncGenerator[None]:
    """A transaction that is rolled back in the end, unless its work is kept."""
    with contextlib.suppress(_RolledBack):
        async with connection.transaction():
            yield
            if not keep:
                raise _RolledBack


async def _settle(
    connection: Connection, keys: Sequence[Key], way: Handler, by: str
) -> tuple[list[RedriveOutcome], AfterCommit | None]:
    good: dict[Key, tuple[Parked, object]] = {}
    faults: dict[Key, tuple[str, str]] = {}
    ignored: list[Key] = []
    for one in await parked.lock(connection, keys):
        try:
            received = way.read(one)
        except BadRecord as fault:
            faults[one.at] = (fault.code, fault.reason)
            continue
        if received is None:
            ignored.append(one.at)
        else:
            good[one.at] = (one, received)
    worked = await way.work(connection, good)
    done = {at: worked.new.get(at) for at in (*good, *ignored)}
    await parked.explain(connection, faults)
    await parked.redriven(connection, done, by)
    return _outcomes(keys, done, faults), worked.told


def _outcomes(
    keys: Sequence[Key], done: Mapping[Key, RecordPlace | None], faults: Mapping[Key, tuple[str, str]]
) -> list[RedriveOutcome]:
    """What happened, in the order of places; a record that somebody else settled meanwhile is left out."""
    outcomes: list[RedriveOutcome] = []
    for at in keys:
        if at in done:
            outcomes.append(RedriveOutcome(**at._asdict(), redriven=True, new=done[at]))
        elif at in faults:
            code, reason = faults[at]
            outcomes.append(RedriveOutcome(**at._asdict(), redriven=False, code=code, reason=reason))
    return outcomes


async def _refuse(connection: Connection, at: Key, error: Exception, *, keep: bool) -> list[RedriveOutcome]:
    """Keep a record parked that the projection, or the database, can't take."""
    fault = ("projection_error", repr(error))
    async with _trial(connection, keep=keep):
        await parked.explain(connection, {at: fault})
    return _outcomes([at], {}, {at: fault})
