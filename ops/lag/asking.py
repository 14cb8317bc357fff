"""What a look asks of the broker: topics and their bounds, groups, and the first records of partitions."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)

from broker.access import BrokerAccess
from broker.clients import (
    Admin,
    Bounds,
    CommittedConsumer,
    GroupAtBroker,
    administering,
    bounds_of,
    group_at_broker,
    make_reader,
    reading,
    time_of_open,
)
from broker.rights import SeenTopic, see_topics
from ops.lag.figures import UNREAD, First, GroupOffsets, Unread, age

POLL_MS = 200

RECORD_SECONDS = 5.0
"""How long the oldest records that are not applied may take to come, before their age counts as unknown."""

LEAST_SECONDS = 0.5
"""So long at least for each group's, also where those of a group before it did not come."""

COORDINATOR_SECONDS = 5.0
"""How long a group's coordinator may take to be there, before that it is not is what was found."""

Firsts = dict[TopicPartition, First | Unread | None]
"""The first record of each partition that is not applied; None where nothing but gaps is left."""

_GRANT = "; `lapstream topics acls` prints the commands that grant it"


class Topic(NamedTuple):
    """A topic as it was found: the bounds of its partitions, and what could not be found out of it.

    `notes` tells of open transactions by partition; `readable`, whether its records may be read.
    """

    bounds: Mapping[TopicPartition, Bounds]
    notes: Mapping[TopicPartition, str]
    troubles: list[str]
    readable: bool


class Broker:
    """Asks the broker over connections of its own; `asking` makes one."""

    def __init__(self, access: BrokerAccess, admin: Admin, consumer: CommittedConsumer) -> None:
        self._access = access
        self._admin = admin
        self._consumer = consumer
        self._firsts: dict[tuple[TopicPartition, int], First] = {}
        self._opened: dict[tuple[TopicPartition, int], int | None] = {}

    async def group(self, name: str) -> GroupAtBroker | str:
        """A group as the broker knows it, or why that is not known; raises KafkaError."""
        try:
            return await group_at_broker(self._admin, name, COORDINATOR_SECONDS)
        except GroupAuthorizationFailedError:
            return f"the right Describe on group {name} is missing{_GRANT}"
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
            return (
                f"the coordinator of {name} is not there yet: it is being made, loads its offsets, or moves"
            )

    async def topics(self, names: Sequence[str]) -> dict[str, Topic]:
        """These topics as they are now; raises KafkaError."""
        seen = await see_topics(self._admin, names)
        tps = {
            TopicPartition(name, number)
            for name, one in seen.items()
            for number in one.partitions
            if number not in one.leaderless
        }
        self._assign(tps)
        bounds = await bounds_of(self._consumer, sorted(tps)) if tps else {}
        notes = await self._notes(bounds)
        return {name: _topic(name, one, bounds, notes) for name, one in seen.items()}

    def _assign(self, tps: AbstractSet[TopicPartition]) -> None:
        """Read these partitions, and none of them yet; assigned anew only where a topic has changed."""
        if tps != self._consumer.assignment():
            self._consumer.assign(tps)
            self._consumer.pause(*tps)

    async def _notes(self, bounds: Mapping[TopicPartition, Bounds]) -> dict[TopicPartition, str]:
        """What there is to say of the partitions that have a transaction open."""
        opened = {tp: one for tp, one in bounds.items() if one.stable < one.end}
        known = {(tp, one.stable) for tp, one in opened.items()}
        self._opened = {place: at for place, at in self._opened.items() if place in known}
        new = [place for place in known if place not in self._opened]
        began = await asyncio.gather(*(time_of_open(self._access, *place) for place in new))
        self._opened |= dict(zip(new, began, strict=True))
        return {tp: _open_note(tp, one, self._opened[tp, one.stable]) for tp, one in opened.items()}

    async def firsts(self, looks: Iterable[GroupOffsets], until: float) -> Firsts:
        """The first record of each of these partitions that is not applied; what comes by then is known."""
        wanted = {one.tp: one for one in looks}
        found: Firsts = {tp: None for tp, one in wanted.items() if one.begin >= one.bounds.stable}
        found |= {
            tp: self._firsts[tp, one.begin]
            for tp, one in wanted.items()
            if tp not in found and (tp, one.begin) in self._firsts
        }
        waiting = {tp: one for tp, one in wanted.items() if tp not in found}
        if waiting:
            found |= await self._read(waiting, until)
        self._remember(wanted, found)
        return {tp: found.get(tp, UNREAD) for tp in wanted}

    def _remember(self, wanted: Mapping[TopicPartition, GroupOffsets], found: Firsts) -> None:
        """Keep what need not be read again at the next look: a group that stands still stands before it."""
        for tp, first in found.items():
            if isinstance(first, First):
                self._firsts[tp, wanted[tp].begin] = first

    def forget(self, looks: Iterable[GroupOffsets]) -> None:
        """Keep the first records of no other places than these."""
        places = {(one.tp, one.begin) for one in looks}
        self._firsts = {place: first for place, first in self._firsts.items() if place in places}

    async def _read(self, waiting: Mapping[TopicPartition, GroupOffsets], until: float) -> Firsts:
        found: Firsts = {}
        for tp, one in waiting.items():
            self._consumer.seek(tp, one.begin)
        self._consumer.resume(*waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(LEAST_SECONDS, until - time.monotonic())):
                while missing := [tp for tp in waiting if tp not in found]:
                    found |= await self._poll(missing)
                    found |= {
                        tp: None for tp in missing if tp not in found and await self._at_end(waiting[tp])
                    }
                    self._consumer.pause(*(tp for tp in missing if tp in found))
        self._consumer.pause(*waiting)
        return found

    async def _poll(self, tps: Sequence[TopicPartition]) -> Firsts:
        polled = await self._consumer.getmany(*tps, timeout_ms=POLL_MS)
        return {tp: First(records[0].offset, records[0].timestamp) for tp, records in polled.items()}

    async def _at_end(self, look: GroupOffsets) -> bool:
        """Whether the client has read a partition as far as it can be read."""
        return await self._consumer.position(look.tp) >= look.bounds.stable


