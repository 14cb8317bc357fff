"""Vectors of events: each change to a good event, with its verdict.

The verdicts are stated here, not computed: a test holds the code and the schemas against them.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from schemas.conformance.records import DETAIL, OLD_DETAIL, Json, check_of_headers, headers_of, minimal, named
from schemas.conformance.vectors import Check, Vector, record_of
from schemas.contract.examples import EVENTS, data_of
from schemas.events import EVENT_TYPES

LIST = "practice_day.listed.v1"
REQUEST = "practice_day.requested.v1"
INGESTED = "practice_day.ingested.v1"


class Good(NamedTuple):
    """A field's value that is accepted."""

    at: str
    value: Any
    about: str
    type_name: str = DETAIL


class Bad(NamedTuple):
    """A field's value that is refused, by the schema of its type unless `beyond` says why not."""

    at: str
    value: Any
    about: str
    type_name: str = DETAIL
    code: str = "invalid_event"
    beyond: str | None = None


GOOD = (
    Good("weather", {"sky": "blue"}, "A field that is not known is ignored."),
    Good("driver_name", None, "A field that is null is one that is absent."),
    Good("driver_name", "😀" * 300, "A length is counted in characters."),
    Good("driver_name", "a\\u0000b", "A text may spell the NUL character."),
    Good("fastest_lap", 31, "A number of seconds may be whole."),
    Good("fastest_lap", 0, "The least number of seconds."),
    Good("fastest_lap", 1_000_000, "The largest number of seconds."),
    Good("consistency", -12.5, "Below 0 when the deviation exceeds the average."),
    Good("session_id", "A-b_9" * 12 + "zzzz", "A session's id of 64 characters."),
    Good("source", "another_timing-service", "Another timing service."),
    Good("date", "2024-02-29", "A leap day."),
    Good("date", "1990-01-01", "The first day."),
    Good("date", "2100-12-31", "The last day."),
    Good("start_time", "2025-10-25T16:36:38.073", "A local time with a fraction."),
    Good("start_time", "2025-10-25 16:36:38", "A local time with a space."),
    Good("observed_at", "2025-10-26T08:00:03Z", "A moment in UTC."),
    Good("observed_at", "2025-10-26t08:00:03z", "A moment in lower case."),
    Good("observed_at", "2025-10-26 08:00:03.5+11:00", "A moment with an offset and a fraction."),
    Good("observed_at", "2025-10-26T08:00:03+1100", "An offset without a colon."),
    Good("observed_at", "2025-10-26T08:00:03.123456789Z", "A fraction in nanoseconds: it is rounded."),
    Good("valid_lap_range", [20.0, 70.0], "The shortest and the longest lap that count."),
    Good("valid_lap_range", [0, 86_400], "The widest lap range."),
    Good("valid_lap_range", [20, 20], "A lap range of one time."),
    Good("valid_lap_range", "as the page writes it", "Any text may be version 1's lap range.", OLD_DETAIL),
    Good("laps", [{"lap_number": number} for number in (2, 0, 1)], "Laps in any order."),
    Good("laps", [{"lap_number": 1, "segments": [10.5, None]}], "A part of a lap that is not known."),
    Good("findings", [{"code": "a" * 64, "found": "x" * 2000}], "The longest finding."),
    Good("stats", {"time_range_start": "00:00:00", "time_range_end": "23:59:59.999"}, "Times of day.", LIST),
    Good("time_zone", "Australia/Sydney", "A time zone that tzdata lists.", LIST),
    Good("sessions", [{"session_id": "1"}, {"session_id": "1"}], "Rows need not differ.", LIST),
    Good("refresh", "missing", "One of the choices.", REQUEST),
)

