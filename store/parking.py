"""Records that could not be applied: kept with their bytes, their place and the reason."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from store.pool import Connection
from store.statements import statement


class ParkedRecord(NamedTuple):
    """A record as it came, and why it is here; `record_headers` is JSON, its values in hex."""

    topic: str
    partition: int
    record_offset: int
    record_key: bytes | None
    record_value: bytes | None
    record_headers: str
    record_time: dt.datetime
    code: str
    reason: str


async def park(connection: Connection, group: str, records: Sequence[ParkedRecord]) -> None:
    """Park records, in the transaction that moves the group's position past them."""
    if records:
        await connection.execute(statement("park_records"), group, *zip(*records, strict=True))


async def count(connection: Connection, group: str) -> dict[str, int]:
    """How many records of a group are parked, by the kind of fault."""
    rows = await connection.fetch(statement("count_parked"), group)
    return {row["code"]: row["records"] for row in rows}
