"""Records that could not be applied: kept with their bytes, their place and the reason."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from schemas.errors import LapstreamError
from schemas.records import Record
from store.pool import Connection
from store.statements import statement

MAX_REASON = 2_000
"""Characters of a reason that are kept."""


class ParkingFull(LapstreamError):
    """More records of a group are parked than a passing fault explains: the group stops, and people look."""


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


def parked(record: Record, code: str, reason: str) -> ParkedRecord:
    """The record as it is parked: its bytes as they came, its headers' values in hex."""
    headers = [(name, None if value is None else value.hex()) for name, value in record.headers]
    return ParkedRecord(
        topic=record.topic,
        partition=record.partition,
        record_offset=record.offset,
        record_key=record.key,
        record_value=record.value,
        record_headers=msgspec.json.encode(headers).decode(),
        record_time=dt.datetime.fromtimestamp(record.timestamp / 1000, dt.UTC),
        code=code,
        reason=storable(reason),
    )


def storable(text: str) -> str:
    """A text that PostgreSQL can hold: bounded, without NUL and lone surrogates."""
    return text[:MAX_REASON].replace("\0", "\\0").encode(errors="replace").decode()


async def park(connection: Connection, group: str, records: Sequence[ParkedRecord]) -> None:
    """Park records, in the transaction that moves the group's position past them."""
    if records:
        await connection.execute(statement("park_records"), group, *zip(*records, strict=True))


async def count(connection: Connection, group: str) -> dict[str, int]:
    """How many records of a group are parked, by the kind of fault."""
    rows = await connection.fetch(statement("count_parked"), group)
    return {row["code"]: row["records"] for row in rows}
