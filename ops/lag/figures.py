"""The figures of lag: what was found of a group in a partition goes in, how far it is behind comes out."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from aiokafka import TopicPartition
from msgspec import Struct

from broker.clients import Bounds, GroupAtBroker
from consumers.standing import Misfit, misfit
from runtime.wiring import Group
from store.positions import Place

Standing = Literal["ok", "rewound", "begin_gone"]
"""Whether the log goes on where a group stands: `rewound`, it ends before; `begin_gone`, it begins after."""

Oldest = Literal["none", "known", "untimed", "unread"]
"""Whether the age of the first record that is not applied is known: there is none, or it carries no time, or
it was not handed out in time, or may not be read."""

CatchUp = Literal["caught_up", "in_time", "never", "unknown"]
"""Whether a group comes to the end at its rates: it is there, or in so many seconds, or never."""

Verdict = Literal["ok", "lagging", "stalled", "stopped", "rewound", "no_members", "unknown"]
"""How a group does, over the looks of a window: `ops.lag.verdicts` says when."""

Unread = Literal["unread"]
UNREAD: Unread = "unread"
"""In place of a record that did not come in time, or may not be read."""


class First(NamedTuple):
    """The first record that is not applied; `timestamp` in milliseconds since 1970, negative for none."""

    offset: int
    timestamp: int


class Pace(Struct, frozen=True, kw_only=True):
    """Records a second that come in and that are applied, and when the two meet; null where not known yet."""

    in_rate: float | None = None
    out_rate: float | None = None
    catch_up: CatchUp = "unknown"
    catch_up_seconds: float | None = None


class PartitionLag(Struct, frozen=True, kw_only=True):
    """A group's lag in one partition.

    `position` is the stored one, None where the group has none; `committed` is Kafka's offset, by which a
    work queue is measured; `difference`, how many offsets Kafka's is behind the stored one. `behind` counts
    from the first record that is not applied to `end_offset`, None where it is not known where the group
    stands. Where the log ends before the group's place, it is another log, and the group is behind by all of
    it. What Kafka knows no offset for has no `kafka_behind`. Records from `stable_offset` on wait for an open
    transaction; without one it is `end_offset`. `oldest_seconds` is the age of the first record that is not
    applied, where `oldest` says that it is known. `note` says what is wrong, and what to do about it.
    """

    topic: str
    partition: int
    begin_offset: int
    stable_offset: int
    end_offset: int
    position: int | None
    committed: int | None
    difference: int | None
    standing: Standing
    behind: int | None
    kafka_behind: int | None
    oldest: Oldest
    oldest_seconds: float | None
    pace: Pace = Pace()
    note: str | None


class GroupLag(Struct, frozen=True, kw_only=True):
    """A group's lag over all partitions of its topics.

    `projection` is the one whose tables it writes, None for a work queue. `state` is what the broker says of
    the group (`stable`, `empty`, …), `absent` where it knows none; None, as `members`, where it does not say.
    `standing` is the worst of its partitions'. `behind` is None where it is not known of any of them.
    `freshness_seconds` is how old the projection's tables are, as against the topic: 0 where nothing is left.
    `retention_used` has, of each topic that does not keep its records for ever, the age of the oldest record
    that is not applied as a part of how long it is kept.
    `troubles` says what could not be found out, and why. `verdict` is explained by `reason`.
    """

    group: str
    projection: str | None
    topics: tuple[str, ...]
    state: str | None
    members: int | None
    standing: Standing
    behind: int | None
    kafka_behind: int | None
    oldest_seconds: float | None
    freshness_seconds: float | None
    retention_used: dict[str, float]
    pace: Pace = Pace()
    verdict: Verdict = "unknown"
    reason: str = "it was not judged"
    troubles: list[str]
    partitions: list[PartitionLag]


class FleetLag(Struct, frozen=True, kw_only=True):
    """The lag of every group, at one moment; `trouble` says what kept from asking the broker at all."""

    groups: list[GroupLag]
    trouble: str | None = None


class GroupOffsets(NamedTuple):
    """What was found of a group in a partition: the stored position, and Kafka's offset.

    `known` tells whether it is known where the group stands; it is not where what counts can't be read.
    """

    group: Group
    tp: TopicPartition
    bounds: Bounds
    stored: int | None
    committed: int | None
    known: bool = True

    @property
    def own(self) -> int | None:
        """Where the group stands, by what counts for it."""
        return self.stored if self.group.projection else self.committed

    @property
    def begin(self) -> int:
        """Where what is left to read begins: a place that is none of this log is read from its begin."""
        own, bounds = self.own, self.bounds
        return bounds.begin if own is None or own > bounds.end else max(own, bounds.begin)

    @property
    def misfit(self) -> Misfit | None:
        """What is wrong with where the group stands; the begin of a work queue may be gone."""
        if not self.known:
            return None
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


def partition_lag(look: GroupOffsets, first: First | Unread | None, open_note: str | None) -> PartitionLag:
    """The figures of a partition, by the first record that is not applied; None is for nothing but gaps.

    `open_note` tells of an open transaction.
    """
    bounds, wrong = look.bounds, look.misfit
    seconds = age(first.timestamp) if isinstance(first, First) else None
    both = look.stored is not None and look.committed is not None
    return PartitionLag(
        topic=look.tp.topic,
        partition=look.tp.partition,
        begin_offset=bounds.begin,
        stable_offset=bounds.stable,
        end_offset=bounds.end,
        position=look.stored,
        committed=look.committed,
        difference=(look.stored or 0) - (look.committed or 0) if both else None,
        standing=wrong.kind if wrong else "ok",
        behind=bounds.end - _at(look, first) if look.known else None,
        kafka_behind=_kafka_behind(look.committed, bounds),
        oldest=_oldest(look, first),
        oldest_seconds=seconds,
        note=wrong.found if wrong else open_note,
    )


def _at(look: GroupOffsets, first: First | Unread | None) -> int:
    """Where what is left to read begins, markers and records of aborted transactions left out."""
    if first is None:
        return look.bounds.stable
    return first.offset if isinstance(first, First) else look.begin


def _oldest(look: GroupOffsets, first: First | Unread | None) -> Oldest:
    if not look.known:
        return "unread"
    if isinstance(first, First):
        return "untimed" if first.timestamp < 0 else "known"
    return "unread" if first == UNREAD or look.bounds.stable < look.bounds.end else "none"


def _kafka_behind(committed: int | None, bounds: Bounds) -> int | None:
    """Kafka's own lag, which is never negative here."""
    if committed is None:
        return None
    return bounds.end - (bounds.begin if committed > bounds.end else committed)


