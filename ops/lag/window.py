"""The looks of a window, by which a present one is judged: those that the observer stored, and one's own."""

import datetime as dt
import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ops.fleet import looks
from ops.lag.figures import FleetLag, GroupLag, PartitionLag
from ops.lag.verdicts import Judgement, Sample, Spot, judge, pace
from store.pool import Connection
from store.positions import Place

KIND = "lag"
"""What the observer calls a look at lag."""


class _Partition(Struct, frozen=True):
    """What the window keeps of a partition."""

    topic: str
    partition: int
    end_offset: int
    position: int | None
    committed: int | None
    behind: int | None


class _Group(Struct, frozen=True):
    group: str
    projection: str | None
    members: int | None
    partitions: list[_Partition]


class _Past(Struct, frozen=True):
    groups: list[_Group]


_decode = msgspec.json.Decoder(_Past).decode


class _Looked(NamedTuple):
    """When a look was taken, by this process's clock, and what it saw of each group."""

    at: float
    groups: dict[str, Sample]


class Window:
    """Looks of the last so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._looked: list[_Looked] = []
        self._newest_stored: dt.datetime | None = None

    @property
    def is_observed(self) -> bool:
        """Whether the observer has stored a look of it."""
        return self._newest_stored is not None

    async def read(self, connection: Connection) -> None:
        """Add what the observer has stored since this was last called; raises a database's error."""
        for look in await looks.since(connection, KIND, self._seconds, self._newest_stored):
            self._newest_stored = look.looked_at
            self._add(time.monotonic() - look.age, _decode(look.found))

    def keep(self, look: FleetLag) -> None:
        """Have a look that was taken now, and that nobody stores, be one of the window."""
        self._add(time.monotonic(), look)

    def judged(self, look: FleetLag) -> FleetLag:
        """A look that was taken now, with rates and verdicts."""
        return replace(look, groups=[self._judged(group, look.trouble) for group in look.groups])

    def _add(self, at: float, look: "_Past | FleetLag") -> None:
        self._looked.append(
            _Looked(at, {one.group: sample for one in look.groups if (sample := _sample(one))})
        )
        self._looked = sorted(
            (one for one in self._looked if time.monotonic() - one.at <= self._seconds),
            key=lambda one: one.at,
        )

    def _judged(self, group: GroupLag, trouble: str | None) -> GroupLag:
        present = _sample(group)
        samples = [*self._samples(group.group), *([present] if present else [])]
        verdict, reason = _verdict(group, trouble, samples, self._seconds)
        return replace(
            group,
            verdict=verdict,
            reason=reason,
            pace=pace(samples, [_place(one) for one in group.partitions]),
            partitions=[replace(one, pace=pace(samples, [_place(one)])) for one in group.partitions],
        )

    def _samples(self, group: str) -> Iterator[Sample]:
        now = time.monotonic()
        return (one.groups[group]._replace(age=now - one.at) for one in self._looked if group in one.groups)


def _verdict(group: GroupLag, trouble: str | None, samples: list[Sample], seconds: float) -> Judgement:
    if trouble:
        return Judgement("unknown", trouble)
    if group.standing != "ok":
        note = next(one.note for one in group.partitions if one.standing == group.standing)
        return Judgement("rewound", note or group.standing)
    if group.behind is None:
        return Judgement("unknown", "; ".join(group.troubles))
    return judge(samples, seconds)


def _place(one: "PartitionLag | _Partition") -> Place:
    return Place(one.topic, one.partition)


def _sample(group: "GroupLag | _Group") -> Sample | None:
    """What a look saw of a group; None where it saw none of its partitions."""
    spots = {
        _place(one): Spot(
            (one.position if group.projection else one.committed) or 0, one.end_offset, one.behind
        )
        for one in group.partitions
        if one.behind is not None
    }
    return Sample(0.0, group.members, spots) if spots else None
