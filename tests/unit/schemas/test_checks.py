"""What no type says of an event: each date and moment in it lies in possible years."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest

from schemas.envelope import Context, pack, unpack
from schemas.events import EVENT_TYPES, EventAsWritten
from schemas.fields import FIRST_YEAR, LAST_YEAR
from schemas.headers import BadRecord
from tests.events import as_v1, fetched, laps, listed, row

CONTEXT = Context(source="test")
DAY = {"source": "liverc", "track_slug": "track", "date": "2025-10-25"}
NOON = "2025-10-25T12:00:00Z"
FAILED = {"observed_at": NOON, "parser_version": 1, "code": "x", "message": "x", "url": "x", "attempts": 1}
COUNTS = dict.fromkeys(
    ("sessions_ingested", "sessions_failed", "sessions_detail_failed", "sessions_with_laps", "laps_ingested"),
    0,
)
ENDED = {"run_id": "1", "attempt": 1, "status": "failed", "requested_at": NOON, "finished_at": NOON}
OTHERS: dict[str, dict[str, Any]] = {
    "practice_day.requested.v1": {"requested_at": NOON},
    "practice_day.list_failed.v1": FAILED,
    "session_detail.requested.v1": {
        "session_id": "1",
        "requested_at": NOON,
        "start_time": "2025-10-25T12:00:00",
    },
    "session_detail.failed.v1": {"session_id": "1", **FAILED},
    "practice_day.ingested.v1": {**ENDED, **COUNTS, "drivers_created_or_matched": 0},
    "practice_day.changed.v1": {"changed_at": NOON},
    "record.refused.v1": {
        "topic": "practice-days",
        "partition": 0,
        "offset": 0,
        "code": "bad_json",
        "reason": "x",
        "refused_at": NOON,
    },
}
AN_HOUR_LATER = dt.datetime(2025, 10, 25, 11)
DETAIL = fetched(2, "1", laps=laps(2), start_time=AN_HOUR_LATER, end_time=AN_HOUR_LATER)
EVENTS: list[EventAsWritten] = [
    listed(1, row("1"), row("2")),
    DETAIL,
    as_v1(DETAIL),
    *(msgspec.convert(DAY | facts, EVENT_TYPES[name]) for name, facts in OTHERS.items()),
]


def as_json(event: EventAsWritten) -> Any:
    return msgspec.json.decode(msgspec.json.encode(event))


def dated(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in an event's JSON a date or a moment stands."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            yield from dated(item, (*place, name))
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[Any]", value)):
            yield from dated(item, (*place, number))
    elif isinstance(value, str) and is_dated(value):
        yield place


def is_dated(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def changed(value: Any, place: tuple[Any, ...], year: int) -> Any:
    """The JSON with another year at one place."""
    if not place:
        return f"{year:04}{value[4:]}"
    copy = value.copy()
    copy[place[0]] = changed(value[place[0]], place[1:], year)
    return copy


CASES = [(event, place) for event in EVENTS for place in dated(as_json(event))]


def test_every_event_is_looked_at() -> None:
    assert {type(event) for event, _ in CASES} == set(EVENT_TYPES.values())
    assert ("sessions", 1, "start_time") in {place for _, place in CASES}
    assert ("laps", 1, "lapped_at") in {place for _, place in CASES}


@pytest.mark.parametrize(("event", "place"), CASES, ids=lambda part: str(getattr(part, "type_name", part)))
@pytest.mark.parametrize("year", [1, FIRST_YEAR - 1, LAST_YEAR + 1, 9999])
def test_a_moment_that_cannot_be_is_refused_wherever_it_stands(
    event: EventAsWritten, place: tuple[Any, ...], year: int
) -> None:
    record = pack(event, CONTEXT)
    assert unpack(record.headers, record.value)
    odd = msgspec.json.encode(changed(as_json(event), place, year))
    with pytest.raises(BadRecord, match="outside the years") as caught:
        unpack(record.headers, odd)
    assert caught.value.code == "invalid_event"
