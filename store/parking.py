"""Records that could not be applied: kept with their bytes, their place and the reason.

A record is parked in the transaction that moves its group's position past it. `ops.parked.queries` reads what
is parked, and what became of it.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote

import msgspec
import structlog

from schemas.envelope import Attributes, attributes_of, timing_service_of
from schemas.errors import LapstreamError
from schemas.headers import Headers
from schemas.identity import as_run_id
from schemas.records import Record, time_of
from store.pool import Connection
from store.statements import statements_of
from telemetry import metrics, tracing

statement = statements_of(__file__)

MAX_REASON = 2_000
"""Characters of a reason that are kept."""

log = structlog.get_logger("lapstream.parking")


class ParkingFull(LapstreamError):
    """More records of a group are parked than a passing fault explains: the group stops, and people look."""


class ParkedRecord(NamedTuple):
    """A record as it came, and why it is here.

    `record_headers` is JSON, a list of name and value: names percent-encoded, values in hex. `record_time` is
    None where the producer gave none. `source` is the timing service that it speaks of, where that can be
    read.
    """

    topic: str
    partition: int
    record_offset: int
    record_key: bytes | None
    record_value: bytes | None
    record_headers: str
    record_time: dt.datetime | None
    code: str
    reason: str
    source: str | None


def parked(record: Record, code: str, reason: str) -> ParkedRecord:
    """The record as it is parked."""
    headers = [
        (quote(name, errors="replace"), None if value is None else value.hex())
        for name, value in record.headers
    ]
    return ParkedRecord(
        topic=record.topic,
        partition=record.partition,
        record_offset=record.offset,
        record_key=record.key,
        record_value=record.value,
        record_headers=msgspec.json.encode(headers).decode(),
        record_time=time_of(record.timestamp),
        code=code,
        reason=storable(reason),
        source=timing_service_of(record.headers, record.value, record.key),
    )


def attributes(record: ParkedRecord) -> Attributes:
    """What can be read of a parked record's envelope."""
    return attributes_of(decoded_headers(record.record_headers), record.record_value)


def decoded_headers(text: str) -> Headers:
    """Headers from the form in which they are kept."""
    return tuple(
        (unquote(name, errors="replace"), None if data is None else bytes.fromhex(data))
        for name, data in _headers.decode(text)
    )


_headers = msgspec.json.Decoder(list[tuple[str, str | None]])


def report_parked(group: str, record: ParkedRecord) -> None:
    """Log and count a record that is parked, once that is committed; with the run that it belongs to."""
    said = attributes(record)
    run_id = as_run_id(said.correlation_id)
    with structlog.contextvars.bound_contextvars(
        run_id=None if run_id is None else str(run_id),
        trace_id=tracing.trace_id_of(said.traceparent),
    ):
        log.error("record_parked", group=group, code=record.code, reason=record.reason, at=record[:3])
    metrics.record_parked(group)


def storable(text: str) -> str:
    """A text that PostgreSQL can hold: bounded, without NUL and lone surrogates."""
    return text[:MAX_REASON].replace("\0", "\\0")[:MAX_REASON].encode(errors="replace").decode()


async def park(connection: Connection, group: str, records: Sequence[ParkedRecord], limit: int) -> None:
    """Park records, in the transaction that moves the group's position past them.

    Raises `ParkingFull` where more than `limit` of the group would be parked; then none of these is.
    """
    if not records:
        return
    async with connection.transaction():
        await connection.execute(statement("park_records"), group, *zip(*records, strict=True))
        waiting = await connection.fetchval(statement("count_waiting"), group, limit + 1)
        if waiting > limit:
            log.critical("parking_full", group=group, limit=limit, code=records[-1].code)
            raise ParkingFull(
                f"group {group}: more than {limit} records are parked, the newest for {records[-1].code}: no "
                f"passing fault, so the group stops before it; `lapstream parked list --group {group}` shows "
                "them. Mend the cause, redrive or discard what is parked, and start the role again"
            )
