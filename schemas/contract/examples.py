"""An event of each type, as one may stand in the topics: for schemas, documents and the command line."""

import datetime as dt
from typing import Any

import msgspec

from schemas.envelope import Context, pack
from schemas.events import (
    ClassLaps,
    DayStats,
    EventAsWritten,
    Finding,
    Lap,
    LeaderboardEntry,
    ListedSession,
    PracticeDayChanged,
    PracticeDayIngested,
    PracticeDayListed,
    PracticeDayListFailed,
    PracticeDayRequested,
    RecordRefused,
    SessionDetailFailed,
    SessionDetailFetched,
    SessionDetailFetchedV1,
    SessionDetailRequested,
)
from schemas.identity import row_digest
from schemas.lines import line_of

CONTEXT = Context(
    source="https://timing.example/decoder-1", correlation_id="8f0b2a52-40ff-4a4c-9d0c-0d4a6a5b1c11"
)
"""Who published the examples, and for which run."""

_DAY: dict[str, Any] = {"source": "liverc", "track_slug": "canberraoffroad", "date": dt.date(2025, 10, 25)}
_LIST_URL = "https://canberraoffroad.liverc.com/practice/?p=session_list&d=2025-10-25"
_URL = "https://canberraoffroad.liverc.com/practice/?p=view_session&id=21290331"


def _at(hour: int, minute: int, second: float = 0) -> dt.datetime:
    """A moment of the day on which it was fetched."""
    return dt.datetime(2025, 10, 26, hour, minute, int(second), tzinfo=dt.UTC)


def _on_track(minute: int, second: int, microsecond: int = 0) -> dt.datetime:
    """A moment of the session, on the track's clock."""
    return dt.datetime.combine(_DAY["date"], dt.time(16, minute, second, microsecond))


_ROW = ListedSession(
    session_id="21290331",
    driver_name="Abel Thornwick",
    class_name="1/10 Open",
    transponder_number="9781201",
    start_time=_on_track(36, 38),
    duration_seconds=92,
    lap_count=3,
    fastest_lap=30.418,
    average_lap=30.691,
    session_url=_URL,
)
_STATS = DayStats(
    total_laps=3,
    total_track_time_seconds=92,
    unique_drivers=1,
    unique_classes=1,
    time_range_start=dt.time(16, 36, 38),
    time_range_end=dt.time(16, 36, 38),
    laps_by_class=(ClassLaps(class_name="1/10 Open", laps=3),),
    leaderboard=(
        LeaderboardEntry(session_id="21290331", fastest_lap=30.418, driver_name="Abel Thornwick"),
        LeaderboardEntry(
            session_id="21290331", fastest_lap=30.418, class_name="1/10 Open", driver_name="Abel Thornwick"
        ),
    ),
)
_LAPS = (
    Lap(
        lap_number=1,
        lap_time_raw="31.002",
        lap_time_seconds=31.002,
        is_valid=True,
        lapped_at=_on_track(37, 9, 2000),
        elapsed_race_time=31.002,
    ),
    Lap(
        lap_number=2,
        lap_time_raw="30.653",
        lap_time_seconds=30.653,
        is_valid=True,
        lapped_at=_on_track(37, 39, 655_000),
        elapsed_race_time=61.655,
    ),
    Lap(
        lap_number=3,
        lap_time_raw="30.418",
        lap_time_seconds=30.418,
        is_valid=True,
        lapped_at=_on_track(38, 10, 73_000),
        elapsed_race_time=92.073,
    ),
)
_DETAIL: dict[str, Any] = _DAY | {
    "session_id": "21290331",
    "driver_name": "Abel Thornwick",
    "class_name": "1/10 Open",
    "transponder_number": "9781201",
    "start_time": _on_track(36, 38),
    "end_time": _on_track(38, 10, 73_000),
    "duration_seconds": 92,
    "lap_count": 3,
    "fastest_lap": 30.418,
    "average_lap": 30.691,
    "top_3_consecutive": 92.073,
    "std_deviation": 0.24,
    "consistency": 99.218,
    "laps": _LAPS,
    "findings": (Finding(code="lap_text_time_differs", found="30.65", expected="30.653"),),
    "observed_at": _at(8, 0, 3),
    "parser_version": 2,
    "page_sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "list_row_digest": row_digest(_ROW),
}

EVENTS: tuple[EventAsWritten, ...] = (
    PracticeDayRequested(**_DAY, requested_at=_at(8, 0), refresh="changed"),
    PracticeDayListed(
        **_DAY,
        complete=True,
        track_name="Canberra Off Road",
        sessions=(_ROW,),
        stats=_STATS,
        observed_at=_at(8, 0, 1),
        parser_version=2,
        page_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        time_zone="Australia/Sydney",
    ),
    PracticeDayListFailed(
        **_DAY,
        observed_at=_at(8, 0, 4),
        parser_version=2,
        code="bad_status",
        message=f"{_LIST_URL}: bad_status: status 500",
        url=_LIST_URL,
        attempts=3,
    ),
    SessionDetailRequested(
        **_DAY,
        session_id="21290331",
        requested_at=_at(8, 0, 1),
        start_time=_on_track(36, 38),
        list_row_digest=row_digest(_ROW),
    ),
    SessionDetailFetchedV1(**_DETAIL, valid_lap_range="20 to 1:10"),
    SessionDetailFetched(**_DETAIL, valid_lap_range=(20.0, 70.0)),
    SessionDetailFailed(
        **_DAY,
        session_id="21290331",
        observed_at=_at(8, 0, 9),
        parser_version=2,
        code="bad_status",
        message=f"{_URL}: bad_status: status 500",
        url=_URL,
        attempts=3,
    ),
    PracticeDayIngested(
        **_DAY,
        run_id="8f0b2a52-40ff-4a4c-9d0c-0d4a6a5b1c11",
        attempt=1,
        status="completed",
        requested_at=_at(8, 0),
        finished_at=_at(8, 0, 4),
        sessions_ingested=1,
        sessions_failed=0,
        sessions_detail_failed=0,
        sessions_with_laps=1,
        laps_ingested=3,
        drivers_created_or_matched=1,
    ),
    PracticeDayChanged(
        **_DAY,
        changed_at=_at(8, 0, 4),
        sessions_added=("21290331",),
        laps_added=3,
    ),
    RecordRefused(
        topic="practice-days",
        partition=6,
        offset=1234,
        code="invalid_event",
        reason="session_detail.fetched.v2: lap 1 of session 21290331 stands there more than once",
        refused_at=_at(8, 0, 4),
        source="liverc",
        event_id="9bb858a7f20fb0051d65ce166e403199",
        event_type="session_detail.fetched.v2",
        event_source="https://timing.example/decoder-1",
    ),
)
"""An event of each type, in the order of `EVENT_TYPES`."""


def example(type_name: str) -> EventAsWritten:
    """The example of a type."""
    return next(event for event in EVENTS if event.type_name == type_name)


def example_lines() -> dict[str, bytes]:
    """Each example as a line of JSON, by its type."""
    found: dict[str, bytes] = {}
    for event in EVENTS:
        record = pack(event, CONTEXT)
        found[event.type_name] = line_of(record.headers, record.value)
    return found


def data_of(event: EventAsWritten) -> Any:  # noqa: ANN401 - JSON
    """An event as the JSON of its data."""
    return msgspec.json.decode(msgspec.json.encode(event))
