"""The newest looks as metrics of this process: read by one task every few seconds, never by a scrape."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import asyncpg
import structlog
from msgspec import Struct
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ops.fleet import looks
from ops.fleet.looks import Look
from store.faults import said_by
from store.pool import TRANSIENT, Pool
from store.waiting import set_within

READ_SECONDS = 10.0

OLD_SECONDS = 60.0
"""A look that is older is not shown: it would look like one of now."""

log = structlog.get_logger("lapstream.observer")


class Family(Struct, frozen=True):
    """A metric that is made from looks."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    type: Literal["gauge", "counter"] = "gauge"


class Series(NamedTuple):
    """A value of a metric, with the values of its labels."""

    family: Family
    labels: tuple[str, ...]
    value: float


class Kind(Struct, frozen=True, kw_only=True):
    """What one kind of look shows: its metrics, and their series from what was found."""

    name: str
    families: tuple[Family, ...]
    series: Callable[[str], Iterable[Series]]


LOOK_AGE = Family(
    "lapstream_fleet_look_age_seconds",
    "Age of the newest look at the whole fleet, by kind; NaN where there is none.",
    ("kind",),
)


class _Read(NamedTuple):
    """A look as it was read: when it was taken, by this process's clock, and its series."""

    look: Look
    taken: float
    metrics: list[Metric]


class Shown(Collector):
    """The newest look of each kind, as a collector."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.kinds = kinds
        self._read: dict[str, _Read] = {}

    @property
    def families(self) -> Iterator[Family]:
        """Every metric that is ever shown."""
        yield LOOK_AGE
        for kind in self.kinds:
            yield from kind.families

    def take(self, found: Iterable[Look]) -> None:
        """Show these from now on."""
        now = time.monotonic()
        known = {kind.name: kind for kind in self.kinds}
        for one in found:
            old = self._read.get(one.kind)
            if old is None or old.look.looked_at != one.looked_at:
                self._read[one.kind] = _Read(one, now - one.age, _metrics(known[one.kind], one.found))

    def collect(self) -> Iterator[Metric]:
        """What is known at present: the series of looks that are not old, and the age of each."""
        now = time.monotonic()
        read = dict(self._read)
        for one in read.values():
            if now - one.taken <= OLD_SECONDS:
                yield from one.metrics
        ages = {name: now - one.taken for name, one in read.items()}
        yield _metric(
            LOOK_AGE,
            [Series(LOOK_AGE, (kind.name,), ages.get(kind.name, math.nan)) for kind in self.kinds],
        )

    def describe(self) -> Iterator[Metric]:
        """The names, for the registry."""
        return (_metric(one, ()) for one in self.families)

    async def keep_reading(self, pool: Pool, stop: asyncio.Event, every: float = READ_SECONDS) -> None:
        """Read the newest looks until told to stop; what can't be read grows old."""
        while not stop.is_set():
            try:
                async with pool.acquire() as connection:
                    self.take(await looks.newest(connection, [kind.name for kind in self.kinds]))
            except (asyncpg.PostgresError, *TRANSIENT) as error:
                log.warning("fleet_look_not_read", error=said_by(error))
            await set_within(stop, every)


def _metrics(kind: Kind, found: str) -> list[Metric]:
    by_name: dict[str, list[Series]] = {family.name: [] for family in kind.families}
    for one in kind.series(found):
        by_name[one.family.name].append(one)
    return [_metric(family, by_name[family.name]) for family in kind.families]


def _metric(family: Family, series: Iterable[Series]) -> Metric:
    made = CounterMetricFamily if family.type == "counter" else GaugeMetricFamily
    metric = made(family.name, family.meaning, labels=family.labels)
    for one in series:
        metric.add_metric(one.labels, one.value)
    return metric
