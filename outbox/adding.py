"""The outbox: records that are to be published, written in the transaction that makes them true.

The relay reads what is committed here, publishes it, and takes it away again.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import msgspec

from outbox.rows import LEASE
from schemas.envelope import Context, pack
from schemas.events import Event
from schemas.identity import event_id
from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)


class Entry(NamedTuple):
    """An event that is to be published, on a topic by its name without the prefix."""

    topic: str
    event: Event
    context: Context


async def add(connection: Connection, entries: Iterable[Entry]) -> None:
    """Have events published, those of a key in this order, if the open transaction commits.

    Two transactions that write of the same key do so one after the other, in the order of their `seq`. So
    this is the last that a transaction does, and done once: docs/architecture.md has the order of locks.
    Raises `BadRecord` for an event that nobody could read.
    """
    rows = [_row(*entry) for entry in entries]
    if not rows:
        return
    topics, keys = [row[1] for row in rows], [row[2] for row in rows]
    await connection.execute(statement("lock_aggregates"), topics, keys)
    await connection.execute(statement("add_to_outbox"), *zip(*rows, strict=True))


def _row(topic: str, event: Event, context: Context) -> tuple[UUID, str, str, str, str, str]:
    record = pack(event, context)
    headers = {name: value.decode() for name, value in record.headers}
    return (
        UUID(hex=event_id(event)),
        topic,
        record.key.decode(),
        event.type_name,
        record.value.decode(),
        msgspec.json.encode(headers).decode(),
    )


async def is_relayed(connection: Connection) -> bool:
    """Whether a relay is at work."""
    return await connection.fetchval(statement("is_relayed"), LEASE)
