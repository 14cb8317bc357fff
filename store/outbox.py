"""The outbox: records that are to be published, written in the transaction that makes them true.

The relay reads what is committed here, publishes it, and takes it away again.
"""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from schemas.envelope import Context, pack
from schemas.events import Event
from schemas.identity import event_id, event_key
from store.pool import Connection
from store.statements import statement


async def add(connection: Connection, topic: str, events: Iterable[Event], context: Context) -> None:
    """Have events published on a topic (its name without the prefix), if the open transaction commits.

    Two transactions that write of the same key do so one after the other, in the order of their `seq`; so
    this belongs at a transaction's end. Raises `BadRecord` for an event that is larger than a record may be.
    """
    rows = [_row(event, context) for event in sorted(events, key=event_key)]
    if not rows:
        return
    await connection.execute(statement("lock_aggregates"), topic, [row[1] for row in rows])
    await connection.execute(statement("add_to_outbox"), topic, *zip(*rows, strict=True))


def _row(event: Event, context: Context) -> tuple[UUID, str, str, str, str]:
    record = pack(event, context)
    headers = {name: value.decode() for name, value in record.headers}
    return (
        UUID(hex=event_id(event)),
        record.key.decode(),
        event.type_name,
        record.value.decode(),
        msgspec.json.encode(headers).decode(),
    )


async def is_relayed(connection: Connection) -> bool:
    """Whether a relay is at work."""
    return await connection.fetchval(statement("is_relayed"))
