"""Lag as metrics: a look goes in, its series come out."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from ops.fleet.showing import Family, Kind, Series
from ops.lag.figures import GroupLag


class Found(Struct, frozen=True, kw_only=True):
    """What a look found; `trouble` says what kept it from looking."""

    groups: list[GroupLag]
    trouble: str | None = None


OF_PARTITION = ("consumergroup", "topic", "partition")

BEHIND = Family("kafka_consumergroup_lag", "Records between a group's place and the end.", OF_PARTITION)
MEMBERS = Family("kafka_consumergroup_members", "Members of a group.", ("consumergroup",))


def _series(found: str) -> Iterator[Series]:
    for group in msgspec.json.decode(found, type=Found).groups:
        yield Series(MEMBERS, (group.group,), group.members)
        for one in group.partitions:
            yield Series(BEHIND, (group.group, one.topic, str(one.partition)), one.behind)


LAG = Kind(name="lag", families=(BEHIND, MEMBERS), series=_series)
"""The lag of all groups."""
