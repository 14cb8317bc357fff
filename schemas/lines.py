"""An event as one line of JSON: CloudEvents' JSON format, which people write, read and pipe.

A record of either mode becomes a line. A line becomes a record in binary mode, whose headers are the line's
attributes as they are, unknown extensions included.
"""

import base64
import re
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Raw

from schemas.cloudevents import CONTENT_TYPE, IN_STRUCTURED_MODE, JSON, PLACE, PREFIX, opened
from schemas.headers import BadRecord, readable, written

_OF_DATA = "datacontenttype"
_PLAIN = {_OF_DATA: CONTENT_TYPE, "traceparent": "traceparent"}
"""Attributes whose headers have no prefix."""

_ATTRIBUTES = {header: attribute for attribute, header in _PLAIN.items()}

_OF_RECORDS = frozenset({"partitionkey", *PLACE})
"""What an attribute says of a record, and not of its event: it is not published again."""

_NAME = re.compile(r"[a-z0-9]+")
_BREAKS = bytes.maketrans(b"\r\n", b"  ")


def line_of(headers: Iterable[tuple[str, bytes | None]], value: bytes | None, **more: object) -> bytes:
    """A record's event as a line, with further attributes; raises `BadRecord` for what is no CloudEvent."""
    fields, data, structured = opened(tuple(headers), value)
    members = _members(value or b"") if structured else _from_headers(fields, data)
    return msgspec.json.encode(members | more)


def record_of(line: bytes) -> tuple[tuple[tuple[str, bytes], ...], bytes]:
    """A line's event as headers and value in binary mode; raises `BadRecord` for what is no CloudEvent."""
    _, data, _ = opened(IN_STRUCTURED_MODE, line)
    if data is None:
        raise BadRecord("null_value", "the event has no data")
    headers: dict[str, bytes] = {CONTENT_TYPE: JSON.encode()}
    for name, raw in _members(line).items():
        text = None if name in {"data", "data_base64", *_OF_RECORDS} else _text(name, raw)
        if text is not None:
            header = _PLAIN.get(name, PREFIX + name)
            headers[header] = written(header, text)
    return tuple(headers.items()), data


def _members(document: bytes) -> dict[str, Raw]:
    """The members of a JSON object, each as it stands there, without line breaks."""
    try:
        return msgspec.json.decode(document.translate(_BREAKS), type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord("bad_json", str(error)) from error


def _from_headers(fields: Mapping[str, bytes | None], data: bytes | None) -> dict[str, object]:
    texts = {_ATTRIBUTES.get(name, name.removeprefix(PREFIX)): readable(fields, name) for name in fields}
    found: dict[str, object] = {name: text for name, text in texts.items() if text is not None}
    return found | _as_member(data) if data is not None else found


def _as_member(data: bytes) -> dict[str, object]:
    """The data as JSON where it is that; else in base64."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"data_base64": base64.b64encode(data).decode()}
    return {"data": Raw(data.translate(_BREAKS))}


def _text(name: str, raw: Raw) -> str | None:
    """An attribute's value as a header has it: booleans and whole numbers as texts."""
    if not _NAME.fullmatch(name):
        raise BadRecord("bad_header", f"the attribute {name!r}: a name has the letters a-z and digits only")
    value = msgspec.json.decode(raw)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise BadRecord("bad_header", f"the attribute {name!r} is no text, whole number or boolean")
