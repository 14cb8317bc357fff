"""What producers are told of a record that was refused: where it lies, and why; never its bytes."""

import datetime as dt

from outbox.adding import Entry
from runs.changes import SOURCE
from schemas.envelope import Context
from schemas.events import RecordRefused
from schemas.identity import as_run_id
from schemas.topics import Topics
from store.parking import ParkedRecord, attributes
from telemetry import tracing


def refusal(record: ParkedRecord) -> Entry:
    """The announcement that a record is parked, for the transaction that parks it."""
    said = attributes(record)
    run_id = as_run_id(said.correlation_id)
    event = RecordRefused(
        topic=record.topic,
        partition=record.partition,
        offset=record.record_offset,
        code=record.code,
        reason=record.reason,
        refused_at=dt.datetime.now(dt.UTC),
        source=record.source,
        event_id=said.id,
        event_type=said.type,
        event_source=said.source,
    )
    context = Context(
        source=SOURCE,
        correlation_id=None if run_id is None else str(run_id),
        traceparent=tracing.carried(said.traceparent),
    )
    return Entry(Topics().refusals, event, context)
