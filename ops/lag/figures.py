"""The figures of lag: what was found of a group in a partition goes in, how far it is behind comes out."""

import time
from typing import Literal, NamedTuple

from aiokafka import TopicPartition
from msgspec import Struct

from broker.clients import Bounds
from consumers.standing import Misfit, misfit
from runtime.wiring import Group
from schemas.records import Record
from store.positions import Place

Standing = Literal["ok", "rewound", "begin_gone"]
"""Whether the log goes on where a group stands: `rewound`, it ends before; `begin_gone`, it begins after."""

Unknown = Literal["unknown"]
UNKNOWN: Unknown = "unknown"
"""In place of a record that did not come in time."""


class PartitionLag(Struct, frozen=True, kw_only=True):
    """A group's lag in one partition.

    `position` is the stored one, None where the group has none; `committed` is Kafka's offset, by which a
    work queue is measured. `behind` counts from the first record that is not applied to `end_offset`. Where
    the log ends before the group's place, it is another log, and the group is behind by all of it. What Kafka
    knows no offset for has no `kafka_behind`. Records from `stable_offset` on wait for an open transaction;
    without one it is `end_offset`. `oldest_seconds` is the age of the first record that is not applied; None
    where there is none, or it carries no time. `note` says what is wrong, and what to do about it.
    """

    topic: str
    partition: int
    begin_offset: int
    stable_offset: int
    end_offset: int
    position: int | None
    committed: int | None
    standing: Standing
    behind: int
    kafka_behind: int | None
    oldest_seconds: float | None
    note: str | None


class GroupLag(Struct, frozen=True, kw_only=True):
    """A group's lag over all partitions of its topics.

    `state` is what the broker says of the group (`stable`, `empty`, …), `absent` where it knows none.
    `standing` is the worst of its partitions'.
    """

    group: str
    topics: tuple[str, ...]
    state: str
    members: int
    standing: Standing
    behind: int
    kafka_behind: int | None
    oldest_seconds: float | None
    partitions: list[PartitionLag]


class GroupOffsets(NamedTuple):
    """What was found of a group in a partition: the stored position, and Kafka's offset."""

    group: Group
    tp: TopicPartition
    bounds: Bounds
    stored: int | None
    committed: int | None

    @property
    def own(self) -> int | None:
        """Where the group stands, by what counts for it."""
        return self.stored if self.group.projection else self.committed

    @property
    def begin(self) -> int:
        """Where what is left to read begins: a place that is none of this log is read from its begin."""
        return _left(self.own, self.bounds)

    @property
    def misfit(self) -> Misfit | None:
        """What is wrong with where the group stands; the begin of a work queue may be gone."""
        if self.group.projection:
            place = Place(self.tp.topic, self.tp.partition)
            return misfit(self.group.projection.name, place, self.own, self.bounds.begin, self.bounds.end)
        if self.own is None or self.own <= self.bounds.end:
            return None
        return Misfit(
            "rewound",
            f"{self.tp.topic}[{self.tp.partition}] ends at {self.bounds.end}, but {self.group.name} "
            f"committed offset {self.own}: the topic was made anew, and the group begins at its beginning",
        )


def _left(offset: int | None, bounds: Bounds) -> int:
    return bounds.begin if offset is None or offset > bounds.end else max(offset, bounds.begin)


def partition_lag(look: GroupOffsets, first: Record | Unknown | None, open_note: str | None) -> PartitionLag:
    """The figures of a partition, by the first record that is not applied; None is for nothing but gaps.

    `open_note` tells of an open transaction.
    """
    bounds, wrong = look.bounds, look.misfit
    at = look.begin if first == UNKNOWN else bounds.stable if first is None else first.offset
    return PartitionLag(
        topic=look.tp.topic,
        partition=look.tp.partition,
        begin_offset=bounds.begin,
        stable_offset=bounds.stable,
        end_offset=bounds.end,
        position=look.stored,
        committed=look.committed,
        standing=wrong.kind if wrong else "ok",
        behind=bounds.end - at,
        kafka_behind=_kafka_behind(look.committed, bounds),
        oldest_seconds=None if first is None or first == UNKNOWN else age(first.timestamp),
        note=wrong.found if wrong else open_note,
    )


def _kafka_behind(committed: int | None, bounds: Bounds) -> int | None:
    """Kafka's own lag, which is never negative here."""
    if committed is None:
        return None
    return bounds.end - (bounds.begin if committed > bounds.end else committed)


def age(timestamp: int) -> float | None:
    """The age of a record in seconds, by its time in milliseconds since 1970; None where it has none."""
    return None if timestamp < 0 else round(max(0.0, time.time() - timestamp / 1000), 3)


def group_lag(group: Group, state: str, members: int, partitions: list[PartitionLag]) -> GroupLag:
    """The figures of a group."""
    by_kafka = [one.kafka_behind for one in partitions if one.kafka_behind is not None]
    found = {one.standing for one in partitions}
    return GroupLag(
        group=group.name,
        topics=group.topics,
        state=state,
        members=members,
        standing="rewound" if "rewound" in found else "begin_gone" if "begin_gone" in found else "ok",
        behind=sum(one.behind for one in partitions),
        kafka_behind=sum(by_kafka) if by_kafka else None,
        oldest_seconds=max(
            (one.oldest_seconds for one in partitions if one.oldest_seconds is not None), default=None
        ),
        partitions=partitions,
    )