BAD = (
    Bad("lap_count", -1, "Below the least count."),
    Bad("lap_count", 1_000_001, "Above the largest count."),
    Bad("lap_count", 9.5, "A count is whole."),
    Bad("lap_count", "9", "A count is a number, not a text."),
    Bad("lap_count", True, "A count is a number, not a truth."),
    Bad("fastest_lap", -0.001, "Below the least number of seconds."),
    Bad("fastest_lap", 1_000_000.001, "Above the largest number of seconds."),
    Bad("fastest_lap", "31.5", "A number of seconds is a number, not a text."),
    Bad("consistency", 100.001, "Above 100 percent."),
    Bad("driver_name", "x" * 301, "Longer than a label may be."),
    Bad("driver_name", "😀" * 301, "Longer than a label may be, in characters."),
    Bad("driver_name", 9781201, "A label is a text."),
    Bad("session_id", "", "An id that is empty."),
    Bad("session_id", "9" * 65, "Longer than an id may be."),
    Bad("session_id", "1/2", "Characters that an id may not have."),
    Bad("session_id", "1\n", "A line break behind an id."),
    Bad("source", "LiveRC", "Capitals in a source."),
    Bad("source", "9liverc", "A source that begins with a digit."),
    Bad("source", "liverc\n", "A line break behind a source."),
    Bad("track_slug", "../etc", "A slug is one label of DNS."),
    Bad("track_slug", "canberra-", "A slug that ends with a hyphen."),
    Bad("track_slug", "x" * 64, "Longer than a slug may be."),
    Bad("date", "2025-02-30", "A day that the calendar has not."),
    Bad("date", "2023-02-29", "A leap day of a year that has none."),
    Bad("date", "2100-02-29", "A leap day of 2100, which has none."),
    Bad("date", "2025-10-25T00:00:00", "A date has no time."),
    Bad("date", "25.10.2025", "A date is written as YYYY-MM-DD."),
    Bad("date", "1989-12-31", "Before the first year."),
    Bad("date", "2101-01-01", "After the last year."),
    Bad("date", "2025-10-25\n", "A line break behind a date."),
    Bad("start_time", "2025-10-25T16:36:38Z", "A local time has no offset."),
    Bad("start_time", "2025-10-25T16:36", "A local time has seconds."),
    Bad("start_time", "2025-10-25", "A local time has a time."),
    Bad("observed_at", "2025-10-26T08:00:03", "A moment has an offset."),
    Bad("observed_at", "2025-10-26T24:00:00Z", "There is no hour 24."),
    Bad("observed_at", "2025-10-26T08:00:60Z", "There is no second 60."),
    Bad("observed_at", "2025-10-26T08:00:03+24:00", "There is no offset of 24 hours."),
    Bad("observed_at", "0001-01-01T00:00:00+14:00", "A moment before the first year."),
    Bad("observed_at", 1761465603, "A moment is a text."),
    Bad("parser_version", 0, "Below the least version."),
    Bad("page_sha256", "9F86D081" * 8, "Hex digits are in lower case."),
    Bad("page_sha256", "0" * 63, "Too few hex digits."),
    Bad("list_row_digest", "0" * 33, "Too many hex digits."),
    Bad("valid_lap_range", "20 to 1:10", "A lap range is a list, not a text."),
    Bad("valid_lap_range", [20.0], "A lap range without its end."),
    Bad("valid_lap_range", [20.0, 70.0, 80.0], "A lap range of three numbers."),
    Bad("valid_lap_range", [20.0, None], "A lap range whose end is null."),
    Bad("valid_lap_range", [20.0, 86_400.001], "A lap range that ends after a day."),
    Bad("valid_lap_range", [20.0, 70.0], "Version 1 has its lap range as a text.", OLD_DETAIL),
    Bad(
        "valid_lap_range",
        [70.0, 20.0],
        "A lap range begins at its lower end.",
        beyond="a schema can't compare two numbers",
    ),
    Bad("laps", None, "A list is not null."),
    Bad("laps", {}, "A list is a list."),
    Bad("laps", [{}], "A lap without a number."),
    Bad("laps", [{"lap_number": 1, "is_valid": "yes"}], "A truth is true or false."),
    Bad("laps", [{"lap_number": 1, "lap_time_raw": "x" * 41}], "Longer than the text of a lap may be."),
    Bad("laps", [{"lap_number": 1, "segments": [0.1] * 101}], "More parts than a lap may have."),
    Bad("findings", [{"code": "x", "found": "y"}] * 201, "More findings than an event may have."),
    Bad("findings", [{"code": "Two words", "found": "y"}], "A code has letters, digits and underscores."),
    Bad("stats", {"time_range_start": "16:36:38Z"}, "A time of day has no offset.", LIST),
    Bad("stats", {"time_range_start": "24:00:00"}, "There is no hour 24.", LIST),
    Bad("stats", {"laps_by_class": [{"class_name": "x"}]}, "A class without its laps.", LIST),
    Bad("stats", {"leaderboard": [{"session_id": "1"}]}, "A leader without a lap.", LIST),
    Bad("sessions", [{"driver_name": "x"}], "A row without a session.", LIST),
    Bad("complete", None, "Whether a list is complete is said.", LIST),
    Bad("time_zone", "x" * 65, "Longer than the name of a zone may be.", LIST),
    Bad("refresh", "everything", "None of the choices.", REQUEST),
    Bad("status", "done", "None of the choices.", INGESTED),
    Bad("driver_name", "a\0b", "The NUL character in a text.", code="nul_character"),
    Bad(
        "weather",
        "a\0b",
        "The NUL character in a text that is not known.",
        code="nul_character",
        beyond="a schema says nothing of fields that it doesn't know",
    ),
    Bad(
        "laps",
        [{"lap_number": 1}, {"lap_number": 1}],
        "A lap's number stands in a session once.",
        beyond="a schema can't compare the items of a list by one of their fields",
    ),
    Bad(
        "time_zone",
        "Mars/Olympus",
        "A zone that tzdata doesn't list.",
        LIST,
        beyond="the list of zones changes with tzdata",
    ),
    Bad(
        "observed_at",
        "2100-12-31T23:59:59.9999999Z",
        "A moment that rounds into the year 2101.",
        beyond="a schema doesn't round",
    ),
)
"""Changes of one field. All but the last are refused by the schema of the type."""


