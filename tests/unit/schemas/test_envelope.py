"""The envelope: what is written is read again, what can't be trusted is refused with its reason."""

import json
import math
from typing import Any

import pytest

from schemas.envelope import MAX_EVENT_BYTES, BadRecord, Context, Outgoing, pack, unpack
from schemas.events import Event
from tests.events import fetched, laps, listed, row

CONTEXT = Context(source="test", correlation_id="run-1", causation_id="cause", traceparent="00-a-b-01")


def packed(event: Event | None = None) -> Outgoing:
    return pack(event or fetched(1, "1"), CONTEXT)


def with_header(record: Outgoing, name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    return [*((key, data) for key, data in record.headers if key != name), (name, value)]


def with_body(change: dict[str, Any]) -> bytes:
    return json.dumps(json.loads(packed().value) | change).encode()


def refused(headers: Any, value: bytes | None) -> str:
    with pytest.raises(BadRecord) as caught:
        unpack(headers, value)
    return caught.value.code


@pytest.mark.parametrize("event", [listed(1, row("1"), row("2")), fetched(2, "1")])
def test_an_event_comes_out_as_it_went_in(event: Event) -> None:
    record = pack(event, CONTEXT)
    found = unpack(record.headers, record.value)
    assert found is not None
    assert (found.event, found.context) == (event, CONTEXT)


def test_structured_mode_is_read_too() -> None:
    record = packed()
    headers = dict(record.headers)
    body = {
        "specversion": "1.0",
        "id": headers["ce_id"].decode(),
        "type": headers["ce_type"].decode(),
        "source": "elsewhere",
        "data": json.loads(record.value),
    }
    kind = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    found = unpack(kind, json.dumps(body).encode())
    assert found is not None
    assert found.event == fetched(1, "1")


def test_another_vendors_type_is_passed_over() -> None:
    record = packed()
    assert unpack(with_header(record, "ce_type", b"com.example.weather.v1"), record.value) is None


def test_an_unknown_version_of_an_own_type_is_refused() -> None:
    record = packed()
    assert (
        refused(with_header(record, "ce_type", b"session_detail.fetched.v9"), record.value)
        == "unknown_version"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_type", None),
        ("ce_id", b"\xff\xfe"),
        ("ce_source", b"x" * 3000),
        ("ce_correlationid", None),
        ("ce_id", b"a\0b"),
    ],
)
def test_a_header_that_is_null_too_long_or_no_text_is_refused(name: str, value: bytes | None) -> None:
    record = packed()
    assert refused(with_header(record, name, value), record.value) == "bad_header"


def test_a_missing_header_is_refused() -> None:
    record = packed()
    assert refused([pair for pair in record.headers if pair[0] != "ce_id"], record.value) == "bad_header"


def test_a_foreign_header_that_is_no_text_does_no_harm() -> None:
    record = packed()
    assert unpack(with_header(record, "x-trace", b"\xff"), record.value) is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"observed_at": "2025-10-25T10:00:00"}, "invalid_event"),
        ({"start_time": "2025-10-25T10:00:00Z"}, "invalid_event"),
        ({"lap_count": "9"}, "invalid_event"),
        ({"lap_count": -1}, "invalid_event"),
        ({"fastest_lap": 1e300}, "invalid_event"),
        ({"track_slug": "../etc"}, "invalid_event"),
        ({"driver_name": "a" * 301}, "invalid_event"),
        ({"driver_name": "a\0b"}, "nul_character"),
        ({"laps": [{"lap_number": 1}, {"lap_number": 1}]}, "invalid_event"),
        ({"fastest_lap": math.nan}, "bad_json"),
        ({"observed_at": "0001-01-01T00:00:00+14:00"}, "invalid_event"),
        ({"observed_at": "9999-12-31T23:59:59-14:00"}, "invalid_event"),
        ({"date": "0001-01-01"}, "invalid_event"),
        ({"session_id": "1\n"}, "invalid_event"),
        ({"track_slug": "track\n"}, "invalid_event"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(change: dict[str, Any], code: str) -> None:
    assert refused(packed().headers, with_body(change)) == code


def test_a_name_that_only_spells_nul_is_no_nul() -> None:
    assert unpack(packed().headers, with_body({"driver_name": "a\\u0000b"})) is not None


def test_an_unknown_zone_is_refused() -> None:
    record = packed(listed(1, time_zone="Mars/Olympus"))
    assert refused(record.headers, record.value) == "invalid_event"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "null_value"),
        (b"", "bad_json"),
        (b"{", "bad_json"),
        (b"\xff", "bad_json"),
        (b"[]", "invalid_event"),
    ],
)
def test_what_is_no_event_is_refused(value: bytes | None, code: str) -> None:
    assert refused(packed().headers, value) == code


def test_an_event_larger_than_a_record_is_neither_sent_nor_read() -> None:
    many = fetched(1, "1", laps=laps(20_000), findings=())
    huge = b" " * (MAX_EVENT_BYTES + 1)
    assert len(packed(many).value) <= MAX_EVENT_BYTES
    assert refused(packed().headers, huge) == "event_too_large"


@pytest.mark.parametrize(
    "body",
    [
        packed().value.replace(b'"lap_count":3', b'"lap_count":3,"lap_count":4'),
        packed().value.replace(b'"lap_number":1', b'"lap_number":1,"lap_number":9', 1),
        packed().value[:-1] + b',"unknown":{"a":1,"a":2}}',
    ],
)
def test_an_object_that_says_one_thing_twice_is_refused(body: bytes) -> None:
    assert refused(packed().headers, body) == "duplicate_key"


def test_an_unknown_field_is_ignored() -> None:
    found = unpack(packed().headers, with_body({"weather": {"sky": "blue"}}))
    assert found is not None
    assert found.event == fetched(1, "1")


@pytest.mark.parametrize("value", [b'"\xff"', b"9" * 5000])
def test_an_unknown_field_that_no_reader_can_take_is_refused(value: bytes) -> None:
    assert refused(packed().headers, packed().value[:-1] + b',"unknown":' + value + b"}") == "bad_json"


def test_a_body_nested_without_end_is_refused() -> None:
    deep = packed().value[:-1] + b',"unknown":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert refused(packed().headers, deep) == "bad_json"
