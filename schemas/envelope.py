"""CloudEvents 1.0 around the events: an event becomes key, value and headers; a record becomes an event.

Written in binary mode (`ce_*` headers, the event itself as JSON in the value); structured mode is read too.
A record comes from anywhere, so nothing in it is trusted: what can't be read is a `BadRecord` that says why.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from schemas.checks import fault_of
from schemas.errors import LapstreamError
from schemas.events import (
    EVENT_TYPES,
    Event,
    PracticeDayChanged,
    PracticeDayIngested,
    PracticeDayRequested,
    SessionDetailRequested,
)
from schemas.identity import event_id, event_key

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""The largest event in bytes; producer and topic settings agree with it."""

OWN_NAMESPACES = ("practice_day.", "session_detail.")
"""The type names that are this project's to define: an unknown one of these is an error, not a stranger."""

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"

_ENCODER = msgspec.json.Encoder()
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MAX_HEADER = 2_000


class BadRecord(LapstreamError):
    """A record that is no event: `code` names the kind of fault. It is parked, with its bytes."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


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


class _Structured(Struct):
    """A CloudEvent in structured mode, as far as it is read."""

    specversion: str
    id: str
    type: str
    source: str
    data: msgspec.Raw
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None


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
    """The event as a record in binary mode; raises `BadRecord` when it is larger than a record may be."""
    value = _ENCODER.encode(event)
    if len(value) > MAX_EVENT_BYTES:
        raise BadRecord(
            "event_too_large", f"{event_key(event)}: {len(value)} bytes, {MAX_EVENT_BYTES} allowed"
        )
    headers = {
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
    present = tuple((name, text.encode()) for name, text in headers.items() if text is not None)
    return Outgoing(key=event_key(event).encode(), value=value, headers=present)


def unpack(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Received | None:
    """The event of a record; None for a type of somebody else's namespace; `BadRecord` for all else."""
    if value is None:
        raise BadRecord("null_value", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise BadRecord("event_too_large", f"{len(value)} bytes, {MAX_EVENT_BYTES} allowed")
    fields = {name: data for name, data in headers if name.startswith("ce_") or name in _PLAIN_HEADERS}
    if _text(fields, "content-type", "").startswith(STRUCTURED):
        return _unpack_structured(value)
    return _unpack_binary(fields, value)


_PLAIN_HEADERS = ("content-type", "traceparent")


def _unpack_binary(fields: dict[str, bytes | None], value: bytes) -> Received | None:
    if _text(fields, "ce_specversion") != "1.0":
        raise BadRecord(
            "unknown_specversion", f"ce_specversion is {_text(fields, 'ce_specversion')!r}, not 1.0"
        )
    context = Context(
        source=_text(fields, "ce_source"),
        correlation_id=_text(fields, "ce_correlationid", None),
        causation_id=_text(fields, "ce_causationid", None),
        traceparent=_text(fields, "traceparent", None),
    )
    return _received(_text(fields, "ce_type"), _text(fields, "ce_id"), context, value)


def _unpack_structured(value: bytes) -> Received | None:
    try:
        outer = msgspec.json.decode(value, type=_Structured)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord("bad_json", str(error)) from error
    if outer.specversion != "1.0":
        raise BadRecord("unknown_specversion", f"specversion is {outer.specversion!r}, not 1.0")
    context = Context(
        source=outer.source,
        correlation_id=outer.correlationid,
        causation_id=outer.causationid,
        traceparent=outer.traceparent,
    )
    return _received(outer.type, _without_nul("id", outer.id), context, bytes(outer.data))


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
        json.loads(data, object_pairs_hook=_unique)
    except _Twice as error:
        raise BadRecord("duplicate_key", f"{type_name}: {error.name!r} stands twice in one object") from error
    except (RecursionError, ValueError) as error:
        raise BadRecord("bad_json", f"{type_name}: {type(error).__name__}: {error}") from error


class _Twice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _unique(pairs: list[tuple[str, object]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise _Twice(name)
        names.add(name)


@cache
def _decoder(type_name: str) -> Callable[[bytes], Event]:
    return msgspec.json.Decoder(EVENT_TYPES[type_name], strict=True).decode


_REQUIRED: Any = object()


def _text(fields: dict[str, bytes | None], name: str, default: Any = _REQUIRED) -> Any:  # noqa: ANN401 - str, or as the default
    if name not in fields:
        return default if default is not _REQUIRED else _refuse(name, "is missing")
    data = fields[name]
    if data is None or len(data) > _MAX_HEADER:
        _refuse(name, "is null" if data is None else f"has {len(data)} bytes, {_MAX_HEADER} allowed")
    try:
        return _without_nul(name, data.decode())
    except UnicodeDecodeError:
        _refuse(name, f"is not UTF-8: {data[:40]!r}")


def _without_nul(name: str, text: str) -> str:
    return _refuse(name, "holds the NUL character") if "\0" in text else text


def _refuse(name: str, what: str) -> NoReturn:
    raise BadRecord("bad_header", f"the header {name} {what}")