def _topic(
    name: str,
    seen: SeenTopic,
    bounds: Mapping[TopicPartition, Bounds],
    notes: Mapping[TopicPartition, str],
) -> Topic:
    return Topic(
        {tp: one for tp, one in bounds.items() if tp.topic == name},
        {tp: note for tp, note in notes.items() if tp.topic == name},
        _troubles(name, seen),
        seen.allows("Read"),
    )


def _troubles(name: str, seen: SeenTopic) -> list[str]:
    """What can't be found out of a topic."""
    if not seen.shown:
        return [f"the right Describe on topic {name} is missing{_GRANT}"]
    if not seen.partitions:
        return [f"the broker has no topic {name}: run `lapstream topics create`"]
    found = [f"{name}[{number}] has no leader: its broker is away" for number in seen.leaderless]
    if not seen.allows("Read"):
        found.append(
            f"how old the oldest record of {name} is: the right Read on that topic is missing{_GRANT}"
        )
    return found


def _open_note(tp: TopicPartition, bounds: Bounds, began: int | None) -> str:
    seconds = None if began is None else age(began)
    since = "" if seconds is None else f" for {seconds:.0f} s"
    return (
        f"{tp.topic}[{tp.partition}]: a transaction is open{since} from offset {bounds.stable} on; "
        f"{bounds.end - bounds.stable} offsets wait for its end. Its producer ends it, or the broker "
        "after the producer's transaction.timeout.ms. Where neither does: `kafka-transactions.sh "
        f'--bootstrap-server "$LAPSTREAM_KAFKA_BOOTSTRAP" abort --topic {tp.topic} --partition '
        f"{tp.partition} --start-offset {bounds.stable}`"
    )


@contextlib.asynccontextmanager
async def asking(access: BrokerAccess) -> AsyncGenerator[Broker]:
    """What asks the broker, with its connections open; raises KafkaError."""
    async with (
        administering(access) as admin,
        reading(make_reader(access, reset="earliest")) as consumer,
    ):
        yield Broker(access, admin, consumer)