def age(timestamp: int) -> float | None:
    """The age of a record in seconds, by its time in milliseconds since 1970; None where it has none."""
    return None if timestamp < 0 else round(max(0.0, time.time() - timestamp / 1000), 3)


def group_lag(
    group: Group,
    at_broker: GroupAtBroker | None,
    partitions: list[PartitionLag],
    troubles: Sequence[str],
    retention: Mapping[str, float],
) -> GroupLag:
    """The figures of a group; without what the broker knows of it, its state and members are not known.

    `retention` says of topics for how many seconds they keep a record.
    """
    found = {one.standing for one in partitions}
    behind = _sum(one.behind for one in partitions)
    return GroupLag(
        group=group.name,
        projection=group.projection.name if group.projection else None,
        topics=group.topics,
        state=_state(at_broker) if at_broker else None,
        members=at_broker.members if at_broker else None,
        standing="rewound" if "rewound" in found else "begin_gone" if "begin_gone" in found else "ok",
        behind=behind,
        kafka_behind=_sum(one.kafka_behind for one in partitions),
        oldest_seconds=most(one.oldest_seconds for one in partitions),
        freshness_seconds=_freshness(partitions) if group.projection else None,
        retention_used={
            topic: used
            for topic in group.topics
            if topic in retention
            and (used := _retention_used(partitions, topic, retention[topic])) is not None
        },
        troubles=list(troubles),
        partitions=partitions,
    )


def _state(at_broker: GroupAtBroker) -> str:
    """A group's state; of one that the broker does not know, it says `Dead`."""
    return "absent" if at_broker.state == "Dead" else at_broker.state.lower()


def _freshness(partitions: Sequence[PartitionLag]) -> float | None:
    """How old the tables are; None where the age of a record that is left is not known."""
    if not partitions or any(one.oldest in {"untimed", "unread"} for one in partitions):
        return None
    return most(map(seconds_left, partitions))


def _retention_used(partitions: Sequence[PartitionLag], topic: str, seconds: float) -> float | None:
    age = most(seconds_left(one) for one in partitions if one.topic == topic)
    return None if age is None else round(age / seconds, 6)


def seconds_left(one: PartitionLag) -> float | None:
    """The age of the first record that is not applied, 0 where there is none; None where it is not known."""
    return 0.0 if one.oldest == "none" else one.oldest_seconds


def _sum(figures: Iterable[int | None]) -> int | None:
    known = [one for one in figures if one is not None]
    return sum(known) if known else None


def most(figures: Iterable[float | None]) -> float | None:
    """The largest of the figures that are known."""
    return max((one for one in figures if one is not None), default=None)
