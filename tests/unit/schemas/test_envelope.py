"""The envelope: what is written is read again, what can't be trusted is refused with its reason."""

import base64
import contextlib
import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents import MAX_EVENT_BYTES, STRUCTURED
from schemas.envelope import (
    Attributes,
    Context,
    Outgoing,
    attributes_of,
    pack,
    timing_service_of,
    unpack,
)
from schemas.events import EVENT_TYPES, Event
from schemas.headers import MAX_HEADER, UNREADABLE, BadRecord
from schemas.pages import PAGE_TYPE
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


def structured(**attributes: Any) -> bytes:
    """The usual event in structured mode, with other attributes."""
    usual = {
        "specversion": "1.0",
        "id": "their-id",
        "type": "session_detail.fetched.v2",
        "source": "elsewhere",
        "data": json.loads(packed().value),
    }
    return json.dumps(usual | attributes).encode()


def in_structured_mode(kind: bytes = STRUCTURED.encode()) -> list[tuple[str, bytes | None]]:
    return [("content-type", kind)]


@pytest.mark.parametrize(
    "kind",
    [
        b"application/cloudevents+json",
        b"application/cloudevents+json; charset=utf-8",
        b"Application/CloudEvents+JSON;charset=UTF-8",
        b" application/cloudevents+json ;x=y",
    ],
)
def test_structured_mode_is_known_by_its_media_type(kind: bytes) -> None:
    found = unpack(in_structured_mode(kind), structured())
    assert found is not None
    assert (found.event, found.id, found.context) == (
        fetched(1, "1"),
        "their-id",
        Context(source="elsewhere"),
    )


@pytest.mark.parametrize("kind", [b"application/json", b"application/json;charset=utf-8", b"text/html", b""])
def test_any_other_media_type_is_binary_mode_where_there_is_a_header_of_cloudevents(kind: bytes) -> None:
    record = packed()
    assert unpack(with_header(record, "content-type", kind), record.value) is not None
    assert refused([*in_structured_mode(kind), ("ce_id", b"1")], structured()) == "bad_header"


@pytest.mark.parametrize("kind", [b"application/json", b"text/html", b"", None])
def test_a_record_without_a_header_of_cloudevents_is_in_structured_mode(kind: bytes | None) -> None:
    found = unpack([("content-type", kind)], structured())
    assert found is not None
    assert found.id == "their-id"


@pytest.mark.parametrize("value", [b"{", b"[]", b"{}", packed().value])
def test_a_record_that_is_no_event_in_either_mode_lacks_its_header(value: bytes) -> None:
    assert refused([], value) == "bad_header"


@pytest.mark.parametrize("kind", [b"application/cloudevents-batch+json", b"application/cloudevents+avro"])
def test_cloudevents_in_another_format_are_refused_by_its_name(kind: bytes) -> None:
    assert refused(in_structured_mode(kind), structured()) == "unknown_format"


def test_names_of_headers_are_taken_in_any_case() -> None:
    record = packed()
    found = unpack([(name.upper(), data) for name, data in record.headers], record.value)
    assert found is not None
    assert found.context == CONTEXT


def test_the_trace_may_stand_in_an_attribute_like_any_other() -> None:
    headers = [(name.replace("traceparent", "ce_traceparent"), data) for name, data in packed().headers]
    found = unpack(headers, packed().value)
    assert found is not None
    assert found.context == CONTEXT


def test_a_null_header_is_one_that_is_not_there() -> None:
    optional = ("content-type", "ce_correlationid", "ce_causationid", "traceparent", "ce_subject")
    found = unpack([*packed().headers, *((name, None) for name in optional)], packed().value)
    assert found is not None
    assert found.context == Context(source="test")


