"""Following an import through the topics: what its events say, and when the tables say it too."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, Literal
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct, field

from ops.kafka import describe_group
from ops.settings import Settings
from ops.wiring import connected, list_group, projection_group, publishing
from schemas.envelope import BadRecord, Context, Received, unpack
from schemas.errors import LapstreamError
from schemas.events import (
    Finding,
    PracticeDayListed,
    PracticeDayListFailed,
    PracticeDayRequested,
    SessionDetailFailed,
    SessionDetailFetched,
)
from schemas.identity import practice_event_id
from schemas.topics import RECORD_BYTES
from store import days, parked, positions
from store.days import DayView, FastestLap
from store.parked import RecordPlace
from store.positions import Place

STALLED_SECONDS = 300.0
"""How long an import may show no sign of life."""

PATIENCE_SECONDS = 15.0
"""How long an import waits for a fetcher and a projector to come."""

POLL_MS = 100


class NobodyWorks(LapstreamError):
    """No member of a group that the import needs."""


class ImportFailed(LapstreamError):
    """The day's list could not be had, or nothing moved any more."""


class Failure(Struct, frozen=True, kw_only=True):
    """A session whose detail could not be had, and why."""

    session_id: str
    code: str
    message: str


class Tally(Struct):
    """An import so far, as its events tell; sessions are counted by identity."""

    listed: PracticeDayListed | None = None
    list_failure: PracticeDayListFailed | None = None
    laps: dict[str, int] = field(default_factory=dict[str, int])
    failures: dict[str, Failure] = field(default_factory=dict[str, Failure])
    ends: dict[Place, int] = field(default_factory=dict[Place, int])
    records: dict[RecordPlace, str | None] = field(default_factory=dict[RecordPlace, str | None])

    def add(self, received: Received, place: Place, offset: int) -> None:
        """Count an event of the import."""
        self.ends[place] = offset + 1
        event = received.event
        self.records[RecordPlace(*place, offset)] = getattr(event, "session_id", None)
        if isinstance(event, PracticeDayListed):
            self.listed = event
        elif isinstance(event, PracticeDayListFailed):
            self.list_failure = event
        elif isinstance(event, SessionDetailFetched):
            self.failures.pop(event.session_id, None)
            self.laps[event.session_id] = len(event.laps)
        elif isinstance(event, SessionDetailFailed) and event.session_id not in self.laps:
            self.failures[event.session_id] = Failure(
                session_id=event.session_id, code=event.code, message=event.message
            )

    def add_parked(self, reasons: dict[RecordPlace, str]) -> None:
        """Count what the projection could not apply; raises `ImportFailed` where it was the list."""
        for record, reason in reasons.items():
            session_id = self.records[record]
            if session_id is None:
                raise ImportFailed(f"the day's list was parked: {reason}; `lapstream parked list` shows it")
            self.laps.pop(session_id, None)
            self.failures[session_id] = Failure(session_id=session_id, code="parked", message=reason)

    @property
    def total(self) -> int | None:
        """How many sessions the list has; None before it came."""
        return None if self.listed is None else len({row.session_id for row in self.listed.sessions})

    @property
    def ended(self) -> bool:
        """Whether every session is done or failed, or the list could not be had."""
        if self.list_failure:
            return True
        return self.total is not None and len(self.laps) + len(self.failures) >= self.total


class Summary(Struct, frozen=True, kw_only=True):
    """What an import did; `event_id` is the day's row, `laps_ingested` the laps of the details it fetched."""

    event_id: UUID
    source_event_id: str
    run_id: str
    status: Literal["completed", "partial", "failed"]
    sessions_ingested: int
    sessions_failed: int
    sessions_detail_failed: int
    sessions_with_laps: int
    laps_ingested: int
    drivers_created_or_matched: int
    duration_seconds: float
    findings: list[Finding]
    failures: list[Failure]
    fastest_laps: list[FastestLap]


async def ingest(
    settings: Settings, event: PracticeDayRequested, run_id: str, show: Callable[[Tally], None]
) -> Summary:
    """Ask for a day, follow its import to the tables and tell what came in.

    Raises `NobodyWorks` where no fetcher or projector runs, and `ImportFailed`.
    """
    began = time.monotonic()
    await _await_workers(settings)
    tally = Tally()
    async for received, place, offset in _events_of(settings, event, run_id):
        if received:
            tally.add(received, place, offset)
        show(tally)
        if tally.ended:
            break
    if tally.list_failure:
        raise ImportFailed(f"run {run_id}: {tally.list_failure.message}")
    view = await _when_written(settings, event, tally)
    return _summary(view, tally, run_id, time.monotonic() - began)


