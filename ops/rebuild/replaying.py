"""Applying a log to tables that are being made: rows and the place in the log, in one transaction.

Records up to given places go in; rows come out, and what could not be applied is noted. Nothing is announced,
no run is touched, nothing is parked. Two workers share the partitions: one decodes while the database works
for the other.
"""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import stamina
from msgspec import Struct

from broker.access import BrokerAccess
from consumers.bisection import write_bisecting
from consumers.projection import Projection
from ops.rebuild import log
from ops.rebuild import queries as rebuilds
from ops.rebuild.beginning import Beginning
from ops.rebuild.queries import Rebuild
from schemas.errors import LapstreamError
from schemas.records import Record, time_of
from schemas.topics import Topics
from store import parking, positions
from store.parking import ParkedRecord
from store.pool import TRANSIENT, Pool
from store.positions import Claim, Place

WORKERS = 2
RETRIES = 8


class RefusedTooMany(LapstreamError):
    """More records can't be applied than a passing fault explains."""


class Stopped(Exception):
    """Somebody wants the work to stop."""


class Progress(Struct):
    """How far a replay is: records applied of so many, and the newest one's time stamp."""

    done: int = 0
    total: int = 0
    newest_at: dt.datetime | None = None
    refused: int = 0
    stop: bool = False

    def saw(self, records: Sequence[Record]) -> None:
        """Count a batch that is written."""
        self.done += len(records)
        newest = time_of(max(record.timestamp for record in records))
        self.newest_at = max(filter(None, (self.newest_at, newest)), default=None)


class ReplayedLog(NamedTuple):
    """A projection's log: at which brokers it is, under which names, and what stands in for its beginning."""

    broker: BrokerAccess
    topics: Topics
    copy: Beginning | None


class Replay:
    """Brings the tables of a shadow forward along the log, again and again."""

    def __init__(
        self,
        source: ReplayedLog,
        projection: Projection[Any],
        rebuild: Rebuild,
        pool: Pool,
        progress: Progress,
        refused_limit: int,
    ) -> None:
        self._log = source
        self._decode = projection.decode
        self._fill = projection.fill or projection.apply
        self._rebuild = rebuild
        self._pool = pool
        self._progress = progress
        self._refused_limit = refused_limit
        self._group = projection.group(source.topics.prefix)
        self._until_ms = None if rebuild.until is None else rebuild.until.timestamp() * 1000

    async def stands_at(self) -> dict[Place, int]:
        """Where the shadow's tables stand."""
        async with self._pool.acquire() as connection:
            return await positions.read(connection, self._group)

    async def forward(self, targets: Mapping[Place, int]) -> None:
        """Apply all records up to these places; raises `Stopped`, `RefusedTooMany`, `Fenced`, KafkaError."""
        begin = await self.stands_at()
        wanted = [place for place, at in targets.items() if begin.get(place, 0) < at]
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(WORKERS):
                    if part := {place: targets[place] for place in sorted(wanted)[number::WORKERS]}:
                        group.create_task(self._work(part))
        except* Exception as errors:  # noqa: BLE001 - passed on as it is, without its group
            raise errors.exceptions[0] from None

    async def _work(self, targets: Mapping[Place, int]) -> None:
        async with log.reading(self._log.broker) as consumer:
            async with self._pool.acquire() as connection:
                held = await positions.claim(connection, self._group, list(targets))
            begin = {place: claim.next_offset for place, claim in held.items()}
            async for records in log.batches(consumer, begin, targets, self._log.copy):
                if self._progress.stop:
                    raise Stopped
                await write_bisecting(records, partial(self._write, held), (LapstreamError, *TRANSIENT))
                self._progress.saw(records)
            await self._pass_gaps(held, targets)

    @stamina.retry(on=TRANSIENT, attempts=RETRIES, timeout=60)
    async def _pass_gaps(self, held: dict[Place, Claim], targets: Mapping[Place, int]) -> None:
        """Stand where it was read up to, also where no record lies before: behind a marker, say."""
        to = {place: at for place, at in targets.items() if held[place].next_offset < at}
        async with self._pool.acquire() as connection, connection.transaction():
            await positions.move(connection, self._group, held, to)

    @stamina.retry(on=TRANSIENT, attempts=RETRIES, timeout=60)
    async def _write(
        self, held: dict[Place, Claim], records: Sequence[Record], error: Exception | None
    ) -> None:
        """One transaction: the place in the log, the rows, what could not be applied."""
        known = [one for one in records if self._until_ms is None or one.timestamp <= self._until_ms]
        decoded = self._decode([] if error else known, self._log.topics)
        bad = [parking.parked(record, fault.code, fault.reason) for record, fault in decoded.faults]
        if error and known:
            bad.append(parking.parked(known[0], "projection_error", repr(error)))
        to = {Place(one.topic, one.partition): one.offset + 1 for one in records}
        async with self._pool.acquire() as connection, connection.transaction():
            await rebuilds.work_in_bulk(connection)
            await positions.move(connection, self._group, held, to)
            await self._fill(connection, decoded.events)
            await rebuilds.refuse(connection, self._rebuild.id, bad)
        held.update({place: Claim(at, held[place].epoch) for place, at in to.items()})
        self._refused(bad)

    def _refused(self, bad: Sequence[ParkedRecord]) -> None:
        self._progress.refused += len(bad)
        if self._progress.refused > self._refused_limit:
            raise RefusedTooMany(
                f"more than {self._refused_limit} records can't be applied, the newest at "
                f"{bad[-1].topic}[{bad[-1].partition}] {bad[-1].record_offset}: {bad[-1].reason}. The live "
                "tables are as they were; mend the cause, and the same command goes on"
            )