def test_data_may_stand_in_base64() -> None:
    data = base64.b64encode(packed().value).decode()
    for there in ({}, {"data": None}):
        outer = {"specversion": "1.0", "id": "1", "type": "session_detail.fetched.v2", "source": "elsewhere"}
        found = unpack(in_structured_mode(), json.dumps(outer | there | {"data_base64": data}).encode())
        assert found is not None
        assert (found.event, found.size) == (fetched(1, "1"), len(packed().value))


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"data_base64": "e30="}, "bad_data"),
        ({"data": None, "data_base64": "e30"}, "bad_data"),
        ({"data": None, "data_base64": "e3\n0="}, "bad_data"),
        ({"data": None, "data_base64": "é"}, "bad_data"),
        ({"data": None, "data_base64": "e30="}, "invalid_event"),
        ({"data": None}, "null_value"),
    ],
)
def test_data_that_stands_there_twice_not_at_all_or_badly_is_refused(
    attributes: dict[str, Any], code: str
) -> None:
    assert refused(in_structured_mode(), structured(**attributes)) == code


@pytest.mark.parametrize("name", ["id", "source", "type", "correlationid", "causationid", "traceparent"])
@pytest.mark.parametrize("text", ["a\0b", "x" * (MAX_HEADER + 1), "é" * (MAX_HEADER // 2 + 1)])
def test_both_modes_have_the_same_checks(name: str, text: str) -> None:
    assert refused(in_structured_mode(), structured(**{name: text})) == "bad_header"
    header = name if name == "traceparent" else f"ce_{name}"
    assert refused(with_header(packed(), header, text.encode()), packed().value) == "bad_header"


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_an_attribute_that_is_missing_is_refused_in_structured_mode(name: str) -> None:
    assert refused(in_structured_mode(), structured(**{name: None})) == "bad_header"


def test_an_attribute_that_stands_there_twice_is_refused() -> None:
    assert refused(in_structured_mode(), structured()[:-1] + b',"id":"another"}') == "duplicate_key"


texts = st.text(st.characters(exclude_categories=[]), max_size=20) | st.text(min_size=1_000, max_size=3_000)
"""Any text at all, with NUL and lone surrogates; and long ones."""


def or_none(work: Callable[[], Any]) -> Any:
    """What it returns; None where it refuses."""
    with contextlib.suppress(BadRecord):
        return work()
    return None


@given(source=texts, correlation=st.none() | texts, causation=st.none() | texts, trace=st.none() | texts)
def test_what_is_written_can_be_read(
    source: str, correlation: str | None, causation: str | None, trace: str | None
) -> None:
    context = Context(source=source, correlation_id=correlation, causation_id=causation, traceparent=trace)
    if record := or_none(lambda: pack(fetched(1, "1"), context)):
        found = unpack(record.headers, record.value)
        assert found is not None
        assert found.context == context


@given(id_=texts, correlation=st.none() | texts, trace=st.none() | texts)
def test_what_is_read_can_be_written_on(id_: str, correlation: str | None, trace: str | None) -> None:
    body = structured(id=id_, correlationid=correlation, traceparent=trace)
    if found := or_none(lambda: unpack(in_structured_mode(), body)):
        following = msgspec.structs.replace(found.context, causation_id=found.id)
        pack(found.event, following)


def test_a_record_that_the_client_could_not_hand_out_is_unreadable() -> None:
    headers = with_header(packed(), UNREADABLE, b"the name of a header is not UTF-8")
    assert refused(headers, packed().value) == "unreadable"
    assert refused([(UNREADABLE, b"too large")], None) == "unreadable"


def test_what_a_bad_record_says_of_itself_is_read_as_far_as_it_can_be() -> None:
    bad = with_header(packed(), "ce_causationid", b"a\0b")
    assert attributes_of(bad, b"{") == Attributes(
        type="session_detail.fetched.v2",
        id=dict(packed().headers)["ce_id"].decode(),
        source=dict(packed().headers)["ce_source"].decode(),
        correlation_id="run-1",
        causation_id=None,
        traceparent="00-a-b-01",
    )
    found = attributes_of(in_structured_mode(), structured(correlationid="run-2", data=7))
    assert (found.id, found.correlation_id) == ("their-id", "run-2")
    assert attributes_of(in_structured_mode(), b"{").id is None


@pytest.mark.parametrize(
    ("headers", "value", "service"),
    [
        ((), b'{"data":{"source":"elsewhere","laps":5}}', "elsewhere"),
        ((("ce_type", b"any"),), b'{"source":"elsewhere"}', "elsewhere"),
        ((("ce_type", b"any"),), b'{"source":"LiveRC"}', None),
        ((("ce_type", b"any"),), b'{"source":"elsewhere"', None),
        ((("ce_type", b"any"),), b"[" * 5_000, None),
        ((("ce_type", b"any"),), None, None),
    ],
)
def test_the_timing_service_of_a_bad_record_is_read_where_it_can_be(
    headers: Any, value: bytes | None, service: str | None
) -> None:
    assert timing_service_of(headers, value) == service


@pytest.mark.parametrize("value", [packed().value, b"<weather/>", b"", None, b" " * (MAX_EVENT_BYTES + 1)])
@pytest.mark.parametrize(
    ("name", "data"), [("ce_specversion", b"0.3"), ("ce_id", None), ("ce_source", b"\xff"), ("x", None)]
)
def test_another_vendors_type_is_ignored_whatever_it_says(
    value: bytes | None, name: str, data: bytes | None
) -> None:
    headers = [*with_header(packed(), "ce_type", b"com.example.weather.v1"), (name, data)]
    assert unpack(headers, value) is None


@pytest.mark.parametrize("data", [{"sky": "blue"}, "blue", None])
def test_another_vendors_type_is_ignored_in_structured_mode(data: Any) -> None:
    assert unpack(in_structured_mode(), structured(type="com.example.weather.v1", data=data)) is None


@pytest.mark.parametrize("name", ["ce_type", "ce_id", "ce_source", "ce_specversion"])
def test_an_attribute_that_is_empty_is_refused(name: str) -> None:
    assert refused(with_header(packed(), name, b""), packed().value) in {"bad_header", "unknown_specversion"}


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
        ("ce_id", b"a\0b"),
    ],
)
def test_a_header_that_is_null_too_long_or_no_text_is_refused(name: str, value: bytes | None) -> None:
    record = packed()
    assert refused(with_header(record, name, value), record.value) == "bad_header"


def test_a_missing_header_is_refused() -> None:
    record = packed()
    assert refused([pair for pair in record.headers if pair[0] != "ce_id"], record.value) == "bad_header"


@pytest.mark.parametrize("type_name", [*EVENT_TYPES, PAGE_TYPE])
def test_an_unknown_version_of_any_type_of_ours_is_refused_and_not_ignored(type_name: str) -> None:
    unknown = f"{type_name.rpartition('.v')[0]}.v999"
    record = packed()
    assert refused(with_header(record, "ce_type", unknown.encode()), record.value) == "unknown_version"


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
        ({"findings": [{"code": "x\n", "found": "y"}]}, "invalid_event"),
        ({"page_sha256": "0" * 64 + "\n"}, "invalid_event"),
        ({"track_slug": "track\n"}, "invalid_event"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(change: dict[str, Any], code: str) -> None:
    assert refused(packed().headers, with_body(change)) == code


@pytest.mark.parametrize("time", ["16:36:38Z", "16:36:38+11:00"])
def test_a_time_of_day_has_no_offset(time: str) -> None:
    record = packed(listed(1))
    day = json.dumps(json.loads(record.value) | {"stats": {"time_range_start": time}}).encode()
    assert refused(record.headers, day) == "invalid_event"


def test_a_name_that_only_spells_nul_is_no_nul() -> None:
    assert unpack(packed().headers, with_body({"driver_name": "a\\u0000b"})) is not None


def test_an_unknown_zone_is_neither_read_nor_written() -> None:
    record = packed(listed(1, time_zone="Australia/Sydney"))
    assert (
        refused(record.headers, record.value.replace(b"Australia/Sydney", b"Mars/Olympus")) == "invalid_event"
    )
    with pytest.raises(BadRecord, match="time_zone"):
        pack(listed(1, time_zone="Mars/Olympus"), CONTEXT)


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