async def _await_workers(settings: Settings) -> None:
    """Return when the groups that an import needs have members; raises `NobodyWorks` after a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        for group in (list_group(settings), projection_group(settings)):
            while not (await describe_group(admin, group))[1]:
                if time.monotonic() > deadline:
                    raise NobodyWorks(
                        f"nobody works in the group {group}: start `lapstream run all` beside this"
                    )
                await asyncio.sleep(POLL_MS / 1000)
    finally:
        await admin.close()


async def _events_of(
    settings: Settings, event: PracticeDayRequested, run_id: str
) -> AsyncGenerator[tuple[Received | None, Place, int]]:
    """Ask for the day, then give its run's events as they are published; raises `ImportFailed` on a stall."""
    consumer: Any = AIOKafkaConsumer(
        settings.topics.days,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="latest",
        max_partition_fetch_bytes=RECORD_BYTES,
    )
    await consumer.start()
    try:
        await consumer.seek_to_end()
        for tp in consumer.assignment():
            await consumer.position(tp)
        async with publishing(settings) as publisher:
            await publisher.request_day(event, Context(source="lapstream/cli", correlation_id=run_id))
        async for found in _poll(consumer, run_id):
            yield found
    finally:
        await consumer.stop()


async def _poll(
    consumer: Any,  # noqa: ANN401 - aiokafka is untyped
    run_id: str,
) -> AsyncGenerator[tuple[Received | None, Place, int]]:
    heard = time.monotonic()
    while time.monotonic() - heard < STALLED_SECONDS:
        polled = await consumer.getmany(timeout_ms=POLL_MS)
        for record in (record for records in polled.values() for record in records):
            received = _of_run(record, run_id)
            if received:
                heard = time.monotonic()
                yield received, Place(record.topic, record.partition), record.offset
        yield None, Place("", 0), 0
    raise ImportFailed(
        f"run {run_id}: nothing moved for {STALLED_SECONDS:.0f} s; `lapstream site status` tells whether "
        "the site is paused or rests, the fetcher's log what it waits for"
    )


def _of_run(record: Any, run_id: str) -> Received | None:  # noqa: ANN401 - aiokafka is untyped
    try:
        received = unpack(record.headers, record.value)
    except BadRecord:
        return None
    return received if received and received.context.correlation_id == run_id else None


async def _when_written(settings: Settings, event: PracticeDayRequested, tally: Tally) -> DayView:
    """The day as the tables have it, once the projection has passed the import's last event."""
    event_id = practice_event_id(event.source, event.track_slug, event.date)
    deadline = time.monotonic() + STALLED_SECONDS
    group = projection_group(settings)
    async with connected(settings) as connection:
        while time.monotonic() < deadline:
            at = await positions.read(connection, group)
            if all(at.get(place, 0) >= end for place, end in tally.ends.items()):
                tally.add_parked(await parked.reasons(connection, group, list(tally.records)))
                if view := await days.read_day(connection, event_id):
                    return view
            await asyncio.sleep(POLL_MS / 1000)
    raise ImportFailed(
        f"the projection did not follow within {STALLED_SECONDS:.0f} s; is a projector at work?"
    )


def _summary(view: DayView, tally: Tally, run_id: str, seconds: float) -> Summary:
    listed = tally.listed
    stored = {session.session_id: session for session in view.sessions}
    missing = [row for row in listed.sessions if row.session_id not in stored] if listed else []
    failed = len(tally.failures)
    return Summary(
        event_id=view.event_id,
        source_event_id=view.source_event_id,
        run_id=run_id,
        status="failed"
        if failed and failed == tally.total
        else "partial"
        if failed or missing
        else "completed",
        sessions_ingested=(tally.total or 0) - len(missing),
        sessions_failed=len(missing),
        sessions_detail_failed=failed,
        sessions_with_laps=sum(1 for session in stored.values() if session.laps),
        laps_ingested=sum(session.laps for key, session in stored.items() if key in tally.laps),
        drivers_created_or_matched=view.drivers,
        duration_seconds=round(seconds, 3),
        findings=list(listed.findings) if listed else [],
        failures=list(tally.failures.values()),
        fastest_laps=view.fastest_laps,
    )


def request(source: str, track_slug: str, date: dt.date) -> PracticeDayRequested:
    """A request for a day, made now."""
    return PracticeDayRequested(
        source=source, track_slug=track_slug, date=date, requested_at=dt.datetime.now(dt.UTC)
    )
