"""A trial: mutated records go through the broker to every projection; what became of them comes out."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from msgspec import Struct, field

from broker.clients import bounds_of, make_reader, reading
from consumers.projection import Projection
from lapstream.roles import roles_at_work
from ops.rebuild import states
from runtime.database import connected
from runtime.projections import PROJECTIONS
from runtime.settings import Settings
from schemas.topics import LogTopic, Topics
from store import positions
from store.pool import use_schema
from store.positions import Place
from telemetry.metrics import REGISTRY
from tests.fuzz.mutations import Fuzz
from tests.raw_records import RawRecord, batch, produce

LOG = (LogTopic("practice-days", ("liverc",)), LogTopic("club-days", ("liverc", "a")))
"""Topics of the event log: ours, and another producer's, which speaks for the site, too, and for one more."""

LIMIT = 10_000_000
"""How many records may be parked."""

CATCH_UP_SECONDS = 1_800.0

BATCHES_AT_ONCE = 20


class Fate(Struct, frozen=True, kw_only=True):
    """What became of the records in one projection."""

    sent: int
    applied: int
    ignored: int
    parked: dict[str, int]
    differing: list[str]
    """Tables that a rebuild from the topics makes otherwise."""

    @property
    def adds_up(self) -> bool:
        """Whether each record was applied, ignored or parked."""
        return self.sent == self.applied + self.ignored + sum(self.parked.values())

    @property
    def sound(self) -> bool:
        """Whether that adds up, nothing failed that could be read, and a rebuild makes the same tables."""
        return self.adds_up and "projection_error" not in self.parked and self.differing == []


class Outcome(Struct, frozen=True, kw_only=True):
    """What a trial found, by projection; times in seconds."""

    seed: int
    fates: dict[str, Fate]
    seconds: dict[str, float] = field(default_factory=dict[str, float])


async def run(settings: Settings, records: int, seed: int) -> Outcome:
    """Send so many records, project them as they come, and make the tables anew from the topics.

    The settings are those of an empty database, with `LOG` as its topics.
    """
    settings = msgspec.structs.replace(settings, parking_limit=LIMIT)
    seconds: dict[str, float] = {}
    async with roles_at_work(settings, "projector"):
        began = time.monotonic()
        await _send(settings, records, seed)
        seconds["sending"] = time.monotonic() - began
        async with asyncio.timeout(CATCH_UP_SECONDS):
            ends = {one.name: await _caught_up(settings, one) for one in PROJECTIONS}
        seconds["projecting"] = time.monotonic() - began
    began = time.monotonic()
    fates = {one.name: await _fate(settings, one, ends[one.name]) for one in PROJECTIONS}
    return Outcome(seed=seed, fates=fates, seconds=seconds | {"rebuilding": time.monotonic() - began})


async def _send(settings: Settings, records: int, seed: int) -> None:
    """A tenth of the records goes into the topic of pages, the others into the topics of the event log."""
    fuzz, topics = Fuzz(seed), settings.topics
    for names, source, count in (
        (topics.event_log, fuzz.days(), records - records // 10),
        ((topics.pages,), fuzz.pages(), records // 10),
    ):
        places = _places(topics, names)
        batches = fuzz.batches(islice(source, count), places)
        while chunk := list(islice(batches, BATCHES_AT_ONCE)):
            await asyncio.gather(*[_produce(settings, *one) for one in chunk])


async def _produce(settings: Settings, records: list[RawRecord], codec: int, place: TopicPartition) -> None:
    """Send a batch, in parts where the broker takes none as large."""
    data = batch(records, codec, int(time.time() * 1000))
    try:
        await produce(settings.kafka_bootstrap, place.topic, data, place.partition)
    except MessageSizeTooLargeError:
        middle = len(records) // 2
        for part in (records[:middle], records[middle:]):
            await _produce(settings, part, codec, place)


def _places(topics: Topics, names: Iterable[str]) -> list[TopicPartition]:
    partitions = {spec.name: spec.partitions for spec in topics.specs()}
    return [TopicPartition(name, number) for name in names for number in range(partitions[name])]


async def _caught_up(settings: Settings, projection: Projection[Any]) -> dict[Place, int]:
    """Where the topics end, once the projection's group stands there."""
    places = _places(settings.topics, projection.topics(settings.topics))
    async with reading(make_reader(settings.broker)) as reader:
        bounds = await bounds_of(reader, places)
    ends, group = {Place(*tp): one.end for tp, one in bounds.items()}, projection.group(settings.topic_prefix)
    async with connected(settings) as connection, connection.transaction():
        await use_schema(connection, projection.schema)
        while await positions.read(connection, group) != ends:  # noqa: ASYNC110 - it lies in the database
            await asyncio.sleep(0.1)
    return ends


async def _fate(settings: Settings, projection: Projection[Any], ends: dict[Place, int]) -> Fate:
    group = projection.group(settings.topic_prefix)
    async with connected(settings) as connection:
        rows = await connection.fetch("SELECT code FROM parked_records WHERE group_name = $1", group)
    rebuilt = await states.rebuild(settings, projection, "verify", lambda _state, _progress: None)
    report = states.report_of(rebuilt)
    return Fate(
        sent=sum(ends.values()),
        applied=_counted("applied", group),
        ignored=_counted("passed_over", group),
        parked=dict(Counter(row["code"] for row in rows)),
        differing=[rebuilt.state]
        if report is None
        else [one.table for one in report.tables if not one.equal],
    )


def _counted(what: str, group: str) -> int:
    return int(REGISTRY.get_sample_value(f"lapstream_records_{what}_total", {"group": group}) or 0)
