"""Rebuilds on file: which tables are made anew, for what, and how far they are.

A projection's name and a purpose go in; the rebuild's state, its progress and its report come out. A rebuild
is written down before anything is made, so that a command that was killed is resumed where it stood.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Literal, NamedTuple, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from store.parking import ParkedRecord
from store.pool import Connection, Record, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

Purpose = Literal["swap", "verify", "until"]
State = Literal[
    "prepared",
    "replaying",
    "catching_up",
    "verified",
    "swapped",
    "rolled_back",
    "checked",
    "built",
    "cancelled",
]


class Rebuild(Struct, frozen=True, kw_only=True):
    """A rebuild as it is on file.

    `shadow` is the schema that its tables are made in. `records_done` of `records_total` are applied;
    `newest_record_at` is the newest one's time stamp.
    """

    id: UUID
    projection: str
    purpose: Purpose
    state: State
    paused: bool
    shadow: str
    until: dt.datetime | None
    records_done: int
    records_total: int
    newest_record_at: dt.datetime | None
    created_at: dt.datetime
    moved_at: dt.datetime
    finished_at: dt.datetime | None
    report: msgspec.Raw | None
    error: str | None

    @property
    def open(self) -> bool:
        """Whether there is work left."""
        return self.finished_at is None


class Refused(NamedTuple):
    """A record that a replay could not apply; the event's id in hex, where a header has it."""

    topic: str
    partition: int
    record_offset: int
    event_id_hex: str | None
    code: str
    reason: str


async def hold(connection: Connection, shadow: str) -> bool:
    """Whether this connection, until it is closed, is the one that makes the tables of this schema."""
    return await connection.fetchval(statement("hold_schema"), shadow)


async def open_rebuild(
    connection: Connection, projection: str, purpose: Purpose, shadow: str, until: dt.datetime | None
) -> Rebuild:
    """The open rebuild of this schema, or else a new one."""
    row = await connection.fetchrow(
        statement("open_rebuild"), uuid.uuid4(), projection, purpose, shadow, until
    )
    return _rebuild(row or await fetch_one(connection, statement("newest_rebuild"), shadow))


async def read(connection: Connection, rebuild_id: UUID) -> Rebuild:
    """A rebuild as it is now."""
    return _rebuild(await fetch_one(connection, statement("read_rebuild"), rebuild_id))


async def find(connection: Connection, rebuild_id: UUID) -> Rebuild | None:
    """The rebuild of this id, if there is one."""
    row = await connection.fetchrow(statement("read_rebuild"), rebuild_id)
    return _rebuild(row) if row else None


async def newest(connection: Connection, shadow: str) -> Rebuild | None:
    """The newest rebuild that made this schema."""
    row = await connection.fetchrow(statement("newest_rebuild"), shadow)
    return _rebuild(row) if row else None


async def newest_swap(connection: Connection, projection: str) -> Rebuild | None:
    """The newest rebuild of a projection that was swapped, also where that was taken back."""
    row = await connection.fetchrow(statement("newest_swap"), projection)
    return _rebuild(row) if row else None


async def recent(connection: Connection, projection: str | None, limit: int) -> list[Rebuild]:
    """The newest rebuilds, of one projection or of all."""
    return [_rebuild(row) for row in await connection.fetch(statement("recent_rebuilds"), projection, limit)]


async def move(connection: Connection, rebuild: Rebuild, state: State) -> bool:
    """Bring a rebuild into its next state; False where somebody else moved it meanwhile."""
    return await connection.execute(statement("move_rebuild"), rebuild.id, rebuild.state, state) == "UPDATE 1"


async def note_error(connection: Connection, rebuild: Rebuild, error: str) -> None:
    """Note what stopped the newest attempt."""
    await connection.execute(statement("note_rebuild_error"), rebuild.id, error)


async def save_report(connection: Connection, rebuild: Rebuild, report: bytes) -> None:
    """Note what the comparison found."""
    await connection.execute(statement("save_rebuild_report"), rebuild.id, report.decode())


async def note(
    connection: Connection, rebuild: Rebuild, done: int, total: int, newest_at: dt.datetime | None
) -> tuple[State, bool]:
    """Note how far the replay is; returns the state, and whether somebody wants it paused."""
    row = await fetch_one(connection, statement("note_rebuild"), rebuild.id, done, total, newest_at)
    return row["state"], row["paused"]


async def pause(connection: Connection, rebuild: Rebuild, *, paused: bool) -> None:
    """Have the work stop after the batch at hand, or let it go on."""
    await connection.execute(statement("pause_rebuild"), rebuild.id, paused)


async def work_in_bulk(connection: Connection) -> None:
    """For the transaction at hand: write faster; a crash may roll it back, rows and place together."""
    await connection.execute(statement("work_in_bulk"))


async def keep_snapshot(connection: Connection) -> None:
    """For the transaction at hand, which has not read yet: it may wait long for its snapshot."""
    await connection.execute(statement("keep_snapshot"))


async def keep_locks(connection: Connection) -> None:
    """For the transaction at hand: let it do nothing for minutes while it holds its locks."""
    await connection.execute(statement("keep_locks"))


async def refuse(connection: Connection, rebuild_id: UUID, records: Iterable[ParkedRecord]) -> None:
    """Note records that the replay could not apply, in the transaction that goes past them."""
    rows = [
        (one.topic, one.partition, one.record_offset, _event_id_hex(one), one.code, one.reason)
        for one in records
    ]
    if rows:
        await connection.execute(statement("refuse_records"), rebuild_id, *zip(*rows, strict=True))


def _event_id_hex(record: ParkedRecord) -> str | None:
    found: list[tuple[str, str | None]] = msgspec.json.decode(record.record_headers)
    return dict(found).get("ce_id")


async def refused(connection: Connection, rebuild_id: UUID) -> list[Refused]:
    """The records that the replay could not apply."""
    return [Refused(**row) for row in await connection.fetch(statement("refused_records"), rebuild_id)]


async def parked_events(connection: Connection, group: str) -> dict[str, str]:
    """The ids, in hex, of events whose records a group has parked or discarded, and which of the two."""
    rows = await connection.fetch(statement("parked_events"), group)
    return {row["event_id_hex"]: row["state"] for row in rows}


async def park_refused_again(connection: Connection, rebuild: Rebuild, group: str) -> None:
    """Let records that were redriven wait anew, which the rebuilt tables refused."""
    await connection.execute(statement("park_refused_again"), rebuild.id, group)


async def park_redriven_again(connection: Connection, rebuild: Rebuild, group: str) -> None:
    """Let records wait anew that were redriven since the swap, for they go with the tables."""
    await connection.execute(statement("park_redriven_again"), group, rebuild.finished_at)


def _rebuild(row: Record) -> Rebuild:
    values = dict(row)
    report = cast("str | None", values.pop("report"))
    return Rebuild(**values, report=None if report is None else msgspec.Raw(report.encode()))
