"""Events as tests need them: short to write, complete enough to be true."""

import datetime as dt
from typing import Any

from msgspec.structs import asdict

from schemas.admission import Standing
from schemas.envelope import Context, Received
from schemas.events import (
    DayStats,
    EventAsWritten,
    Lap,
    ListedSession,
    PracticeDayListed,
    PracticeDayListFailed,
    SessionDetailFailed,
    SessionDetailFetched,
    SessionDetailFetchedV1,
)
from schemas.identity import event_id, practice_event_id
from schemas.topics import DAYS
from schemas.versions import upcast

DATE = dt.date(2025, 10, 25)
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY_ID = practice_event_id("liverc", "track", DATE)


def seen(second: float) -> dt.datetime:
    """A moment of observation."""
    return BEGIN + dt.timedelta(seconds=second)


def row(session_id: str, **facts: Any) -> ListedSession:
    """A row of a list: a driver with a transponder, three laps."""
    usual: dict[str, Any] = {
        "driver_name": f"Driver {session_id}",
        "class_name": "1/10 Open",
        "transponder_number": f"90{session_id}",
        "start_time": dt.datetime(2025, 10, 25, 10, 0),
        "duration_seconds": 120,
        "lap_count": 3,
        "fastest_lap": 30.5,
        "average_lap": 31.0,
        "session_url": f"https://track.liverc.com/practice/?p=view_session&id={session_id}",
    }
    return ListedSession(session_id=session_id, **(usual | facts))


def listed(second: float, *rows: ListedSession, **facts: Any) -> PracticeDayListed:
    """A complete list of these rows."""
    usual: dict[str, Any] = {
        "complete": True,
        "track_name": "Sample Track",
        "stats": DayStats(total_laps=sum(one.lap_count or 0 for one in rows)),
    }
    return PracticeDayListed(
        source="liverc",
        track_slug="track",
        date=DATE,
        observed_at=seen(second),
        parser_version=facts.pop("parser_version", 1),
        sessions=rows,
        **(usual | facts),
    )


def laps(count: int, seconds: float = 30.5) -> tuple[Lap, ...]:
    """So many laps of the same time."""
    return tuple(
        Lap(
            lap_number=number,
            lap_time_raw=f"{seconds:.3f}",
            lap_time_seconds=seconds,
            is_valid=True,
            elapsed_race_time=round(seconds * number, 3),
            lapped_at=dt.datetime(2025, 10, 25, 10, 0, 30) + dt.timedelta(seconds=seconds * number),
        )
        for number in range(1, count + 1)
    )


def fetched(second: float, session_id: str, **facts: Any) -> SessionDetailFetched:
    """A detail that agrees with `row`, with three laps."""
    usual: dict[str, Any] = {
        "driver_name": f"Driver {session_id}",
        "class_name": "1/10 Open",
        "transponder_number": f"90{session_id}",
        "start_time": dt.datetime(2025, 10, 25, 10, 0),
        "end_time": dt.datetime(2025, 10, 25, 10, 2),
        "duration_seconds": 120,
        "lap_count": 3,
        "fastest_lap": 30.5,
        "average_lap": 31.0,
        "top_3_consecutive": 91.5,
        "consistency": 94.695,
        "valid_lap_range": (20.0, 70.0),
        "laps": laps(3),
    }
    return SessionDetailFetched(
        source="liverc",
        track_slug="track",
        date=DATE,
        session_id=session_id,
        observed_at=seen(second),
        parser_version=facts.pop("parser_version", 1),
        **(usual | facts),
    )


def list_failed(second: float, **facts: Any) -> PracticeDayListFailed:
    """A list that could not be fetched."""
    url = "https://track.liverc.com/practice/"
    return PracticeDayListFailed(**(_failure(second, url) | facts))


def detail_failed(second: float, session_id: str, **facts: Any) -> SessionDetailFailed:
    """A detail that could not be fetched."""
    url = f"https://track.liverc.com/practice/?p=view_session&id={session_id}"
    return SessionDetailFailed(session_id=session_id, **(_failure(second, url) | facts))


def _failure(second: float, url: str) -> dict[str, Any]:
    return {
        "source": "liverc",
        "track_slug": "track",
        "date": DATE,
        "observed_at": seen(second),
        "parser_version": 1,
        "code": "unreachable",
        "message": "no answer",
        "url": url,
        "attempts": 3,
    }


def received(event: EventAsWritten, authority: int = 0) -> Received:
    """The event as it comes out of its envelope, from a topic that counts so much for its source."""
    return Received(
        event=upcast(event),
        written=event,
        id=event_id(event),
        context=Context(source="test"),
        size=0,
        standing=Standing(DAYS, authority),
    )


def as_v1(event: SessionDetailFetched, valid_lap_range: str | None = "20 to 1:10") -> SessionDetailFetchedV1:
    """The same detail as a release before version 2 wrote it."""
    facts: dict[str, Any] = asdict(event) | {"valid_lap_range": valid_lap_range}
    return SessionDetailFetchedV1(**facts)
