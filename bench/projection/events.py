"""The load: days of a given shape as packed records, without a page being parsed.

A shape is sessions a day and laps a session; days follow one another until there are enough laps.
"""

import datetime as dt
from collections.abc import Iterator

from msgspec import Struct

from schemas.envelope import Context, Outgoing, pack
from schemas.events import DayStats, Lap, ListedSession, PracticeDayListed, SessionDetailFetched
from schemas.identity import row_digest

CONTEXT = Context(source="lapstream/bench")
FIRST_DAY = dt.date(2020, 1, 1)
FIRST_SIGHT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DRIVERS = 40
TRACKS = 20


class Shape(Struct, frozen=True):
    """Sessions a day, laps a session."""

    sessions: int
    laps: int

    @property
    def laps_a_day(self) -> int:
        return self.sessions * self.laps


def records(shape: Shape, days: int, *, sight: int = 0) -> Iterator[Outgoing]:
    """The records of so many days, as the `sight`-th import of them sees them."""
    for day in range(days):
        yield from day_records(shape, day, sight)


def day_records(shape: Shape, day: int, sight: int) -> Iterator[Outgoing]:
    """A day's list, then its sessions' details."""
    slug, date = f"track-{day % TRACKS}", FIRST_DAY + dt.timedelta(days=day // TRACKS)
    seen = FIRST_SIGHT + dt.timedelta(days=sight)
    rows = tuple(_row(date, day, number, shape.laps) for number in range(shape.sessions))
    stats = DayStats(total_laps=shape.laps_a_day, unique_drivers=DRIVERS, unique_classes=1)
    listed = PracticeDayListed(
        source="liverc",
        track_slug=slug,
        date=date,
        complete=True,
        track_name=f"Track {slug}",
        sessions=rows,
        stats=stats,
        observed_at=seen,
        parser_version=1,
        page_sha256="0" * 64,
    )
    yield pack(listed, CONTEXT)
    for number, row in enumerate(rows):
        later = seen + dt.timedelta(seconds=number + 1)
        yield pack(_detail(listed, row, shape.laps, later), CONTEXT)


def _start(date: dt.date, number: int) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(8)) + dt.timedelta(seconds=60 * number)


def _row(date: dt.date, day: int, number: int, laps: int) -> ListedSession:
    session_id = str(20_000_000 + day * 1_000 + number)
    return ListedSession(
        session_id=session_id,
        driver_name=f"Driver {number % DRIVERS}",
        class_name="1/10 Open",
        transponder_number=str(9_000_000 + number % DRIVERS),
        start_time=_start(date, number),
        duration_seconds=laps * 40,
        lap_count=laps,
        fastest_lap=35.001,
        average_lap=40.5,
        session_url=f"https://track.liverc.com/practice/?p=view_session&id={session_id}",
    )


def _detail(
    listed: PracticeDayListed, row: ListedSession, laps: int, seen: dt.datetime
) -> SessionDetailFetched:
    return SessionDetailFetched(
        source=listed.source,
        track_slug=listed.track_slug,
        date=listed.date,
        session_id=row.session_id,
        driver_name=row.driver_name,
        class_name=row.class_name,
        transponder_number=row.transponder_number,
        start_time=row.start_time,
        end_time=_start(listed.date, 1),
        duration_seconds=row.duration_seconds,
        lap_count=laps,
        fastest_lap=row.fastest_lap,
        average_lap=row.average_lap,
        top_3_consecutive=120.5,
        avg_top_5=38.25,
        consistency=94.695,
        valid_lap_range=(20.0, 70.0),
        laps=tuple(_lap(row.start_time, number) for number in range(1, laps + 1)),
        observed_at=seen,
        parser_version=1,
        page_sha256="1" * 64,
        list_row_digest=row_digest(row),
    )


def _lap(start: dt.datetime | None, number: int) -> Lap:
    millis = 35_000 + (number * 7_919) % 10_000
    return Lap(
        lap_number=number,
        lap_time_raw=f"{millis / 1000:.3f}",
        lap_time_seconds=millis / 1000,
        is_valid=True,
        lapped_at=None if start is None else start + dt.timedelta(seconds=40 * number),
        elapsed_race_time=40.0 * number,
    )
