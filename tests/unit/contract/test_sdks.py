"""Records of the JavaScript and the Go SDK are read by us; ours are read by them."""

import json
from typing import Any

import msgspec
import pytest

from schemas.contract import released
from schemas.contract.examples import CONTEXT, EVENTS, data_of
from schemas.envelope import Outgoing, pack, unpack
from schemas.identity import event_id
from schemas.lines import line_of, record_of
from tests.sdk_vectors import FOLDER, SDKS, SdkRecord, asked, on_file, written

RECORDS = [(sdk, record) for sdk in SDKS for record in on_file(sdk)]
LINES = {name: lines[0] for name, lines in released.examples().items()}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_every_released_type_is_there_in_both_modes() -> None:
    for sdk in SDKS:
        modes = {"binary", "binary, more attributes", "structured", "structured, base64"}
        assert {(one.type_name, one.how) for one in on_file(sdk)} == {
            (t, how) for t in LINES for how in modes
        }


@pytest.mark.parametrize(("sdk", "record"), RECORDS, ids=lambda part: getattr(part, "type_name", part))
def test_its_records_are_read(sdk: str, record: SdkRecord) -> None:
    headers, data = record_of(LINES[record.type_name])
    expected, found = unpack(headers, data), unpack(record.headers, record.value)
    assert expected is not None
    assert found is not None
    assert (found.event, found.id, found.context.source) == (expected.event, expected.id, CONTEXT.source)
    assert found.context.correlation_id == CONTEXT.correlation_id
    plain = record.how in {"binary", "structured, base64"}
    assert found.context.traceparent == (None if plain else TRACE)


@pytest.mark.parametrize(("sdk", "record"), RECORDS, ids=lambda part: getattr(part, "type_name", part))
def test_unknown_extensions_are_kept_in_a_line(sdk: str, record: SdkRecord) -> None:
    if record.how in {"binary", "structured, base64"}:
        return
    line = json.loads(line_of(record.headers, record.value))
    assert (str(line["lane"]), str(line["wet"]).lower(), line["subject"]) == ("3", "false", "a subject")
    again = dict(record_of(json.dumps(line).encode())[0])
    assert (again["ce_lane"], again["ce_wet"], again["ce_subject"]) == (b"3", b"false", b"a subject")


@pytest.mark.parametrize(("sdk", "record"), RECORDS, ids=lambda part: getattr(part, "type_name", part))
def test_another_vendors_event_of_it_is_ignored(sdk: str, record: SdkRecord) -> None:
    kind, other = record.type_name.encode(), b"com.example.weather"
    renamed = [(name, data.replace(kind, other)) for name, data in record.headers]
    assert unpack(renamed, record.value.replace(kind, other)) is None


@pytest.mark.slow
@pytest.mark.parametrize("sdk", SDKS)
def test_the_records_on_file_are_those_that_it_writes(sdk: str) -> None:
    assert (FOLDER / f"{sdk}.jsonl").read_text() == written(sdk)


@pytest.mark.slow
@pytest.mark.parametrize("sdk", SDKS)
def test_ours_are_read(sdk: str) -> None:
    records = [pack(event, CONTEXT) for event in EVENTS]
    seen: list[Any] = asked(sdk, "read", [as_line(record) for record in records])
    assert [one["id"] for one in seen] == [event_id(event) for event in EVENTS]
    assert [one["type"] for one in seen] == [event.type_name for event in EVENTS]
    assert [one["data"] for one in seen] == [data_of(event) for event in EVENTS]
    assert {(one["source"], one["correlationid"]) for one in seen} == {
        (CONTEXT.source, CONTEXT.correlation_id)
    }
    assert all(one["time"].startswith("2025-10-26") for one in seen)


def as_line(record: Outgoing) -> bytes:
    headers = [(name, data.decode()) for name, data in record.headers]
    return msgspec.json.encode(
        {"name": "ours", "key": record.key.decode(), "headers": headers, "value": record.value.decode()}
    )