class Raw(NamedTuple):
    """A value that is refused for its bytes, of which no schema is told."""

    name: str
    value: bytes | None
    about: str
    code: str
    beyond: str


_WHOLE = json.dumps(minimal(DETAIL)).encode()
_OPEN = _WHOLE[:-1]
"""An event whose last bracket is missing, for more to follow."""

_PARSED = "a parser says so, before a schema is asked"
_KEPT = "parsers keep the last one, and a schema is told nothing of the others"

RAW = (
    Raw("no value", None, "A record without a value.", "null_value", "there is nothing to check"),
    Raw("no JSON", _OPEN, "JSON that ends too early.", "bad_json", _PARSED),
    Raw("an empty value", b"", "No JSON at all.", "bad_json", _PARSED),
    Raw("not UTF-8", _WHOLE.replace(b"liverc", b"\xff"), "JSON is UTF-8.", "bad_json", _PARSED),
    Raw("NaN", _OPEN + b',"fastest_lap":NaN}', "JSON has no NaN.", "bad_json", _PARSED),
    Raw(
        "half a character",
        _OPEN + b',"driver_name":"\\ud800"}',
        "A surrogate without its other half.",
        "bad_json",
        "parsers differ on it, and replace it or keep it",
    ),
    Raw(
        "a field twice",
        _OPEN + b',"source":"liverc"}',
        "An object that says one thing twice, even the same.",
        "duplicate_key",
        _KEPT,
    ),
    Raw(
        "an unknown field twice",
        _OPEN + b',"weather":{"sky":1,"sky":2}}',
        "The same in a part that is not known.",
        "duplicate_key",
        _KEPT,
    ),
    Raw(
        "a whole number as a fraction",
        _OPEN + b',"lap_count":9.0}',
        "A count is written without a fraction.",
        "invalid_event",
        "to a schema 9.0 is 9",
    ),
    Raw(
        "nested too deeply",
        _OPEN + b',"weather":' + b"[" * 2000 + b"]" * 2000 + b"}",
        "Lists in lists in lists.",
        "bad_json",
        "a schema says nothing of fields that it doesn't know",
    ),
)


def vectors_of_events() -> Iterator[Vector]:
    """Events of every type: good ones, and ones that are refused."""
    for event in EVENTS:
        name, data = event.type_name, data_of(event)
        yield _vector(name, "the example", data, "An event with all that it may say.")
        yield _vector(name, "the least", minimal(name), "Nothing but what must be there.")
        yield from _without_each_field(name)
        yield from _with_each_field_of_no_such_type(name)
    for at, value, about, type_name in GOOD:
        yield _vector(type_name, named(at, about), minimal(type_name) | {at: value}, about)
    for bad in BAD:
        data = minimal(bad.type_name) | {bad.at: bad.value}
        yield _vector(bad.type_name, named(bad.at, bad.about), data, bad.about, bad.code, bad.beyond)
    for raw in RAW:
        yield _of_bytes(raw)


def _without_each_field(type_name: str) -> Iterator[Vector]:
    for field in minimal(type_name):
        data = {name: value for name, value in minimal(type_name).items() if name != field}
        yield _vector(type_name, f"without {field}", data, "A field that must be there.", "invalid_event")


def _with_each_field_of_no_such_type(type_name: str) -> Iterator[Vector]:
    for field in msgspec.structs.fields(EVENT_TYPES[type_name]):
        data = minimal(type_name) | {field.name: 1.5 if field.name == "stats" else {"no": "such type"}}
        about = "A value of another type."
        yield _vector(type_name, f"{field.name} of no such type", data, about, "invalid_event")


def _vector(
    type_name: str, name: str, data: Json, about: str, code: str | None = None, beyond: str | None = None
) -> Vector:
    headers = headers_of(type_name)
    return Vector(
        name=f"{type_name}, {name}",
        about=about,
        record=record_of(headers, json.dumps(data, ensure_ascii=False).encode()),
        verdict="refused" if code else "accepted",
        code=code,
        checks=(check_of_headers(headers), Check(schema=type_name, instance=data)),
        beyond_schema=beyond,
    )


def _of_bytes(raw: Raw) -> Vector:
    headers = headers_of(DETAIL)
    return Vector(
        name=f"{DETAIL}, {raw.name}",
        about=raw.about,
        record=record_of(headers, raw.value),
        verdict="refused",
        code=raw.code,
        checks=(check_of_headers(headers),),
        beyond_schema=raw.beyond,
    )
