"""Carrying places over: what the database says of offsets, of one log, comes to speak of another.

Both hold the same records, under other offsets. In: where they lie in both. Out: positions of projections and
of rebuilds, what was announced, the index of pages, parked and refused records that speak of the new log, all
in the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg
from msgspec import Struct

from ops.rebuild import shadow
from ops.rebuild.queries import Purpose
from schemas.errors import LapstreamError
from store.pool import READ_MODEL, Connection, limit_lock_wait, rows_changed, use_schema
from store.statements import statements_of

statement = statements_of(__file__)

PATIENCE_SECONDS = 30
"""How long a carry-over waits for those who work with the tables that it changes."""


class PlacesInUse(LapstreamError):
    """Somebody works with positions, pages or parked records, and does not come to an end."""


class OffsetTranslation(NamedTuple):
    """Which copy was brought into which cluster."""

    export_id: UUID
    cluster_id: str


class LogRun(NamedTuple):
    """Records whose offsets follow each other, in the old log and in the new one."""

    topic: str
    partition: int
    old_first: int
    new_first: int
    records: int


class LogReach(NamedTuple):
    """From where to where a copy goes in the old log; records that were not committed are left out of it."""

    topic: str
    partition: int
    copied_from: int
    copied_to: int


class Copied(NamedTuple):
    """What a copy holds."""

    runs: Iterable[LogRun]
    reaches: Iterable[LogReach]


class Ahead(Struct, frozen=True, kw_only=True):
    """A position behind the copy's end: the tables know records that the copy lacks.

    Both offsets are of the old log.
    """

    group_name: str
    topic: str
    partition: int
    next_offset: int
    copied_to: int


class Short(Struct, frozen=True, kw_only=True):
    """A position before the copy's beginning: neither the tables nor the new log have what lies between.

    Both offsets are of the old log.
    """

    group_name: str
    topic: str
    partition: int
    next_offset: int
    copied_from: int


class CancelledRebuild(Struct, frozen=True, kw_only=True):
    """A rebuild under way that was ended, for its tables know records that the copy lacks."""

    projection: str
    purpose: Purpose


class Translated(Struct, frozen=True, kw_only=True):
    """What was carried over: so many positions, pages that moved, parked records.

    `cancelled` are rebuilds whose tables were thrown away. `pages_lost` were taken from the index and
    `parked_lost` kept without a place, for the copy lacks their records, or, for a work queue's parked
    records, is not of their topic.
    """

    positions: int
    ahead: list[Ahead]
    short: list[Short]
    cancelled: list[CancelledRebuild]
    pages: int
    pages_lost: int
    parked: int
    parked_lost: int


async def newest(connection: Connection) -> OffsetTranslation | None:
    """Which log the places in this database speak of; None for the first one."""
    row = await connection.fetchrow(statement("newest_carry_over"))
    return OffsetTranslation(*row) if row else None


async def lock(connection: Connection) -> None:
    """Let no other carry-over begin until the transaction ends; raises `PlacesInUse`."""
    await limit_lock_wait(connection, f"{PATIENCE_SECONDS}s")
    await _patiently(connection, "lock_carry_overs")


async def carry(
    connection: Connection,
    to: OffsetTranslation,
    copied: Copied,
    topics: Sequence[str],
    queues: Sequence[str],
) -> Translated:
    """Carry all places over, in a transaction that `lock` was called in; raises `PlacesInUse`.

    `topics` are those of the copy, `queues` those that the new log begins anew.
    """
    await connection.execute(statement("create_log_runs"))
    await connection.execute(statement("create_log_reaches"))
    await connection.copy_records_to_table("log_runs", records=copied.runs, columns=LogRun._fields)
    await connection.copy_records_to_table("log_reaches", records=copied.reaches, columns=LogReach._fields)
    schemas = _Schemas(connection, topics)
    for schema in await connection.fetch(statement("schemas_with_places")):
        await schemas.carry(schema["name"], has_pages=schema["has_pages"])
    await use_schema(connection, READ_MODEL)
    await _count(connection, "carry_announced", topics)
    await _carry_refused(connection, topics)
    parked, parked_lost = await _carry_parked(connection, [*topics, *queues])
    await connection.execute(statement("note_carry_over"), *to)
    return Translated(
        positions=schemas.positions,
        ahead=schemas.ahead,
        short=schemas.short,
        cancelled=schemas.cancelled,
        pages=schemas.pages,
        pages_lost=schemas.pages_lost,
        parked=parked,
        parked_lost=parked_lost,
    )


class _Schemas:
    """Carries one projection's schema after another over, and counts: live ones, kept ones, and rebuilds'."""

    def __init__(self, connection: Connection, topics: Sequence[str]) -> None:
        self.positions = 0
        self.ahead: list[Ahead] = []
        self.short: list[Short] = []
        self.cancelled: list[CancelledRebuild] = []
        self.pages = 0
        self.pages_lost = 0
        self._connection = connection
        self._topics = topics

    async def carry(self, name: str, *, has_pages: bool) -> None:
        """Carry a schema's places over, or throw it away where it is a rebuild's and ahead of the copy."""
        await use_schema(self._connection, name)
        await _patiently(self._connection, "lock_positions")
        ahead = [Ahead(**row) for row in await self._fetch("positions_ahead")]
        if ahead and await self._cancelled(name):
            return
        self.ahead += ahead
        self.short += [Short(**row) for row in await self._fetch("positions_short")]
        self.positions += await self._count("carry_positions")
        if has_pages:
            self.pages_lost += await self._count("delete_lost_pages")
            self.pages += await self._count("carry_pages")

    async def _cancelled(self, name: str) -> bool:
        """Whether a schema was a rebuild's that is under way, which is cancelled and gone now."""
        row = await self._connection.fetchrow(statement("cancel_rebuild_ahead"), name)
        if row is None:
            return False
        await shadow.discard(self._connection, name)
        self.cancelled.append(CancelledRebuild(**row))
        return True

    async def _fetch(self, name: str) -> list[asyncpg.Record]:
        return await self._connection.fetch(statement(name), self._topics)

    async def _count(self, name: str) -> int:
        return await _count(self._connection, name, self._topics)


async def _carry_refused(connection: Connection, topics: Sequence[str]) -> None:
    for name in ("carry_refused", "delete_lost_refused", "place_refused"):
        await _count(connection, name, topics)


async def _carry_parked(connection: Connection, topics: Sequence[str]) -> tuple[int, int]:
    """Carry parked records over; returns how many came to a new place, and how many have none."""
    await _count(connection, "set_parked_aside", topics)
    carried = await _count(connection, "carry_parked")
    lost = await _count(connection, "keep_lost_parked")
    await _count(connection, "carry_new_places", topics)
    return carried, lost


async def _count(connection: Connection, name: str, *arguments: object) -> int:
    """How many rows a statement changed."""
    return await rows_changed(connection, statement(name), *arguments)


async def _patiently(connection: Connection, lock_statement: str) -> None:
    try:
        await connection.execute(statement(lock_statement))
    except asyncpg.LockNotAvailableError as error:
        raise PlacesInUse(
            f"somebody has worked with the places in the database for {PATIENCE_SECONDS} s: stop the "
            "projectors and rebuilds, and try again"
        ) from error
