"""Records of the Python SDK, of both of its interfaces, are read by us; ours are read by it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import kafka as old_kafka
from cloudevents.v1.http import CloudEvent as OldCloudEvent

from schemas.contract.examples import CONTEXT, EVENTS, data_of
from schemas.envelope import Outgoing, pack, unpack
from schemas.events import EventAsWritten
from schemas.identity import event_id
from schemas.versions import upcast

sdk: Any = kafka
old_sdk: Any = old_kafka
"""Neither of the two is typed in full."""

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MORE = {
    "subject": "a subject",
    "correlationid": "a run",
    "traceparent": TRACE,
    "lane": "3",
    "partitionkey": "k",
}


def attributes(event: EventAsWritten, kind: str | None) -> dict[str, str]:
    said = {"id": event_id(event), "type": event.type_name, "source": "https://timing.example", **MORE}
    return said | ({"datacontenttype": kind} if kind else {})


def as_bytes(data: Any) -> bytes:
    return json.dumps(data).encode()


def of_core(event: EventAsWritten, kind: str | None, data: Any) -> Any:
    return CloudEvent(attributes(event, kind), data)


def of_v1(event: EventAsWritten, kind: str | None, data: Any) -> Any:
    return OldCloudEvent(attributes(event, kind), data)


WRITERS: dict[str, Callable[[EventAsWritten, str | None], Any]] = {
    "binary": lambda event, kind: sdk.to_binary_event(of_core(event, kind, data_of(event))),
    "structured": lambda event, kind: sdk.to_structured_event(of_core(event, kind, data_of(event))),
    "base64": lambda event, kind: sdk.to_structured_event(of_core(event, kind, as_bytes(data_of(event)))),
    "v1 binary": lambda event, kind: old_sdk.to_binary(  # which fails without a type of the data
        of_v1(event, kind or "application/json", data_of(event))
    ),
    "v1 structured": lambda event, kind: old_sdk.to_structured(of_v1(event, kind, data_of(event))),
    "v1 base64": lambda event, kind: old_sdk.to_structured(
        of_v1(event, kind, data_of(event)), data_marshaller=as_bytes
    ),
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type_name)
@pytest.mark.parametrize("kind", [None, "application/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize("writer", WRITERS)
def test_its_records_are_read(event: EventAsWritten, kind: str | None, writer: str) -> None:
    record = WRITERS[writer](event, kind)
    found = unpack(record.headers.items(), record.value)
    assert found is not None
    assert (found.event, found.id, found.context.source) == (
        upcast(event),
        event_id(event),
        "https://timing.example",
    )
    assert (found.context.correlation_id, found.context.traceparent) == ("a run", TRACE)


@pytest.mark.parametrize("writer", WRITERS)
def test_another_vendors_event_of_it_is_ignored(writer: str) -> None:
    record = WRITERS[writer](EVENTS[0], None)
    renamed = {name: data.replace(b"practice_day.", b"com.example.") for name, data in record.headers.items()}
    assert unpack(renamed.items(), record.value.replace(b"practice_day.", b"com.example.")) is None


READERS: dict[str, Callable[[Outgoing], Any]] = {
    "core": lambda record: sdk.from_kafka_event(
        sdk.KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value)
    ),
    "v1": lambda record: old_sdk.from_binary(
        old_sdk.KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value)
    ),
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type_name)
@pytest.mark.parametrize("reader", READERS)
def test_ours_are_read(event: EventAsWritten, reader: str) -> None:
    record = pack(event, CONTEXT)
    found = READERS[reader](record)
    said = found.get_attributes()
    assert found.get_data() == data_of(event)
    assert (said["id"], said["type"], said["source"]) == (event_id(event), event.type_name, CONTEXT.source)
    assert said["correlationid"] == CONTEXT.correlation_id
