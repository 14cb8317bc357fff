"""The load: outcomes of days as runs announce them, each different from all others."""

import datetime as dt
import uuid
from collections.abc import Iterator

from schemas.envelope import Context
from schemas.events import Event, Finding, PracticeDayChanged, PracticeDayIngested

CONTEXT = Context(
    source="lapstream/bench",
    correlation_id=str(uuid.UUID(int=7)),
    traceparent=f"00-{'1' * 32}-{'2' * 16}-01",
)
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2024, 1, 1)
TRACKS = 10
DAYS = 1_000
SESSIONS = 56


def events(count: int, first: int = 0) -> Iterator[Event]:
    """So many outcomes, in turn of a run that ended and of a day that changed, over 1,000 days."""
    for number in range(first, first + count):
        yield _ingested(number) if number % 2 else _changed(number)


def _day(number: int) -> tuple[str, dt.date]:
    day = number % DAYS
    return f"track-{day % TRACKS}", FIRST_DAY + dt.timedelta(days=day // TRACKS)


def _ingested(number: int) -> PracticeDayIngested:
    slug, date = _day(number)
    return PracticeDayIngested(
        source="liverc",
        track_slug=slug,
        date=date,
        run_id=str(uuid.UUID(int=number)),
        attempt=1,
        status="completed",
        requested_at=BEGIN + dt.timedelta(seconds=number),
        finished_at=BEGIN + dt.timedelta(seconds=number + 80),
        sessions_ingested=SESSIONS,
        sessions_failed=0,
        sessions_detail_failed=0,
        sessions_with_laps=SESSIONS - 2,
        laps_ingested=1_234 + number % 100,
        drivers_created_or_matched=17,
        findings=(Finding(code="total_laps_differ", found="1234", expected="1240"),),
    )


def _changed(number: int) -> PracticeDayChanged:
    slug, date = _day(number)
    return PracticeDayChanged(
        source="liverc",
        track_slug=slug,
        date=date,
        changed_at=BEGIN + dt.timedelta(seconds=number),
        sessions_added=tuple(str(20_000_000 + number + index) for index in range(SESSIONS)),
        laps_added=1_234,
    )
