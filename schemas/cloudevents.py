"""CloudEvents 1.0 in a Kafka record: headers and value in, attributes and data out, whatever the mode.

Binary mode has the attributes in headers `ce_*` and the data in the value; structured mode has all of it in
the value, as JSON. Names of headers are taken in any case, as the official SDKs do. In a record without any
`ce_` header the value is read as an event in structured mode, whatever its `content-type`: the Python SDK's
`to_structured` writes the data's type there. A header that is null says nothing, as one that is not there.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from msgspec import Struct

from schemas.headers import BadRecord, media_type, optional
from schemas.names import named_twice

SPECVERSION = "1.0"

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
_OF_CLOUDEVENTS = "application/cloudevents"

PREFIX = "ce_"
CONTENT_TYPE = "content-type"
_TRACEPARENT = "traceparent"
IN_STRUCTURED_MODE = ((CONTENT_TYPE, STRUCTURED.encode()),)
"""The headers of an event that is one JSON document."""

_PLAIN_HEADERS = frozenset({CONTENT_TYPE, _TRACEPARENT})

PLACE = ("kafkatopic", "kafkapartition", "kafkaoffset")
"""The extensions by which Go's SDK says where a record lay; they are not published again."""

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""The largest event in bytes; producer and topic settings agree with it."""

_NULL = b"null"


class Opened(NamedTuple):
    """A record's CloudEvent: its attributes by their headers' names in binary mode, and its data."""

    attributes: Mapping[str, bytes | None]
    data: bytes | None
    structured: bool = False


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
    data_base64: str | None = None


def headers_by_name(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes | None]:
    """The headers that say something of an event, by their names in lower case; of two alike the last."""
    return {
        lower: data
        for name, data in headers
        if (lower := name.lower()).startswith(PREFIX) or lower in _PLAIN_HEADERS
    }


def opened(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Opened:
    """The event of a record in either mode, as yet unread; raises `BadRecord`."""
    fields = headers_by_name(headers)
    kind = media_type(optional(fields, CONTENT_TYPE))
    if kind == STRUCTURED:
        return _structured(value)
    if kind.startswith(_OF_CLOUDEVENTS):
        raise BadRecord(
            "unknown_format", f"content-type is {kind!r}: of CloudEvents' formats only JSON is read"
        )
    if any(name.startswith(PREFIX) for name in fields):
        return Opened(fields, value)
    try:
        return _structured(value)
    except BadRecord as fault:
        if fault.code != "bad_json":
            raise
        raise BadRecord(
            "bad_header", f"no header ce_specversion, and no event in the value: {fault.reason}"
        ) from fault


def check_size(data: bytes) -> None:
    """Raise `BadRecord` for more bytes than an event may have."""
    if len(data) > MAX_EVENT_BYTES:
        raise BadRecord("event_too_large", f"{len(data)} bytes, {MAX_EVENT_BYTES} allowed")


def check_names(kind: str, data: bytes) -> None:
    """Raise `BadRecord` where an object says one thing twice."""
    try:
        name = named_twice(data)
    except (RecursionError, ValueError) as error:
        raise BadRecord("bad_json", f"{kind}: {error}") from error
    if name is not None:
        raise BadRecord("duplicate_key", f"{kind}: {name!r} stands twice in one object")


def _structured(value: bytes | None) -> Opened:
    if value is None:
        raise BadRecord("null_value", "the record has no value")
    check_size(value)
    try:
        outer = msgspec.json.decode(value, type=_Structured)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord("bad_json", str(error)) from error
    check_names(STRUCTURED, value)
    return Opened(_as_headers(outer), _data_of(outer), structured=True)


def _as_headers(outer: _Structured) -> dict[str, bytes | None]:
    texts = {
        "ce_specversion": outer.specversion,
        "ce_id": outer.id,
        "ce_type": outer.type,
        "ce_source": outer.source,
        "ce_correlationid": outer.correlationid,
        "ce_causationid": outer.causationid,
        _TRACEPARENT: outer.traceparent,
    }
    return {name: text.encode() for name, text in texts.items() if text is not None}


def _data_of(outer: _Structured) -> bytes | None:
    data = bytes(outer.data)
    if outer.data_base64 is None:
        return None if data in {b"", _NULL} else data
    if data not in {b"", _NULL}:
        raise BadRecord("bad_data", "the event has both data and data_base64")
    try:
        return base64.b64decode(outer.data_base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRecord("bad_data", f"data_base64 is no base64: {error}") from error
