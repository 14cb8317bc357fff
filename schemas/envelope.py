"""CloudEvents 1.0 around the events: an event becomes key, value and headers; a record becomes an event.

Written in binary mode (`ce_*` headers, the event itself as JSON in the value); structured mode is read too,
under the same checks.
A record comes from anywhere, so nothing in it is trusted: what can't be read is a `BadRecord` that says why.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import msgspec
from msgspec import Struct

from schemas.checks import fault_of
from schemas.events import (
    EVENT_TYPES,
    Event,
    PracticeDayChanged,
    PracticeDayIngested,
    PracticeDayRequested,
    SessionDetailRequested,
)
from schemas.headers import (
    BadRecord,
    check_readable,
    media_type,
    optional,
    readable,
    required,
    written,
)
from schemas.identity import event_id, event_key
from schemas.names import named_twice

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""The largest event in bytes; producer and topic settings agree with it."""

OWN_NAMESPACES = ("practice_day.", "session_detail.")
"""The type names that are this project's to define: an unknown one of these is an error, not a stranger."""

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"

_ENCODER = msgspec.json.Encoder()
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Context(Struct, frozen=True, kw_only=True):
    """What links an event to the work that made it: `correlation_id` is the run."""

    source: str
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None


class Outgoing(Struct, frozen=True, kw_only=True):
    """A record ready to be sent: its topic's name, key, value and headers."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Received(Struct, frozen=True, kw_only=True):
    """An event with what its envelope said of it."""

    event: Event
    id: str
    context: Context
    size: int


class Attributes(Struct, frozen=True, kw_only=True):
    """What an envelope says of an event, as far as each of these is there and can be read."""

    type: str | None
    id: str | None
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None


class _Structured(Struct):
    """A CloudEvent in structured mode, as far as it is read."""

    specversion: str | None = None
    id: str | None = None
    type: str | None = None
    source: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")


def moment_of(event: Event) -> dt.datetime:
    """When it happened: when the page was answered, the request made, the run ended, the day changed."""
    match event:
        case PracticeDayRequested() | SessionDetailRequested():
            return event.requested_at
        case PracticeDayIngested():
            return event.finished_at
        case PracticeDayChanged():
            return event.changed_at
        case _:
            return event.observed_at


def pack(event: Event, context: Context) -> Outgoing:
    """The event as a record in binary mode; raises `BadRecord` for one that `unpack` would refuse."""
    texts = {
        "ce_specversion": "1.0",
        "ce_id": event_id(event),
        "ce_type": event.type_name,
        "ce_source": context.source,
        "ce_time": moment_of(event).isoformat(),
        "ce_dataschema": f"urn:lapstream:schema:{event.type_name}",
        "content-type": JSON,
        "ce_correlationid": context.correlation_id,
        "ce_causationid": context.causation_id,
        "traceparent": context.traceparent,
    }
    value = _ENCODER.encode(event)
    headers = headers_of(texts)
    unpack(headers, value)
    return Outgoing(key=event_key(event).encode(), value=value, headers=headers)


def headers_of(texts: Mapping[str, str | None]) -> tuple[tuple[str, bytes], ...]:
    """Those of these headers that are there; raises `BadRecord` for one that no reader would take."""
    return tuple((name, written(name, text)) for name, text in texts.items() if text is not None)


def unpack(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Received | None:
    """The event of a record; None for a type of somebody else's namespace; `BadRecord` for all else."""
    found = tuple(headers)
    check_readable(found)
    if value is None:
        raise BadRecord("null_value", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise BadRecord("event_too_large", f"{len(value)} bytes, {MAX_EVENT_BYTES} allowed")
    fields, data = _opened(found, value)
    if (version := required(fields, "ce_specversion")) != "1.0":
        raise BadRecord("unknown_specversion", f"ce_specversion is {version!r}, not 1.0")
    context = Context(
        source=required(fields, "ce_source"),
        correlation_id=optional(fields, "ce_correlationid"),
        causation_id=optional(fields, "ce_causationid"),
        traceparent=optional(fields, "traceparent"),
    )
    return _received(required(fields, "ce_type"), required(fields, "ce_id"), context, data)


def attributes_of(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Attributes:
    """What can be read of a record's envelope, whatever is wrong with the record."""
    fields = _fields(headers)
    with contextlib.suppress(BadRecord):
        fields, _ = _opened(fields.items(), value or b"")
    return Attributes(
        type=readable(fields, "ce_type"),
        id=readable(fields, "ce_id"),
        correlation_id=readable(fields, "ce_correlationid"),
        causation_id=readable(fields, "ce_causationid"),
        traceparent=readable(fields, "traceparent"),
    )


_PLAIN_HEADERS = ("content-type", "traceparent")


def _fields(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes | None]:
    return {name: data for name, data in headers if name.startswith("ce_") or name in _PLAIN_HEADERS}


def _opened(
    headers: Iterable[tuple[str, bytes | None]], value: bytes
) -> tuple[dict[str, bytes | None], bytes]:
    """The envelope's attributes by their headers' names in binary mode, and the event's bytes."""
    fields = _fields(headers)
    if media_type(optional(fields, "content-type")) != STRUCTURED:
        return fields, value
    try:
        outer = msgspec.json.decode(value, type=_Structured)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord("bad_json", str(error)) from error
    _check_names(STRUCTURED, value)
    return _in_binary_mode(outer), bytes(outer.data)


def _in_binary_mode(outer: _Structured) -> dict[str, bytes | None]:
    texts = {
        "ce_specversion": outer.specversion,
        "ce_id": outer.id,
        "ce_type": outer.type,
        "ce_source": outer.source,
        "ce_correlationid": outer.correlationid,
        "ce_causationid": outer.causationid,
        "traceparent": outer.traceparent,
    }
    return {name: text.encode() for name, text in texts.items() if text is not None}


def _received(type_name: str, id_: str, context: Context, data: bytes) -> Received | None:
    if type_name not in EVENT_TYPES:
        if type_name.startswith(OWN_NAMESPACES):
            raise BadRecord("unknown_version", f"{type_name!r} is of our namespace, but no type that we know")
        return None
    event = _event(type_name, data)
    if fault := fault_of(event):
        raise BadRecord("invalid_event", f"{type_name}: {fault}")
    return Received(event=event, id=id_, context=context, size=len(data))


def _event(type_name: str, data: bytes) -> Event:
    if b"\\u0000" in data and _ESCAPED_NUL.search(data):
        raise BadRecord("nul_character", "a text holds the NUL character, which no table can store")
    try:
        event = _decoder(type_name)(data)
    except msgspec.ValidationError as error:
        raise BadRecord("invalid_event", f"{type_name}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord("bad_json", f"{type_name}: {error}") from error
    if _ENCODER.encode(event) != data:
        _check_names(type_name, data)
    return event


def _check_names(type_name: str, data: bytes) -> None:
    """Raise `BadRecord` where an object says one thing twice; what we write ourselves needs no such look."""
    try:
        name = named_twice(data)
    except (RecursionError, ValueError) as error:
        raise BadRecord("bad_json", f"{type_name}: {type(error).__name__}: {error}") from error
    if name is not None:
        raise BadRecord("duplicate_key", f"{type_name}: {name!r} stands twice in one object")


@cache
def _decoder(type_name: str) -> Callable[[bytes], Event]:
    return msgspec.json.Decoder(EVENT_TYPES[type_name], strict=True).decode
