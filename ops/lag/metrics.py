"""Lag as metrics: a look goes in, its series come out.

Dashboards know those that begin with `kafka_`: they have the names and labels of danielqsj's kafka_exporter,
and with `_group_` in them those of kafka-lag-exporter.
"""

import math
from collections.abc import Iterator
from typing import get_args

import msgspec

from ops.fleet.showing import Family, Kind, Series
from ops.lag.figures import FleetLag, GroupLag, PartitionLag, Verdict, most, seconds_left
from ops.lag.window import KIND

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

_OF_GROUP = ("group",)
_OF_PARTITION = ("group", "topic", "partition")
_AS_EXPORTER = ("consumergroup", "topic", "partition")

LAG = Family(
    "kafka_consumergroup_lag",
    "Offsets from the group's committed one to the end of the partition.",
    _AS_EXPORTER,
)
COMMITTED = Family(
    "kafka_consumergroup_current_offset", "The offset that the group has committed.", _AS_EXPORTER
)
MEMBERS = Family("kafka_consumergroup_members", "Members of the group.", ("consumergroup",))
BEHIND = Family(
    "kafka_consumergroup_group_lag",
    "Offsets from the first record that is not applied to the end of the partition.",
    _OF_PARTITION,
)
OLDEST = Family(
    "kafka_consumergroup_group_lag_seconds",
    "Age of the first record that is not applied, 0 where nothing is left; missing where it is not known.",
    _OF_PARTITION,
)
OLDEST_OF_ALL = Family(
    "kafka_consumergroup_group_max_lag_seconds",
    "The largest of these ages over the group's partitions.",
    _OF_GROUP,
)
END = Family("kafka_topic_partition_current_offset", "The end of the partition.", ("topic", "partition"))
BEGIN = Family(
    "kafka_topic_partition_oldest_offset", "The first offset of the partition.", ("topic", "partition")
)
POSITION = Family(
    "lapstream_position", "Where the projection's tables stand in the partition.", _OF_PARTITION
)
VERDICT = Family(
    "lapstream_group_verdict",
    "1 for the verdict on the group, 0 for every other one.",
    ("group", "verdict"),
)
FRESHNESS = Family(
    "lapstream_group_freshness_seconds",
    "How old the projection's tables are as against its topics: 0 where nothing is left.",
    _OF_GROUP,
)
IN_RATE = Family(
    "lapstream_group_records_in_rate", "Offsets a second that came in over the last minute.", _OF_GROUP
)
OUT_RATE = Family(
    "lapstream_group_records_out_rate", "Offsets a second that were applied over the last minute.", _OF_GROUP
)
CATCH_UP = Family(
    "lapstream_group_catch_up_seconds",
    "When what is left is applied at these rates; +Inf for never.",
    _OF_GROUP,
)
RETENTION = Family(
    "lapstream_retention_used_ratio",
    "Age of the first record that is not applied, as a part of the topic's retention; missing without one.",
    ("group", "topic"),
)

FAMILIES = (
    LAG,
    COMMITTED,
    MEMBERS,
    BEHIND,
    OLDEST,
    OLDEST_OF_ALL,
    END,
    BEGIN,
    POSITION,
    VERDICT,
    FRESHNESS,
    IN_RATE,
    OUT_RATE,
    CATCH_UP,
    RETENTION,
)

_decode = msgspec.json.Decoder(FleetLag).decode


def _series(found: str) -> Iterator[Series]:
    groups = _decode(found).groups
    yield from _of_topics(groups)
    for group in groups:
        yield from _of_group(group)
        for one in group.partitions:
            yield from _of_partition(group, one)


def _of_topics(groups: list[GroupLag]) -> Iterator[Series]:
    partitions = {(one.topic, one.partition): one for group in groups for one in group.partitions}
    for (topic, number), one in sorted(partitions.items()):
        yield Series(BEGIN, (topic, str(number)), one.begin_offset)
        yield Series(END, (topic, str(number)), one.end_offset)


def _of_group(group: GroupLag) -> Iterator[Series]:
    name = (group.group,)
    for verdict in VERDICTS:
        yield Series(VERDICT, (group.group, verdict), verdict == group.verdict)
    never = group.pace.catch_up == "never"
    known = (
        (MEMBERS, group.members),
        (OLDEST_OF_ALL, most(map(seconds_left, group.partitions))),
        (FRESHNESS, group.freshness_seconds),
        (IN_RATE, group.pace.in_rate),
        (OUT_RATE, group.pace.out_rate),
        (CATCH_UP, math.inf if never else group.pace.catch_up_seconds),
    )
    yield from (Series(family, name, value) for family, value in known if value is not None)
    for topic, used in group.retention_used.items():
        yield Series(RETENTION, (group.group, topic), used)


def _of_partition(group: GroupLag, one: PartitionLag) -> Iterator[Series]:
    place = (group.group, one.topic, str(one.partition))
    known = (
        (LAG, one.kafka_behind),
        (COMMITTED, one.committed),
        (BEHIND, one.behind),
        (OLDEST, seconds_left(one)),
        (POSITION, one.position),
    )
    yield from (Series(family, place, value) for family, value in known if value is not None)


LAG_SHOWN = Kind(name=KIND, families=FAMILIES, series=_series)
"""How the lag of all groups is shown."""
