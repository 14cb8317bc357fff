"""CloudEvents 1.0 around the events: an event becomes key, value and headers; a record becomes an event.

Written in binary mode (`ce_*` headers, the event itself as JSON in the value); structured mode is read too,
under the same checks. A record comes from anywhere, so nothing in it is trusted: what can't be read is a
`BadRecord` that says why.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import msgspec
from msgspec import Struct

from schemas.admission import Standing
from schemas.checks import fault_of
from schemas.cloudevents import JSON, SPECVERSION, check_names, check_size, headers_by_name, opened
from schemas.events import (
    EVENT_TYPES,
    Event,
    EventAsWritten,
    PracticeDayChanged,
    PracticeDayIngested,
    PracticeDayRequested,
    RecordRefused,
    SessionDetailRequested,
)
from schemas.fields import SLUG, SOURCE_NAME, Source
from schemas.headers import (
    BadRecord,
    check_readable,
    optional,
    readable,
    required,
    written,
)
from schemas.identity import event_id, event_key
from schemas.versions import upcast

OWN_NAMESPACES = ("page.", "practice_day.", "record.", "session_detail.")
"""The type names that are this project's to define: an unknown one of these is an error, not a stranger."""

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
    """An event with what its envelope said of it; `written` is it in the version that its record has.

    `standing` is that of its record in the event log, where it was read from there.
    """

    event: Event
    written: EventAsWritten
    id: str
    context: Context
    size: int
    standing: Standing = Standing("", 0)


class Attributes(Struct, frozen=True, kw_only=True):
    """What an envelope says of an event, as far as each of these is there and can be read."""

    type: str | None
    id: str | None
    source: str | None
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None


def moment_of(event: EventAsWritten) -> dt.datetime:
    """When it happened: the page was answered, the request made, the record refused, or the like."""
    match event:
        case PracticeDayRequested() | SessionDetailRequested():
            return event.requested_at
        case PracticeDayIngested():
            return event.finished_at
        case PracticeDayChanged():
            return event.changed_at
        case RecordRefused():
            return event.refused_at
        case _:
            return event.observed_at


def pack(event: EventAsWritten, context: Context) -> Outgoing:
    """The event as a record in binary mode; raises `BadRecord` for one that `unpack` would refuse."""
    texts = {
        "ce_specversion": SPECVERSION,
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
    """The event of a record; None for a type of another vendor's namespace; `BadRecord` for all else.

    An event of an old version of its type comes as one of the present version.
    """
    found = tuple(headers)
    check_readable(found)
    fields, data, _ = opened(found, value)
    if is_foreign(readable(fields, "ce_type")):
        return None
    if (version := required(fields, "ce_specversion")) != SPECVERSION:
        raise BadRecord("unknown_specversion", f"ce_specversion is {version!r}, not {SPECVERSION}")
    if data is None:
        raise BadRecord("null_value", "the record has no value" if value is None else "the event has no data")
    check_size(data)
    context = Context(
        source=required(fields, "ce_source"),
        correlation_id=optional(fields, "ce_correlationid"),
        causation_id=optional(fields, "ce_causationid"),
        traceparent=optional(fields, _trace_header(fields)),
    )
    return _received(required(fields, "ce_type"), required(fields, "ce_id"), context, data)


def _trace_header(fields: Mapping[str, bytes | None]) -> str:
    """Where the trace stands: we write it as a plain header, the SDKs as an attribute like any other."""
    return "traceparent" if "traceparent" in fields else "ce_traceparent"


def is_foreign(type_name: str | None) -> bool:
    """Whether a type is of another vendor's namespace: such an event is ignored."""
    return bool(type_name) and not type_name.startswith(OWN_NAMESPACES) and type_name not in EVENT_TYPES


def attributes_of(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Attributes:
    """What can be read of a record's envelope, whatever is wrong with the record."""
    found = tuple(headers)
    fields = headers_by_name(found)
    with contextlib.suppress(BadRecord):
        fields = opened(found, value).attributes
    return Attributes(
        type=readable(fields, "ce_type"),
        id=readable(fields, "ce_id"),
        source=readable(fields, "ce_source"),
        correlation_id=readable(fields, "ce_correlationid"),
        causation_id=readable(fields, "ce_causationid"),
        traceparent=readable(fields, _trace_header(fields)),
    )


def timing_service_of(
    headers: Iterable[tuple[str, bytes | None]], value: bytes | None, key: bytes | None = None
) -> str | None:
    """The timing service that a record speaks of, whatever else is wrong with it; None where none is read.

    It is the event's own field, else the beginning of the record's key.
    """
    with contextlib.suppress(BadRecord, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _, data, _ = opened(tuple(headers), value)
        if data is not None:
            return _SOURCED.decode(data).source
    found = _KEY.match(key or b"")
    return found and found[1].decode()


class _Sourced(Struct):
    source: Source


_SOURCED = msgspec.json.Decoder(_Sourced)
_KEY = re.compile(rf"({SOURCE_NAME})/{SLUG}/".encode())


def _received(type_name: str, id_: str, context: Context, data: bytes) -> Received:
    if type_name not in EVENT_TYPES:
        raise BadRecord("unknown_version", f"{type_name!r} is of our namespace, but no type that we know")
    written = _event(type_name, data)
    event = _present(type_name, written)
    if fault := fault_of(event):
        raise BadRecord("invalid_event", f"{type_name}: {fault}")
    return Received(event=event, written=written, id=id_, context=context, size=len(data))


def _event(type_name: str, data: bytes) -> EventAsWritten:
    if b"\\u0000" in data and _ESCAPED_NUL.search(data):
        raise BadRecord("nul_character", "a text holds the NUL character, which no table can store")
    try:
        event = _decoder(type_name)(data)
    except msgspec.ValidationError as error:
        raise BadRecord("invalid_event", f"{type_name}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord("bad_json", f"{type_name}: {error}") from error
    if _ENCODER.encode(event) != data:
        check_names(type_name, data)
    return event


def _present(type_name: str, event: EventAsWritten) -> Event:
    try:
        return upcast(event)
    except Exception as error:
        raise BadRecord("upcast_failed", f"{type_name}: {error!r}") from error


@cache
def _decoder(type_name: str) -> Callable[[bytes], EventAsWritten]:
    return msgspec.json.Decoder(EVENT_TYPES[type_name], strict=True).decode
